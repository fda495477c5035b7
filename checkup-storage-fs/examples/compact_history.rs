//! Prints the time and memory that compacting a long history takes: 90 days of 20 checks from 3 locations every 10
//! minutes.
//!
//! `cargo run --release -p checkup-storage-fs --example compact_history -- [DIR]`; the default is the system's folder for
//! temporary files.

#![allow(clippy::print_stdout, reason = "it is what this is for")]

use std::error::Error;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use checkup_core::{
    Attempt, CheckResult, Report, Storage, StorageMaintainer, StorageReader, Timestamp, check_file, summary,
};
use checkup_storage_fs::{Fs, FsStorage};
use flate2::Compression;
use flate2::write::GzEncoder;

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
    print_page(&dir, storage).await
}

/// Prints what a page loads for the whole history with the last day in detail, right before the next summary is made:
/// then it has to fetch 80 minutes of runs since the last summary, one by one.
async fn print_page(dir: &tempfile::TempDir, storage: FsStorage) -> Result<(), Box<dyn Error>> {
    for run in 0..8 {
        for location in LOCATIONS {
            let time = Timestamp::now().saturating_add(INTERVAL * run);
            storage.store(&Report::new((0..CHECKS).map(|check| result(check, location, time)).collect())).await?;
        }
    }
    let bytes = fs::read(dir.path().join(summary::FILE))?;
    let summary: serde_json::Value = serde_json::from_slice(&bytes)?;
    let since = Timestamp::from_unix_nanos(summary["recent_from"].as_i64().unwrap_or_default() * 1_000_000);
    let known: Vec<_> = summary["files"].as_array().into_iter().flatten().filter_map(|name| name.as_str()).collect();
    let (mut requests, mut total, mut compressed) = (2, bytes.len(), gzip(&bytes)?);
    for name in storage.list(since).await?.iter().filter(|name| !known.contains(&name.as_str())) {
        let file = fs::read(dir.path().join(name.as_str()))?;
        (requests, total, compressed) = (requests + 1, total + file.len(), compressed + gzip(&file)?);
    }
    println!(
        "a page loads: a list, summary.json of {} bytes ({} compressed), and {} check files; {requests} requests, \
         {total} bytes ({compressed} compressed)",
        bytes.len(),
        gzip(&bytes)?,
        requests - 2
    );
    Ok(())
}

fn gzip(bytes: &[u8]) -> std::io::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn result(check: u32, location: &str, time: Timestamp) -> CheckResult {
    let mut result = CheckResult::new(format!("check {check}"), format!("https://service{check}.example.com/health"));
    // Different for each result, so that they compress no better than real ones.
    let mixed = RandomState::new().hash_one((check, location, time));
    let rtt = u32::try_from(mixed % 80_000_000).unwrap_or_default() + 5_000_000;
    result.timestamp = time.saturating_sub(Duration::from_millis(500));
    result.attempts = vec![Attempt::success(Duration::from_nanos(rtt.into()))];
    result.location = Some(location.into());
    result
}

/// The number of check files, their total size, and the size of the largest.
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

/// The peak memory of the process, if the system reports it.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
