//! What `history` shows: each check with its verdict and its series, from the config file and the storage.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use checkup_core::history::Rules;
use checkup_core::summary::{DayStats, Incident, Posted, Series, Summary, Window};
use checkup_core::{Checkup, Status, Timestamp, Verdict};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The periods for which uptime is shown, unless they are longer than the requested period.
const UPTIMES: [(Duration, &str); 4] = [
    (DAY, "24h"),
    (Duration::from_secs(7 * 86_400), "7d"),
    (Duration::from_secs(30 * 86_400), "30d"),
    (Duration::from_secs(90 * 86_400), "90d"),
];

/// The history of all requested checks.
#[derive(Debug)]
pub(crate) struct History<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) period: Period,
    pub(crate) checks: Vec<CheckHistory<'a>>,
    /// How results become states and incidents.
    rules: Rules,
}

/// The period that the history covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    /// Its length, as requested.
    pub(crate) length: Duration,
    pub(crate) now: Timestamp,
}

/// The history of one check, over its locations.
#[derive(Debug)]
pub(crate) struct CheckHistory<'a> {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) tags: Vec<String>,
    /// Whether it is in the config file. Other nodes may have other checks.
    pub(crate) is_configured: bool,
    pub(crate) verdict: Option<Verdict>,
    /// One for each location; empty if the check has no history.
    pub(crate) series: Vec<&'a Series>,
}

impl Period {
    pub(crate) fn since(&self) -> Timestamp {
        self.now.saturating_sub(self.length)
    }

    /// How many whole days (in UTC) to show, including today.
    pub(crate) fn days(&self) -> u64 {
        self.length.as_secs().div_ceil(DAY.as_secs()).max(1)
    }

    /// The first of these days, in days since 1970.
    pub(crate) fn first_day(&self) -> i64 {
        let today = self.now.unix_nanos().div_euclid(nanos(DAY));
        today.saturating_sub(i64::try_from(self.days() - 1).unwrap_or(i64::MAX))
    }

    /// When the first of these days begins.
    pub(crate) fn start(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.first_day().saturating_mul(nanos(DAY)))
    }
}

impl<'a> History<'a> {
    /// The checks of the config file in its order, then those that only the storage knows.
    pub(crate) fn new(checkup: &Checkup, summary: &'a Summary, period: Period) -> Self {
        let mut checks: Vec<CheckHistory<'a>> = Vec::new();
        // There may be tens of thousands of checks.
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        for check in checkup.checks() {
            if let Entry::Vacant(place) = places.entry((check.name().into(), check.shown_endpoint().into())) {
                let (name, endpoint) = place.key().clone();
                place.insert(checks.len());
                checks.push(CheckHistory::new(name, endpoint, check.policy().tags.clone(), true));
            }
        }
        for series in &summary.series {
            let place = *places.entry((series.name.clone(), series.endpoint.clone())).or_insert_with(|| {
                checks.push(CheckHistory::new(series.name.clone(), series.endpoint.clone(), Vec::new(), false));
                checks.len() - 1
            });
            checks[place].series.push(series);
        }
        for verdict in summary.verdicts(checkup.quorum(), period.now) {
            if let Some(place) = places.get(&(verdict.name.clone(), verdict.endpoint.clone())) {
                checks[*place].verdict = Some(verdict);
            }
        }
        Self { summary, period, checks, rules: checkup.rules() }
    }

    /// The statistics of each day of the period; `None` for a day without results.
    pub(crate) fn days(&self, series: &Series) -> Vec<Option<DayStats>> {
        let first = self.period.first_day();
        let mut days = vec![None; usize::try_from(self.period.days()).unwrap_or(0)];
        for stats in self.summary.days(series) {
            let place = usize::try_from(stats.day.saturating_sub(first)).ok();
            if let Some(day) = place.and_then(|place| days.get_mut(place)) {
                *day = Some(stats);
            }
        }
        days
    }

    /// The uptime of a check, by the votes of these series, in each period that is not longer than the whole: `("24h", Some(0.998))`.
    pub(crate) fn uptimes(&self, series: &[&Series]) -> Vec<(String, Option<f64>)> {
        let Period { length, now } = self.period;
        let known = UPTIMES.into_iter().filter(|(time, _)| *time <= length).map(|(time, name)| (time, name.to_owned()));
        let mut times: Vec<_> = known.collect();
        if times.last().is_none_or(|(time, _)| *time < length) {
            times.push((length, period_name(length)));
        }
        let timeline = self.summary.timeline(series.iter().copied(), self.rules.quorum, now);
        let uptime = |time| timeline.availability(now.saturating_sub(time), now).uptime();
        times.into_iter().map(|(time, name)| (name, uptime(time))).collect()
    }

