//! The current state of each check and of all checks together.

use std::time::Duration;

use checkup_core::health::{CheckHealth, Latest};
use checkup_core::history::Rules;
use checkup_core::summary::{Series, Summary};
use checkup_core::{Checkup, Quorum, Status, Timestamp, Verdict};

use super::badge_value::BadgeValue;

/// The state of each check, and of all together, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    pub(crate) overall: Overall,
    pub(crate) checks: Vec<CheckOverview>,
    /// When the latest check ran.
    pub(crate) checked: Option<Timestamp>,
    /// How results become states and incidents.
    pub(crate) rules: Rules,
}

/// The state of all checks together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overall {
    Status(Status),
    Stale,
    Maintenance,
    Empty,
}

#[derive(Clone, Debug)]
pub(crate) struct CheckOverview {
    pub(crate) verdict: Verdict,
    pub(crate) in_maintenance: bool,
    /// Whether no node runs it any longer, because it was removed or renamed. It does not count for the overall state.
    pub(crate) is_gone: bool,
}

impl Overall {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Status(status) => status.as_str(),
            Self::Stale => "stale",
            Self::Maintenance => "maintenance",
            Self::Empty => "empty",
        }
    }

    pub(crate) fn badge(self) -> BadgeValue {
        match self {
            Self::Status(status) => BadgeValue::State(status),
            Self::Stale => BadgeValue::Stale,
            Self::Maintenance => BadgeValue::Maintenance,
            Self::Empty => BadgeValue::Unknown,
        }
    }
}

impl CheckOverview {
    pub(crate) fn state(&self) -> Overall {
        match self.verdict.status {
            _ if self.in_maintenance => Overall::Maintenance,
            _ if self.verdict.is_stale => Overall::Stale,
            status => Overall::Status(status),
        }
    }

    pub(crate) fn health(&self) -> CheckHealth {
        let Verdict { name, status, reason, locations, .. } = &self.verdict;
        let latest = locations.iter().map(|at| Latest {
            location: at.location.clone(),
            status: at.status,
            timestamp: at.timestamp,
            rtt: at.rtt,
            reason: at.reason.clone(),
        });
        CheckHealth {
            name: name.clone(),
            status: *status,
            reason: reason.clone(),
            latest: latest.collect(),
            interval: None,
        }
    }
}

impl Overview {
    /// The checkup has every existing check, if it is known and has any.
    pub(crate) fn new(summary: &Summary, checkup: Option<&Checkup>, rules: &Rules, now: Timestamp) -> Self {
        let checks: Vec<_> = summary
            .verdicts(rules.quorum, now)
            .into_iter()
            .map(|verdict| {
                let in_maintenance = summary.windows.iter().any(|window| window.covers(&verdict.name, now));
                let is_gone = verdict.is_stale && !may_run(checkup, &verdict.name);
                CheckOverview { verdict, in_maintenance, is_gone }
            })
            .collect();
        let checked = checks.iter().flat_map(|check| &check.verdict.locations).map(|at| at.timestamp).max();
        Self { overall: overall(&checks), checks, checked, rules: rules.clone() }
    }
}

/// The worst state of the checks that are not in maintenance, since those may fail. Stale is worse than healthy.
fn overall(checks: &[CheckOverview]) -> Overall {
    let rank = |state: &Overall| match state {
        Overall::Empty | Overall::Maintenance => 0,
        Overall::Status(Status::Healthy) => 1,
        Overall::Stale => 2,
        Overall::Status(Status::Degraded) => 3,
        Overall::Status(_) => 4,
    };
    let states = || checks.iter().filter(|check| !check.is_gone).map(CheckOverview::state);
    let in_maintenance = states().any(|state| state == Overall::Maintenance);
    match states().max_by_key(rank) {
        Some(Overall::Status(Status::Healthy)) if in_maintenance => Overall::Maintenance,
        worst => worst.unwrap_or(Overall::Empty),
    }
}

