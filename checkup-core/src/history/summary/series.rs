use std::time::Duration;

use super::Window;
use crate::{CheckResult, Status, Timestamp};

/// How many incidents of a day and series are kept apart; what comes after belongs to the last.
const MAX_INCIDENTS: usize = 24;

/// How many characters of a reason and of a message are kept.
const MAX_REASON: usize = 300;
const MAX_TEXT: usize = 2000;

const MILLI: i64 = 1_000_000;
const DAY: i64 = 86_400_000 * MILLI;

/// What a series is of: name, endpoint and location.
pub(crate) type Key<'a> = (&'a str, &'a str, Option<&'a str>);

/// The history of one check at one location.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The check's name.
    pub name: String,
    /// What is checked.
    pub endpoint: String,
    /// Where the check runs.
    pub location: Option<String>,
    /// The round-trip time above which the check is degraded; zero for none.
    pub threshold_rtt: Duration,
    /// The figures of the days that are summarised, oldest first.
    pub days: Vec<DayStats>,
    /// What operators posted, oldest first.
    pub messages: Vec<Posted>,
    /// The results in detail, oldest first.
    pub recent: Vec<Point>,
    /// What was not healthy on the days that are summarised.
    pub(crate) spans: Vec<Span>,
}

/// A result, as much of it as a chart needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Point {
    /// When the check began, in whole milliseconds.
    pub timestamp: Timestamp,
    /// The verdict.
    pub status: Status,
    /// The median round-trip time of the attempts that succeeded, in whole microseconds.
    pub rtt: Option<Duration>,
    /// The fastest and the slowest of them.
    pub spread: Option<(Duration, Duration)>,
    /// Why it was not healthy.
    pub reason: Option<String>,
}

/// The figures of a day (in UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DayStats {
    /// The day, in days since 1970-01-01.
    pub day: i64,
    /// How many results were healthy.
    pub healthy: u64,
    /// How many were degraded.
    pub degraded: u64,
    /// How many were down.
    pub down: u64,
    /// How many were in a window of maintenance, and are in none of the others.
    pub excluded: u64,
    /// The median of the round-trip times.
    pub p50: Option<Duration>,
    /// The round-trip time that nine of ten do not exceed.
    pub p90: Option<Duration>,
    /// The round-trip time that 99 of 100 do not exceed.
    pub p99: Option<Duration>,
}

impl DayStats {
    /// When the day began.
    pub fn start(&self) -> Timestamp {
        start_of(self.day)
    }

    /// The share of results, from 0 to 1, that were not down. `None` if none counts.
    pub fn uptime(&self) -> Option<f64> {
        let up = self.healthy.saturating_add(self.degraded);
        let all = up.saturating_add(self.down);
        #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 results")]
        (all > 0).then(|| up as f64 / all as f64)
    }

    /// The worst status of the day. `None` if no result counts.
    pub fn worst(&self) -> Option<Status> {
        let counts = [(self.down, Status::Down), (self.degraded, Status::Degraded), (self.healthy, Status::Healthy)];
        counts.into_iter().find(|(count, _)| *count > 0).map(|(_, status)| status)
    }

    /// How many results there were.
    pub(super) fn total(&self) -> u64 {
        let counts = [self.healthy, self.degraded, self.down, self.excluded];
        counts.into_iter().fold(0, u64::saturating_add)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.healthy = self.healthy.saturating_add(other.healthy);
        self.degraded = self.degraded.saturating_add(other.degraded);
        self.down = self.down.saturating_add(other.down);
        self.excluded = self.excluded.saturating_add(other.excluded);
    }

    pub(super) fn count(&mut self, point: &Point, is_excluded: bool) {
        *match point.status {
            _ if is_excluded => &mut self.excluded,
            Status::Healthy => &mut self.healthy,
            // Results without a verdict are left out before.
            Status::Degraded | Status::Unknown => &mut self.degraded,
            Status::Down => &mut self.down,
        } += 1;
    }
}

/// From the first bad result to the recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incident {
    /// When the first bad result was.
    pub from: Timestamp,
    /// When the first good result after it was; `None` if there was none yet.
    pub to: Option<Timestamp>,
    /// The worst status of its time.
    pub status: Status,
    /// The reason of the first result with that status.
    pub reason: Option<String>,
}

/// What an operator posted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Posted {
    /// The time of the result that it was attached to.
    pub at: Timestamp,
    /// The text.
    pub text: String,
}

/// An incident, or its part in a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The day whose check files it is from. A run over midnight is of the day that it ended on.
    pub(super) day: i64,
    pub(super) incident: Incident,
    /// Whether it began with the first result of the day: then it may be one with that before.
    pub(super) continued: bool,
}

