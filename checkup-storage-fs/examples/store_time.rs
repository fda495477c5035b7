//! Prints how long a store with its maintenance takes, for different numbers of check files.
//!
//! `cargo run --release -p checkup-storage-fs --example store_time -- [DIR]`; the default is the system's folder for
//! temporary files, which may be in memory, in which case the figures say nothing about disks.

#![allow(clippy::print_stdout, reason = "it is what this is for")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use checkup_core::{CheckResult, Report, Storage, Timestamp};
use checkup_storage_fs::{Fs, FsStorage};

const STORES: usize = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let mut report = Report::new((0..10).map(|n| CheckResult::new(format!("check {n}"), "127.0.0.1:80")).collect());
    println!("{:>8}  {:>7}  {:>9}  {:>9}  {:>9}", "files", "compact", "first", "median", "mean");
    for compact in [true, false] {
        for files in [1_000, 100_000] {
            let dir = tempfile::tempdir_in(&parent)?;
            let now = Timestamp::now();
            for file in 1..=files {
                let name = now.saturating_sub(Duration::from_secs(60) * file).unix_nanos();
                fs::write(dir.path().join(format!("{name}-check.json")), "[]\n")?;
            }
            fs::File::open(dir.path())?.sync_all()?;
            let settings = Fs::new(dir.path()).check_expiry(Duration::from_secs(10 * 365 * 24 * 3600));
            // By default, compaction would turn them into some hundred files and keep `index.json`, which each store
            // rewrites, short.
            let storage = FsStorage::new(settings.compact(compact))?;
            // Reaches the steady state: a new history is first summarised in pieces, one after each store.
            let maintainer = storage.maintainer().ok_or("it has maintenance")?;
            while maintainer.maintain().await?.unfinished {}
            let mut times = Vec::new();
            for _ in 0..=STORES {
                // A different report each time: storing the same one again makes no new file.
                report.results[0].timestamp = Timestamp::now();
                let start = Instant::now();
                storage.store(&report).await?;
                maintainer.maintain().await?;
                times.push(start.elapsed());
            }
            // The first store has to list the directory.
            let first = times.remove(0);
            times.sort();
            let (median, mean) = (times[STORES / 2], times.iter().sum::<Duration>() / STORES as u32);
            println!("{files:>8}  {compact:>7}  {first:>9.2?}  {median:>9.2?}  {mean:>9.2?}");
        }
    }
    Ok(())
}
