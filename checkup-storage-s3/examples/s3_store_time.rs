//! Prints how long a store with its maintenance takes, and how many requests it makes, depending on the number of check files in the bucket.
//!
//! `cargo run --release -p checkup-storage-s3 --example s3_store_time -- [FILES…]`: the server runs in this process, on loopback.
//! Maintenance first summarises the existing files in several passes, which takes minutes at 100,000 files (`first`).

#![allow(clippy::print_stdout, reason = "it is what this is for")]

use std::error::Error;
use std::time::{Duration, Instant};

use checkup_core::{CheckResult, Report, Storage, Timestamp};
use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::S3Server;

const STORES: u32 = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sizes = std::env::args().skip(1).map(|size| size.parse()).collect::<Result<Vec<u32>, _>>()?;
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000] } else { sizes };
    println!(
        "{:>8}  {:>8}  {:>9}  {:>9}  {:>9}  {:>5}  {:>5}",
        "files", "process", "first", "median", "mean", "puts", "lists"
    );
    for one_process in [true, false] {
        for &files in &sizes {
            let server = S3Server::start();
            let now = Timestamp::now();
            for file in 1..=files {
                let time = now.saturating_sub(Duration::from_secs(60) * file).unix_nanos();
                server.put("status", &format!("checks/{time}-check.json"), "[]\n");
            }
            let settings = S3::new("status")
                .endpoint(server.endpoint())
                .access_key(server.access_key_id(), server.secret_access_key())
                .prefix("checks")
                .check_expiry(Duration::from_secs(10 * 365 * 24 * 3600))
                // Compaction would leave only about a hundred files.
                .compact(false);
            measure(&server, &settings, files, one_process).await?;
        }
    }
    Ok(())
}

/// Stores from one long-running process, or from one process per store, like `checkup --store` in cron.
async fn measure(server: &S3Server, settings: &S3, files: u32, one_process: bool) -> Result<(), Box<dyn Error>> {
    let mut report = Report::new((0..10).map(|n| CheckResult::new(format!("check {n}"), "127.0.0.1:80")).collect());
    let (mut times, mut storage) = (Vec::new(), S3Storage::new(settings.clone())?);
    let start = Instant::now();
    while storage.maintainer().ok_or("it has maintenance")?.maintain().await?.unfinished {}
    let (first, before) = (start.elapsed(), server.requests());
    for _ in 0..STORES {
        // A different report each time, because storing the same report again has no effect.
        report.results[0].timestamp = Timestamp::now();
        let start = Instant::now();
        if !one_process {
            storage = S3Storage::new(settings.clone())?;
        }
        storage.store(&report).await?;
        storage.maintainer().ok_or("it has maintenance")?.maintain().await?;
        times.push(start.elapsed());
    }
    times.sort();
    let (median, mean) = (times[times.len() / 2], times.iter().sum::<Duration>() / STORES);
    let requests = server.requests() - before;
    let process = if one_process { "one" } else { "each" };
    println!(
        "{files:>8}  {process:>8}  {first:>9.2?}  {median:>9.2?}  {mean:>9.2?}  {:>5}  {:>5}",
        requests.put, requests.list
    );
    Ok(())
}
