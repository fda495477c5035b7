use std::time::Duration;

use super::Attempt;

/// Statistics of the round-trip times of a result's attempts, including failed ones, as in the original Checkup.
///
/// All zero if there were no attempts.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Attempt, Stats};
///
/// let ms = Duration::from_millis;
/// let stats = Stats::of(&[Attempt::success(ms(10)), Attempt::success(ms(40))]);
/// assert_eq!((stats.median, stats.max), (ms(25), ms(40)));
/// assert_eq!(Stats::of(&[]).mean, Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The sum.
    pub total: Duration,
    /// The arithmetic mean, rounded down to whole nanoseconds.
    pub mean: Duration,
    /// The median. For an even number of attempts, the mean of the middle two, rounded down to whole nanoseconds.
    pub median: Duration,
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Stats {
    /// The statistics of `attempts`.
    pub fn of(attempts: &[Attempt]) -> Self {
        let single;
        let mut many;
        // One attempt is the usual case, and needs no allocation for sorting.
        let sorted: &[Duration] = if let [only] = attempts {
            single = [only.rtt];
            &single
        } else {
            many = attempts.iter().map(|attempt| attempt.rtt).collect::<Vec<_>>();
            many.sort_unstable();
            &many
        };
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
            return Self::default();
        };
        let total = sorted.iter().fold(Duration::ZERO, |sum, rtt| sum.saturating_add(*rtt));
        let count = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { sorted[middle - 1].saturating_add(sorted[middle]) / 2 };
        Self { total, mean: total / count, median, min, max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nanos: &[u64]) -> Stats {
        let attempts: Vec<_> = nanos.iter().map(|n| Attempt::success(Duration::from_nanos(*n))).collect();
        Stats::of(&attempts)
    }

    #[test]
    fn the_median_of_an_even_count_is_the_integer_mean_of_the_middle_two() {
        assert_eq!(of(&[9, 1, 4, 7]).median, Duration::from_nanos(5));
        assert_eq!(of(&[9, 1, 4]).median, Duration::from_nanos(4));
    }

    #[test]
    fn the_rest_adds_up() {
        let stats = of(&[9, 1, 4, 7]);
        assert_eq!(stats.total, Duration::from_nanos(21));
        assert_eq!(stats.mean, Duration::from_nanos(5));
        assert_eq!((stats.min, stats.max), (Duration::from_nanos(1), Duration::from_nanos(9)));
    }

    #[test]
    fn absurd_times_do_not_panic() {
        let attempts = [Attempt::success(Duration::MAX), Attempt::success(Duration::MAX)];
        assert_eq!(Stats::of(&attempts).max, Duration::MAX);
    }
}
