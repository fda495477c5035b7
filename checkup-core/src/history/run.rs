//! [`Run`]: consecutive results of one location with the same status.
//!
//! Runs are what the summary keeps of the past. They are as exact as the results, and far fewer. Everything else about
//! the past (incidents, uptime, days) is derived from them.

use std::time::Duration;

use super::freshness::{NEIGHBOURS, rounded, usual_interval, validity};
use super::point::Point;
use crate::{Status, Timestamp};

/// How many different reasons of a run are kept: the most frequent ones.
const MAX_REASONS: usize = 4;

/// How many results before others [`extend`] needs at most: the validity of the last five of them depends on those that follow, and on five
/// before each.
pub(crate) const CONTEXT: usize = 2 * NEIGHBOURS + 1;

/// Consecutive results of one check at one location with the same status and the same validity, none of which is later than the validity of
/// the one before. So a run can be cut anywhere, and both parts hold as long as their results do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// The status of all of its results.
    pub status: Status,
    /// When its first result was.
    pub from: Timestamp,
    /// When its last result was.
    pub last: Timestamp,
    /// The usual time between results around the last one. Zero if there is no other result.
    pub interval: Duration,
    /// How many results it has.
    pub count: u64,
    /// The reasons, each once with its count, the most frequent first.
    pub reasons: Vec<(String, u64)>,
}

/// The state that a location reports during a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) status: Status,
}

impl Run {
    /// The end of the validity of its last result. The run holds until then, or until the next result.
    pub fn valid_until(&self) -> Timestamp {
        self.last.saturating_add(self.valid())
    }

    /// How long each of its results is valid.
    fn valid(&self) -> Duration {
        validity(Some(self.interval))
    }

    /// Adds the reasons of another run.
    fn add_reasons(&mut self, reasons: Vec<(String, u64)>) {
        for (reason, count) in reasons {
            add(&mut self.reasons, &reason, count);
        }
        self.reasons.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    }
}

fn add(reasons: &mut Vec<(String, u64)>, reason: &str, count: u64) {
    if let Some((_, known)) = reasons.iter_mut().find(|(known, _)| known == reason) {
        *known = known.saturating_add(count);
    } else if reasons.len() < MAX_REASONS {
        reasons.push((reason.to_owned(), count));
    }
}

/// The last times of runs, in ascending order, as far as they are before `next`: as many as determine the usual interval of what follows.
/// Between the first and the last result of a run, they are estimated from its interval.
fn times_before(runs: &[Run], next: Timestamp) -> Vec<Timestamp> {
    let mut times = Vec::with_capacity(NEIGHBOURS);
    for run in runs.iter().rev() {
        let mut at = run.last;
        for index in 0..run.count.min(NEIGHBOURS as u64) {
            if index + 1 == run.count || at < run.from {
                at = run.from;
            }
            if at < *times.last().unwrap_or(&next) {
                times.push(at);
            }
            at = at.saturating_sub(run.interval);
        }
        if times.len() >= NEIGHBOURS {
            break;
        }
    }
    times.truncate(NEIGHBOURS);
    times.reverse();
    times
}

/// The first times of runs, in ascending order. Like [`times_before`], on the other side.
fn times_after(runs: &[Run]) -> Vec<Timestamp> {
    let of = |run: &Run| {
        let (from, last, every) = (run.from, run.last, run.interval);
        (0..run.count.min(NEIGHBOURS as u64)).scan(from, move |at, _| {
            let this = *at;
            *at = at.saturating_add(every).min(last);
            Some(this)
        })
    };
    runs.iter().take(NEIGHBOURS).flat_map(of).take(NEIGHBOURS).collect()
}

/// Makes the runs of results in ascending order that continue the runs `before`.
pub(crate) fn runs_of(points: &[Point], before: &[Run]) -> Vec<Run> {
    let context = points.first().map_or_else(Vec::new, |first| times_before(before, first.timestamp));
    runs_between(points, &context, &[])
}

/// Makes the runs of results in ascending order between results of these times.
fn runs_between(points: &[Point], before: &[Timestamp], after: &[Timestamp]) -> Vec<Run> {
    let mut times = before.to_vec();
    let shift = times.len();
    times.extend(points.iter().map(|point| point.timestamp));
    times.extend(after);
    let mut runs: Vec<Run> = Vec::new();
    let mut open = false;
    let mut interval = usual_interval(&times, shift);
    for (index, point) in points.iter().enumerate() {
        if !open {
            let (from, status) = (point.timestamp, point.status);
            runs.push(Run { status, from, last: from, interval: Duration::ZERO, count: 0, reasons: Vec::new() });
        }
        let Some(run) = runs.last_mut() else { break };
        run.count += 1;
        run.last = point.timestamp;
        if let Some(reason) = &point.reason {
            add(&mut run.reasons, reason, 1);
        }
        let (valid, own) = (validity(interval), interval);
        interval = usual_interval(&times, index + 1 + shift);
        let next = points.get(index + 1).filter(|next| next.status == point.status && validity(interval) == valid);
        open = next.is_some_and(|next| next.timestamp <= point.timestamp.saturating_add(valid));
        if !open {
            run.interval = own.unwrap_or_default();
            run.add_reasons(Vec::new());
        }
    }
    runs
}