impl Series {
    pub(super) fn new((name, endpoint, location): Key<'_>) -> Self {
        let location = location.map(ToOwned::to_owned);
        Self { name: name.to_owned(), endpoint: endpoint.to_owned(), location, ..Self::default() }
    }

    pub(super) fn key(&self) -> Key<'_> {
        (&self.name, &self.endpoint, self.location.as_deref())
    }

    /// The latest result.
    pub fn latest(&self) -> Option<&Point> {
        self.recent.last()
    }

    /// The usual time from result to result: the median of the latest differences. `None` with fewer than two results.
    pub fn usual_interval(&self) -> Option<Duration> {
        let latest = &self.recent[self.recent.len().saturating_sub(24)..];
        let mut differences: Vec<_> =
            latest.windows(2).map(|pair| pair[1].timestamp.since(pair[0].timestamp)).collect();
        differences.sort_unstable();
        differences.get(differences.len() / 2).copied()
    }

    /// Adds a result, unless it is there.
    pub(super) fn add(&mut self, result: &CheckResult) {
        let point = Point::of(result);
        if let Some(message) = &result.message {
            self.post(Posted { at: point.timestamp, text: cut(message, MAX_TEXT) });
        }
        if self.recent.last().is_none_or(|last| last.timestamp <= point.timestamp) {
            self.threshold_rtt = result.threshold_rtt;
        }
        if let Err(place) = self.recent.binary_search_by_key(&point.timestamp, |point| point.timestamp) {
            self.recent.insert(place, point);
        }
    }

    pub(super) fn post(&mut self, message: Posted) {
        if let Err(place) = self.messages.binary_search(&message) {
            self.messages.insert(place, message);
        }
    }

    pub(super) fn has_day(&self, day: i64) -> bool {
        self.days.binary_search_by_key(&day, |stats| stats.day).is_ok()
    }

    /// The results of the days that are not summarised.
    pub(super) fn open_points(&self) -> &[Point] {
        let start = self.days.last().map_or(i64::MIN, |stats| stats.day.saturating_add(1));
        &self.recent[self.recent.partition_point(|point| day_of(point.timestamp) < start)..]
    }

    pub(super) fn is_excluded(&self, point: &Point, windows: &[Window]) -> bool {
        windows.iter().any(|window| window.covers(&self.name, point.timestamp))
    }

    /// The figures of these results, as those of a day.
    pub(super) fn stats(&self, day: i64, points: &[Point], windows: &[Window]) -> DayStats {
        let mut stats = DayStats { day, ..DayStats::default() };
        let mut times = Vec::with_capacity(points.len());
        for point in points {
            let is_excluded = self.is_excluded(point, windows);
            stats.count(point, is_excluded);
            times.extend(point.rtt.filter(|_| !is_excluded));
        }
        times.sort_unstable();
        // The nearest rank: the least that so many of a hundred do not exceed.
        let quantile = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        (stats.p50, stats.p90, stats.p99) = (quantile(50), quantile(90), quantile(99));
        stats
    }

    /// Makes the figures and the incidents of a day from its results.
    pub(super) fn close(&mut self, day: i64, points: &[Point], windows: &[Window]) {
        self.reopen(day);
        if points.is_empty() {
            return;
        }
        let stats = self.stats(day, points, windows);
        let place = self.days.partition_point(|stats| stats.day < day);
        self.days.insert(place, stats);
        let place = self.spans.partition_point(|span| span.incident.from < points[0].timestamp);
        let mut spans = self.spans_of(points, windows);
        spans.iter_mut().for_each(|span| span.day = day);
        self.spans.splice(place..place, spans);
    }

    /// Forgets what is known of a day.
    pub(super) fn reopen(&mut self, day: i64) {
        self.days.retain(|stats| stats.day != day);
        self.spans.retain(|span| span.day != day);
    }

    /// Takes these days, and what was posted, from another series of the same.
    pub(super) fn take_days(&mut self, from: Self, days: &[i64]) {
        self.days.extend(from.days.into_iter().filter(|stats| days.contains(&stats.day)));
        self.days.sort_by_key(|stats| stats.day);
        self.spans.extend(from.spans.into_iter().filter(|span| days.contains(&span.day)));
        self.spans.sort_by_key(|span| span.incident.from);
        from.messages.into_iter().for_each(|message| self.post(message));
    }

    pub(super) fn expire(&mut self, before: Timestamp) {
        let first = day_of(before);
        self.days.retain(|stats| stats.day >= first);
        self.spans.retain(|span| span.day >= first);
        self.messages.retain(|message| message.at >= before);
    }

    fn spans_of(&self, points: &[Point], windows: &[Window]) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut open = false;
        let counted = points.iter().filter(|point| !self.is_excluded(point, windows));
        for (index, point) in counted.enumerate() {
            let (is_bad, is_full) = (point.status != Status::Healthy, spans.len() >= MAX_INCIDENTS);
            match spans.last_mut() {
                Some(span) if open && is_bad => span.incident.worsen(point.status, point.reason.as_ref()),
                Some(span) if open => {
                    span.incident.to = Some(point.timestamp);
                    open = false;
                }
                Some(span) if is_bad && is_full => {
                    span.incident.to = None;
                    span.incident.worsen(point.status, point.reason.as_ref());
                    open = true;
                }
                _ if is_bad => {
                    let (from, reason) = (point.timestamp, point.reason.clone());
                    let incident = Incident { from, to: None, status: point.status, reason };
                    spans.push(Span { day: day_of(from), incident, continued: index == 0 });
                    open = true;
                }
                _ => {}
            }
        }
        spans
    }

    /// Since when it has been as it is at the point with this index, healthy or not.
    pub(crate) fn since(&self, index: usize, windows: &[Window]) -> Option<Timestamp> {
        let is_bad = |point: &Point| point.status != Status::Healthy;
        let bad = is_bad(self.recent.get(index)?);
        let before = self.recent[..index].iter().rposition(|point| is_bad(point) != bad);
        if let Some(before) = before {
            return Some(self.recent[before + 1].timestamp);
        }
        // As long as there are details: longer than that is known from the incidents.
        let first = self.recent[0].timestamp;
        let last = self.incidents(windows).into_iter().rfind(|incident| incident.from <= first);
        match last {
            Some(incident) if bad => Some(incident.to.map_or(incident.from, |_| first)),
            Some(incident) => Some(incident.to.unwrap_or(first)),
            None if bad => Some(first),
            None => Some(self.days.first().map_or(first, |stats| stats.start().min(first))),
        }
    }

    /// The incidents, each in one piece over the days.
    pub(super) fn incidents(&self, windows: &[Window]) -> Vec<Incident> {
        let open_points = self.open_points();
        let open_spans = self.spans_of(open_points, windows);
        let mut incidents: Vec<Incident> = Vec::new();
        // The last day with results that the last incident is known to have lasted through, if it has no end.
        let mut last_day = 0;
        for span in self.spans.iter().chain(&open_spans) {
            let day = span.day;
            let next_day = self.day_after(last_day, open_points);
            match incidents.last_mut().filter(|incident| incident.to.is_none()) {
                Some(incident) if span.continued && next_day == Some(day) => {
                    incident.worsen(span.incident.status, span.incident.reason.as_ref());
                    incident.to = span.incident.to;
                }
                Some(incident) => {
                    incident.to = Some(start_of(last_day.saturating_add(1)));
                    incidents.push(span.incident.clone());
                }
                None => incidents.push(span.incident.clone()),
            }
            last_day = day;
        }
        if let Some(incident) = incidents.last_mut().filter(|incident| incident.to.is_none() && open_spans.is_empty()) {
            // Its day is summarised, and what came after it was good.
            let summarised = self.days.iter().find(|stats| stats.day > last_day).map(DayStats::start);
            incident.to = summarised.or_else(|| open_points.first().map(|point| point.timestamp));
        }
        incidents
    }

    /// The next day with results after this one.
    fn day_after(&self, day: i64, open_points: &[Point]) -> Option<i64> {
        let summarised = self.days.iter().map(|stats| stats.day).find(|other| *other > day);
        summarised.or_else(|| open_points.iter().map(|point| day_of(point.timestamp)).find(|other| *other > day))
    }
}