    /// The incidents of a check over its locations that are in the period, the latest first.
    pub(crate) fn incidents(&self, check: &CheckHistory<'_>) -> Vec<Incident> {
        let Period { now, .. } = self.period;
        let timeline = self.summary.timeline(check.series.iter().copied(), self.rules.quorum, now);
        let since = self.period.since();
        let mut incidents = timeline.incidents(self.rules.hysteresis(&check.name));
        incidents.retain(|incident| incident.to.is_none_or(|to| to >= since));
        incidents.reverse();
        incidents
    }

    /// The messages about a check in the period, the latest first, without those that describe maintenance windows.
    pub(crate) fn messages(&self, check: &CheckHistory<'a>) -> Vec<&'a Posted> {
        let of_maintenance = |posted: &Posted| {
            let mut windows = self.summary.windows.iter();
            windows
                .any(|window| window.text == posted.text && window.name.as_ref().is_none_or(|name| *name == check.name))
        };
        let all = self.summary.messages(check.series.iter().copied()).into_iter();
        let mut messages: Vec<_> =
            all.filter(|posted| posted.at >= self.period.since() && !of_maintenance(posted)).collect();
        messages.reverse();
        messages
    }

    /// What was posted to all checks in the period, the latest first.
    pub(crate) fn announcements(&self) -> Vec<&'a Posted> {
        let mut messages = self.summary.announcements();
        messages.retain(|posted| posted.at >= self.period.since());
        messages.reverse();
        messages
    }

    /// The maintenance windows of this check, or of all checks, in the period or the future, the latest first.
    pub(crate) fn windows(&self, name: Option<&str>) -> Vec<&'a Window> {
        let since = self.period.since();
        let mut windows: Vec<_> =
            self.summary.windows.iter().filter(|window| window.to >= since && window.name.as_deref() == name).collect();
        // Of maintenance that recurs only the next.
        let mut planned = BTreeSet::new();
        windows.retain(|window| window.from <= self.period.now || planned.insert(&window.id));
        windows.reverse();
        windows
    }

    /// The worst status and the median round-trip time of each of the last 24 hours, including the current one, outside of
    /// maintenance.
    pub(crate) fn hours(&self, series: &Series) -> Vec<(Option<Status>, Option<Duration>)> {
        let last = self.period.now.unix_nanos().div_euclid(nanos(HOUR));
        (last - 23..=last)
            .map(|hour| {
                let in_hour = |time: Timestamp| time.unix_nanos().div_euclid(nanos(HOUR)) == hour;
                let points = self.recent(series).filter(|point| in_hour(point.timestamp));
                let (mut worst, mut times) = (None, Vec::new());
                for point in points {
                    worst = worst.max(Some(point.status));
                    times.extend(point.rtt);
                }
                times.sort_unstable();
                (worst, times.get(times.len().saturating_sub(1) / 2).copied())
            })
            .collect()
    }

    /// The round-trip times of the last 24 hours outside of maintenance, sorted.
    pub(crate) fn day_of_rtt(&self, series: &Series) -> Vec<Duration> {
        let mut times: Vec<_> = self.recent(series).filter_map(|point| point.rtt).collect();
        times.sort_unstable();
        times
    }

    /// The results of the last 24 hours outside of maintenance.
    fn recent<'s>(&'s self, series: &'s Series) -> impl Iterator<Item = &'s checkup_core::summary::Point> {
        let from = self.period.now.saturating_sub(DAY);
        let is_expected = |time| self.summary.windows.iter().any(|window| window.covers(&series.name, time));
        series.recent.iter().filter(move |point| point.timestamp >= from && !is_expected(point.timestamp))
    }
}

impl CheckHistory<'_> {
    fn new(name: String, endpoint: String, tags: Vec<String>, is_configured: bool) -> Self {
        Self { name, endpoint, tags, is_configured, verdict: None, series: Vec::new() }
    }

    /// Whether it has no results.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.days.is_empty() && series.recent.is_empty())
    }
}

/// `14d`, `36h`
fn period_name(length: Duration) -> String {
    let (days, hours) = (length.as_secs() / 86_400, length.as_secs() / 3_600);
    if DAY * u32::try_from(days).unwrap_or(0) == length {
        format!("{days}d")
    } else if HOUR * u32::try_from(hours).unwrap_or(0) == length {
        format!("{hours}h")
    } else {
        checkup_core::duration::GoDuration(length).to_string()
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}
