//! [`Series`]: the history of one check at one location.

use std::time::Duration;

use super::day::{DayStats, day_of, is_covered, start_of};
use crate::history::point::{Point, shortened};
use crate::history::posted::Posted;
use crate::history::run::{CONTEXT, Run, cut, extend, join, runs_of};
use crate::{CheckResult, Timestamp};

/// How many characters of a message are kept.
const MAX_TEXT: usize = 2000;

/// How many messages of a series are kept: the latest ones.
const MAX_MESSAGES: usize = 1000;

/// How many runs of a day are kept exactly. Above that, neighbouring runs are merged into one for each status, with the same total
/// length.
const MAX_RUNS_A_DAY: usize = 1440;

/// The length of the time slots in which runs are merged if there are too many.
const SLOT: Duration = Duration::from_secs(30 * 60);

/// What identifies a series: name, endpoint and location.
pub(crate) type Key<'a> = (&'a str, &'a str, Option<&'a str>);

/// The history of one check at one location.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The check's name.
    pub name: String,
    /// What is checked.
    pub endpoint: String,
    /// The location that the check runs at.
    pub location: Option<String>,
    /// The round-trip time above which the check is degraded; zero for none.
    pub threshold_rtt: Duration,
    /// The statistics of the days that are summarised, oldest first.
    pub days: Vec<DayStats>,
    /// What operators posted, oldest first.
    pub messages: Vec<Posted>,
    /// The results in detail, oldest first.
    pub recent: Vec<Point>,
    /// The results of the days that are summarised, without their round-trip times.
    pub(crate) runs: Vec<Run>,
}

impl Series {
    pub(crate) fn new((name, endpoint, location): Key<'_>) -> Self {
        let location = location.map(ToOwned::to_owned);
        Self { name: name.to_owned(), endpoint: endpoint.to_owned(), location, ..Self::default() }
    }

