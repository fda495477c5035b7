//! What is true now, of each check and of all.

use std::time::Duration;

use checkup_core::summary::{Series, Summary};
use checkup_core::{Quorum, Status, Timestamp, Verdict};

use crate::badge::BadgeValue;
use crate::health::{CheckHealth, Latest};

/// What is true at a moment, of each check and of all.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    pub(crate) overall: Overall,
    pub(crate) checks: Vec<CheckOverview>,
    /// When the latest check ran.
    pub(crate) checked: Option<Timestamp>,
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
        let Verdict { name, endpoint, status, reason, locations, .. } = &self.verdict;
        let latest = locations.iter().map(|at| Latest {
            location: at.location.clone(),
            status: at.status,
            timestamp: at.timestamp,
            rtt: at.rtt,
            reason: at.reason.clone(),
        });
        CheckHealth {
            name: name.clone(),
            endpoint: endpoint.clone(),
            status: *status,
            reason: reason.clone(),
            latest: latest.collect(),
        }
    }
}

impl Overview {
    pub(crate) fn new(summary: &Summary, quorum: Quorum, now: Timestamp) -> Self {
        let checks: Vec<_> = summary
            .verdicts(quorum, now)
            .into_iter()
            .map(|verdict| {
                let in_maintenance = summary.windows.iter().any(|window| window.covers(&verdict.name, now));
                CheckOverview { verdict, in_maintenance }
            })
            .collect();
        let checked = checks.iter().flat_map(|check| &check.verdict.locations).map(|at| at.timestamp).max();
        Self { overall: overall(&checks), checks, checked }
    }
}

/// The worst of what is not in maintenance, where nothing is expected. What is stale is worse than what works.
fn overall(checks: &[CheckOverview]) -> Overall {
    let rank = |state: &Overall| match state {
        Overall::Empty | Overall::Maintenance => 0,
        Overall::Status(Status::Healthy) => 1,
        Overall::Stale => 2,
        Overall::Status(Status::Degraded) => 3,
        Overall::Status(_) => 4,
    };
    let states = || checks.iter().map(CheckOverview::state);
    let in_maintenance = states().any(|state| state == Overall::Maintenance);
    match states().max_by_key(rank) {
        Some(Overall::Status(Status::Healthy)) if in_maintenance => Overall::Maintenance,
        worst => worst.unwrap_or(Overall::Empty),
    }
}

/// The share of the results of all of a check's locations, in this time, that were not down.
pub(crate) fn uptime(summary: &Summary, series: &[&Series], now: Timestamp, time: Duration) -> Option<f64> {
    let from = now.saturating_sub(time);
    let (shares, count) = series
        .iter()
        .filter_map(|series| summary.uptime(series, from, now))
        .fold((0.0, 0_u32), |(sum, count), share| (sum + share, count + 1));
    (count > 0).then(|| shares / f64::from(count))
}
