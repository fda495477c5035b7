//! [`Verdict`]: the present status of a check over the locations that it runs at.

use std::time::Duration;

use super::freshness::AHEAD;
use super::quorum::Quorum;
use super::sweep::State;
use crate::summary::{Series, Summary};
use crate::{Status, Timestamp};

/// A check without a result for this long was probably removed.
const GONE: Duration = Duration::from_secs(25 * 3600);

/// The present status of a check over the locations that it runs at: its [`Timeline`](crate::history::Timeline) at this moment.
///
/// It is down if a [`Quorum`] of the locations with a valid result is down. If fewer are, or any is degraded, it is degraded.
/// [`freshness`](crate::history::freshness) says how long a result is valid.
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
    /// The status. If it is stale, that of the latest results.
    pub status: Status,
    /// Whether no location has a valid result, so that the present status is unknown.
    pub is_stale: bool,
    /// Why it is not healthy, and where.
    pub reason: Option<String>,
    /// The latest of each location, ordered by location.
    pub locations: Vec<AtLocation>,
    since: Option<Timestamp>,
}

/// The present state of a check at a location.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AtLocation {
    /// The location; `None` if the node has none.
    pub location: Option<String>,
    /// The status of the latest result.
    pub status: Status,
    /// Whether the latest result is no longer valid.
    pub is_stale: bool,
    /// When the latest result was.
    pub timestamp: Timestamp,
    /// When the present state began; if it is stale, when the last known one did.
    pub since: Option<Timestamp>,
    /// The round-trip time of the latest result.
    pub rtt: Option<Duration>,
    /// Why it is not healthy.
    pub reason: Option<String>,
}

impl Summary {
    /// The present status of each check over its locations, ordered by name.
    ///
    /// A check whose last result is more than a day old and not valid was probably removed, and is left out; unless this is true of all
    /// checks, which means that no node is running: those verdicts are stale.
    pub fn verdicts(&self, quorum: Quorum, now: Timestamp) -> Vec<Verdict> {
        let all = |gone: bool| -> Vec<_> {
            self.checks().filter_map(|series| self.verdict(series, quorum, now, gone)).collect()
        };
        let verdicts = all(false);
        if verdicts.is_empty() { all(true) } else { verdicts }
    }

    fn verdict(&self, series: &[Series], quorum: Quorum, now: Timestamp, gone: bool) -> Option<Verdict> {
        let here: Vec<&Series> = series
            .iter()
            .filter(|series| {
                let last = series.last_run(now.saturating_add(AHEAD));
                last.is_some_and(|run| gone || now.since(run.last) <= GONE || run.valid_until() > now)
            })
            .collect();
        let first = here.first()?;
        let timeline = self.timeline(here.iter().copied(), quorum, now);
        let locations: Vec<_> = here.iter().filter_map(|series| self.at(series, now)).collect();
        let (state, since) = (timeline.state(), timeline.since());
        let is_stale = state == State::Unknown;
        let counted: Vec<_> = locations.iter().filter(|at| is_stale || !at.is_stale).collect();
        let worst = counted.iter().map(|at| at.status).max()?;
        let status = match state {
            State::Down => Status::Down,
            State::Degraded => Status::Degraded,
            State::Unknown => last_known(&counted, quorum),
            _ => Status::Healthy,
        };
        let reason = reason(&counted, worst);
        let (name, endpoint) = (first.name.clone(), first.endpoint.clone());
        Some(Verdict { name, endpoint, status, is_stale, reason, locations, since })
    }

    fn at(&self, series: &Series, now: Timestamp) -> Option<AtLocation> {
        // Later results come from a clock that is ahead, and would remain the latest until their time comes.
        let last = series.last_run(now.saturating_add(AHEAD))?;
        let latest = series.latest_at(now);
        Some(AtLocation {
            location: series.location.clone(),
            status: last.status,
            is_stale: last.valid_until() <= now,
            timestamp: last.last,
            since: self.timeline([series], Quorum::Majority, now).since(),
            rtt: latest.map_or_else(|| series.days.last().and_then(|day| day.p50), |latest| latest.rtt),
            reason: match latest {
                Some(latest) => latest.reason.clone(),
                None => last.reasons.first().map(|(reason, _)| reason.clone()),
            },
        })
    }
}

/// The combined status of the latest results, for a check that no location reports any more.
fn last_known(counted: &[&AtLocation], quorum: Quorum) -> Status {
    let down = counted.iter().filter(|at| at.status == Status::Down).count();
    let degraded = counted.iter().filter(|at| at.status == Status::Degraded).count();
    match State::of_votes(counted.len(), degraded, down, quorum) {
        State::Down => Status::Down,
        State::Degraded => Status::Degraded,
        _ => Status::Healthy,
    }
}

impl Verdict {
    /// When the check got its present status: for a check that is down, when the quorum was reached. If the verdict is stale, when the last
    /// known state began.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
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
        result.location = Some(location.into());
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
    fn a_location_without_a_valid_result_has_no_vote() {
        let old = result("old", Status::Down, 11 * MINUTE);
        let verdict = verdict(&[old, result("new", Status::Healthy, MINUTE)], Quorum::Majority);
        assert_eq!((verdict.status, verdict.is_stale, verdict.reason), (Status::Healthy, false, None));
        assert!(verdict.locations.iter().any(|at| at.is_stale && at.location.as_deref() == Some("old")));
    }

    #[test]
    fn a_result_is_valid_for_three_usual_intervals() {
        let hours =
            |ages: &[u32]| ages.iter().map(|age| result("a", Status::Healthy, 60 * MINUTE * *age)).collect::<Vec<_>>();
        assert!(!verdict(&hours(&[5, 4, 3, 2]), Quorum::Majority).is_stale);
        assert!(verdict(&hours(&[6, 5, 4, 3]), Quorum::Majority).is_stale);
    }

    #[test]
    fn when_no_node_has_run_for_days_all_are_stale_otherwise_those_without_results_are_left_out() {
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
