//! [`Run`]: consecutive results of one location with the same status.
//!
//! Runs are what the summary keeps of the past. They are as exact as the results, and far fewer. Everything else about
//! the past (incidents, uptime, days) is derived from them.

use std::time::Duration;

use super::freshness::{usual_interval, validity};
use super::point::Point;
use crate::{Status, Timestamp};

/// How many different reasons of a run are kept: the most frequent ones.
const MAX_REASONS: usize = 4;

/// Consecutive results of one check at one location with the same status, none of which is later than the validity of the one before.
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
        self.last.saturating_add(validity(Some(self.interval)))
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

/// Makes the runs of results in ascending order that continue `before`.
pub(crate) fn runs_of(points: &[Point], before: Option<&Run>) -> Vec<Run> {
    let mut times: Vec<Timestamp> = Vec::with_capacity(points.len() + 1);
    let context = before.map(|run| run.last).filter(|last| points.first().is_some_and(|point| *last < point.timestamp));
    times.extend(context);
    let shift = times.len();
    times.extend(points.iter().map(|point| point.timestamp));
    let mut runs: Vec<Run> = Vec::new();
    let mut open = false;
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
        let interval = || usual_interval(&times, index + shift);
        let next = points.get(index + 1).filter(|next| next.status == point.status);
        open = next.is_some_and(|next| next.timestamp <= point.timestamp.saturating_add(validity(interval())));
        if !open {
            run.interval = interval().unwrap_or_default();
            run.add_reasons(Vec::new());
        }
    }
    runs
}

/// Appends later runs. The first may be joined with the last existing one.
pub(crate) fn join(runs: &mut Vec<Run>, more: impl IntoIterator<Item = Run>) {
    for run in more {
        // The interval of a single result is known once another follows. Without it, the result would hold for the shortest validity.
        if let Some(last) = runs.last_mut().filter(|last| last.interval.is_zero() && last.last < run.from) {
            last.interval = if run.interval.is_zero() { run.from.since(last.last) } else { run.interval };
        }
        match runs.last_mut() {
            Some(last) if last.status == run.status && run.from <= last.valid_until() => {
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
        // How many of its results are on either side is only an estimate.
        let share = |length: Duration| -> u64 {
            let all = run.last.since(run.from).as_millis().max(1);
            let part = u128::from(run.count).saturating_mul(length.as_millis()) / all;
            u64::try_from(part).unwrap_or(u64::MAX).max(1)
        };
        if run.from < from {
            let last = from.saturating_sub(Duration::from_millis(1)).min(run.last).max(run.from);
            kept.push(Run { last, count: share(last.since(run.from)), reasons: run.reasons.clone(), ..run.clone() });
        }
        if run.last >= to {
            let count = share(run.last.since(to));
            kept.push(Run { from: to, count, ..run });
        }
    }
    *runs = kept;
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
        let runs = runs_of(&points("hhdddg-------------hh"), None);
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
        let whole = runs_of(all, None);
        for middle in 1..all.len() {
            let mut runs = runs_of(&all[..middle], None);
            let more = runs_of(&all[middle..], runs.last());
            join(&mut runs, more);
            assert_eq!(runs, whole, "in two at {middle}");
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
        assert_eq!(runs_of(&all, None).len(), 3);
        assert_same_in_two_parts(&all);
    }

    #[test]
    fn removed_runs_can_be_put_back() {
        let all = points("hhhhddddhhhhhhhhhhhhhggdhhh");
        let whole = runs_of(&all, None);
        let mut runs = whole.clone();
        cut(&mut runs, at(6), at(22));
        assert!(runs.iter().all(|run| run.last < at(6) || run.from >= at(22)), "{runs:?}");
        let after = runs.split_off(runs.partition_point(|run| run.from < at(22)));
        let more = runs_of(&all[6..22], runs.last());
        join(&mut runs, more);
        join(&mut runs, after);
        let shape = |runs: &[Run]| runs.iter().map(|run| (run.status, run.from, run.last)).collect::<Vec<_>>();
        assert_eq!(shape(&runs), shape(&whole));
    }
}
