//! The state of a check over time: at every moment, the locations whose state is known vote.
//!
//! A check is down only while at least the quorum of the known locations is down *at the same time*. Outages of one location after
//! the other never add up to an outage of the check.

use std::time::Duration;

use super::quorum::Quorum;
use super::run::Held;
use crate::{Status, Timestamp};

/// The state of a check, or of a location, at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// No location is known: there is no result that is still valid.
    Unknown,
    /// All known locations are healthy.
    Healthy,
    /// At least one location is down or degraded, and fewer than the quorum are down.
    Degraded,
    /// At least the quorum of the known locations is down.
    Down,
    /// A maintenance window covers the moment; nothing is expected then.
    Maintenance,
}

/// A period in which the state is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stretch {
    /// When it begins.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// The state.
    pub state: State,
}

impl State {
    /// Its name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Maintenance => "maintenance",
        }
    }

    /// Whether it is degraded or down.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Degraded | Self::Down)
    }

    /// The state that results from the votes of the known locations.
    pub(crate) fn of_votes(known: usize, degraded: usize, down: usize, quorum: Quorum) -> Self {
        match known {
            0 => Self::Unknown,
            _ if down > 0 && down >= quorum.of(known) => Self::Down,
            _ if down + degraded > 0 => Self::Degraded,
            _ => Self::Healthy,
        }
    }
}

impl From<Status> for State {
    fn from(status: Status) -> Self {
        match status {
            Status::Healthy => Self::Healthy,
            Status::Degraded => Self::Degraded,
            Status::Down => Self::Down,
            Status::Unknown => Self::Unknown,
        }
    }
}

impl Stretch {
    /// How long it is.
    pub fn length(&self) -> Duration {
        self.to.since(self.from)
    }
}

/// The states of a check from `from` up to `to`, without gaps; neighbouring periods have different states.
///
/// The periods of one location must not overlap. Linear after one sort.
pub(crate) fn sweep(locations: &[Vec<Held>], quorum: Quorum, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
    let mut events: Vec<(Timestamp, Status, i32)> = Vec::new();
    for held in locations.iter().flatten() {
        let (begin, end) = (held.from.max(from), held.until.min(to));
        if begin < end {
            events.push((begin, held.status, 1));
            events.push((end, held.status, -1));
        }
    }
    events.sort_unstable_by_key(|(time, _, _)| *time);
    let (mut known, mut degraded, mut down) = (0_i32, 0_i32, 0_i32);
    let mut stretches = Vec::new();
    let mut at = from;
    let mut rest = &events[..];
    while at < to {
        while let Some(((_, status, change), later)) = rest.split_first().filter(|((time, ..), _)| *time <= at) {
            known += change;
            match status {
                Status::Degraded => degraded += change,
                Status::Down => down += change,
                // Results without a verdict are in no run.
                Status::Healthy | Status::Unknown => {}
            }
            rest = later;
        }
        let count = |number: i32| usize::try_from(number).unwrap_or_default();
        let state = State::of_votes(count(known), count(degraded), count(down), quorum);
        let next = rest.first().map_or(to, |(time, ..)| *time);
        push(&mut stretches, Stretch { from: at, to: next, state });
        at = next;
    }
    stretches
}

/// Replaces the state inside maintenance windows. The windows are in order and do not overlap.
pub(crate) fn overlay(stretches: &[Stretch], windows: &[(Timestamp, Timestamp)]) -> Vec<Stretch> {
    let mut laid = Vec::with_capacity(stretches.len());
    let mut first = 0;
    for stretch in stretches {
        while windows.get(first).is_some_and(|(_, to)| *to <= stretch.from) {
            first += 1;
        }
        let mut at = stretch.from;
        for (from, to) in windows[first..].iter().take_while(|(from, _)| *from < stretch.to) {
            push(&mut laid, Stretch { from: at, to: (*from).max(at), state: stretch.state });
            let (from, to) = ((*from).max(at), (*to).min(stretch.to));
            push(&mut laid, Stretch { from, to, state: State::Maintenance });
            at = to;
        }
        push(&mut laid, Stretch { from: at, to: stretch.to, state: stretch.state });
    }
    laid
}

/// Sorts windows, and joins those that overlap or touch.
pub(crate) fn joined(mut windows: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    windows.retain(|(from, to)| from < to);
    windows.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(windows.len());
    for (from, to) in windows {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

fn push(stretches: &mut Vec<Stretch>, stretch: Stretch) {
    if stretch.from >= stretch.to {
        return;
    }
    match stretches.last_mut() {
        Some(last) if last.state == stretch.state && last.to == stretch.from => last.to = stretch.to,
        _ => stretches.push(stretch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_nanos(second * 1_000_000_000)
    }

    fn held(from: i64, until: i64, status: Status) -> Held {
        Held { from: at(from), until: at(until), status }
    }

    fn shown(stretches: &[Stretch]) -> Vec<(i64, &'static str)> {
        stretches.iter().map(|one| (one.from.unix_nanos() / 1_000_000_000, one.state.as_str())).collect()
    }

    #[test]
    fn a_check_is_down_only_while_the_quorum_is_down_at_the_same_time() {
        use Status::{Degraded, Down, Healthy};
        let slow = vec![held(0, 30, Degraded)];
        let eu = vec![held(0, 5, Healthy), held(5, 10, Down), held(10, 30, Healthy)];
        let us = vec![held(0, 9, Healthy), held(9, 20, Down), held(20, 25, Healthy)];
        let stretches = sweep(&[slow, eu, us], Quorum::Majority, at(0), at(40));
        assert_eq!(shown(&stretches), [(0, "degraded"), (9, "down"), (10, "degraded"), (30, "unknown")]);
    }

    #[test]
    fn maintenance_replaces_every_state() {
        let stretches = sweep(&[vec![held(0, 30, Status::Down)]], Quorum::Majority, at(0), at(40));
        let windows = joined(vec![(at(20), at(35)), (at(5), at(8)), (at(7), at(9)), (at(3), at(3))]);
        let laid = overlay(&stretches, &windows);
        let expected = [(0, "down"), (5, "maintenance"), (9, "down"), (20, "maintenance"), (35, "unknown")];
        assert_eq!(shown(&laid), expected);
    }
}
