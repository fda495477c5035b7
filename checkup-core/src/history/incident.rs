//! [`Incident`]: a period in which a check was bad, smoothed so that a single bad result is not an incident.
//!
//! Each location turns bad with the first of `failures` consecutive bad results and good with the first of `successes` consecutive good
//! ones. These smoothed states vote as the states themselves do. Single slow results would otherwise bury the outages. Bad stretches that
//! are less than `successes` intervals apart are one incident.
//!
//! A location whose results stop is bad until its last result is no longer valid; if its last results are good, but too few to end the
//! badness, until the first of them, since what was seen last counts.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use super::freshness::validity;
use super::ids::{Identified, KnownId, first_id, keep_ids};
use super::posted::Posted;
use super::quorum::Quorum;
use super::run::{Held, Run, until};
use super::sweep::{State, Stretch, overlay, sweep};
use crate::{Status, Timestamp};

/// From this interval on, one result is enough: a second would come too late.
const LONG_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// How many consecutive results begin and end an incident, at shorter intervals.
const RESULTS: u32 = 2;

/// How long after its end messages still belong to an incident.
const AFTER: Duration = Duration::from_secs(24 * 3600);

/// Within this time, messages with the same text count as one.
const SAME: Duration = Duration::from_secs(5 * 60);

/// Of this share of the intervals stretches must be apart to be two incidents: runs jitter.
const APART: (u32, u32) = (9, 10);

/// How many reasons of a segment are kept.
const MAX_REASONS: usize = 4;

/// How many consecutive results begin an incident at a location, and end it. By default two each; one at intervals of ten minutes or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs, reason = "a threshold for each direction")]
pub struct Hysteresis {
    /// How many consecutive bad results begin it. Default: 2, or 1 at intervals of ten minutes or more.
    pub failures: Option<NonZeroU32>,
    /// How many consecutive good results end it. Default: 2, or 1 at intervals of ten minutes or more.
    pub successes: Option<NonZeroU32>,
}

/// A period in which a check was degraded or down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incident {
    /// Identifies the incident in links, feeds and alerts: a hash of the check's name, endpoint and onset. It stays when a result that arrives
    /// late moves the onset by less than the validity of a result.
    pub id: String,
    /// When it began: the first bad result.
    pub from: Timestamp,
    /// When it ended: the first good result after it, or the end of what is known. `None` while it continues.
    pub to: Option<Timestamp>,
    /// The last bad result, if no location had a valid result afterwards: whether the incident continued is then unknown.
    pub last_seen: Option<Timestamp>,
    /// The worst status of the check during the incident.
    pub status: Status,
    /// The most frequent reason of the worst status.
    pub reason: Option<String>,
    /// What happened, in order, outside maintenance windows.
    pub segments: Vec<Segment>,
    /// Whether a part of it was inside a maintenance window.
    pub in_maintenance: bool,
    /// What operators posted about it: on the check, from its onset until the next incident, at most a day after its end. Oldest first, each
    /// once.
    pub messages: Vec<Posted>,
}

/// A part of an incident in which the status of the check was the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment {
    /// The status of the check.
    pub status: Status,
    /// When it begins.
    pub from: Timestamp,
    /// The first moment after it; the end of the timeline if it continues.
    pub to: Timestamp,
    /// The locations that were bad. `None` is a node without location.
    pub locations: Vec<Option<String>>,
    /// The reasons, each once, the most frequent first.
    pub reasons: Vec<String>,
}

impl Incident {
    /// How long the check was down during the incident, outside maintenance.
    pub fn time_down(&self) -> Duration {
        let down = self.segments.iter().filter(|segment| segment.status == Status::Down);
        down.map(|segment| segment.to.since(segment.from)).sum()
    }

