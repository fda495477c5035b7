//! Reads summaries of the first version: their incidents of single days become runs.
//!
//! Days whose check files exist are derived again. For other days, nothing but this is left.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::DayStats;
use super::columns::Millis;
use super::day::{day_of, start_of};
use crate::history::run::{Run, join};
use crate::{Status, Timestamp};

const DAY: Duration = Duration::from_secs(24 * 3600);
const MILLI: Duration = Duration::from_millis(1);

#[derive(Debug, Deserialize)]
struct IncidentForm {
    from: Millis,
    #[serde(default)]
    to: Option<Millis>,
    status: String,
    #[serde(default)]
    reason: Option<String>,
    /// The day, if it is not that of `from`.
    #[serde(default)]
    day: Option<i64>,
}

/// The runs of days: healthy, except in their incidents.
pub(super) fn runs(days: &[DayStats], incidents: &[Value]) -> Vec<Run> {
    let incidents =
        incidents.iter().filter_map(|incident| serde_json::from_value::<IncidentForm>(incident.clone()).ok());
    let mut spans: Vec<(i64, IncidentForm)> =
        incidents.map(|one| (one.day.unwrap_or_else(|| day_of(one.from.into())), one)).collect();
    spans.sort_by_key(|(day, incident)| (*day, incident.from));
    let mut runs = Vec::new();
    for stats in days {
        let count = stats.total();
        if count == 0 {
            continue;
        }
        let interval = DAY / u32::try_from(count).unwrap_or(u32::MAX);
        let run = |status, from: Timestamp, to: Timestamp, reason: Option<&String>| Run {
            status,
            from,
            last: to.saturating_sub(MILLI).max(from),
            interval,
            count: u64::try_from(to.since(from).as_millis() / interval.as_millis().max(1))
                .unwrap_or(count)
                .clamp(1, count),
            reasons: reason.map(|reason| (reason.clone(), 1)).into_iter().collect(),
        };
        let end = start_of(stats.day.saturating_add(1));
        let mut at = start_of(stats.day);
        let first = spans.partition_point(|(day, _)| *day < stats.day);
        for (_, span) in spans[first..].iter().take_while(|(day, _)| *day == stats.day) {
            let from = Timestamp::from(span.from).max(at).min(end);
            let to = span.to.map_or(end, Timestamp::from).clamp(from, end);
            let status = if span.status == "degraded" { Status::Degraded } else { Status::Down };
            if at < from {
                join(&mut runs, [run(Status::Healthy, at, from, None)]);
            }
            if from < to {
                // It was an incident, and so it was more than one result.
                let mut bad = run(status, from, to, span.reason.as_ref());
                bad.count = bad.count.max(2);
                join(&mut runs, [bad]);
            }
            at = to;
        }
        if at < end {
            join(&mut runs, [run(Status::Healthy, at, end, None)]);
        }
    }
    runs
}
