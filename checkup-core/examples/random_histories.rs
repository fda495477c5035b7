//! Prints random histories and the states derived from them, one JSON object per line: `random_histories COUNT`.
//!
//! The page's JavaScript must derive the same; `.ci/browser` compares the two.

use std::io::{BufWriter, Write};
use std::time::Duration;

use checkup_core::history::{Availability, Incident};
use checkup_core::summary::Summary;
use checkup_core::{Quorum, Timestamp, check_file};
use serde_json::{Value, json};

#[path = "../tests/summary/random.rs"]
mod random;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args().nth(1).map_or(Ok(2000), |count| count.parse())?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for seed in 0..count {
        writeln!(out, "{}", line(seed)?)?;
    }
    Ok(out.flush()?)
}

fn line(seed: u64) -> Result<Value, Box<dyn std::error::Error>> {
    let of = random::history(seed);
    let mut whole = Summary::new();
    whole.add(&of.results);
    // Half of them consist of a summary with closed days, followed by files with later results.
    let mut stored = None;
    if seed % 2 == 1 {
        let mut summary = Summary::new();
        let middle = of.now.saturating_sub(Duration::from_secs(3600 * (seed % 24)));
        let early: Vec<_> = of.results.iter().filter(|result| result.timestamp < middle).cloned().collect();
        summary.add(&early);
        summary.forget_before(middle);
        summary.note_incidents(middle);
        stored = Some(serde_json::to_value(&summary)?);
        let late: Vec<_> = of.results.iter().filter(|result| result.timestamp >= middle).cloned().collect();
        summary.add(&late);
        whole = summary;
    }
    let quorum = Quorum::at_least(of.quorum).unwrap_or_default();
    let timeline = whole.timeline(&whole.series, quorum, of.now);
    let incidents = timeline.incidents(of.hysteresis);
    let days =
        [1, 3].map(|days| timeline.availability(of.now.saturating_sub(Duration::from_secs(days * 86_400)), of.now));
    let file: Value = serde_json::from_slice(&check_file::encode(&of.results)?)?;
    Ok(json!({
        "seed": seed,
        "now": millis(of.now),
        "quorum": of.quorum,
        "failures": of.hysteresis.failures,
        "successes": of.hysteresis.successes,
        "summary": stored,
        "results": file,
        "state": timeline.state().as_str(),
        "since": timeline.since().map(millis),
        "availability": days.iter().map(lengths).collect::<Vec<_>>(),
        "incidents": incidents.iter().map(incident).collect::<Vec<_>>(),
    }))
}

fn lengths(of: &Availability) -> Value {
    let Availability { healthy, degraded, down, maintenance, unknown } = *of;
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    json!({
        "healthy": millis(healthy),
        "degraded": millis(degraded),
        "down": millis(down),
        "maintenance": millis(maintenance),
        "unknown": millis(unknown),
    })
}

fn incident(of: &Incident) -> Value {
    let segments = of.segments.iter().map(|segment| {
        json!({
            "status": segment.status.as_str(),
            "from": millis(segment.from),
            "to": millis(segment.to),
            "locations": segment.locations,
            "reasons": segment.reasons,
        })
    });
    json!({
        "id": of.id,
        "from": millis(of.from),
        "to": of.to.map(millis),
        "lastSeen": of.last_seen.map(millis),
        "status": of.status.as_str(),
        "reason": of.reason,
        "inMaintenance": of.in_maintenance,
        "segments": segments.collect::<Vec<_>>(),
    })
}

fn millis(time: Timestamp) -> i64 {
    time.unix_nanos().div_euclid(1_000_000)
}
