//! When checks are due.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

/// How often checks run, as a monitor's builder sets it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// The interval of checks that do not set one.
    pub(super) interval: Duration,
    /// The time before the first run.
    pub(super) delay: Duration,
    pub(super) jitter: f64,
}

/// Checks that have the same interval and therefore run together.
#[derive(Debug)]
pub(super) struct Group {
    /// The checks, by position in the checkup.
    pub(super) checks: Vec<usize>,
    interval: Duration,
    /// The tick on the grid of the interval, without jitter.
    tick: Instant,
    /// When the run starts: the tick plus its jitter.
    pub(super) due: Instant,
}

impl Group {
    /// The groups of checks with these intervals, all due after `delay`.
    pub(super) fn all(intervals: impl Iterator<Item = Duration>, delay: Duration) -> Vec<Self> {
        let first = Instant::now() + delay.min(FAR);
        let mut groups = BTreeMap::<Duration, Vec<usize>>::new();
        for (check, interval) in intervals.enumerate() {
            groups.entry(interval).or_default().push(check);
        }
        groups.into_iter().map(|(interval, checks)| Self { checks, interval, tick: first, due: first }).collect()
    }

    /// Moves to the first tick after `now`, skipping those in between.
    pub(super) fn advance(&mut self, now: Instant, jitter: f64) {
        let missed = now.duration_since(self.tick).as_nanos() / self.interval.as_nanos();
        let steps = u32::try_from(missed.saturating_add(1)).unwrap_or(u32::MAX);
        // With an interval of centuries, the clock cannot represent the next tick; one run is enough.
        let next = self.interval.checked_mul(steps).and_then(|step| self.tick.checked_add(step));
        self.tick = next.unwrap_or(now + FAR);
        self.due = self.tick + self.interval.min(FAR).mul_f64(jitter * random_share());
    }
}

/// Longer than any process lives.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// A random number from 0 to 1. The standard library's hash keys are random enough to spread runs,
/// and need no dependency.
#[allow(clippy::cast_precision_loss, reason = "53 bits are plenty")]
fn random_share() -> f64 {
    (RandomState::new().build_hasher().finish() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn missed_ticks_are_skipped_and_the_grid_is_kept() {
        let second = Duration::from_secs(1);
        let mut group = Group::all([second].into_iter(), Duration::ZERO).remove(0);
        let start = group.due;
        group.advance(start + Duration::from_millis(3_700), 0.0);
        assert_eq!(group.due - start, 4 * second);
        group.advance(start + 4 * second, 0.0);
        assert_eq!(group.due - start, 5 * second);
    }

    #[tokio::test(start_paused = true)]
    async fn jitter_stays_within_its_share_and_does_not_add_up() {
        let second = Duration::from_secs(1);
        let mut group = Group::all([second].into_iter(), Duration::ZERO).remove(0);
        let start = group.due;
        for tick in 1..100 {
            group.advance(group.due, 0.5);
            let offset = group.due - start - tick * second;
            assert!(offset <= second / 2, "{offset:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_interval_does_not_panic() {
        let mut group = Group::all([Duration::MAX].into_iter(), Duration::ZERO).remove(0);
        group.advance(Instant::now(), 1.0);
        assert!(group.due > Instant::now());
    }
}
