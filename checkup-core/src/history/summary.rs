//! [`Summary`]: a history in one small piece, for pages and terminals.
//!
//! A year of results is too much to read for a page. A summary has, for each check and location, the figures of each day, the
//! incidents and messages, and the results of the last day in detail. It is derived from check files, and never
//! the only place of anything that has not expired: it may be deleted, or replaced by an older one.
//!
//! [`read_summary`](crate::history::read_summary) gives the summary of any storage up to now. Storages on the [archive](crate::archive) keep one, `summary.json`, and
//! [`maintain`](crate::StorageMaintainer::maintain) renews it; then `read_summary` fetches only what came after.
//!
//! ```
//! use std::time::Duration;
//! use checkup_core::archive::{Archive, MemoryFiles};
//! use checkup_core::{Checkup, Timestamp, check_fn, history};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let archive = Archive::new(MemoryFiles::new());
//! let checkup = Checkup::builder().check(check_fn("queue", || async { Err::<(), _>("it is full") })).storage(archive).build()?;
//! checkup.check_and_store().await?;
//!
//! let now = Timestamp::now();
//! let week = now.saturating_sub(Duration::from_secs(7 * 24 * 3600));
//! let reader = checkup.storage().and_then(|storage| storage.reader()).expect("an archive can be read");
//! let summary = history::read_summary(reader, week).await?;
//! let queue = &summary.series[0];
//! assert_eq!(summary.uptime(queue, week, now), Some(0.0));
//! assert_eq!(summary.incidents(queue)[0].reason.as_deref(), Some("it is full"));
//! # Ok(())
//! # }
//! ```
//!
//! # JSON
//!
//! Times are integers of milliseconds since 1970 (UTC), round-trip times integers of microseconds, days integers of days since
//! 1970 (UTC). What is absent is none.
//!
//! | Key | |
//! |---|---|
//! | `version` | 1 |
//! | `made` | when it was made |
//! | `recent_from` | every result from then on is in `recent`, as far as its file is in `files` |
//! | `files` | the check files of that time that are in it; readers fetch the others |
//! | `unread` | files that could not be read |
//! | `days` | `{"20778": "<hash>"}`: the days that are summarised, with a hash of their files' names |
//! | `windows` | maintenance: `{"from", "to", "title", "text"}`, without title of all checks |
//! | `series` | one for each title, endpoint and location, as follows |
//!
//! | Key of a series | |
//! |---|---|
//! | `title`, `endpoint`, `location` | what it is of |
//! | `threshold` | the round-trip time above which it is degraded |
//! | `days` | `[day, healthy, degraded, down, excluded, p50, p90, p99]`: how many results, of which `excluded` were in a window, and quantiles of the round-trip time |
//! | `incidents` | `{"from", "to", "status", "reason", "continued", "day"}`, of the days that are summarised; `day` if it is not that of `from`. Without `to` it was still bad at the day's last result. `continued`: at the day's first it was bad already, so that it is one with the incident before if that has no `to`; else that one ended with its day. |
//! | `messages` | `{"at", "text"}` |
//! | `recent` | columns: `at` (the first, then differences), `status` (a letter each: `h`ealthy, de`g`raded, `d`own), `rtt` (the median of the successful attempts, or null), `low` and `high` where attempts differ, `reasons` (by index) |

mod form;
mod series;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use form::VERSION;
pub use series::{DayStats, Incident, Point, Posted, Series};

use crate::{CheckResult, Status, Timestamp};
use series::{Key, to_millis};
pub(crate) use series::{day_of, start_of};

/// The name of the file that storages keep their summary in.
pub const FILE: &str = "summary.json";

/// How many windows of maintenance are kept: the latest.
pub(crate) const MAX_WINDOWS: usize = 1000;

/// The longest time that results are kept in detail, unless their day is not summarised yet.
pub(crate) const RECENT: Duration = Duration::from_secs(24 * 3600);

/// A history in one piece: the figures of days, incidents, messages, and the last day in detail.
///
/// See the [module](self) for what it is for, and for its JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "form::Form", into = "form::Form")]
#[non_exhaustive]
pub struct Summary {
    /// When it was made, or last brought up to date.
    pub made: Timestamp,
    /// The time from which results are in [`Series::recent`].
    pub recent_from: Timestamp,
    /// Times of maintenance, in which failures do not count.
    pub windows: Vec<Window>,
    /// The check files that could not be read, by name.
    pub unread: BTreeSet<String>,
    /// One for each check and location, ordered by name, endpoint and location.
    pub series: Vec<Series>,
    /// The check files whose results are in `recent`.
    pub(crate) files: BTreeSet<String>,
    /// The days that are summarised, each with what its figures were made of.
    pub(crate) days: BTreeMap<i64, String>,
}

