//! The history of checks as JSON: times as in RFC 3339, round-trip times as integers of nanoseconds, as in check files.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use checkup_core::summary::{Incident, Posted, Series, Window};
use checkup_core::{AtLocation, Timestamp};
use serde_json::{Map, Value, json};

use super::{Parts, Stdout, escape, times};
use crate::history::{CheckHistory, History};

/// Prints the history as one document, with line breaks on a terminal.
pub(crate) fn print(history: &History<'_>, stdout: &mut Stdout) -> io::Result<()> {
    if !stdout.is_terminal() {
        return print_line(history, Parts::new(&mut |part| stdout.print(&escape::json(part))));
    }
    let mut document = without_checks(history);
    document["checks"] = history.checks.iter().map(|check| self::check(history, check)).collect();
    stdout.print(&escape::json(&format!("{document:#}\n")))
}

/// Prints one check after the other: there may be very many, and only one is in memory as JSON.
fn print_line(history: &History<'_>, mut parts: Parts<'_>) -> io::Result<()> {
    parts.text.push_str("{\"checks\":[");
    for (index, check) in history.checks.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // Writing into a string cannot fail.
        let _ = write!(parts.text, "{comma}{}", self::check(history, check));
        parts.print_if_long()?;
    }
    let rest = without_checks(history).to_string();
    parts.text.push_str("],");
    parts.text.push_str(rest.trim_start_matches('{'));
    parts.text.push('\n');
    parts.finish()
}

/// The document without its checks.
fn without_checks(history: &History<'_>) -> Value {
    json!({
        "since": time(history.period.start().min(history.period.since())),
        "now": time(history.period.now),
        "messages": history.announcements().into_iter().map(message).collect::<Vec<_>>(),
        "maintenance": windows(&history.windows(None)),
        "unread": history.summary.unread,
        "problems": history.summary.problems,
    })
}

fn check(history: &History<'_>, check: &CheckHistory<'_>) -> Value {
    let verdict = check.verdict.as_ref();
    let locations: Vec<_> = check
        .series
        .iter()
        .map(|series| {
            let at = verdict.and_then(|verdict| verdict.locations.iter().find(|at| at.location == series.location));
            location(history, series, at)
        })
        .collect();
    let incidents: Vec<_> = history.incidents(check).iter().map(incident).collect();
    let messages: Vec<_> = history.messages(check).into_iter().map(message).collect();
    json!({
        "name": check.name,
        "endpoint": check.endpoint,
        "configured": check.is_configured,
        "status": verdict.map(|verdict| verdict.status.as_str()),
        "stale": verdict.is_none_or(|verdict| verdict.is_stale),
        "since": verdict.and_then(checkup_core::Verdict::since).map(time),
        "reason": verdict.and_then(|verdict| verdict.reason.as_deref()),
        "uptime": uptimes(history.uptimes(&check.series)),
        "locations": locations,
        "incidents": incidents,
        "messages": messages,
        "maintenance": windows(&history.windows(Some(&check.name))),
    })
}

fn uptimes(shares: Vec<(String, Option<f64>)>) -> Map<String, Value> {
    shares.into_iter().map(|(time, share)| (time, share.into())).collect()
}

fn location(history: &History<'_>, series: &Series, at: Option<&AtLocation>) -> Value {
    let days: Vec<_> = history
        .days(series)
        .into_iter()
        .flatten()
        .map(|day| {
            json!({
                "day": times::date(day.start()),
                "healthy": day.healthy,
                "degraded": day.degraded,
                "down": day.down,
                "excluded": day.excluded,
                "p50": rtt(day.p50),
                "p90": rtt(day.p90),
                "p99": rtt(day.p99),
            })
        })
        .collect();
    json!({
        "location": series.location,
        "status": at.map(|at| at.status.as_str()),
        "stale": at.is_none_or(|at| at.is_stale),
        "since": at.and_then(|at| at.since).map(time),
        "last": at.map(|at| time(at.timestamp)),
        "rtt": at.and_then(|at| rtt(at.rtt)),
        "reason": at.and_then(|at| at.reason.as_deref()),
        "threshold": rtt(Some(series.threshold_rtt).filter(|threshold| !threshold.is_zero())),
        "uptime": uptimes(history.uptimes(&[series])),
        "days": days,
    })
}

fn incident(incident: &Incident) -> Value {
    let segments = incident.segments.iter().map(|segment| {
        json!({
            "from": time(segment.from),
            "to": time(segment.to),
            "status": segment.status.as_str(),
            "locations": segment.locations,
            "reasons": segment.reasons,
        })
    });
    json!({
        "id": incident.id,
        "locations": incident.locations(),
        "from": time(incident.from),
        "to": incident.to.map(time),
        "last_seen": incident.last_seen.map(time),
        "status": incident.status.as_str(),
        "reason": incident.reason,
        "in_maintenance": incident.in_maintenance,
        "messages": incident.messages.iter().map(message).collect::<Vec<_>>(),
        "segments": segments.collect::<Vec<_>>(),
    })
}

fn message(posted: &Posted) -> Value {
    json!({
        "id": posted.id,
        "at": time(posted.at),
        "state": posted.state.map(|state| state.as_str()),
        "text": posted.text,
        "incident": posted.incident,
        "group": posted.group,
    })
}

fn windows(windows: &[&Window]) -> Vec<Value> {
    windows
        .iter()
        .map(|window| json!({ "id": window.id, "from": time(window.from), "to": time(window.to), "text": window.text, "group": window.group }))
        .collect()
}

fn time(moment: Timestamp) -> String {
    moment.to_string()
}

fn rtt(rtt: Option<Duration>) -> Option<u64> {
    rtt.and_then(|rtt| u64::try_from(rtt.as_nanos()).ok())
}