    pub(crate) fn key(&self) -> Key<'_> {
        (&self.name, &self.endpoint, self.location.as_deref())
    }

    /// The latest result in detail, including results from the future.
    pub fn latest(&self) -> Option<&Point> {
        self.recent.last()
    }

    /// The latest result in detail that counts at `now`: results more than twenty minutes ahead count from their own time on.
    pub fn latest_at(&self, now: Timestamp) -> Option<&Point> {
        let horizon = now.saturating_add(crate::history::freshness::AHEAD);
        let known = self.recent.partition_point(|point| point.timestamp <= horizon);
        self.recent[..known].last()
    }

    /// The usual time from result to result around the latest one. `None` with fewer than two results.
    pub fn usual_interval(&self) -> Option<Duration> {
        let latest = &self.recent[self.recent.len().saturating_sub(6)..];
        let times: Vec<_> = latest.iter().map(|point| point.timestamp).collect();
        crate::history::freshness::usual_interval(&times, times.len().checked_sub(1)?)
    }

    /// Adds a result at the end. [`in_order`](Self::in_order) must follow if this says so.
    pub(crate) fn add(&mut self, result: &CheckResult) -> bool {
        let point = Point::of(result);
        let message = result.message.as_ref().filter(|_| result.post.is_none());
        if let Some(message) = message {
            self.messages.push(Posted::in_result(point.timestamp, shortened(message, MAX_TEXT)));
        }
        let last = self.recent.last().map(|last| last.timestamp);
        if last.is_none_or(|last| last <= point.timestamp) {
            self.threshold_rtt = result.threshold_rtt;
        }
        let is_next = last.is_none_or(|last| last < point.timestamp);
        self.recent.push(point);
        !is_next || message.is_some()
    }

    /// Sorts the added results and removes duplicates. There is one sort for all of them, so results in descending order are as fast as
    /// others.
    pub(crate) fn in_order(&mut self) {
        // The sort is stable: of two results with the same time, the one that was added first stays.
        self.recent.sort_by_key(|point| point.timestamp);
        self.recent.dedup_by_key(|point| point.timestamp);
        self.sort_messages();
    }

    pub(crate) fn sort_messages(&mut self) {
        self.messages.sort();
        self.messages.dedup();
        self.messages.drain(..self.messages.len().saturating_sub(MAX_MESSAGES));
    }

    pub(crate) fn has_day(&self, day: i64) -> bool {
        self.days.binary_search_by_key(&day, |stats| stats.day).is_ok()
    }

    /// The results of the days that are not summarised.
    pub(crate) fn open_points(&self) -> &[Point] {
        let start = self.days.last().map_or(i64::MIN, |stats| stats.day.saturating_add(1));
        &self.recent[self.recent.partition_point(|point| day_of(point.timestamp) < start)..]
    }

    /// How many runs are kept of the days that are summarised: a measure of its size.
    pub fn run_count(&self) -> usize {
        self.runs.len()
    }

    /// All runs up to a time: those of the summarised days, and those of later results.
    pub(crate) fn runs_up_to(&self, time: Timestamp) -> Vec<Run> {
        let known = self.runs.partition_point(|run| run.from <= time);
        let mut runs = self.runs[..known].to_vec();
        let after = runs.last().map_or(Timestamp::from_unix_nanos(i64::MIN), |run| run.last);
        let begin = self.recent.partition_point(|point| point.timestamp <= after);
        let end = self.recent.partition_point(|point| point.timestamp <= time).max(begin);
        extend(&mut runs, &self.recent[..begin], &self.recent[begin..end], &[]);
        runs
    }

    /// The time of the last result up to this one, and its run.
    pub(crate) fn last_run(&self, time: Timestamp) -> Option<Run> {
        let begin = self.recent.partition_point(|point| point.timestamp <= time);
        match self.recent[..begin].last() {
            // A few results are enough, since only the interval around the last one is needed.
            Some(_) => runs_of(&self.recent[begin.saturating_sub(12)..begin], &self.runs).pop(),
            None => self.runs[..self.runs.partition_point(|run| run.from <= time)].last().cloned(),
        }
    }

    /// Makes the statistics and the runs of a day from its results. They replace what was known about the day.
    pub(crate) fn close(&mut self, day: i64, points: &[Point], windows: &[(Timestamp, Timestamp)]) {
        self.reopen(day);
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        let stats = DayStats::of(day, points, windows);
        let place = self.days.partition_point(|stats| stats.day < day);
        self.days.insert(place, stats);
        let after = last.timestamp.saturating_add(Duration::from_millis(1));
        if self.runs.last().is_some_and(|run| run.last >= first.timestamp) {
            cut(&mut self.runs, first.timestamp, after);
        }
        let later = self.runs.split_off(self.runs.partition_point(|run| run.from < after));
        let runs = runs_of(points, &self.runs);
        if runs.len() > MAX_RUNS_A_DAY {
            join(&mut self.runs, folded(runs));
        } else {
            extend(&mut self.runs, &self.recent, points, &later);
        }
        join(&mut self.runs, later);
        self.remember(points);
    }

    /// Keeps the last results of a closed day in detail: the runs of the next day depend on them.
    fn remember(&mut self, points: &[Point]) {
        self.recent.extend_from_slice(&points[points.len().saturating_sub(CONTEXT)..]);
        self.recent.sort_by_key(|point| point.timestamp);
        self.recent.dedup_by_key(|point| point.timestamp);
    }

    /// Removes what is known about a day.
    pub(crate) fn reopen(&mut self, day: i64) {
        if let Ok(place) = self.days.binary_search_by_key(&day, |stats| stats.day) {
            self.days.remove(place);
        }
        if self.runs.last().is_some_and(|run| run.last >= start_of(day)) {
            cut(&mut self.runs, start_of(day), start_of(day.saturating_add(1)));
        }
    }

    /// Takes these days and their posts from another series of the same check and location.
    pub(crate) fn take_days(&mut self, from: Self, days: &[i64]) {
        self.messages.extend(from.messages);
        self.sort_messages();
        for stats in from.days.into_iter().filter(|stats| days.binary_search(&stats.day).is_ok()) {
            let (start, end) = (start_of(stats.day), start_of(stats.day.saturating_add(1)));
            self.reopen(stats.day);
            let place = self.days.partition_point(|own| own.day < stats.day);
            self.days.insert(place, stats);
            let first = from.runs.partition_point(|run| run.last < start);
            let mut of_day: Vec<Run> = from.runs[first..].iter().take_while(|run| run.from < end).cloned().collect();
            cut(&mut of_day, Timestamp::from_unix_nanos(i64::MIN), start);
            cut(&mut of_day, end, Timestamp::from_unix_nanos(i64::MAX));
            let later = self.runs.split_off(self.runs.partition_point(|run| run.from < start));
            join(&mut self.runs, of_day);
            join(&mut self.runs, later);
        }
        if self.threshold_rtt.is_zero() {
            self.threshold_rtt = from.threshold_rtt;
        }
    }

    /// Splits off the days before this one, and their runs.
    pub(crate) fn split_off_before(&mut self, day: i64) -> Self {
        let later = self.days.split_off(self.days.partition_point(|stats| stats.day < day));
        let mut early = Self::new(self.key());
        early.days = std::mem::replace(&mut self.days, later);
        early.runs.clone_from(&self.runs);
        cut(&mut early.runs, start_of(day), Timestamp::from_unix_nanos(i64::MAX));
        cut(&mut self.runs, Timestamp::from_unix_nanos(i64::MIN), start_of(day));
        early
    }

    pub(crate) fn expire(&mut self, before: Timestamp) {
        let first = day_of(before);
        self.days.retain(|stats| stats.day >= first);
        if self.runs.first().is_some_and(|run| run.from < start_of(first)) {
            cut(&mut self.runs, Timestamp::from_unix_nanos(i64::MIN), start_of(first));
        }
        self.recent.retain(|point| point.timestamp >= start_of(first));
        self.messages.retain(|message| message.at >= before);
    }

    /// The statistics of the days that are only known in detail.
    pub(crate) fn open_days(&self, windows: &[(Timestamp, Timestamp)]) -> impl Iterator<Item = DayStats> {
        let days = self.open_points().chunk_by(|a, b| day_of(a.timestamp) == day_of(b.timestamp));
        days.filter_map(move |points| Some(DayStats::of(day_of(points.first()?.timestamp), points, windows)))
    }

    /// Adds the results of this time to statistics, by status.
    pub(crate) fn count(&self, sum: &mut DayStats, from: Timestamp, to: Timestamp, windows: &[(Timestamp, Timestamp)]) {
        let begin = self.recent.partition_point(|point| point.timestamp < from);
        for point in self.recent[begin..].iter().take_while(|point| point.timestamp <= to) {
            if !self.has_day(day_of(point.timestamp)) {
                sum.count(point, is_covered(windows, point.timestamp));
            }
        }
    }
}

