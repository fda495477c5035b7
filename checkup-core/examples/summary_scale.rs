//! Measures a year of maintenance of a large installation: `summary_scale CHECKS LOCATIONS DAYS [RUNS_A_DAY]`.
//!
//! Each day's check files are stored, summarised and removed, as with a short `check_expiry`, so the measured memory is that of maintenance.

use std::io::Write;
use std::time::{Duration, Instant};

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::history::Hysteresis;
use checkup_core::{
    Attempt, Cause, CheckResult, Quorum, Report, Status, Storage, StorageMaintainer, StorageReader, Timestamp,
};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u32>());
    let mut next = |default| numbers.next().unwrap_or(Ok(default));
    let (checks, locations, days, runs) = (next(10_000)?, next(3)?, next(365)?, next(4)?);
    let files = MemoryFiles::new();
    let mut out = std::io::stdout();
    let midnight = Timestamp::from_unix_nanos(Timestamp::now().unix_nanos() / 86_400_000_000_000 * 86_400_000_000_000);
    let mut longest = Duration::ZERO;
    for ago in (1..=days).rev() {
        let start = midnight.saturating_sub(DAY * ago);
        for run in 0..runs {
            let time = start.saturating_add(DAY / runs * run);
            for location in 0..locations {
                let results = (0..checks).map(|check| result(check, location, time, ago)).collect();
                Archive::new(files.clone()).store(&Report::new(results)).await?;
            }
        }
        let begun = Instant::now();
        let archive = Archive::new(files.clone()).compact(false);
        while archive.maintain().await?.unfinished {}
        longest = longest.max(begun.elapsed());
        let names = files.list("", 100_000).await?;
        let old: Vec<_> = names.iter().filter(|name| name.ends_with("-check.json")).map(String::as_str).collect();
        files.delete(&old).await?;
        if ago % 30 == 1 {
            let sizes = sizes(&files).await?;
            writeln!(
                out,
                "day {}: {} files, {} bytes, largest {}; peak {} kB",
                days - ago + 1,
                sizes.0,
                sizes.1,
                sizes.2,
                peak()
            )?;
        }
    }
    writeln!(out, "longest maintenance of a day: {longest:?}; peak resident: {} kB", peak())?;
    let begun = Instant::now();
    let summary = Archive::new(files).summary().await?.ok_or("no summary")?;
    let rows: usize = summary.series.iter().map(|series| series.days.len()).sum();
    writeln!(
        out,
        "read back in {:?}: {} series, {rows} days; peak resident: {} kB",
        begun.elapsed(),
        summary.series.len(),
        peak()
    )?;
    let (begun, now) = (Instant::now(), Timestamp::now());
    let verdicts = summary.verdicts(Quorum::Majority, now).len();
    let mut incidents = 0;
    for series in summary.checks() {
        let timeline = summary.timeline(series, Quorum::Majority, now);
        incidents += timeline.incidents(Hysteresis::default()).len();
        for days in [1, 7, 30, 90] {
            timeline.availability(now.saturating_sub(DAY * days), now);
        }
    }
    writeln!(
        out,
        "{verdicts} verdicts, {incidents} incidents and four uptimes of each check in {:?}",
        begun.elapsed()
    )?;
    Ok(())
}

fn result(check: u32, location: u32, time: Timestamp, day: u32) -> CheckResult {
    let mut result = CheckResult::new(format!("check {check}"), format!("https://shop-{check}.example.com/health"));
    result.location = Some(format!("location {location}").into());
    result.timestamp = time;
    let millis = 20 + u64::from((check * 7 + location * 31 + day * 13) % 60);
    result.attempts = vec![Attempt::success(Duration::from_millis(millis))];
    if (check + day).is_multiple_of(97) {
        result.status = Status::Down;
        result.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Refused, "connection refused")];
    }
    result
}

/// The number of summary files, their total size, and the size of the largest, in bytes.
async fn sizes(files: &MemoryFiles) -> Result<(usize, usize, usize), Box<dyn std::error::Error>> {
    let mut sizes = Vec::new();
    for name in files.list("summary", 100_000).await? {
        sizes.push(files.get(&name).await?.len());
    }
    Ok((sizes.len(), sizes.iter().sum(), sizes.iter().copied().max().unwrap_or_default()))
}

/// The peak resident memory of the process in kB; zero if the system does not report it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
