//! Expiry: a wrong clock removes nothing, files that the summary lacks stay, and no step blocks another.

use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles, Put};
use checkup_core::{Maintenance, StorageError, StorageMaintainer, Timestamp, async_trait, summary};

use crate::{DAY, HOUR, MINUTE, day, everything, maintain, names, put};

/// Maintains, as a separate process would, until there is nothing left to do.
async fn expire(files: impl NamedFiles, expiry: Duration) -> Result<Maintenance, StorageError> {
    let archive = Archive::new(files).check_expiry(expiry);
    let mut all = Maintenance::default();
    loop {
        let done = archive.maintain().await?;
        all.expired += done.expired;
        all.compacted += done.compacted;
        all.failures.extend(done.failures);
        if !done.unfinished {
            return Ok(all);
        }
    }
}

/// A history of this many days that ended a number of days ago.
async fn history(days: u32, ago: u32) -> MemoryFiles {
    let files = MemoryFiles::new();
    for day_ago in ago..ago + days {
        put(&files, "a", day(day_ago).saturating_add(HOUR * 12)).await;
    }
    files
}

/// The steps that failed, and why.
fn failures(outcome: Result<Maintenance, StorageError>) -> String {
    match outcome {
        Ok(done) => done.failures.iter().map(|failure| format!("{failure}\n")).collect(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_removes_nothing_and_says_so() {
    // Seen from a clock that is 730 days ahead, with nothing, one store, and some stores since.
    for stores in 0..4 {
        let files = history(90, 730).await;
        maintain(&files).await;
        for number in 0..stores {
            put(&files, "ahead", Timestamp::now().saturating_sub(MINUTE * number)).await;
        }
        let before = everything(&files).await;
        for _ in 0..2 {
            let failures = failures(expire(files.clone(), DAY * 89).await);
            assert!(failures.contains("the clock of this node says"), "{stores}: {failures}");
            assert!(failures.contains("set the clock"), "{stores}: {failures}");
        }
        let after = everything(&files).await;
        assert!(after.len() + 2 >= before.len(), "{stores}: {} of {}", after.len(), before.len());
        assert!(before[2..].iter().all(|result| after.contains(result)), "{stores}");
        // Nor does the summary lose a day of what is in no check file any more.
        let summary = String::from_utf8(files.get(summary::FILE).await.unwrap()).unwrap();
        for before in [731, 819] {
            let day = day(before).unix_nanos() / 86_400_000_000_000;
            assert!(summary.contains(&format!("\"{day}\"")), "{stores}: day {day}");
        }
    }
}

#[tokio::test]
async fn after_a_long_outage_what_has_expired_is_removed_once_results_were_stored_for_a_day() {
    let files = history(90, 730).await;
    for hours in [30, 20, 10, 0] {
        put(&files, "back", Timestamp::now().saturating_sub(HOUR * hours)).await;
    }
    let done = expire(files.clone(), DAY * 89).await.unwrap();
    assert_eq!((done.expired, done.failures), (90, vec![]));
    assert_eq!(everything(&files).await.len(), 4);
}

#[tokio::test]
async fn results_of_other_nodes_confirm_the_clock() {
    let files = history(120, 0).await;
    let done = expire(files.clone(), DAY * 89).await.unwrap();
    assert_eq!(done.failures, []);
    assert!(everything(&files).await.len() <= 90);
}

#[tokio::test]
async fn check_files_from_the_future_expire_nothing_and_stay() {
    let files = history(3, 100).await;
    let future = Timestamp::now().saturating_add(DAY * 365);
    for number in 0..5 {
        put(&files, "future", future.saturating_add(DAY * number)).await;
    }
    assert!(failures(expire(files.clone(), DAY * 10).await).contains("the clock of this node says"));
    assert_eq!(everything(&files).await.len(), 8);
    // Nor does a clock that is behind, which sees all of them there.
    let behind = history(90, 0).await;
    put(&behind, "future", Timestamp::from_unix_nanos(i64::MAX)).await;
    expire(behind.clone(), DAY * 95).await.unwrap();
    assert_eq!(everything(&behind).await.len(), 91);
}

/// Why the summary of a history cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoSummary {
    /// A later version wrote it, and maintains it.
    Later,
    /// It exists and cannot be read.
    Unreadable,
    /// It does not exist and cannot be written.
    Unwritable,
}

#[tokio::test]
async fn files_that_the_summary_lacks_are_not_removed() {
    for (problem, reported) in [
        (NoSummary::Later, "summary.json is not a summary"),
        (NoSummary::Unreadable, "summary.json: access denied"),
        (NoSummary::Unwritable, "10 check files have expired and are not in the summary; the first is "),
    ] {
        let files = history(20, 1).await;
        // Between two days, so that it is the same ten files at any time of day.
        let expiry = Timestamp::now().since(day(10));
        let before = match problem {
            NoSummary::Later => Some("{\"version\":99}"),
            NoSummary::Unreadable => Some("{}"),
            NoSummary::Unwritable => None,
        };
        if let Some(before) = before {
            files.put(summary::FILE, before.as_bytes()).await.unwrap();
        }
        let failing = Failing {
            unreadable: (problem == NoSummary::Unreadable).then(|| summary::FILE.to_owned()),
            unwritable: (problem == NoSummary::Unwritable).then(|| summary::FILE.to_owned()),
            ..Failing::new(&files)
        };
        let failures = failures(expire(failing, expiry).await);
        assert!(failures.contains(reported), "{problem:?}: {failures}");
        // The summary is what it was, and every result is still in a check file.
        let after = files.get(summary::FILE).await.ok();
        assert_eq!(after.as_deref(), before.map(str::as_bytes), "{problem:?}");
        assert_eq!(everything(&files).await.len(), 20, "{problem:?}");
        // Once the summary can be made, they expire.
        files.delete(&[summary::FILE]).await.unwrap();
        let done = expire(files.clone(), expiry).await.unwrap();
        assert_eq!((done.expired, done.failures), (10, vec![]), "{problem:?}");
    }
}

/// Files for which some requests fail.
#[derive(Debug)]
struct Failing {
    files: MemoryFiles,
    /// The file that cannot be read.
    unreadable: Option<String>,
    /// The file that cannot be written.
    unwritable: Option<String>,
    /// Whether nothing can be written until something was deleted, as on a full disk.
    is_full: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl NamedFiles for Failing {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        self.check_writable(name)?;
        self.files.put_if_absent(name, content).await
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        self.check_writable(name)?;
        self.files.put(name, content).await
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        self.files.list(from, limit).await
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        match self.unreadable.as_deref() == Some(name) {
            true => Err(StorageError::new(format!("{name}: access denied"))),
            false => self.files.get(name).await,
        }
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        self.is_full.store(false, std::sync::atomic::Ordering::Relaxed);
        self.files.delete(names).await
    }
}

impl Failing {
    fn new(files: &MemoryFiles) -> Self {
        Self { files: files.clone(), unreadable: None, unwritable: None, is_full: false.into() }
    }

    fn check_writable(&self, name: &str) -> Result<(), StorageError> {
        if self.unwritable.as_deref() == Some(name) {
            return Err(StorageError::new(format!("{name}: access denied")));
        }
        match self.is_full.load(std::sync::atomic::Ordering::Relaxed) {
            true => Err(StorageError::new("the disk is full")),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_relieved_before_anything_is_written() {
    let files = history(20, 1).await;
    maintain(&files).await;
    for number in 0..50 {
        put(&files, "new", day(2).saturating_add(MINUTE * number)).await;
    }
    let full = Failing { is_full: true.into(), ..Failing::new(&files) };
    let done = expire(full, DAY * 10).await.unwrap();
    assert!(done.expired >= 9 && done.compacted > 0, "{done:?}");
    assert_eq!(done.failures, []);
}

#[tokio::test]
async fn an_unreadable_file_affects_no_other() {
    let files = history(20, 1).await;
    maintain(&files).await;
    let unreadable = put(&files, "unreadable", day(5).saturating_add(HOUR)).await;
    for number in 0..10 {
        put(&files, "late", day(5).saturating_add(MINUTE * (number + 70))).await;
    }
    let name = names(&files).await.into_iter().find(|name| name.contains("unreadable")).unwrap();
    let failing = Failing { unreadable: Some(name), ..Failing::new(&files) };
    let done = expire(failing, DAY * 10).await.unwrap();
    assert!(done.compacted >= 10 && done.expired >= 9, "{done:?}");
    assert!(done.failures.iter().any(|failure| failure.to_string().contains("access denied")), "{done:?}");
    assert!(everything(&files).await.contains(&unreadable));
}