/// A time of maintenance that an operator announced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Window {
    /// When it begins.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// The check that it is of; `None` for all.
    pub name: Option<String>,
    /// What the operator says about it.
    pub text: String,
}

impl Window {
    /// Whether what happens to this check at this time is expected.
    pub fn covers(&self, name: &str, time: Timestamp) -> bool {
        self.from <= time && time < self.to && self.name.as_deref().is_none_or(|own| own == name)
    }
}

impl Summary {
    /// The summary of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds results in detail: each once, whatever the order. It is for programs that keep the latest in memory, and forget
    /// with [`forget_before`](Self::forget_before).
    ///
    /// ```
    /// use checkup_core::{CheckResult, summary::Summary};
    ///
    /// let mut summary = Summary::new();
    /// let results = [CheckResult::new("API", "https://example.com")];
    /// summary.add(&results);
    /// summary.add(&results);
    /// assert_eq!(summary.series[0].recent.len(), 1);
    /// ```
    pub fn add(&mut self, results: &[CheckResult]) {
        let mut places = Places::of(&self.series);
        // A result without a verdict says nothing about the check.
        for result in results.iter().filter(|result| result.status != Status::Unknown) {
            let key = (result.name.as_str(), result.endpoint.as_str(), result.location.as_deref());
            let place = places.find_or_insert(&mut self.series, key);
            let series = &mut self.series[place];
            series.add(result);
            self.made = self.made.max(to_millis(result.timestamp));
            if let Some(window) = result.maintenance {
                let text = result.message.clone().unwrap_or_default();
                let name = (!window.all).then(|| result.name.clone());
                let window = Window { from: to_millis(window.from), to: to_millis(window.to), name, text };
                self.announce(window);
            }
        }
        self.sort();
    }

    /// Keeps only the figures of the days that are over before `time`, and the results of the others in detail.
    pub fn forget_before(&mut self, time: Timestamp) {
        let end = day_of(time);
        let before = |point: &&Point| day_of(point.timestamp) < end;
        let old = |series: &Series| -> Vec<_> {
            series.recent.iter().take_while(before).map(|point| day_of(point.timestamp)).collect()
        };
        let mut days: BTreeSet<i64> = self.series.iter().flat_map(old).collect();
        // Of a day that is figures already only a part may be there in detail.
        days.retain(|day| !self.days.contains_key(day));
        for day in days {
            for series in &mut self.series {
                let points: Vec<_> =
                    series.recent.iter().filter(|point| day_of(point.timestamp) == day).cloned().collect();
                series.close(day, &points, &self.windows);
            }
            self.days.entry(day).or_default();
        }
        self.cut(start_of(end));
    }

    /// The share of results, from 0 to 1, that were not down, of a series of this summary: degraded is up, and what was in a
    /// window of maintenance does not count. Whole days count where only their figures are left. `None` if there are none.
    pub fn uptime(&self, series: &Series, from: Timestamp, to: Timestamp) -> Option<f64> {
        self.counts(series, from, to).uptime()
    }

    /// How many results of each kind there are in this time, of a series of this summary: what [`uptime`](Self::uptime) is a share of.
    /// Add them up for the uptime of several locations. The day and the quantiles say nothing.
    pub fn counts(&self, series: &Series, from: Timestamp, to: Timestamp) -> DayStats {
        let mut sum = DayStats::default();
        let is_in_detail = from >= self.recent_from;
        if !is_in_detail {
            series
                .days
                .iter()
                .filter(|stats| (day_of(from)..=day_of(to)).contains(&stats.day))
                .for_each(|stats| sum.add(stats));
        }
        let points = series.recent.iter().filter(|point| (from..=to).contains(&point.timestamp));
        let points = points.filter(|point| is_in_detail || !series.has_day(day_of(point.timestamp)));
        points.for_each(|point| sum.count(point, series.is_excluded(point, &self.windows)));
        sum
    }

    /// The figures of each day of a series, oldest first: also those of days that are only there in detail, today's among them.
    pub fn days(&self, series: &Series) -> Vec<DayStats> {
        let mut days = series.days.clone();
        for points in series.open_points().chunk_by(|a, b| day_of(a.timestamp) == day_of(b.timestamp)) {
            days.push(series.stats(day_of(points[0].timestamp), points, &self.windows));
        }
        days.sort_by_key(|stats| stats.day);
        days
    }