/// Whether a node may run a check with this name: it is one of these, or they are unknown.
pub(crate) fn may_run(checkup: Option<&Checkup>, name: &str) -> bool {
    let has = |checkup: &Checkup| checkup.checks().any(|check| check.name() == name);
    checkup.is_none_or(|checkup| checkup.checks().next().is_none() || has(checkup))
}

/// The share of the known time in which a check was not down, by the votes of these locations.
pub(crate) fn uptime(
    summary: &Summary,
    series: &[&Series],
    quorum: Quorum,
    now: Timestamp,
    time: Duration,
) -> Option<f64> {
    summary.timeline(series.iter().copied(), quorum, now).availability(now.saturating_sub(time), now).uptime()
}

/// The median round-trip time of the results in the last `time`, as far as they are known in detail, without those in maintenance.
pub(crate) fn median_rtt(summary: &Summary, series: &[&Series], now: Timestamp, time: Duration) -> Option<Duration> {
    let since = now.saturating_sub(time);
    let expected = |name: &str, time| !summary.windows.iter().any(|window| window.covers(name, time));
    let recent = series.iter().flat_map(|series| series.recent.iter().map(|point| (&series.name, point)));
    let counted = recent.filter(|(name, point)| point.timestamp >= since && expected(name, point.timestamp));
    let mut times: Vec<_> = counted.filter_map(|(_, point)| point.rtt).collect();
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use checkup_core::{CheckResult, check_fn};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn now() -> Timestamp {
        "2026-02-03T12:00:00Z".parse().unwrap()
    }

    fn result(name: &str, location: &str, status: Status, age: Duration) -> CheckResult {
        let mut result = CheckResult::new(name, "x");
        (result.location, result.status) = (Some(location.into()), status);
        result.timestamp = now().saturating_sub(age);
        result
    }

    #[test]
    fn uptime_is_a_share_of_time_however_many_results_a_location_has() {
        let mut summary = Summary::new();
        // Down for a minute of four at one of two locations, and then at both.
        for minute in 0..=4_u32 {
            let status = |from| if (from..3).contains(&minute) { Status::Down } else { Status::Healthy };
            summary.add(&[
                result("API", "eu", status(1), (4 - minute) * HOUR / 60),
                result("API", "us", status(2), (4 - minute) * HOUR / 60),
                result("API", "us", status(2), (4 - minute) * HOUR / 60 + HOUR / 3600),
            ]);
        }
        let series: Vec<_> = summary.series.iter().collect();
        let share = uptime(&summary, &series, Quorum::Majority, now(), 4 * HOUR / 60);
        assert!((share.unwrap() - 181.0 / 240.0).abs() < 1e-9 || (share.unwrap() - 0.75).abs() < 1e-9, "{share:?}");
        assert_eq!(uptime(&Summary::new(), &[], Quorum::Majority, now(), HOUR), None);
    }

    #[test]
    fn a_check_that_was_removed_does_not_make_all_stale() {
        let mut summary = Summary::new();
        summary.add(&[result("new", "eu", Status::Healthy, HOUR / 60), result("old", "eu", Status::Down, 5 * HOUR)]);
        let check = |name: &str| check_fn(name, || async { Ok::<_, std::io::Error>(()) });
        let of = |names: &[&str]| {
            let checkup = names.iter().fold(Checkup::builder(), |builder, name| builder.check(check(name)));
            Overview::new(&summary, Some(&checkup.build().unwrap()), &Rules::default(), now()).overall
        };
        assert_eq!(of(&["new"]), Overall::Status(Status::Healthy));
        assert_eq!(of(&["new", "old"]), Overall::Stale);
        assert_eq!(of(&["old"]), Overall::Stale, "what is fresh and of another node counts too");
        assert_eq!(of(&[]), Overall::Stale, "no checks are known");
        assert_eq!(Overview::new(&summary, None, &Rules::default(), now()).overall, Overall::Stale);
    }
}
