//! [`Verdict`]: the status of a check over the locations that it runs at.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::summary::{self, Series, Summary};
use crate::{Status, Timestamp};

/// How old the latest result of a location may be, in its usual intervals, and at least.
const FRESH_INTERVALS: u32 = 3;
const FRESH_AT_LEAST: Duration = Duration::from_secs(10 * 60);

/// How far the clocks of nodes may be ahead.
const AHEAD: Duration = Duration::from_secs(20 * 60);

/// How many locations must say that a check is down, for it to be down.
///
/// ```
/// use checkup_core::Quorum;
///
/// assert_eq!(Quorum::Majority.of(3), 2);
/// assert_eq!(Quorum::at_least(1).map(|quorum| quorum.of(3)), Some(1));
/// // Never more than there are.
/// assert_eq!(Quorum::at_least(5).map(|quorum| quorum.of(3)), Some(3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "there is no third kind")]
pub enum Quorum {
    /// More than half of those that reported lately.
    #[default]
    Majority,
    /// So many, or all if they are fewer.
    AtLeast(NonZeroUsize),
}

impl Quorum {
    /// So many locations, or all if they are fewer; `None` for zero.
    pub fn at_least(count: usize) -> Option<Self> {
        NonZeroUsize::new(count).map(Self::AtLeast)
    }

    /// How many of `count` locations that is.
    pub fn of(self, count: usize) -> usize {
        match self {
            Self::Majority => count / 2 + 1,
            Self::AtLeast(least) => least.get(),
        }
        .min(count)
    }
}

/// The status of a check over the locations that it runs at.
///
/// It is down if a [`Quorum`] of the locations that reported lately says so. If fewer say so it is degraded, as it is
/// if any is degraded. Lately is within three of a location's usual intervals, and at least ten minutes.
///
/// ```
/// use checkup_core::summary::Summary;
/// use checkup_core::{Attempt, Cause, CheckResult, Quorum, Status, Timestamp};
/// use std::time::Duration;
///
/// let mut results = ["eu", "us", "asia"].map(|location| {
///     let mut result = CheckResult::new("API", "https://example.com");
///     result.location = Some(location.into());
///     result
/// });
/// results[0].status = Status::Down;
/// results[0].attempts = vec![Attempt::failure(Duration::ZERO, Cause::Refused, "connection refused")];
/// let mut summary = Summary::new();
/// summary.add(&results);
///
/// let verdict = &summary.verdicts(Quorum::Majority, Timestamp::now())[0];
/// assert_eq!(verdict.status, Status::Degraded);
/// assert_eq!(verdict.reason.as_deref(), Some("down at eu: connection refused (1 of 3 locations)"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The check's name.
    pub name: String,
    /// What is checked.
    pub endpoint: String,
    /// The status. Of a check that nobody reported lately, it is that of the latest reports.
    pub status: Status,
    /// Whether nobody reported lately, so that the present status is not known.
    pub is_stale: bool,
    /// Why it is not healthy, and where.
    pub reason: Option<String>,
    /// The latest of each location, ordered by location.
    pub locations: Vec<AtLocation>,
}

/// The present state of a check at a location.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AtLocation {
    /// The location; `None` if the node has none.
    pub location: Option<String>,
    /// The status of the latest result.
    pub status: Status,
    /// Whether the latest result is too old to count.
    pub is_stale: bool,
    /// When the latest result was.
    pub timestamp: Timestamp,
    /// Since when it is healthy, or is not.
    pub since: Option<Timestamp>,
    /// The latest round-trip time.
    pub rtt: Option<Duration>,
    /// Why it is not healthy.
    pub reason: Option<String>,
}

impl Summary {
    /// The present status of each check over its locations, ordered by name.
    ///
    /// A check whose last result is more than a day old is taken for one that nobody runs any more, and left out; unless all are, since
    /// then it is the nodes that do not run: those verdicts are stale.
    pub fn verdicts(&self, quorum: Quorum, now: Timestamp) -> Vec<Verdict> {
        let same = |a: &Series, b: &Series| (&a.name, &a.endpoint) == (&b.name, &b.endpoint);
        let checks = self.series.chunk_by(same);
        checks
            .filter_map(|series| Verdict::of(series.iter().filter_map(|one| self.at(one, now)), &series[0], quorum))
            .collect()
    }

