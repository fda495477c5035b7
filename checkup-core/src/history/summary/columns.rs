//! The columns of a summary's JSON: days, runs, and results in detail.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DayStats;
use crate::history::point::Point;
use crate::history::run::Run;
use crate::{Status, Timestamp};

/// How many results a run can have: one in each millisecond of ten years.
const MAX_COUNT: u64 = 316_000_000_000;

/// Day, healthy, degraded, down, excluded, p50, p90, p99.
pub(super) type DayRow = (i64, u64, u64, u64, u64, Option<Micros>, Option<Micros>, Option<Micros>);

/// A time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Millis(pub(super) i64);

/// A duration in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Micros(u64);

/// The results in detail.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PointColumns {
    at: Vec<i64>,
    status: String,
    rtt: Vec<Option<Micros>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    low: Vec<Option<Micros>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    high: Vec<Option<Micros>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    reasons: BTreeMap<usize, String>,
}

/// The columns of runs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct RunColumns {
    /// The first result: the time of the first run, then differences.
    at: Vec<i64>,
    /// How much later the last result is.
    length: Vec<i64>,
    /// The usual interval around the last result, in milliseconds.
    every: Vec<i64>,
    status: String,
    n: Vec<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    reasons: BTreeMap<usize, Vec<(String, u64)>>,
}

pub(super) fn day_row(stats: &DayStats) -> DayRow {
    let DayStats { day, healthy, degraded, down, excluded, p50, p90, p99 } = *stats;
    let [p50, p90, p99] = [p50, p90, p99].map(|time| time.map(Micros::from));
    (day, healthy, degraded, down, excluded, p50, p90, p99)
}

/// Reads the day of a row; `None` if one of its counts is not a valid count.
pub(super) fn read_day(row: &[Value]) -> Option<DayStats> {
    let [day, healthy, degraded, down, excluded, p50, p90, p99] = row else { return None };
    Some(DayStats {
        day: day.as_i64()?,
        healthy: healthy.as_u64()?,
        degraded: degraded.as_u64()?,
        down: down.as_u64()?,
        excluded: excluded.as_u64()?,
        p50: micros(p50),
        p90: micros(p90),
        p99: micros(p99),
    })
}

/// A duration, if the value is one.
pub(super) fn micros(value: &Value) -> Option<Duration> {
    value.as_u64().map(|micros| Micros(micros).into())
}

impl PointColumns {
    pub(super) fn of(points: &[Point]) -> Self {
        let mut columns = Self::default();
        let mut last = 0;
        let is_spread = points.iter().any(|point| point.spread.is_some());
        for (index, point) in points.iter().enumerate() {
            let at = Millis::from(point.timestamp).0;
            columns.at.push(at.saturating_sub(last));
            last = at;
            columns.status.push(letter(point.status));
            columns.rtt.push(point.rtt.map(Micros::from));
            if is_spread {
                let ends = point.spread.or(point.rtt.map(|rtt| (rtt, rtt)));
                columns.low.push(ends.map(|(low, _)| low.into()));
                columns.high.push(ends.map(|(_, high)| high.into()));
            }
            if let Some(reason) = &point.reason {
                columns.reasons.insert(index, reason.clone());
            }
        }
        columns
    }

    pub(super) fn points(mut self) -> Result<Vec<Point>, String> {
        let count = self.at.len();
        let is_spread = !self.low.is_empty();
        let is_right = self.status.len() == count && self.rtt.len() == count;
        if !is_right || is_spread && (self.low.len() != count || self.high.len() != count) {
            return Err(format!("expected {count} values in each column of `recent`"));
        }
        let mut at = 0_i64;
        let mut points = Vec::with_capacity(count);
        for (index, letter) in self.status.bytes().enumerate() {
            at = at.saturating_add(self.at[index]);
            let spread = if is_spread { self.low[index].zip(self.high[index]) } else { None };
            points.push(Point {
                timestamp: Millis(at).into(),
                status: status(letter)?,
                rtt: self.rtt[index].map(Duration::from),
                spread: spread.filter(|(low, high)| low.0 != high.0).map(|(low, high)| (low.into(), high.into())),
                reason: self.reasons.remove(&index),
            });
        }
        Ok(points)
    }
}

impl RunColumns {
    pub(super) fn of(runs: &[Run]) -> Self {
        let mut columns = Self::default();
        let mut before = 0;
        for (index, run) in runs.iter().enumerate() {
            let at = Millis::from(run.from).0;
            columns.at.push(at.saturating_sub(before));
            before = at;
            columns.length.push(Millis::from(run.last).0.saturating_sub(at));
            columns.every.push(i64::try_from(run.interval.as_millis()).unwrap_or(i64::MAX));
            columns.status.push(letter(run.status));
            columns.n.push(run.count);
            if !run.reasons.is_empty() {
                columns.reasons.insert(index, run.reasons.clone());
            }
        }
        columns
    }

    pub(super) fn runs(mut self) -> Result<Vec<Run>, String> {
        let count = self.at.len();
        if [self.length.len(), self.every.len(), self.status.len(), self.n.len()].iter().any(|other| *other != count) {
            return Err(format!("expected {count} values in each column of `runs`"));
        }
        let mut before: Option<i64> = None;
        let mut at = 0_i64;
        let mut runs = Vec::with_capacity(count);
        for (index, letter) in self.status.bytes().enumerate() {
            at = at.saturating_add(self.at[index]);
            let (length, every, n) = (self.length[index], self.every[index], self.n[index]);
            let last = at.saturating_add(length);
            let is_possible = Millis(at).is_timestamp() && Millis(last).is_timestamp();
            if !is_possible
                || length < 0
                || every < 0
                || !(1..=MAX_COUNT).contains(&n)
                || before.is_some_and(|before| at <= before)
            {
                return Err("expected `runs` in ascending order, with lengths and counts".to_owned());
            }
            before = Some(last);
            runs.push(Run {
                status: status(letter)?,
                from: Millis(at).into(),
                last: Millis(last).into(),
                interval: Duration::from_millis(every.unsigned_abs()),
                count: n,
                reasons: self.reasons.remove(&index).unwrap_or_default(),
            });
        }
        Ok(runs)
    }
}

fn letter(status: Status) -> char {
    match status {
        Status::Healthy => 'h',
        // A summary has no results without a verdict.
        Status::Degraded | Status::Unknown => 'g',
        Status::Down => 'd',
    }
}

fn status(letter: u8) -> Result<Status, String> {
    match letter {
        b'h' => Ok(Status::Healthy),
        b'g' => Ok(Status::Degraded),
        b'd' => Ok(Status::Down),
        other => Err(format!("expected h, g or d for a status, found {:?}", char::from(other))),
    }
}

impl Millis {
    /// Whether there is a timestamp for it: timestamps end in 2262.
    fn is_timestamp(self) -> bool {
        self.0.checked_mul(1_000_000).is_some()
    }
}

impl From<Timestamp> for Millis {
    fn from(time: Timestamp) -> Self {
        Self(time.unix_nanos().div_euclid(1_000_000))
    }
}

impl From<Millis> for Timestamp {
    fn from(Millis(millis): Millis) -> Self {
        Self::from_unix_nanos(millis.saturating_mul(1_000_000))
    }
}

impl From<Duration> for Micros {
    fn from(time: Duration) -> Self {
        Self(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }
}

impl From<Micros> for Duration {
    fn from(Micros(micros): Micros) -> Self {
        Self::from_micros(micros)
    }
}
