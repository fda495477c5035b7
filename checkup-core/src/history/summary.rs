//! [`Summary`]: a history in one small document, for pages and terminals.
//!
//! A year of results is too much for a page to read. For each check and location, a summary has the statistics of each day, runs of equal
//! results, messages, and the results of the last day in detail. It is derived from check files: while these exist, it may be deleted, or
//! replaced by an older one. For days whose check files have expired, it is the last copy.
//!
//! [`read_summary`](crate::history::read_summary) makes the summary of any storage, up to now. Storages on the
//! [archive](crate::archive) keep one, `summary.json`, and [`maintain`](crate::StorageMaintainer::maintain) renews it; then
//! `read_summary` fetches only the check files that are not in it.
//!
//! ```
//! use std::time::Duration;
//! use checkup_core::archive::{Archive, MemoryFiles};
//! use checkup_core::{Checkup, Quorum, Timestamp, check_fn, history};
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
//! let queue = summary.timeline(&summary.series, Quorum::Majority, now.saturating_add(Duration::from_secs(60)));
//! assert_eq!(queue.availability(week, now.saturating_add(Duration::from_secs(60))).uptime(), Some(0.0));
//! assert_eq!(summary.series[0].recent[0].reason.as_deref(), Some("it is full"));
//! # Ok(())
//! # }
//! ```
//!
//! # JSON
//!
//! Times are integers of milliseconds since 1970 (UTC), round-trip times integers of microseconds, days integers of days since 1970 (UTC). Absent
//! keys are empty. Readers skip implausible values and report them.
//!
//! | Key | |
//! |---|---|
//! | `version` | 2 |
//! | `check` | a checksum of what follows, in a stored file: after a change by hand, days are derived again from their check files |
//! | `made` | when it was made |
//! | `recent_from` | every result from this time on is in `recent`, if its file is in `files`; of each series, up to eleven earlier results are kept too |
//! | `files` | the check files from this time on that are in it; readers fetch the others |
//! | `unread` | files that could not be read |
//! | `problems` | what was left out, in words |
//! | `days` | `{"20778": "<hash>"}`: the days that are summarised, with a hash of their files' names |
//! | `posts` | `{"id", "at", "revised", "title", "endpoint", "text", "state", "incident", "from", "to", "group", "recurrence", "more", "ended"}`: the newest version of each post, written at `revised`; without title of all checks; with `from` and `to` it announces maintenance |
//! | `windows` | the maintenance in force, including that of posts: `{"from", "to", "title", "text", "id", "group"}`, without title of all checks; without id it is in no post, and its id is `w<from>-<to>` |
//! | `ids` | `{"title", "endpoint", "at", "id"}`: for each check, the onsets of incidents when they got their ids, and these |
//! | `parts` | `{"name", "from", "to"}`: files with the days from `from` to `to`, in the same form, where one file would be too large |
//! | `series` | one for each title, endpoint and location, as follows |
//!
//! | Key of a series | |
//! |---|---|
//! | `title`, `endpoint`, `location` | the check and where it runs |
//! | `threshold` | the round-trip time above which it is degraded |
//! | `days` | `[day, healthy, degraded, down, excluded, p50, p90, p99]`: the number of results by status, of which `excluded` were in a window, and quantiles of the round-trip time |
//! | `runs` | columns of [runs](crate::history::Run), of the days that are summarised: `at` (the first result of the first run, then differences), `length` (how much later its last result is), `every` (the usual interval), `status` (a letter each: `h`ealthy, de`g`raded, `d`own), `n` (the number of results), `reasons` (by index: `[[reason, count], …]`) |
//! | `messages` | messages in results: `{"at", "text"}`; their ids are `r<at>`, and a post with this id and title replaces them |
//! | `recent` | columns: `at` (the first, then differences), `status`, `rtt` (the median of the successful attempts, or null), `low` and `high` where attempts differ, `reasons` (by index) |

mod columns;
mod day;
mod disguise;
mod first_version;
mod form;
mod ids;
mod posts;
mod present;
mod series;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