    fn at(&self, series: &Series, now: Timestamp) -> Option<AtLocation> {
        // What is later is of a clock that is ahead, and would be the latest until its time comes.
        let known = series.recent.partition_point(|point| point.timestamp <= now.saturating_add(AHEAD));
        let Some(index) = known.checked_sub(1) else { return self.long_ago(series) };
        let latest = &series.recent[index];
        let fresh = series.usual_interval().unwrap_or_default().saturating_mul(FRESH_INTERVALS).max(FRESH_AT_LEAST);
        Some(AtLocation {
            location: series.location.clone(),
            status: latest.status,
            is_stale: now.since(latest.timestamp) > fresh,
            timestamp: latest.timestamp,
            since: series.since(index, &self.windows),
            rtt: latest.rtt,
            reason: latest.reason.clone(),
        })
    }

    /// What is left of a series whose results are all figures of days, if there are only such.
    fn long_ago(&self, series: &Series) -> Option<AtLocation> {
        if self.series.iter().any(|series| series.latest().is_some()) {
            return None;
        }
        let last_day = series.days.last()?;
        let open = self.incidents(series).pop().filter(|incident| incident.to.is_none());
        Some(AtLocation {
            location: series.location.clone(),
            status: open.as_ref().map_or(Status::Healthy, |incident| incident.status),
            is_stale: true,
            // It is not known better than that.
            timestamp: summary::start_of(last_day.day + 1).saturating_sub(Duration::from_millis(1)),
            since: self.since(series),
            rtt: last_day.p50,
            reason: open.and_then(|incident| incident.reason),
        })
    }
}

impl Verdict {
    fn of(locations: impl Iterator<Item = AtLocation>, series: &Series, quorum: Quorum) -> Option<Self> {
        let locations: Vec<_> = locations.collect();
        let is_stale = locations.iter().all(|at| at.is_stale);
        let counted: Vec<_> = locations.iter().filter(|at| is_stale || !at.is_stale).collect();
        let worst = counted.iter().map(|at| at.status).max()?;
        let down = counted.iter().filter(|at| at.status == Status::Down).count();
        let status = match worst {
            Status::Down if down < quorum.of(counted.len()) => Status::Degraded,
            worst => worst,
        };
        let reason = reason(&counted, worst);
        Some(Self { name: series.name.clone(), endpoint: series.endpoint.clone(), status, is_stale, reason, locations })
    }

    /// Since when the check is healthy, or is not: of the locations with its worst status, the earliest.
    pub fn since(&self) -> Option<Timestamp> {
        let counted = || self.locations.iter().filter(|at| self.is_stale || !at.is_stale);
        let worst = counted().map(|at| at.status).max()?;
        let since = counted().filter(|at| at.status == worst).map(|at| at.since);
        // Healthy everywhere only since the last location is.
        if worst == Status::Healthy { since.max().flatten() } else { since.flatten().min() }
    }

    /// The latest result of any location.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.locations.iter().map(|at| at.timestamp).max()
    }
}