/// Merges runs into one for each status in each slot. The total time of each status stays the same.
fn folded(runs: Vec<Run>) -> Vec<Run> {
    let slot = |time: Timestamp| time.unix_nanos().div_euclid(i64::try_from(SLOT.as_nanos()).unwrap_or(i64::MAX));
    let ends: Vec<_> = runs.iter().skip(1).map(|run| run.from).chain(runs.last().map(Run::valid_until)).collect();
    let mut folded: Vec<Run> = Vec::new();
    let mut all: Vec<(Run, Duration)> = runs
        .into_iter()
        .zip(ends)
        .map(|(run, end)| {
            let length = end.min(run.valid_until()).since(run.from);
            (run, length)
        })
        .collect();
    for group in all.chunk_by_mut(|a, b| slot(a.0.from) == slot(b.0.from)) {
        let mut at = group[0].0.from;
        group.sort_by_key(|(run, _)| std::cmp::Reverse(run.status));
        for same in group.chunk_by(|a, b| a.0.status == b.0.status) {
            let length: Duration = same.iter().map(|(_, length)| *length).sum();
            let mut run = same[0].0.clone();
            run.count = same.iter().fold(0, |sum, (run, _)| run.count.saturating_add(sum));
            run.from = at;
            at = at.saturating_add(length);
            run.last = at.saturating_sub(Duration::from_millis(1)).max(run.from);
            folded.push(run);
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use crate::history::run::{held, runs_of};

    const MINUTE: i64 = 60_000_000_000;

    /// Four days: every half hour, every five minutes from 22:00 on the second day, and every hour from 01:00 on the fourth; with two outages
    /// over midnight, and a pause.
    fn points() -> Vec<Point> {
        let minutes =
            (0..92).map(|run| run * 30).chain((552..864).map(|run| run * 5)).chain((73..96).map(|run| run * 60));
        let of = |minute: i64| {
            let is_down = (1430..1500).contains(&minute) || (2860..2960).contains(&minute);
            let status = if is_down { Status::Down } else { Status::Healthy };
            let reason = is_down.then(|| "refused".to_owned());
            Point { timestamp: Timestamp::from_unix_nanos(minute * MINUTE), status, rtt: None, spread: None, reason }
        };
        minutes.filter(|minute| !(3000..3500).contains(minute)).map(of).collect()
    }

    #[test]
    fn days_that_are_closed_in_any_order_and_again_have_the_runs_of_all_results() {
        let all = points();
        let now = Timestamp::from_unix_nanos(8000 * MINUTE);
        let expected = held(&runs_of(&all, &[]), now);
        let days: Vec<_> = all.chunk_by(|a, b| day_of(a.timestamp) == day_of(b.timestamp)).collect();
        for order in [vec![0, 1, 2, 3], vec![0, 1, 2, 3, 1], vec![0, 1, 2, 3, 2, 0, 3], vec![0, 1, 2, 3, 3, 2, 1, 0]] {
            let mut series = Series::new(("API", "localhost", None));
            for day in &order {
                series.close(day_of(days[*day][0].timestamp), days[*day], &[]);
            }
            assert_eq!(held(&series.runs, now), expected, "{order:?}");
            let counted: u64 = series.runs.iter().map(|run| run.count).sum();
            assert_eq!(counted, all.len() as u64, "{order:?}");
        }
    }
}
