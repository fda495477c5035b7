//! Prints what compacting a long history takes: 90 days of 20 checks from 3 locations every 10 minutes.
//!
//! `cargo run --release -p checkup-storage-fs --example compact_history -- [DIR]`; the default is the system's folder for
//! temporary files.

#![allow(clippy::print_stdout, reason = "it is what this is for")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use checkup_core::{Attempt, CheckResult, StorageMaintainer, Timestamp, check_file};
use checkup_storage_fs::{Fs, FsStorage};

const DAYS: u32 = 90;
const CHECKS: u32 = 20;
const LOCATIONS: [&str; 3] = ["eu", "us", "asia"];
const INTERVAL: Duration = Duration::from_secs(600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(parent)?;
    let now = Timestamp::now();
    for run in 1..=DAYS * 144 {
        for (offset, location) in (0..).zip(LOCATIONS) {
            let time = now.saturating_sub(INTERVAL * run).saturating_add(Duration::from_millis(offset));
            let results: Vec<_> = (0..CHECKS).map(|check| result(check, location, time)).collect();
            let name = format!("{}-{location}-check.json", time.unix_nanos());
            fs::write(dir.path().join(name), check_file::encode(&results)?)?;
        }
    }
    let (files, bytes, _) = sizes(&dir)?;
    println!("before: {files} files, {bytes} bytes; peak memory {}", peak_memory());

    let storage = FsStorage::new(Fs::new(dir.path()))?;
    let (start, mut longest, mut calls) = (Instant::now(), Duration::ZERO, 0);
    loop {
        let call = Instant::now();
        let done = storage.maintain().await?;
        longest = longest.max(call.elapsed());
        calls += 1;
        if !done.unfinished {
            break;
        }
    }
    println!("compacted in {:.1?}, in {calls} calls of at most {longest:.1?}", start.elapsed());
    let (files, bytes, largest) = sizes(&dir)?;
    println!("after: {files} files, {bytes} bytes, the largest {largest}; peak memory {}", peak_memory());
    Ok(())
}

fn result(check: u32, location: &str, time: Timestamp) -> CheckResult {
    let mut result = CheckResult::new(format!("check {check}"), format!("https://service{check}.example.com/health"));
    let rtt = u32::try_from(time.unix_nanos() / 7_919 % 80_000_000).unwrap_or_default() + 5_000_000;
    result.timestamp = time.saturating_sub(Duration::from_millis(500));
    result.attempts = vec![Attempt::success(Duration::from_nanos(rtt.into()))];
    result.location = Some(location.to_owned());
    result
}

/// How many check files there are, their bytes, and those of the largest.
fn sizes(dir: &tempfile::TempDir) -> std::io::Result<(usize, u64, u64)> {
    let mut sizes = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with("-check.json") {
            sizes.push(entry.metadata()?.len());
        }
    }
    Ok((sizes.len(), sizes.iter().sum(), sizes.into_iter().max().unwrap_or_default()))
}

/// The most memory that the process has had, where the system tells it.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