    /// The incidents of a series, oldest first: each from the first bad result to the recovery.
    pub fn incidents(&self, series: &Series) -> Vec<Incident> {
        series.incidents(&self.windows)
    }

    /// Since when the series is healthy, or is not: its first result that was as the latest, without one between that was not.
    pub fn since(&self, series: &Series) -> Option<Timestamp> {
        match series.recent.len().checked_sub(1) {
            Some(latest) => series.since(latest, &self.windows),
            None => match self.incidents(series).last() {
                Some(incident) => Some(incident.to.unwrap_or(incident.from)),
                None => series.days.first().map(DayStats::start),
            },
        }
    }

    /// Leaves out all results in detail, so that they are read again.
    pub(crate) fn forget_recent(&mut self) {
        self.series.iter_mut().for_each(|series| series.recent.clear());
        self.files.clear();
        self.recent_from = Timestamp::default();
    }

    /// Leaves out the results from before this time.
    pub(crate) fn cut(&mut self, from: Timestamp) {
        for series in &mut self.series {
            let before = series.recent.partition_point(|point| point.timestamp < from);
            series.recent.drain(..before);
        }
        self.recent_from = self.recent_from.max(from);
    }

    /// Takes the figures of a day, and what was posted on it, from the summary of the check files of that day.
    pub(crate) fn take_day(&mut self, day: i64, mut of: Summary, made_of: String) {
        for window in of.windows.drain(..) {
            self.announce(window);
        }
        for series in &mut self.series {
            series.reopen(day);
        }
        let mut places = Places::of(&self.series);
        for from in of.series {
            let place = places.find_or_insert(&mut self.series, from.key());
            let to = &mut self.series[place];
            to.threshold_rtt = from.threshold_rtt;
            from.messages.into_iter().for_each(|message| to.post(message));
            to.close(day, &from.recent, &self.windows);
        }
        self.sort();
        self.days.insert(day, made_of);
    }

    /// Takes the days that another summary has and this has not, with all that it knows of them.
    pub(crate) fn join(&mut self, other: Summary) {
        let missing: Vec<i64> = other.days.keys().filter(|day| !self.days.contains_key(day)).copied().collect();
        if missing.is_empty() {
            return;
        }
        for window in other.windows {
            self.announce(window);
        }
        let mut places = Places::of(&self.series);
        for from in other.series {
            let place = places.find_or_insert(&mut self.series, from.key());
            self.series[place].take_days(from, &missing);
        }
        self.sort();
        self.days.extend(other.days.into_iter().filter(|(day, _)| missing.contains(day)));
    }

    /// Leaves out what is older than this, and series that nothing is left of.
    pub(crate) fn expire(&mut self, before: Timestamp) {
        let first = day_of(before);
        self.days.retain(|day, _| *day >= first);
        self.windows.retain(|window| window.to >= before);
        for series in &mut self.series {
            series.expire(before);
        }
        self.series.retain(|series| !(series.days.is_empty() && series.recent.is_empty()));
    }

    /// Adds a window, if there are not too many. Each result is compared with each.
    pub(crate) fn announce(&mut self, window: Window) {
        if let Err(place) = self.windows.binary_search(&window) {
            self.windows.insert(place, window);
            if self.windows.len() > MAX_WINDOWS {
                self.windows.remove(0);
            }
        }
    }

    /// How many results the figures of a day are of.
    pub(crate) fn total(&self, day: i64) -> u64 {
        let of_day = self.series.iter().flat_map(|series| &series.days).filter(|stats| stats.day == day);
        of_day.fold(0, |sum, stats| sum.saturating_add(stats.total()))
    }

    fn sort(&mut self) {
        self.series.sort_by(|a, b| a.key().cmp(&b.key()));
    }
}

/// Where the series are, by what they are of.
struct Places {
    places: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
}

impl Places {
    fn of(series: &[Series]) -> Self {
        let mut places = Self { places: HashMap::new(), hasher: RandomState::new() };
        for (place, series) in series.iter().enumerate() {
            let hash = places.hasher.hash_one(series.key());
            places.places.entry(hash).or_default().push(place);
        }
        places
    }

    fn find_or_insert(&mut self, series: &mut Vec<Series>, key: Key<'_>) -> usize {
        let places = match self.places.entry(self.hasher.hash_one(key)) {
            Entry::Occupied(places) => places.into_mut(),
            Entry::Vacant(place) => place.insert(Vec::new()),
        };
        if let Some(place) = places.iter().find(|place| series[**place].key() == key) {
            return *place;
        }
        places.push(series.len());
        series.push(Series::new(key));
        series.len() - 1
    }
}