/// Adds the runs of results that follow `before`: the last results of `runs`, as far as they are known. How long those hold depends on
/// what follows, so their runs are made again. `later` are the runs that follow these results, and stay as they are.
pub(crate) fn extend(runs: &mut Vec<Run>, before: &[Point], points: &[Point], later: &[Run]) {
    let Some(first) = points.first() else { return };
    let before = &before[..before.partition_point(|point| point.timestamp < first.timestamp)];
    let before = &before[before.len().saturating_sub(CONTEXT)..];
    let again = before.len().saturating_sub(NEIGHBOURS);
    let (kept, redone) = before.split_at(again);
    let after = times_after(later);
    let untouched = runs.len().saturating_sub(NEIGHBOURS + 1);
    let mut shorter = runs[untouched..].to_vec();
    if !remove_last(&mut shorter, kept, redone) || kept.is_empty() && untouched > 0 {
        let more = runs_between(points, &times_before(runs, first.timestamp), &after);
        return join(runs, more);
    }
    runs.truncate(untouched);
    runs.append(&mut shorter);
    let all: Vec<_> = redone.iter().chain(points).cloned().collect();
    let times: Vec<_> = kept.iter().chain(&all).map(|point| point.timestamp).collect();
    if let Some((last, index)) = runs.last_mut().zip(again.checked_sub(1)) {
        last.interval = usual_interval(&times, index).unwrap_or_default();
    }
    let more = runs_between(&all, &times[..again], &after);
    join(runs, more);
}

/// Removes results from the end of runs. Returns `false` if the runs are not of these results.
fn remove_last(runs: &mut Vec<Run>, kept: &[Point], removed: &[Point]) -> bool {
    for (index, point) in removed.iter().enumerate().rev() {
        let previous = removed[..index].last().or(kept.last());
        let Some(run) = runs.last_mut().filter(|run| run.last == point.timestamp && run.status == point.status) else {
            return false;
        };
        if let Some(known) = run.reasons.iter_mut().find(|(text, _)| Some(text) == point.reason.as_ref()) {
            known.1 = known.1.saturating_sub(1);
        }
        run.reasons.retain(|(_, count)| *count > 0);
        run.count = run.count.saturating_sub(1);
        run.last = previous.map_or(run.from, |previous| previous.timestamp);
        if run.count == 0 {
            runs.pop();
        }
    }
    runs.last().map(|run| (run.last, run.status)) == kept.last().map(|point| (point.timestamp, point.status))
}

/// Appends later runs. The first may be joined with the last existing one.
pub(crate) fn join(runs: &mut Vec<Run>, more: impl IntoIterator<Item = Run>) {
    for run in more {
        // The interval of a single result is known once another follows. Without it, the result would hold for the shortest validity.
        if let Some(last) = runs.last_mut().filter(|last| last.interval.is_zero() && last.last < run.from) {
            last.interval = if run.interval.is_zero() { rounded(run.from.since(last.last)) } else { run.interval };
        }
        match runs.last_mut() {
            Some(last)
                if last.status == run.status && last.valid() == run.valid() && run.from <= last.valid_until() =>
            {
                last.last = last.last.max(run.last);
                last.interval = run.interval;
                last.count = last.count.saturating_add(run.count);
                last.add_reasons(run.reasons);
            }
            _ => runs.push(run),
        }
    }
}