    /// All locations that were bad during the incident, sorted.
    pub fn locations(&self) -> Vec<Option<&str>> {
        let all = self.segments.iter().flat_map(|segment| segment.locations.iter().map(Option::as_deref));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Hysteresis {
    fn failures(self, interval: Duration) -> u64 {
        needed(self.failures, interval)
    }

    fn successes(self, interval: Duration) -> u64 {
        needed(self.successes, interval)
    }
}

fn needed(setting: Option<NonZeroU32>, interval: Duration) -> u64 {
    setting.map_or(if interval >= LONG_INTERVAL { 1 } else { RESULTS }, NonZeroU32::get).into()
}

/// What the incidents of a check are derived from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incidents<'a> {
    /// The check's name and endpoint.
    pub(crate) check: (&'a str, &'a str),
    /// The runs of each location, in ascending order.
    pub(crate) locations: &'a [(Option<&'a str>, Vec<Run>)],
    /// Maintenance, in order and not overlapping.
    pub(crate) windows: &'a [(Timestamp, Timestamp)],
    pub(crate) quorum: Quorum,
    pub(crate) hysteresis: Hysteresis,
    /// The ids that incidents of the check have had.
    pub(crate) ids: &'a [KnownId],
    pub(crate) now: Timestamp,
}

impl Incidents<'_> {
    /// The incidents, oldest first.
    pub(crate) fn all(&self) -> Vec<Incident> {
        let smoothed: Vec<_> = self.locations.iter().map(|(_, runs)| smooth(runs, self.hysteresis, self.now)).collect();
        let Some(start) = smoothed.iter().filter_map(|held| held.first()).map(|held| held.from).min() else {
            return Vec::new();
        };
        let stretches = sweep(&smoothed, self.quorum, start, self.now);
        let mut facts = Facts::new(self.locations, &smoothed);
        let mut incidents: Vec<(Incident, Duration)> = Vec::new();
        // The periods of the last incident, and how close the next must be to belong to it.
        let mut open: Vec<(Stretch, Found)> = Vec::new();
        for stretch in stretches.iter().filter(|stretch| stretch.state.is_bad()) {
            let found = facts.between(stretch.from, stretch.to);
            let is_near = open.last().is_some_and(|(last, before)| {
                let interval = before.interval;
                let least = interval.saturating_mul(u32::try_from(self.hysteresis.successes(interval)).unwrap_or(1));
                stretch.from == last.to || stretch.from.since(last.to) < least / APART.1 * APART.0
            });
            if !is_near {
                incidents.extend(self.incident(&std::mem::take(&mut open), &stretches));
            }
            open.push((*stretch, found));
        }
        incidents.extend(self.incident(&open, &stretches));
        let identified = incidents.iter_mut();
        let identified = identified.map(|(incident, validity)| Identified {
            from: incident.from,
            validity: *validity,
            id: &mut incident.id,
        });
        keep_ids(&mut identified.collect::<Vec<_>>(), self.check, self.ids);
        incidents.into_iter().map(|(incident, _)| incident).collect()
    }

    /// Makes the incident of these bad periods, with how long the result at its onset is valid; `None` if all of it is inside maintenance.
    fn incident(&self, parts: &[(Stretch, Found)], stretches: &[Stretch]) -> Option<(Incident, Duration)> {
        let (first, last) = (parts.first()?, parts.last()?);
        let mut segments = Vec::new();
        let mut in_maintenance = false;
        for (stretch, found) in parts {
            let outside = overlay(std::slice::from_ref(stretch), self.windows);
            in_maintenance |= outside.iter().any(|part| part.state == State::Maintenance);
            for part in outside.iter().filter(|part| part.state != State::Maintenance) {
                let status = if part.state == State::Down { Status::Down } else { Status::Degraded };
                segments.push(Segment {
                    status,
                    from: part.from,
                    to: part.to,
                    locations: found.locations.clone(),
                    reasons: reasons(&found.reasons),
                });
            }
        }
        let status = segments.iter().map(|segment| segment.status).max()?;
        let worst = segments.iter().filter(|segment| segment.status == status);
        let reason = worst.flat_map(|segment| segment.reasons.first()).next().cloned();
        let end = last.0.to;
        let next = stretches.get(stretches.partition_point(|stretch| stretch.from < end));
        let is_unknown = next.is_some_and(|next| next.state == State::Unknown);
        let incident = Incident {
            id: first_id(self.check, first.0.from),
            from: first.0.from,
            to: (end < self.now).then_some(end),
            last_seen: is_unknown.then_some(last.1.last.min(end)),
            status,
            reason,
            segments,
            in_maintenance,
            messages: Vec::new(),
        };
        Some((incident, validity(Some(first.1.interval))))
    }
}

