//! The documented JSON API.

use std::time::Duration;

use checkup_core::history::{Hysteresis, Rules, Segment, Timeline};
use checkup_core::summary::{Point, Posted, Series, Summary};
use checkup_core::{Quorum, Status, Timestamp};
use serde::Serialize;

use crate::view::overview::{CheckOverview, Overview, uptime};
use crate::view::timeline::{is_announced, next_windows};

const DAY: u64 = 24 * 3600;

/// How many announcements are given.
const MAX_ANNOUNCEMENTS: usize = 50;

/// The periods for which uptime is given.
const UPTIMES: [(&str, u64); 4] = [("24h", 1), ("7d", 7), ("30d", 30), ("90d", 90)];

/// `GET api/v1/status`.
#[derive(Debug, Serialize)]
pub(crate) struct StatusAnswer {
    status: &'static str,
    /// When the latest check ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<String>,
    checks: Vec<CheckAnswer>,
    /// What was posted to all checks, the latest first.
    announcements: Vec<MessageAnswer>,
    /// Maintenance that runs or is planned, the earliest first; of what recurs, the next.
    maintenance: Vec<WindowAnswer>,
}

#[derive(Debug, Serialize)]
struct WindowAnswer {
    id: String,
    /// Absent for all checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    from: String,
    to: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct CheckAnswer {
    name: String,
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    uptime: UptimeAnswer,
    locations: Vec<LocationAnswer>,
}

/// Shares from 0 to 1 by time; null if there are no results.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct UptimeAnswer(serde_json::Map<String, serde_json::Value>);

#[derive(Debug, Serialize)]
struct LocationAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    status: &'static str,
    stale: bool,
    checked: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl StatusAnswer {
    pub(crate) fn new(
        overview: &Overview,
        summary: &Summary,
        now: Timestamp,
        group: impl Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            status: overview.overall.as_str(),
            checked: overview.checked.map(|checked| checked.to_string()),
            checks: overview
                .checks
                .iter()
                .map(|check| CheckAnswer::new(check, summary, overview.rules.quorum, now, &group))
                .collect(),
            announcements: summary
                .announcements()
                .into_iter()
                .rev()
                .take(MAX_ANNOUNCEMENTS)
                .map(MessageAnswer::new)
                .collect(),
            maintenance: next_windows(summary, now)
                .into_iter()
                .filter(|window| window.to > now)
                .map(|window| WindowAnswer {
                    id: window.id.clone(),
                    check: window.name.clone(),
                    group: window.group.clone(),
                    from: window.from.to_string(),
                    to: window.to.to_string(),
                    text: window.text.clone(),
                })
                .collect(),
        }
    }
}

impl CheckAnswer {
    fn new(
        check: &CheckOverview,
        summary: &Summary,
        quorum: Quorum,
        now: Timestamp,
        group: &impl Fn(&str) -> Option<String>,
    ) -> Self {
        let verdict = &check.verdict;
        let is_own = |series: &&Series| series.name == verdict.name && series.endpoint == verdict.endpoint;
        let series: Vec<_> = summary.series.iter().filter(is_own).collect();
        let uptimes = UPTIMES.iter().map(|(key, days)| {
            let share = uptime(summary, &series, quorum, now, Duration::from_secs(days * DAY));
            ((*key).to_owned(), serde_json::json!(share))
        });
        let locations = verdict.locations.iter().map(|at| LocationAnswer {
            location: at.location.clone(),
            status: at.status.as_str(),
            stale: at.is_stale,
            checked: at.timestamp.to_string(),
            since: at.since.map(|since| since.to_string()),
            rtt_ms: at.rtt.map(millis),
            reason: at.reason.clone(),
        });
        Self {
            name: verdict.name.clone(),
            endpoint: verdict.endpoint.clone(),
            group: group(&verdict.name),
            status: check.state().as_str(),
            since: verdict.since().map(|since| since.to_string()),
            reason: verdict.reason.clone(),
            uptime: UptimeAnswer(uptimes.collect()),
            locations: locations.collect(),
        }
    }
}

/// `GET api/v1/history?check=NAME&since=TIME`.
#[derive(Debug, Serialize)]
pub(crate) struct HistoryAnswer {
    check: String,
    since: String,
    /// One for each endpoint that the check has or had.
    checks: Vec<OverallAnswer>,
    series: Vec<SeriesAnswer>,
}

/// A check over all of its locations.
#[derive(Debug, Serialize)]
struct OverallAnswer {
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime: Option<f64>,
    /// The share of the time that is known, to four digits.
    known: f64,
    incidents: Vec<IncidentAnswer>,
}

#[derive(Debug, Serialize)]
struct SeriesAnswer {
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime: Option<f64>,
    days: Vec<DayAnswer>,
    incidents: Vec<IncidentAnswer>,
    messages: Vec<MessageAnswer>,
    results: Vec<ResultAnswer>,
}