/// Removes the runs from `from` up to `to`, so that they can be replaced.
pub(crate) fn cut(runs: &mut Vec<Run>, from: Timestamp, to: Timestamp) {
    let mut kept = Vec::with_capacity(runs.len() + 1);
    for run in runs.drain(..) {
        if run.last < from || run.from >= to {
            kept.push(run);
            continue;
        }
        // When its results between the first and the last were is an estimate: at even distances.
        let all = run.last.since(run.from).as_millis();
        let step = (all / u128::from(run.count.saturating_sub(1).max(1))).max(1);
        let before = |time: Timestamp| -> u64 {
            let count = time.since(run.from).as_millis().div_ceil(step);
            u64::try_from(count).unwrap_or(u64::MAX).clamp(1, run.count.saturating_sub(1).max(1))
        };
        let time_of = |index: u64| {
            let after = u64::try_from(u128::from(index).saturating_mul(step)).unwrap_or(u64::MAX);
            run.from.saturating_add(Duration::from_millis(after)).min(run.last)
        };
        if run.from < from {
            let count = before(from);
            let last = time_of(count - 1).min(from.saturating_sub(Duration::from_millis(1)));
            kept.push(Run { last, count, reasons: share(&run.reasons, count, run.count), ..run.clone() });
        }
        if run.last >= to {
            let gone = before(to);
            let count = run.count.saturating_sub(gone).max(1);
            let reasons = share(&run.reasons, count, run.count);
            kept.push(Run { from: time_of(gone).max(to), count, reasons, ..run });
        }
    }
    *runs = kept;
}

/// The reasons of a part of the results of a run. Each is kept at least once.
fn share(reasons: &[(String, u64)], part: u64, all: u64) -> Vec<(String, u64)> {
    let of = |count: u64| {
        let share = u128::from(count).saturating_mul(part.into()) / u128::from(all.max(1));
        u64::try_from(share).unwrap_or(u64::MAX).max(1)
    };
    reasons.iter().map(|(text, count)| (text.clone(), of(*count))).collect()
}

/// Returns the states that a location reports over time. Times up to `ahead` after `now` come from a clock that is ahead, and are
/// taken as now.
pub(crate) fn held(runs: &[Run], now: Timestamp) -> Vec<Held> {
    let next = |index: usize| runs.get(index + 1).map_or(Timestamp::from_unix_nanos(i64::MAX), |run| run.from);
    let held = runs.iter().enumerate().map(|(index, run)| Held {
        from: run.from.min(now),
        until: until(run, next(index), now),
        status: run.status,
    });
    held.filter(|held| held.from < held.until).collect()
}