impl Incident {
    fn worsen(&mut self, status: Status, reason: Option<&String>) {
        if status > self.status {
            self.status = status;
            self.reason = reason.cloned();
        }
    }
}

impl Point {
    fn of(result: &CheckResult) -> Self {
        let times = || result.attempts.iter().filter(|attempt| attempt.is_success()).map(|attempt| attempt.rtt);
        let spread = times().min().zip(times().max()).filter(|(low, high)| low != high);
        Self {
            timestamp: to_millis(result.timestamp),
            status: result.status,
            rtt: result.rtt().map(to_micros),
            spread: spread.map(|(low, high)| (to_micros(low), to_micros(high))),
            reason: result.reason().map(|reason| cut(&reason, MAX_REASON)),
        }
    }
}

/// The day (in UTC) that a time is in, in days since 1970.
pub(crate) fn day_of(time: Timestamp) -> i64 {
    time.unix_nanos().div_euclid(DAY)
}

/// When a day begins.
pub(crate) fn start_of(day: i64) -> Timestamp {
    Timestamp::from_unix_nanos(day.saturating_mul(DAY))
}

/// The time in whole milliseconds.
pub(super) fn to_millis(time: Timestamp) -> Timestamp {
    Timestamp::from_unix_nanos(time.unix_nanos().div_euclid(MILLI).saturating_mul(MILLI))
}

fn to_micros(time: Duration) -> Duration {
    Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