#[derive(Debug, Serialize)]
struct DayAnswer {
    day: String,
    healthy: u64,
    degraded: u64,
    down: u64,
    maintenance: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p90_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct IncidentAnswer {
    status: &'static str,
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The time of the last bad result, if the incident ended because no location had a valid result any longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    id: String,
    segments: Vec<SegmentAnswer>,
    messages: Vec<MessageAnswer>,
}

#[derive(Debug, Serialize)]
struct SegmentAnswer {
    status: &'static str,
    from: String,
    to: String,
    locations: Vec<Option<String>>,
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
struct MessageAnswer {
    id: String,
    time: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

impl MessageAnswer {
    fn new(posted: &Posted) -> Self {
        Self {
            id: posted.id.clone(),
            time: posted.at.to_string(),
            text: posted.text.clone(),
            state: posted.state.map(checkup_core::PostState::as_str),
            incident: posted.incident.clone(),
            group: posted.group.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct ResultAnswer {
    time: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl HistoryAnswer {
    /// The history of a check; `None` if no check has this name.
    pub(crate) fn new(summary: &Summary, check: &str, rules: &Rules, since: Timestamp, now: Timestamp) -> Option<Self> {
        let own = summary.series.iter().filter(|series| series.name == check);
        let series: Vec<_> = own.map(|series| SeriesAnswer::new(summary, series, rules, since, now)).collect();
        let of_name = summary.checks().filter(|series| series.first().is_some_and(|series| series.name == check));
        let checks = of_name.map(|series| {
            let timeline = summary.timeline(series, rules.quorum, now);
            let availability = timeline.availability(since, now);
            OverallAnswer {
                endpoint: series.first().map(|series| series.endpoint.clone()).unwrap_or_default(),
                uptime: availability.uptime(),
                known: (availability.known_share() * 10_000.0).round() / 10_000.0,
                incidents: incidents(&timeline, rules.hysteresis(check), since),
            }
        });
        let checks = checks.collect();
        (!series.is_empty()).then(|| Self { check: check.to_owned(), since: since.to_string(), checks, series })
    }
}

impl SeriesAnswer {
    fn new(summary: &Summary, series: &Series, rules: &Rules, since: Timestamp, now: Timestamp) -> Self {
        let days = summary.days(series).into_iter().filter(|day| {
            let end = day.start().saturating_add(Duration::from_secs(DAY));
            end > since
        });
        let days = days.map(|day| DayAnswer {
            day: day.start().to_string().chars().take(10).collect(),
            healthy: day.healthy,
            degraded: day.degraded,
            down: day.down,
            maintenance: day.excluded,
            p50_ms: day.p50.map(millis),
            p90_ms: day.p90.map(millis),
            p99_ms: day.p99.map(millis),
        });
        let timeline = summary.timeline([series], Quorum::Majority, now);
        let messages = summary.messages([series]).into_iter().filter(|message| message.at >= since);
        let messages = messages.filter(|message| !is_announced(summary, &series.name, &message.text));
        let results = series.recent.iter().filter(|point| point.timestamp >= since).map(ResultAnswer::new);
        Self {
            endpoint: series.endpoint.clone(),
            location: series.location.clone(),
            uptime: summary.uptime(series, since, now),
            days: days.collect(),
            incidents: incidents(&timeline, rules.hysteresis(&series.name), since),
            messages: messages.map(MessageAnswer::new).collect(),
            results: results.collect(),
        }
    }
}

/// The incidents that ended after `since`, or are still open.
fn incidents(timeline: &Timeline<'_>, hysteresis: Hysteresis, since: Timestamp) -> Vec<IncidentAnswer> {
    let incidents = timeline.incidents(hysteresis).into_iter();
    let in_period = incidents.filter(|incident| incident.to.is_none_or(|to| to > since));
    in_period
        .map(|incident| IncidentAnswer {
            status: incident.status.as_str(),
            from: incident.from.to_string(),
            to: incident.to.map(|to| to.to_string()),
            last_seen: incident.last_seen.map(|seen| seen.to_string()),
            reason: incident.reason,
            id: incident.id,
            segments: incident.segments.into_iter().map(SegmentAnswer::new).collect(),
            messages: incident.messages.iter().map(MessageAnswer::new).collect(),
        })
        .collect()
}

impl SegmentAnswer {
    fn new(segment: Segment) -> Self {
        Self {
            status: segment.status.as_str(),
            from: segment.from.to_string(),
            to: segment.to.to_string(),
            locations: segment.locations,
            reasons: segment.reasons,
        }
    }
}

impl ResultAnswer {
    fn new(point: &Point) -> Self {
        let reason = point.reason.clone().filter(|_| point.status != Status::Healthy);
        Self { time: point.timestamp.to_string(), status: point.status.as_str(), rtt_ms: point.rtt.map(millis), reason }
    }
}

#[allow(clippy::cast_precision_loss, reason = "no round trip takes 2^52 microseconds")]
fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}