/// Returns when a run ends if another follows at `next`. Results from a clock that is ahead count from now on.
pub(crate) fn until(run: &Run, next: Timestamp, now: Timestamp) -> Timestamp {
    let until = run.valid_until().min(next);
    // A result that is slightly ahead is the present, and replaces the previous one.
    if next > now && next <= now.saturating_add(super::freshness::AHEAD) { until.min(now) } else { until }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000_000;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_nanos(minute * MINUTE)
    }

    /// A letter for each minute: `d`own, de`g`raded, `h`ealthy, or none.
    fn points(states: &str) -> Vec<Point> {
        let of = |(minute, state): (usize, char)| {
            let status = match state {
                'd' => Status::Down,
                'g' => Status::Degraded,
                'h' => Status::Healthy,
                _ => return None,
            };
            let reason = (status != Status::Healthy).then(|| format!("{state}"));
            let timestamp = at(i64::try_from(minute).unwrap());
            Some(Point { timestamp, status, rtt: None, spread: None, reason })
        };
        states.chars().enumerate().filter_map(of).collect()
    }

    #[test]
    fn runs_end_with_the_status_and_with_the_validity() {
        let runs = runs_of(&points("hhdddg-------------hh"), &[]);
        let shown: Vec<_> = runs.iter().map(|run| (run.status, run.from, run.last, run.count)).collect();
        let expected = [
            (Status::Healthy, at(0), at(1), 2),
            (Status::Down, at(2), at(4), 3),
            (Status::Degraded, at(5), at(5), 1),
            (Status::Healthy, at(19), at(20), 2),
        ];
        assert_eq!(shown, expected);
        assert_eq!(runs[1].reasons, [("d".to_owned(), 3)]);
        let until: Vec<_> = held(&runs, at(100)).iter().map(|held| held.until).collect();
        assert_eq!(until, [at(2), at(5), at(15), at(30)]);
    }

    fn assert_same_in_two_parts(all: &[Point]) {
        let whole = runs_of(all, &[]);
        for middle in 1..all.len() {
            let mut runs = runs_of(&all[..middle], &[]);
            let more = runs_of(&all[middle..], &runs);
            join(&mut runs, more);
            assert_eq!(runs, whole, "in two at {middle}");
            let mut runs = runs_of(&all[..middle], &[]);
            extend(&mut runs, &all[..middle], &all[middle..], &[]);
            assert_eq!(runs, whole, "extended at {middle}");
        }
    }

    #[test]
    fn runs_in_parts_are_the_runs_of_all() {
        assert_same_in_two_parts(&points("hhhhddddhhhhhhhhhhhhhggdhhh"));
    }

    #[test]
    fn a_single_result_holds_as_long_as_those_that_follow_it() {
        // Every six hours, the first of them alone on its day.
        let all: Vec<_> = points("hhhdhh")
            .into_iter()
            .enumerate()
            .map(|(run, point)| Point { timestamp: at(360 * i64::try_from(run).unwrap()), ..point })
            .collect();
        assert_eq!(runs_of(&all, &[]).len(), 3);
        assert_same_in_two_parts(&all);
    }

    #[test]
    fn the_first_results_of_a_day_have_the_interval_of_those_before() {
        // Every fifteen minutes. From the second result of the new day on, every five, and then nothing.
        let minutes = (0..20).map(|run| run * 15).chain((1..4).map(|run| 19 * 15 + run * 5));
        let of = |(minute, point): (i64, Point)| Point { timestamp: at(minute), ..point };
        let all: Vec<_> = minutes.zip(points("hhhhhhhhhhhhhhhhhhhddhh")).map(of).collect();
        let whole = runs_of(&all, &[]);
        let mut runs = runs_of(&all[..19], &[]);
        let more = runs_of(&all[19..], &runs);
        assert_eq!(more[0].interval, Duration::from_secs(900));
        join(&mut runs, more);
        assert_eq!(runs, whole);
    }

    #[test]
    fn the_last_results_of_a_day_hold_as_long_as_what_follows_says() {
        // Every minute, then every half hour, with three of them before midnight.
        let minutes = (0..30).chain((1..20).map(|run| 29 + run * 30));
        let states = "hhhhhhhhhdddhhhhhhhgghhhhhhhhdhhddhhhhhhhhhdhhhhh";
        let of = |(minute, point): (i64, Point)| Point { timestamp: at(minute), ..point };
        let all: Vec<_> = minutes.zip(points(states)).map(of).collect();
        let whole = runs_of(&all, &[]);
        for middle in 1..all.len() {
            let (before, after) = all.split_at(middle);
            let mut runs = runs_of(before, &[]);
            extend(&mut runs, &before[middle.saturating_sub(CONTEXT)..], after, &[]);
            assert_eq!(runs, whole, "extended at {middle}");
            let mut one_by_one = runs_of(before, &[]);
            for index in middle..all.len() {
                extend(&mut one_by_one, &all[..index], &all[index..=index], &[]);
            }
            assert_eq!(one_by_one, whole, "one by one from {middle}");
        }
    }

    #[test]
    fn results_that_are_not_those_of_the_runs_are_not_removed_from_them() {
        let all = points("hhhhddddhhhhhhhhhhhhhggdhhh");
        let (before, after) = all.split_at(20);
        let mut runs = runs_of(before, &[]);
        let other: Vec<_> = before.iter().map(|point| Point { status: Status::Down, ..point.clone() }).collect();
        extend(&mut runs, &other, after, &[]);
        assert_eq!(runs, runs_of(&all, &[]));
    }

    #[test]
    fn a_run_that_is_cut_at_midnight_keeps_the_number_of_its_results() {
        let of = |(minute, point): (i64, Point)| Point { timestamp: at(minute), ..point };
        let all: Vec<_> = [5, 25, 46, 65, 85, 105].into_iter().zip(points("dddddh")).map(of).collect();
        let whole = runs_of(&all, &[]);
        for midnight in 6..=85 {
            let count = all[..5].iter().filter(|point| point.timestamp < at(midnight)).count() as u64;
            let mut early = whole.clone();
            cut(&mut early, at(midnight), Timestamp::from_unix_nanos(i64::MAX));
            assert!(early[0].last < at(midnight));
            let mut late = whole.clone();
            cut(&mut late, Timestamp::from_unix_nanos(i64::MIN), at(midnight));
            assert!(late[0].from >= at(midnight));
            // The third is a minute late.
            if midnight != 46 {
                assert_eq!((early[0].count, late[0].count), (count, 5 - count), "at {midnight}");
            }
            join(&mut early, late);
            assert_eq!(early, whole, "at {midnight}");
        }
    }

    #[test]
    fn removed_runs_can_be_put_back() {
        let all = points("hhhhddddhhhhhhhhhhhhhggdhhh");
        let whole = runs_of(&all, &[]);
        let mut runs = whole.clone();
        cut(&mut runs, at(6), at(22));
        assert!(runs.iter().all(|run| run.last < at(6) || run.from >= at(22)), "{runs:?}");
        let after = runs.split_off(runs.partition_point(|run| run.from < at(22)));
        let more = runs_of(&all[6..22], &runs);
        join(&mut runs, more);
        join(&mut runs, after);
        let shape = |runs: &[Run]| runs.iter().map(|run| (run.status, run.from, run.last)).collect::<Vec<_>>();
        assert_eq!(shape(&runs), shape(&whole));
    }
}