/// The reason of the first location with the worst status, and which locations have it.
fn reason(counted: &[&AtLocation], worst: Status) -> Option<String> {
    if worst == Status::Healthy {
        return None;
    }
    let bad: Vec<_> = counted.iter().filter(|at| at.status == worst).collect();
    let why = bad.iter().find_map(|at| at.reason.as_deref());
    if counted.len() == 1 {
        return why.map(ToOwned::to_owned);
    }
    let names: Vec<_> = bad.iter().map(|at| at.location.as_deref().unwrap_or("a node without location")).collect();
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    Some(format!("{worst} at {}{why} ({} of {} locations)", names.join(", "), bad.len(), counted.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attempt, Cause, CheckResult};

    const MINUTE: Duration = Duration::from_secs(60);

    fn now() -> Timestamp {
        "2026-02-03T04:05:06Z".parse().unwrap()
    }

    fn result(location: &str, status: Status, age: Duration) -> CheckResult {
        let mut result = CheckResult::new("API", "https://example.com");
        result.location = Some(location.to_owned());
        result.timestamp = now().saturating_sub(age);
        result.status = status;
        if status == Status::Down {
            result.attempts = vec![Attempt::failure(Duration::ZERO, Cause::Refused, "connection refused")];
        }
        result
    }

    fn verdict(results: &[CheckResult], quorum: Quorum) -> Verdict {
        let mut summary = Summary::new();
        summary.add(results);
        let mut verdicts = summary.verdicts(quorum, now());
        assert_eq!(verdicts.len(), 1);
        verdicts.remove(0)
    }

    fn status(of: &[Status], quorum: Quorum) -> Status {
        let results: Vec<_> =
            of.iter().enumerate().map(|(at, status)| result(&format!("{at}"), *status, MINUTE)).collect();
        verdict(&results, quorum).status
    }

    #[test]
    fn down_is_what_a_quorum_says() {
        use Status::{Degraded, Down, Healthy};
        assert_eq!(status(&[Down], Quorum::Majority), Down);
        assert_eq!(status(&[Down, Healthy], Quorum::Majority), Degraded);
        assert_eq!(status(&[Down, Down, Healthy], Quorum::Majority), Down);
        assert_eq!(status(&[Down, Degraded, Healthy], Quorum::Majority), Degraded);
        assert_eq!(status(&[Degraded, Healthy, Healthy], Quorum::Majority), Degraded);
        assert_eq!(status(&[Healthy, Healthy], Quorum::Majority), Healthy);
        assert_eq!(status(&[Down, Healthy, Healthy], Quorum::at_least(1).unwrap()), Down);
        assert_eq!(status(&[Down, Down], Quorum::at_least(3).unwrap()), Down);
        assert_eq!(status(&[Down, Down, Healthy], Quorum::at_least(3).unwrap()), Degraded);
    }

    #[test]
    fn who_did_not_report_lately_has_no_vote() {
        let old = result("old", Status::Down, 11 * MINUTE);
        let verdict = verdict(&[old, result("new", Status::Healthy, MINUTE)], Quorum::Majority);
        assert_eq!((verdict.status, verdict.is_stale, verdict.reason), (Status::Healthy, false, None));
        assert!(verdict.locations.iter().any(|at| at.is_stale && at.location.as_deref() == Some("old")));
    }

    #[test]
    fn lately_is_three_usual_intervals() {
        let hours =
            |ages: &[u32]| ages.iter().map(|age| result("a", Status::Healthy, 60 * MINUTE * *age)).collect::<Vec<_>>();
        assert!(!verdict(&hours(&[6, 5, 4, 3]), Quorum::Majority).is_stale);
        assert!(verdict(&hours(&[7, 6, 5, 4]), Quorum::Majority).is_stale);
    }

    #[test]
    fn when_no_node_has_run_for_days_all_are_stale_and_else_who_has_not_is_left_out() {
        let day = 24 * 60 * MINUTE;
        let old = [result("eu", Status::Healthy, 3 * day + MINUTE), result("eu", Status::Down, 3 * day)];
        let mut summary = Summary::new();
        summary.add(&old);
        summary.forget_before(now());
        let verdicts = summary.verdicts(Quorum::Majority, now());
        assert_eq!((verdicts.len(), verdicts[0].status, verdicts[0].is_stale), (1, Status::Down, true));
        assert_eq!(verdicts[0].reason.as_deref(), Some("connection refused"));
        assert_eq!(verdicts[0].since(), Some(old[1].timestamp));
        assert!(now().since(verdicts[0].timestamp().unwrap()) > day);
        let mut other = result("eu", Status::Healthy, MINUTE);
        other.name = "other".to_owned();
        summary.add(&[other]);
        let verdicts = summary.verdicts(Quorum::Majority, now());
        assert_eq!((verdicts.len(), verdicts[0].name.as_str()), (1, "other"));
    }

    #[test]
    fn a_reason_says_where() {
        let results = [
            result("eu", Status::Down, MINUTE),
            result("us", Status::Down, MINUTE),
            result("asia", Status::Healthy, MINUTE),
        ];
        let of_all = verdict(&results, Quorum::Majority);
        assert_eq!(of_all.reason.as_deref(), Some("down at eu, us: connection refused (2 of 3 locations)"));
        let alone = verdict(&results[..1], Quorum::Majority);
        assert_eq!(alone.reason.as_deref(), Some("connection refused"));
        assert_eq!(alone.since(), Some(results[0].timestamp));
    }
}