/// The texts, each once.
fn reasons(found: &[(Status, String, u64)]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for (_, reason, _) in found {
        if texts.len() < MAX_REASONS && !texts.contains(reason) {
            texts.push(reason.clone());
        }
    }
    texts
}

/// Adds to incidents of one check what was posted on it, which is in order of time.
pub(crate) fn add_messages(incidents: &mut [Incident], messages: &[&Posted]) {
    // A message that names an incident belongs to it and to no other, as long as that exists.
    let ids: BTreeSet<_> = incidents.iter().map(|incident| incident.id.clone()).collect();
    let (named, others): (Vec<_>, Vec<_>) =
        messages.iter().copied().partition(|message| message.incident.as_ref().is_some_and(|id| ids.contains(id)));
    let next: Vec<_> = incidents.iter().skip(1).map(|incident| Some(incident.from)).chain([None]).collect();
    for (incident, next) in incidents.iter_mut().zip(next) {
        let end = incident.to.map(|to| to.saturating_add(AFTER));
        let is_over = |at: Timestamp| next.is_some_and(|next| at >= next) || end.is_some_and(|end| at > end);
        let first = others.partition_point(|message| message.at < incident.from);
        let by_time = others[first..].iter().take_while(|message| !is_over(message.at));
        let by_name = named.iter().filter(|message| message.incident.as_ref() == Some(&incident.id));
        let mut of_it: Vec<_> = by_time.chain(by_name).copied().collect();
        of_it.sort();
        for message in of_it {
            // A message that was posted at several locations counts once.
            let is_same = |known: &Posted| known.text == message.text && message.at.since(known.at) < SAME;
            if !incident.messages.iter().any(is_same) {
                incident.messages.push(message.clone());
            }
        }
    }
}

/// The smoothed states of a location.
pub(crate) fn smooth(runs: &[Run], hysteresis: Hysteresis, now: Timestamp) -> Vec<Held> {
    let next = |index: usize| runs.get(index + 1).map_or(Timestamp::from_unix_nanos(i64::MAX), |run| run.from);
    let ends: Vec<_> = runs.iter().enumerate().map(|(index, run)| until(run, next(index), now)).collect();
    let mut statuses: Vec<Status> = vec![Status::Healthy; runs.len()];
    let mut start = 0;
    while start < runs.len() {
        // Results that follow each other without an unknown period in between.
        let mut end = start + 1;
        while end < runs.len() && ends[end - 1] >= runs[end].from.min(now) {
            end += 1;
        }
        smooth_group(&runs[start..end], &mut statuses[start..end], hysteresis, ends[end - 1] > now);
        start = end;
    }
    let held = runs.iter().zip(&ends).zip(&statuses);
    let held = held.map(|((run, until), status)| Held { from: run.from.min(now), until: *until, status: *status });
    held.filter(|held| held.from < held.until).collect()
}