pub use day::DayStats;
pub(crate) use day::{day_of, start_of};
pub use disguise::Disguise;
pub(crate) use form::{Part, VERSION};
pub(crate) use posts::PostKey;
pub use posts::{CurrentPost, Window};
pub use series::Series;

use super::freshness::AHEAD;
use super::ids::KnownId;
use super::incident::Hysteresis;
pub use super::incident::Incident;
pub use super::point::Point;
use super::point::to_millis;
pub use super::posted::Posted;
use super::quorum::Quorum;
use super::run::CONTEXT;
use super::timeline::Timeline;
use crate::{CheckResult, Status, Timestamp};
use series::Key;

/// The name of the file that storages keep their summary in.
pub const FILE: &str = "summary.json";

/// How many windows of maintenance are kept: the latest.
pub(crate) const MAX_WINDOWS: usize = 4000;

/// How many series are kept. Otherwise, check files with many names could fill the memory of all readers.
pub(crate) const MAX_SERIES: usize = 200_000;

/// How long the name, endpoint and location of a check may be together, in bytes.
const MAX_KEY: usize = 64 << 10;

/// The longest maintenance window, and how far ahead it may be announced. A window of centuries, set by mistake or malice, would silence everything.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(400 * 24 * 3600);

/// How many different problems are kept.
const MAX_PROBLEMS: usize = 100;

/// The longest time that results are kept in detail, unless their day is not summarised yet.
pub(crate) const RECENT: Duration = Duration::from_secs(24 * 3600);

/// A history in one document: daily statistics, runs of equal results, messages, and the last day in detail.
///
/// See the [module](self) for its purpose and its JSON.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// When it was made, or last brought up to date.
    pub made: Timestamp,
    /// The time from which results are in [`Series::recent`].
    pub recent_from: Timestamp,
    /// Maintenance windows, in which failures do not count.
    pub windows: Vec<Window>,
    /// The check files that could not be read, by name.
    pub unread: BTreeSet<String>,
    /// Descriptions of implausible values that were left out.
    pub problems: BTreeSet<String>,
    /// One for each check and location, ordered by name, endpoint and location.
    pub series: Vec<Series>,
    /// The check files whose results are in `recent`.
    pub(crate) files: BTreeSet<String>,
    /// The days that are summarised, each with a hash of its check files' names.
    pub(crate) days: BTreeMap<i64, String>,
    /// Days that are in separate files.
    pub(crate) parts: Vec<Part>,
    /// The newest version of each post, including those that were withdrawn.
    pub(crate) posts: BTreeMap<PostKey, CurrentPost>,
    /// The ids that incidents have had, by name and endpoint of the check.
    pub(crate) ids: BTreeMap<(String, String), Vec<KnownId>>,
    /// The windows that were added or withdrawn since this was cleared. The statistics of their days have changed.
    pub(crate) changed_windows: Vec<(Timestamp, Timestamp)>,
}

