//! [`Timeline`]: the state of one check over time. Every view of the past is derived from it.

use super::ids::KnownId;
use super::incident::{Hysteresis, Incident, Incidents, add_messages};
use super::posted::Posted;
use super::quorum::Quorum;
use super::run::{Held, Run, held};
use super::sweep::{State, Stretch, overlay, sweep};
use super::uptime::Availability;
use crate::Timestamp;

/// The state of a check over time, up to a moment: from what its locations reported, and when.
///
/// [`Summary::timeline`](crate::summary::Summary::timeline) makes it, for a check over all of its locations or for one location.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::history::{Hysteresis, State};
/// use checkup_core::summary::Summary;
/// use checkup_core::{CheckResult, Quorum, Status, Timestamp};
///
/// let now = Timestamp::now();
/// let results = [Status::Healthy, Status::Down, Status::Down, Status::Healthy].into_iter().zip(0_u32..).map(|(status, minute)| {
///     let mut result = CheckResult::new("API", "https://example.com");
///     result.timestamp = now.saturating_sub(Duration::from_secs(60) * (4 - minute));
///     result.status = status;
///     result
/// });
/// let mut summary = Summary::new();
/// summary.add(&results.collect::<Vec<_>>());
///
/// let timeline = summary.timeline(&summary.series, Quorum::Majority, now);
/// assert_eq!(timeline.state(), State::Healthy);
/// let hour = timeline.availability(now.saturating_sub(Duration::from_secs(3600)), now);
/// assert_eq!(hour.uptime().map(|share| (share * 100.0).round()), Some(50.0));
/// let incidents = timeline.incidents(Hysteresis::default());
/// assert_eq!((incidents.len(), incidents[0].to), (1, None), "one good result is not enough to end it");
/// ```
#[derive(Clone, Debug)]
pub struct Timeline<'a> {
    check: (&'a str, &'a str),
    locations: Vec<(Option<&'a str>, Vec<Run>)>,
    held: Vec<Vec<Held>>,
    /// Maintenance, in order and not overlapping.
    windows: Vec<(Timestamp, Timestamp)>,
    /// What was posted, in order of time.
    messages: Vec<&'a Posted>,
    /// The ids that incidents of the check have had.
    ids: &'a [KnownId],
    quorum: Quorum,
    now: Timestamp,
}

impl<'a> Timeline<'a> {
    pub(crate) fn new(
        check: (&'a str, &'a str),
        locations: Vec<(Option<&'a str>, Vec<Run>)>,
        windows: Vec<(Timestamp, Timestamp)>,
        messages: Vec<&'a Posted>,
        quorum: Quorum,
        now: Timestamp,
    ) -> Self {
        let held = locations.iter().map(|(_, runs)| held(runs, now)).collect();
        Self { check, locations, held, windows, messages, ids: &[], quorum, now }
    }

    /// Has incidents keep these ids.
    pub(crate) fn with_ids(self, ids: &'a [KnownId]) -> Self {
        Self { ids, ..self }
    }

    /// When the first known result was.
    pub fn start(&self) -> Option<Timestamp> {
        self.held.iter().filter_map(|held| held.first()).map(|held| held.from).min()
    }

    /// The runs of each location, oldest first.
    pub fn runs(&self) -> impl Iterator<Item = (Option<&'a str>, &[Run])> {
        self.locations.iter().map(|(location, runs)| (*location, &runs[..]))
    }

    /// The states from `from` up to `to`, at most up to now, without gaps. Inside maintenance windows the state is maintenance.
    pub fn stretches(&self, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
        overlay(&sweep(&self.held, self.quorum, from, to.min(self.now)), &self.windows)
    }

    /// How long it was in each state from `from` up to `to`, at most up to now.
    pub fn availability(&self, from: Timestamp, to: Timestamp) -> Availability {
        Availability::of(&self.stretches(from, to))
    }

    /// The incidents, oldest first.
    pub fn incidents(&self, hysteresis: Hysteresis) -> Vec<Incident> {
        let Self { check, locations, windows, ids, quorum, now, .. } = self;
        let mut incidents =
            Incidents { check: *check, locations, windows, quorum: *quorum, hysteresis, ids, now: *now }.all();
        add_messages(&mut incidents, &self.messages);
        incidents
    }

    /// The present state, regardless of maintenance.
    pub fn state(&self) -> State {
        let votes = self.held.iter().filter_map(|held| {
            let place = held.partition_point(|held| held.until <= self.now);
            held.get(place).filter(|held| held.from <= self.now)
        });
        let (mut known, mut degraded, mut down) = (0, 0, 0);
        for held in votes {
            known += 1;
            degraded += usize::from(State::from(held.status) == State::Degraded);
            down += usize::from(State::from(held.status) == State::Down);
        }
        State::of_votes(known, degraded, down, self.quorum)
    }

    /// Since when the present state lasts; if it is unknown, since when the last known state lasted. `None` without results.
    pub fn since(&self) -> Option<Timestamp> {
        let stretches = sweep(&self.held, self.quorum, self.start()?, self.now);
        let state = self.state();
        if state == State::Unknown {
            return stretches.iter().rfind(|stretch| stretch.state != State::Unknown).map(|stretch| stretch.from);
        }
        let last = stretches.last().filter(|last| last.state == state);
        Some(last.map_or(self.now, |last| last.from))
    }
}