fn smooth_group(runs: &[Run], statuses: &mut [Status], hysteresis: Hysteresis, goes_on: bool) {
    // While the location is good: where the bad results begin that are not enough yet. While it is bad: where such good results begin.
    let mut is_bad = false;
    let mut since: Option<usize> = None;
    let (mut count, mut last_bad) = (0_u64, Status::Down);
    for (index, run) in runs.iter().enumerate() {
        let looks_bad = run.status != Status::Healthy;
        if looks_bad == is_bad {
            since = None;
            count = 0;
        } else {
            since.get_or_insert(index);
            count = count.saturating_add(run.count);
        }
        let needed = if is_bad { hysteresis.successes(run.interval) } else { hysteresis.failures(run.interval) };
        if let Some(first) = since.filter(|_| count >= needed) {
            is_bad = looks_bad;
            for (status, run) in statuses[first..index].iter_mut().zip(&runs[first..index]) {
                *status = run.status;
            }
            since = None;
            count = 0;
        }
        if looks_bad {
            last_bad = run.status;
        }
        statuses[index] = if is_bad && looks_bad {
            run.status
        } else if is_bad {
            last_bad
        } else {
            Status::Healthy
        };
    }
    // If nothing follows, the last known state counts.
    if let Some(first) = since.filter(|_| is_bad && !goes_on) {
        statuses[first..].fill(Status::Healthy);
    }
}

/// What is known about a period.
#[derive(Clone, Debug, Default)]
struct Found {
    locations: Vec<Option<String>>,
    reasons: Vec<(Status, String, u64)>,
    /// The longest usual interval of the bad runs.
    interval: Duration,
    /// The last bad result.
    last: Timestamp,
}

/// Looks up which locations were bad, and why, in stretches that come in ascending order.
struct Facts<'a> {
    locations: &'a [(Option<&'a str>, Vec<Run>)],
    smoothed: &'a [Vec<Held>],
    places: Vec<(usize, usize)>,
}

impl<'a> Facts<'a> {
    fn new(locations: &'a [(Option<&'a str>, Vec<Run>)], smoothed: &'a [Vec<Held>]) -> Self {
        Self { locations, smoothed, places: vec![(0, 0); locations.len()] }
    }

    fn between(&mut self, from: Timestamp, to: Timestamp) -> Found {
        let mut found = Found::default();
        for (((location, runs), held), (place, run_place)) in
            self.locations.iter().zip(self.smoothed).zip(&mut self.places)
        {
            while held.get(*place).is_some_and(|held| held.until <= from) {
                *place += 1;
            }
            let mut inside = held[*place..].iter().take_while(|held| held.from < to);
            if inside.all(|held| held.status == Status::Healthy) {
                continue;
            }
            found.locations.push(location.map(ToOwned::to_owned));
            while runs.get(*run_place + 1).is_some_and(|next| next.from <= from) {
                *run_place += 1;
            }
            let (before, after) = runs.split_at((*run_place).min(runs.len()));
            let inside = after.iter().take_while(|run| run.from < to);
            let inside = inside.filter(|run| run.status != Status::Healthy && run.valid_until() > from);
            // While good results are too few to end the badness, the last bad ones say why.
            let is_bad = held.get(*place).is_some_and(|held| held.from <= from && held.status != Status::Healthy);
            let is_good = after.first().is_some_and(|run| run.status == Status::Healthy);
            let earlier = before.iter().rfind(|run| is_bad && is_good && run.status != Status::Healthy);
            for run in earlier.into_iter().chain(inside) {
                found.interval = found.interval.max(run.interval);
                found.last = found.last.max(run.last);
                for (reason, count) in &run.reasons {
                    match found.reasons.iter_mut().find(|known| known.0 == run.status && known.1 == *reason) {
                        Some((.., known)) => *known = known.saturating_add(*count),
                        None => found.reasons.push((run.status, reason.clone(), *count)),
                    }
                }
            }
        }
        found.locations.sort_unstable();
        // Reasons for being down come before reasons for being slow, regardless of their number.
        found.reasons.sort_by(|a, b| (b.0, b.2, &a.1).cmp(&(a.0, a.2, &b.1)));
        found
    }
}
