//! How long a result is valid, and which results are from the future.
//!
//! A result is valid from its time until the next result of its location, and at most for its [`validity`]. After that the state of the
//! location is unknown: if a node is switched off while a check is down, the outage must not last forever, and a check that is no longer
//! measured is not healthy either.
//!
//! The usual interval is the median of the distances between the neighbouring results. Therefore a changed interval, a night
//! without runs or a burst of runs by hand affects only the results around it. Runs jitter by seconds, and which neighbours are known may
//! differ between readers. So an interval from which a validity of its own follows is rounded to whole ten seconds: all readers then
//! agree, and a check that runs every ten minutes has an interval of ten minutes.

use std::time::Duration;

use crate::Timestamp;

/// How far the clock of a node may be ahead of the reader's. Results that are later than this are from the future: they are kept, and
/// count from their own time on.
pub const AHEAD: Duration = Duration::from_secs(20 * 60);

/// The shortest validity of a result: nodes may pause for a deployment or a restart.
pub const VALID_AT_LEAST: Duration = Duration::from_secs(10 * 60);

/// The longest validity of a result. Checks that run less often than every ten days are unknown in between, and two results that are
/// years apart by a wrong clock do not fill the years.
pub const VALID_AT_MOST: Duration = Duration::from_secs(31 * 24 * 3600);

/// How many of its usual intervals a result is valid.
const INTERVALS: u32 = 3;

/// How many distances before a result, and as many after it, determine its usual interval.
pub(crate) const NEIGHBOURS: usize = 5;

/// What long intervals are rounded to.
const STEP: Duration = Duration::from_secs(10);

/// How long a result is valid if no other follows: three times the usual interval, between [`VALID_AT_LEAST`] and [`VALID_AT_MOST`].
///
/// ```
/// use std::time::Duration;
/// use checkup_core::history::freshness::validity;
///
/// assert_eq!(validity(None), Duration::from_secs(600));
/// assert_eq!(validity(Some(Duration::from_secs(60))), Duration::from_secs(600));
/// assert_eq!(validity(Some(Duration::from_secs(3600))), Duration::from_secs(3 * 3600));
/// ```
pub fn validity(usual_interval: Option<Duration>) -> Duration {
    usual_interval.unwrap_or_default().saturating_mul(INTERVALS).clamp(VALID_AT_LEAST, VALID_AT_MOST)
}

/// The usual interval around one of these times: the median of the distances between its neighbours, five on each side. From 200 seconds
/// on, it is rounded to ten seconds. The times are of one location, in ascending order. `None` with fewer than two.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::Timestamp;
/// use checkup_core::history::freshness::usual_interval;
///
/// let times: Vec<_> = [0, 60, 120, 4000, 4060].map(|second: i64| Timestamp::from_unix_nanos(second * 1_000_000_000)).to_vec();
/// assert_eq!(usual_interval(&times, 2), Some(Duration::from_secs(60)));
/// assert_eq!(usual_interval(&times[..1], 0), None);
/// ```
pub fn usual_interval(times: &[Timestamp], index: usize) -> Option<Duration> {
    let from = index.saturating_sub(NEIGHBOURS);
    let to = index.saturating_add(NEIGHBOURS).min(times.len().saturating_sub(1));
    let near = times.get(from..=to)?;
    let mut distances = [Duration::ZERO; 2 * NEIGHBOURS];
    let count = near.len().saturating_sub(1);
    for (distance, pair) in distances.iter_mut().zip(near.windows(2)) {
        *distance = pair[1].since(pair[0]);
    }
    let distances = &mut distances[..count];
    distances.sort_unstable();
    distances.get(count / 2).copied().map(rounded)
}

/// The interval without the jitter of the runs, if it is long enough to matter for the validity.
pub(crate) fn rounded(interval: Duration) -> Duration {
    if interval.saturating_mul(INTERVALS) < VALID_AT_LEAST {
        return interval;
    }
    let steps = interval.saturating_add(STEP / 2).as_secs() / STEP.as_secs();
    Duration::from_secs(steps.saturating_mul(STEP.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(seconds: &[i64]) -> Vec<Timestamp> {
        seconds.iter().map(|second| Timestamp::from_unix_nanos(second * 1_000_000_000)).collect()
    }

    #[test]
    fn a_change_of_the_interval_affects_only_its_neighbourhood() {
        let slow = (0..20).map(|run| run * 900);
        let fast = (0..40).map(|run| 19 * 900 + 15 + run * 15);
        let all = times(&slow.chain(fast).collect::<Vec<_>>());
        let at = |index| usual_interval(&all, index).unwrap().as_secs();
        assert_eq!((at(0), at(14), at(19), at(25), at(59)), (900, 900, 900, 15, 15));
    }

    #[test]
    fn jitter_changes_no_long_interval() {
        for (found, usual) in [(599_100, 600), (600_900, 600), (1_799_999, 1800), (305_000, 310), (304_999, 300)] {
            assert_eq!(rounded(Duration::from_millis(found)), Duration::from_secs(usual), "{found} ms");
        }
        assert_eq!(rounded(Duration::from_millis(61_234)), Duration::from_millis(61_234));
        assert_eq!(rounded(Duration::MAX).as_secs(), u64::MAX / 10 * 10);
    }

    #[test]
    fn the_validity_has_bounds() {
        assert_eq!(validity(Some(Duration::MAX)), VALID_AT_MOST);
        let night = times(&[0, 300, 600, 900, 30_000, 30_300]);
        assert_eq!(validity(usual_interval(&night, 3)), Duration::from_secs(900));
        assert_eq!(usual_interval(&[], 0), None);
    }
}
