//! The archive, on files in memory: reading returns what was stored, whatever fails, stops or races.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod compaction;
mod cost;
mod expiry;
mod faults;
mod reading;
mod retention;

use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles, Put};
use checkup_core::{CheckResult, StorageMaintainer, Timestamp, check_file, history, summary};

const EPOCH: Timestamp = Timestamp::from_unix_nanos(0);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The beginning of the day, in UTC, that is so many days before today. All but today are closed: it begins late.
fn day(before: u32) -> Timestamp {
    let today = Timestamp::now().saturating_sub(MINUTE * 20).unix_nanos() / 1_000_000_000 / 86_400;
    Timestamp::from_unix_nanos((today - i64::from(before)) * 86_400 * 1_000_000_000)
}

fn result(name: &str, timestamp: Timestamp) -> CheckResult {
    let mut result = CheckResult::new(name, "127.0.0.1:80");
    result.timestamp = timestamp;
    result
}

/// Puts a check file with one result that was stored at this time, and gives the result.
async fn put(files: &impl NamedFiles, name: &str, time: Timestamp) -> CheckResult {
    let result = result(name, time);
    let content = check_file::encode(std::slice::from_ref(&result)).unwrap();
    let name = format!("{}-{name}-check.json", time.unix_nanos());
    assert_eq!(files.put_if_absent(&name, &content).await.unwrap(), Put::Created);
    result
}

/// Every result there is, oldest first.
async fn everything(files: &MemoryFiles) -> Vec<CheckResult> {
    let history = history::read(&Archive::new(files.clone()), EPOCH).await.unwrap();
    assert!(history.unread.is_empty(), "{:?}", history.unread);
    sorted(history.results)
}

fn sorted(mut results: Vec<CheckResult>) -> Vec<CheckResult> {
    results.sort_by(|a, b| (a.timestamp, &a.name).cmp(&(b.timestamp, &b.name)));
    results
}

/// The names of all files but the summary.
async fn names(files: &MemoryFiles) -> Vec<String> {
    let mut names = files.list("", usize::MAX).await.unwrap();
    names.retain(|name| name != summary::FILE);
    names
}

/// Maintains, as a separate process would, until there is nothing left to do. Returns how many files were compacted.
async fn maintain(files: &MemoryFiles) -> usize {
    let archive = Archive::new(files.clone());
    let mut compacted = 0;
    loop {
        let done = archive.maintain().await.unwrap();
        compacted += done.compacted;
        if !done.unfinished {
            return compacted;
        }
    }
}