impl Summary {
    /// Creates an empty summary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds detailed results, in any order; duplicates are ignored. For programs that keep the latest results in memory and drop old ones with
    /// [`forget_before`](Self::forget_before).
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
        let mut disordered = BTreeSet::new();
        for result in results {
            let key = (result.name.as_str(), result.endpoint.as_str(), result.location.as_deref());
            if result.timestamp < Timestamp::default()
                || key.0.len() + key.1.len() + key.2.map_or(0, str::len) > MAX_KEY
            {
                self.report("results with a time before 1970 or with names of more than 64 kB were left out");
                continue;
            }
            self.add_announced(result);
            // A result without a verdict says nothing about the check.
            if result.status == Status::Unknown {
                continue;
            }
            let Some(place) = places.find_or_insert(&mut self.series, key) else {
                self.report(
                    "there are more than 200,000 checks and locations: the results of the others were left out",
                );
                continue;
            };
            if self.series[place].add(result) {
                disordered.insert(place);
            }
            self.made = self.made.max(to_millis(result.timestamp));
        }
        for place in disordered {
            self.series[place].in_order();
        }
        self.sort();
    }

    /// Keeps only the statistics and runs of the days that are over before `time`, and the results of the others in detail.
    pub fn forget_before(&mut self, time: Timestamp) {
        let end = day_of(time);
        let mut closed = BTreeSet::new();
        let windows: Vec<_> = self.series.iter().map(|series| self.windows_of(&series.name)).collect();
        for (series, windows) in self.series.iter_mut().zip(windows) {
            let old = series.recent.partition_point(|point| day_of(point.timestamp) < end);
            let points = series.recent[..old].to_vec();
            for points in points.chunk_by(|a, b| day_of(a.timestamp) == day_of(b.timestamp)) {
                let day = day_of(points[0].timestamp);
                // If a day is already summarised, only a part of it may be known in detail.
                if !self.days.contains_key(&day) {
                    series.close(day, points, &windows);
                    closed.insert(day);
                }
            }
        }
        for day in closed {
            self.days.entry(day).or_default();
        }
        self.cut(start_of(end));
    }

    /// The series of each check: one for each of its locations.
    pub fn checks(&self) -> impl Iterator<Item = &[Series]> {
        self.series.chunk_by(|a, b| (&a.name, &a.endpoint) == (&b.name, &b.endpoint))
    }

    /// The state of a check over time, up to `now`: the votes of these series of this summary, which are of one check. With one series it is
    /// that of a location.
    pub fn timeline<'a>(
        &'a self,
        series: impl IntoIterator<Item = &'a Series>,
        quorum: Quorum,
        now: Timestamp,
    ) -> Timeline<'a> {
        let series: Vec<_> = series.into_iter().collect();
        let check = series.first().map_or(("", ""), |series| (series.name.as_str(), series.endpoint.as_str()));
        let of = |series: &&'a Series| (series.location.as_deref(), series.runs_up_to(now.saturating_add(AHEAD)));
        let messages = self.messages(series.iter().copied());
        let locations = series.iter().map(of).collect();
        Timeline::new(check, locations, self.windows_of(check.0), messages, quorum, now).with_ids(self.ids_of(check))
    }

    /// The share of the known time, from 0 to 1, in which a location was not down: see [`Availability`](crate::history::Availability).
    pub fn uptime(&self, series: &Series, from: Timestamp, to: Timestamp) -> Option<f64> {
        self.timeline([series], Quorum::Majority, to).availability(from, to).uptime()
    }

    /// How many results of each status a series has in this period. Where only daily statistics are left, whole days count. The day and the quantiles
    /// of the returned value have no meaning.
    pub fn counts(&self, series: &Series, from: Timestamp, to: Timestamp) -> DayStats {
        let mut sum = DayStats::default();
        let days = day_of(from)..=day_of(to);
        series.days.iter().filter(|stats| days.contains(&stats.day)).for_each(|stats| sum.add(stats));
        series.count(&mut sum, from, to, &self.windows_of(&series.name));
        sum
    }

    /// The statistics of each day of a series, oldest first, including the days that are only known in detail, such as today.
    pub fn days(&self, series: &Series) -> Vec<DayStats> {
        let mut days = series.days.clone();
        days.extend(series.open_days(&self.windows_of(&series.name)));
        days.sort_by_key(|stats| stats.day);
        days
    }

    /// The incidents of a location, oldest first, up to [`made`](Self::made).
    pub fn incidents(&self, series: &Series) -> Vec<Incident> {
        self.timeline([series], Quorum::Majority, self.made).incidents(Hysteresis::default())
    }

    /// Since when a location is in its present state, at [`made`](Self::made).
    pub fn since(&self, series: &Series) -> Option<Timestamp> {
        self.timeline([series], Quorum::Majority, self.made).since()
    }

    /// Makes runs of the detailed results too, so that results can be thinned out without changing states, incidents and uptime.
    pub fn complete_runs(&mut self) {
        for series in &mut self.series {
            series.runs = series.runs_up_to(Timestamp::from_unix_nanos(i64::MAX));
        }
    }

    /// Whether the day of this time is summarised, so that its check files may be removed without losing it.
    pub fn covers(&self, time: Timestamp) -> bool {
        self.days.contains_key(&day_of(time))
    }

    /// Records what was left out.
    pub(crate) fn report(&mut self, problem: &str) {
        if self.problems.len() < MAX_PROBLEMS && !self.problems.contains(problem) {
            self.problems.insert(problem.to_owned());
        }
    }

    /// Records that there are results from the future, if there are any.
    pub(crate) fn report_future(&mut self, now: Timestamp) {
        let horizon = now.saturating_add(AHEAD);
        let is_future = |series: &Series| series.latest().is_some_and(|point| point.timestamp > horizon);
        if let Some(series) = self.series.iter().find(|series| is_future(series)) {
            let place = series.location.as_deref().map(|location| format!(" at {location}")).unwrap_or_default();
            let name: String = series.name.chars().take(100).collect();
            let place: String = place.chars().take(100).collect();
            self.report(&format!(
                "results from the future, of {name:?}{place} for example, count from their own time on: check the clocks of the nodes"
            ));
        }
    }

    /// Marks all days whose check files exist to be derived again.
    pub(crate) fn distrust(&mut self) {
        self.days.values_mut().for_each(String::clear);
    }

    /// Removes all detailed results, so that they are read again.
    pub(crate) fn forget_recent(&mut self) {
        self.series.iter_mut().for_each(|series| series.recent.clear());
        self.files.clear();
        self.recent_from = Timestamp::default();
    }

    /// Removes the results from before this time, except the last of each series, on which the runs of what follows depend.
    pub(crate) fn cut(&mut self, from: Timestamp) {
        for series in &mut self.series {
            let before = series.recent.partition_point(|point| point.timestamp < from);
            series.recent.drain(..before.saturating_sub(CONTEXT));
        }
        self.recent_from = self.recent_from.max(from);
    }

    /// Takes the statistics, runs and posts of a day from the summary of that day's check files.
    pub(crate) fn take_day(&mut self, day: i64, mut of: Summary, made_of: String) {
        self.take_announced(&mut of);
        of.problems.iter().for_each(|problem| self.report(problem));
        for series in &mut self.series {
            series.reopen(day);
        }
        let mut places = Places::of(&self.series);
        for from in of.series {
            let windows = self.windows_of(&from.name);
            let Some(place) = places.find_or_insert(&mut self.series, from.key()) else { continue };
            let to = &mut self.series[place];
            to.threshold_rtt = from.threshold_rtt;
            to.messages.extend(from.messages);
            to.sort_messages();
            to.close(day, &from.recent, &windows);
        }
        self.sort();
        self.days.insert(day, made_of);
    }

    /// Takes the days that another summary has and this one lacks, with everything that it knows about them.
    pub(crate) fn join(&mut self, mut other: Summary) {
        self.take_ids(&other);
        // A window that it lacks may have been withdrawn: only posts say so.
        let windows = std::mem::take(&mut other.windows);
        self.take_announced(&mut other);
        let missing: Vec<i64> = other.days.keys().filter(|day| !self.days.contains_key(day)).copied().collect();
        if missing.is_empty() {
            return;
        }
        for window in windows {
            self.announce(window);
        }
        for part in other.parts {
            if !self.parts.contains(&part) && (part.from..=part.to).any(|day| missing.binary_search(&day).is_ok()) {
                self.parts.push(part);
            }
        }
        let mut places = Places::of(&self.series);
        for from in other.series {
            if let Some(place) = places.find_or_insert(&mut self.series, from.key()) {
                self.series[place].take_days(from, &missing);
            }
        }
        self.sort();
        self.days.extend(other.days.into_iter().filter(|(day, _)| missing.binary_search(day).is_ok()));
    }

    /// Takes the days of a part of this summary, which are in [`days`](Self::days) already.
    pub(crate) fn join_part(&mut self, part: Summary) {
        let inline: BTreeSet<i64> =
            self.series.iter().flat_map(|series| series.days.iter().map(|stats| stats.day)).collect();
        let is_wanted = |day: &&i64| self.days.contains_key(day) && !inline.contains(day);
        let days: Vec<i64> = part.days.keys().filter(is_wanted).copied().collect();
        let mut places = Places::of(&self.series);
        for from in part.series {
            if let Some(place) = places.find_or_insert(&mut self.series, from.key()) {
                self.series[place].take_days(from, &days);
            }
        }
        self.sort();
    }

    /// Splits the days into the later half, with everything else, and the earlier half. The later half still lists all days.
    pub(crate) fn split(mut self) -> (Summary, Summary) {
        let held: BTreeSet<i64> =
            self.series.iter().flat_map(|series| series.days.iter().map(|stats| stats.day)).collect();
        let middle = held.iter().nth(held.len().div_ceil(2)).copied().unwrap_or(i64::MAX);
        let time = start_of(middle);
        let mut early = Self { made: self.made, recent_from: time, ..Self::new() };
        early.days = self.days.iter().filter(|(day, _)| **day < middle).map(|(day, of)| (*day, of.clone())).collect();
        for series in &mut self.series {
            let part = series.split_off_before(middle);
            if !part.days.is_empty() || !part.runs.is_empty() {
                early.series.push(part);
            }
        }
        (self, early)
    }

    /// How many days it has statistics of, without its parts.
    pub(crate) fn held_days(&self) -> usize {
        let days = self.series.iter().flat_map(|series| series.days.iter().map(|stats| stats.day));
        days.collect::<BTreeSet<i64>>().len()
    }

    /// The first and the last day that it has statistics of.
    pub(crate) fn first_and_last(&self) -> (i64, i64) {
        let first = self.series.iter().filter_map(|series| series.days.first()).map(|stats| stats.day).min();
        let last = self.series.iter().filter_map(|series| series.days.last()).map(|stats| stats.day).max();
        (first.unwrap_or_default(), last.unwrap_or_default())
    }

    /// Removes everything older than this, and series without content.
    pub(crate) fn expire(&mut self, before: Timestamp) {
        let first = day_of(before);
        self.days.retain(|day, _| *day >= first);
        self.parts.retain(|part| part.to >= first);
        self.expire_announced(before);
        self.expire_ids(before);
        for series in &mut self.series {
            series.expire(before);
        }
        self.drop_empty();
    }

    /// Removes series without content.
    pub(crate) fn drop_empty(&mut self) {
        self.series.retain(|series| {
            !(series.days.is_empty()
                && series.recent.is_empty()
                && series.runs.is_empty()
                && series.messages.is_empty())
        });
    }

    /// How many results the statistics of a day cover.
    pub(crate) fn total(&self, day: i64) -> u64 {
        let of_day = self.series.iter().filter_map(|series| {
            series.days.binary_search_by_key(&day, |stats| stats.day).ok().map(|place| &series.days[place])
        });
        of_day.fold(0, |sum, stats| sum.saturating_add(stats.total()))
    }

    pub(crate) fn sort(&mut self) {
        self.series.sort_by(|a, b| a.key().cmp(&b.key()));
    }
}

/// Looks up series by name, endpoint and location.
struct Places {
    places: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
}

impl Places {
    fn of(series: &[Series]) -> Self {
        let mut places = Self { places: HashMap::with_capacity(series.len()), hasher: RandomState::new() };
        for (place, series) in series.iter().enumerate() {
            let hash = places.hasher.hash_one(series.key());
            places.places.entry(hash).or_default().push(place);
        }
        places
    }

    /// `None` if there are too many.
    fn find_or_insert(&mut self, series: &mut Vec<Series>, key: Key<'_>) -> Option<usize> {
        let places = match self.places.entry(self.hasher.hash_one(key)) {
            Entry::Occupied(places) => places.into_mut(),
            Entry::Vacant(place) => place.insert(Vec::new()),
        };
        if let Some(place) = places.iter().find(|place| series[**place].key() == key) {
            return Some(*place);
        }
        if series.len() >= MAX_SERIES {
            return None;
        }
        places.push(series.len());
        series.push(Series::new(key));
        Some(series.len() - 1)
    }
}
