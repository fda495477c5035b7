//! [`DayStats`]: the statistics of a day.

use std::time::Duration;

use crate::history::point::Point;
use crate::{Status, Timestamp};

const DAY: i64 = 86_400_000_000_000;

/// The range of plausible days, in days since 1970: up to the year 2243. Any other day is an error of the writer.
pub(crate) const DAYS: std::ops::RangeInclusive<i64> = 0..=100_000;

/// How many results a day can have: at most one per millisecond.
const MAX_RESULTS: u64 = 86_400_000;

/// The statistics of a day (in UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DayStats {
    /// The day, in days since 1970-01-01.
    pub day: i64,
    /// How many results were healthy.
    pub healthy: u64,
    /// How many were degraded.
    pub degraded: u64,
    /// How many were down.
    pub down: u64,
    /// How many were in a window of maintenance. They are in none of the other counts.
    pub excluded: u64,
    /// The median of the round-trip times.
    pub p50: Option<Duration>,
    /// The round-trip time that nine of ten do not exceed.
    pub p90: Option<Duration>,
    /// The round-trip time that 99 of 100 do not exceed.
    pub p99: Option<Duration>,
}

impl DayStats {
    /// Makes the statistics of a day from these results.
    pub(crate) fn of(day: i64, points: &[Point], windows: &[(Timestamp, Timestamp)]) -> Self {
        let mut stats = Self { day, ..Self::default() };
        let mut times = Vec::with_capacity(points.len());
        for point in points {
            let is_excluded = is_covered(windows, point.timestamp);
            stats.count(point, is_excluded);
            times.extend(point.rtt.filter(|_| !is_excluded));
        }
        times.sort_unstable();
        // The nearest rank: the lowest value that at least this share of values does not exceed.
        let quantile = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        (stats.p50, stats.p90, stats.p99) = (quantile(50), quantile(90), quantile(99));
        stats
    }

    /// When the day began.
    pub fn start(&self) -> Timestamp {
        start_of(self.day)
    }

    /// The share of results, from 0 to 1, that were not down. `None` if no result counts.
    pub fn uptime(&self) -> Option<f64> {
        let up = self.healthy.saturating_add(self.degraded);
        let all = up.saturating_add(self.down);
        #[allow(clippy::cast_precision_loss, reason = "there are fewer than 2^52 results")]
        (all > 0).then(|| up as f64 / all as f64)
    }

    /// The worst status of the day. `None` if no result counts.
    pub fn worst(&self) -> Option<Status> {
        let counts = [(self.down, Status::Down), (self.degraded, Status::Degraded), (self.healthy, Status::Healthy)];
        counts.into_iter().find(|(count, _)| *count > 0).map(|(_, status)| status)
    }

    /// How many results there were.
    pub(crate) fn total(&self) -> u64 {
        let counts = [self.healthy, self.degraded, self.down, self.excluded];
        counts.into_iter().fold(0, u64::saturating_add)
    }

    /// Whether these statistics are plausible.
    pub(crate) fn is_plausible(&self) -> bool {
        DAYS.contains(&self.day) && self.total() <= MAX_RESULTS
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.healthy = self.healthy.saturating_add(other.healthy);
        self.degraded = self.degraded.saturating_add(other.degraded);
        self.down = self.down.saturating_add(other.down);
        self.excluded = self.excluded.saturating_add(other.excluded);
    }

    pub(crate) fn count(&mut self, point: &Point, is_excluded: bool) {
        *match point.status {
            _ if is_excluded => &mut self.excluded,
            Status::Healthy => &mut self.healthy,
            Status::Degraded | Status::Unknown => &mut self.degraded,
            Status::Down => &mut self.down,
        } += 1;
    }
}

/// The day (in UTC) that a time is in, in days since 1970.
pub(crate) fn day_of(time: Timestamp) -> i64 {
    time.unix_nanos().div_euclid(DAY)
}

/// When a day begins.
pub(crate) fn start_of(day: i64) -> Timestamp {
    Timestamp::from_unix_nanos(day.saturating_mul(DAY))
}

/// Whether one of these windows, which are in order and do not overlap, covers a time.
pub(crate) fn is_covered(windows: &[(Timestamp, Timestamp)], time: Timestamp) -> bool {
    let next = windows.partition_point(|(_, to)| *to <= time);
    windows.get(next).is_some_and(|(from, _)| *from <= time)
}
