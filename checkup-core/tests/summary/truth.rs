//! States, incidents and uptime, compared with a slow and obvious reference over random histories.

use std::time::Duration;

use checkup_core::history::{Hysteresis, Incident, State, Timeline};
use checkup_core::summary::Summary;
use checkup_core::{CheckResult, Quorum, Status, Timestamp};

use crate::MINUTE;
use crate::random::{RandomHistory, history};

/// How many histories are compared.
const HISTORIES: u64 = 600;

/// The reference: results by location, in ascending order.
struct Reference<'a> {
    locations: Vec<Vec<&'a CheckResult>>,
    quorum: usize,
    now: Timestamp,
    hysteresis: Hysteresis,
}

impl<'a> Reference<'a> {
    fn new(of: &'a RandomHistory) -> Self {
        let ahead = of.now.saturating_add(20 * MINUTE);
        let mut names: Vec<_> = of.results.iter().map(|result| &result.location).collect();
        names.sort();
        names.dedup();
        let at = |name| {
            let mut results: Vec<_> =
                of.results.iter().filter(|one| &one.location == name && one.timestamp <= ahead).collect();
            results.sort_by_key(|result| result.timestamp);
            results
        };
        let locations = names.into_iter().map(at).collect();
        Self { locations, quorum: of.quorum, now: of.now, hysteresis: of.hysteresis }
    }

    fn interval(results: &[&CheckResult], index: usize) -> Duration {
        let mut distances = Vec::new();
        for other in index.saturating_sub(5)..(index + 5).min(results.len() - 1) {
            distances.push(results[other + 1].timestamp.since(results[other].timestamp));
        }
        distances.sort();
        let usual = distances.get(distances.len() / 2).copied().unwrap_or_default();
        if usual * 3 < 10 * MINUTE { usual } else { (usual + MINUTE / 12).as_secs() as u32 / 10 * 10 * MINUTE / 60 }
    }

    fn valid_until(results: &[&CheckResult], index: usize) -> Timestamp {
        let valid = (Self::interval(results, index) * 3).max(10 * MINUTE);
        results[index].timestamp.saturating_add(valid)
    }

    /// The index of the result that counts at a time: of those that are ahead, the last counts from now on.
    fn counting(&self, results: &[&CheckResult], time: Timestamp) -> Option<usize> {
        let known = |result: &&CheckResult| result.timestamp.min(self.now) <= time;
        let index = results.iter().take_while(|result| known(result)).count().checked_sub(1)?;
        (time < Self::valid_until(results, index)).then_some(index)
    }

    fn vote(&self, states: &[Option<Status>]) -> State {
        let known: Vec<_> = states.iter().flatten().collect();
        let down = known.iter().filter(|status| ***status == Status::Down).count();
        let needed = if self.quorum == 0 { known.len() / 2 + 1 } else { self.quorum.min(known.len()) };
        if known.is_empty() {
            State::Unknown
        } else if down >= needed {
            State::Down
        } else if known.iter().any(|status| **status != Status::Healthy) {
            State::Degraded
        } else {
            State::Healthy
        }
    }

    fn state(&self, time: Timestamp) -> State {
        let at = |results: &Vec<&CheckResult>| self.counting(results, time).map(|index| results[index].status);
        self.vote(&self.locations.iter().map(at).collect::<Vec<_>>())
    }

    /// The smoothed status of each result of a location.
    fn smoothed(&self, results: &[&CheckResult]) -> Vec<Status> {
        let mut smoothed = vec![Status::Healthy; results.len()];
        let mut begin = 0;
        for index in 0..results.len() {
            let is_last = index + 1 == results.len();
            let valid_until = Self::valid_until(results, index);
            if !is_last && valid_until >= results[index + 1].timestamp.min(self.now) {
                continue;
            }
            // The results from `begin` to here follow each other without a time between that is unknown.
            let goes_on = is_last && valid_until > self.now;
            let mut bad = false;
            for one in begin..=index {
                let needed = |one: usize| {
                    let set = if bad { self.hysteresis.successes } else { self.hysteresis.failures };
                    let interval = Self::interval(results, one);
                    set.map_or(if interval >= 10 * MINUTE { 1 } else { 2 }, |set| set.get() as usize)
                };
                // Looks ahead: is this the first of enough different results?
                let is_other = |other: &usize| (results[*other].status != Status::Healthy) != bad;
                let streak: Vec<_> = (one..=index).take_while(is_other).collect();
                let turns = streak.iter().enumerate().any(|(count, other)| count + 1 >= needed(*other));
                if turns {
                    bad = !bad;
                } else if bad && !streak.is_empty() && *streak.last().unwrap() == index && !goes_on {
                    bad = false;
                }
                smoothed[one] = match results[one].status {
                    _ if !bad => Status::Healthy,
                    Status::Healthy => smoothed[one - 1],
                    status => status,
                };
            }
            begin = index + 1;
        }
        smoothed
    }

    /// All times at which anything can change, up to now.
    fn times(&self) -> Vec<Timestamp> {
        let mut times = vec![self.now];
        for results in &self.locations {
            for (index, result) in results.iter().enumerate() {
                times.extend([result.timestamp, Self::valid_until(results, index)]);
            }
        }
        times.retain(|time| *time <= self.now);
        times.sort();
        times.dedup();
        times
    }

    /// The start, end and worst state of each maximal bad period of the smoothed states, before close ones are joined.
    fn bad_stretches(&self) -> Vec<(Timestamp, Timestamp, State)> {
        let smoothed: Vec<_> = self.locations.iter().map(|results| self.smoothed(results)).collect();
        let mut stretches: Vec<(Timestamp, Timestamp, State)> = Vec::new();
        for pair in self.times().windows(2) {
            let at = |(results, smoothed): (&Vec<&CheckResult>, &Vec<Status>)| {
                self.counting(results, pair[0]).map(|index| smoothed[index])
            };
            let states: Vec<_> = self.locations.iter().zip(&smoothed).map(at).collect();
            let state = self.vote(&states);
            match stretches.last_mut() {
                _ if !state.is_bad() => {}
                Some((_, to, worst)) if *to == pair[0] => {
                    *to = pair[1];
                    *worst = if state == State::Down { State::Down } else { *worst };
                }
                _ => stretches.push((pair[0], pair[1], state)),
            }
        }
        stretches
    }
}

fn timeline<'a>(summary: &'a Summary, of: &RandomHistory) -> Timeline<'a> {
    let quorum = Quorum::at_least(of.quorum).unwrap_or_default();
    summary.timeline(&summary.series, quorum, of.now)
}

fn summary_of(of: &RandomHistory) -> Summary {
    let mut summary = Summary::new();
    summary.add(&of.results);
    summary
}

#[test]
fn the_state_at_every_time_is_that_of_the_reference() {
    for seed in 0..HISTORIES {
        let of = history(seed);
        let reference = Reference::new(&of);
        let mut summary = summary_of(&of);
        summary.windows.clear();
        let timeline = timeline(&summary, &of);
        let Some(start) = timeline.start() else { continue };
        let stretches = timeline.stretches(start, of.now);
        let times = reference.times();
        for pair in times.windows(2).filter(|pair| pair[0] >= start) {
            let place = stretches.partition_point(|stretch| stretch.to <= pair[0]);
            assert_eq!(stretches[place].state, reference.state(pair[0]), "seed {seed} at {}", pair[0]);
        }
        assert_eq!(timeline.state(), reference.state(of.now), "seed {seed} now");
        assert!(stretches.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].state != pair[1].state));
    }
}

#[test]
fn uptime_minute_by_minute_is_that_of_the_sweep() {
    for seed in 0..HISTORIES / 10 {
        let of = history(seed);
        let reference = Reference::new(&of);
        let summary = summary_of(&of);
        let timeline = timeline(&summary, &of);
        let Some(start) = timeline.start().filter(|start| *start < of.now) else { continue };
        let (mut down, mut known) = (0_u32, 0_u32);
        let step = MINUTE / 6;
        let mut time = start;
        while time < of.now {
            let in_maintenance = summary.windows.iter().any(|window| window.covers("API", time));
            let state = reference.state(time);
            if !in_maintenance && state != State::Unknown {
                known += 1;
                down += u32::from(state == State::Down);
            }
            time = time.saturating_add(step);
        }
        let found = timeline.availability(start, of.now);
        let seconds = |count: u32| f64::from(count) * step.as_secs_f64();
        let allowed = 10.0 * (2.0 + f64::from(u32::try_from(timeline.stretches(start, of.now).len()).unwrap()));
        assert!(
            (found.down.as_secs_f64() - seconds(down)).abs() <= allowed,
            "seed {seed}: {found:?}, {down} steps down"
        );
        let all_known = found.down + found.degraded + found.healthy;
        assert!(
            (all_known.as_secs_f64() - seconds(known)).abs() <= allowed,
            "seed {seed}: {found:?}, {known} steps known"
        );
    }
}

#[test]
fn incidents_begin_and_end_as_those_of_the_reference() {
    let mut found_any = 0;
    for seed in 0..HISTORIES {
        let of = history(seed);
        let reference = Reference::new(&of);
        let mut summary = summary_of(&of);
        summary.windows.clear();
        let incidents = timeline(&summary, &of).incidents(of.hysteresis);
        let expected = reference.bad_stretches();
        // Near stretches are one incident: what is left is that each begins and ends with a stretch, and that they have all of them.
        let from: Vec<_> = expected.iter().map(|(from, ..)| *from).collect();
        let to: Vec<_> = expected.iter().map(|(_, to, _)| *to).collect();
        for incident in &incidents {
            assert!(from.contains(&incident.from), "seed {seed}: {incident:?}");
            assert!(to.contains(&incident.to.unwrap_or(of.now)), "seed {seed}: {incident:?} {expected:?}");
            check_segments(incident, of.now);
        }
        for (from, to, worst) in expected {
            let of_it = incidents.iter().find(|one| one.from <= from && to <= one.to.unwrap_or(of.now));
            let of_it = of_it.unwrap_or_else(|| panic!("seed {seed}: none from {from} to {to}"));
            assert!(worst != State::Down || of_it.status == Status::Down, "seed {seed}: {of_it:?}");
            found_any += 1;
        }
    }
    assert!(found_any > 500, "{found_any} stretches");
}

fn check_segments(incident: &Incident, now: Timestamp) {
    assert!(!incident.segments.is_empty());
    assert_eq!(incident.segments[0].from, incident.from);
    assert_eq!(incident.segments.last().unwrap().to, incident.to.unwrap_or(now));
    assert_eq!(incident.segments.iter().map(|segment| segment.status).max(), Some(incident.status));
    for segment in &incident.segments {
        assert!(!segment.locations.is_empty() && !segment.reasons.is_empty(), "{segment:?}");
    }
}

#[test]
fn what_is_summarised_by_days_says_the_same_as_the_results() {
    for seed in 0..HISTORIES {
        let of = history(seed);
        let whole = summary_of(&of);
        let mut days = whole.clone();
        days.forget_before(of.now);
        let text = serde_json::to_string(&days).unwrap();
        let read: Summary = serde_json::from_str(&text).unwrap();
        let (all, left) = (timeline(&whole, &of), timeline(&read, &of));
        let start = all.start().unwrap_or_default();
        assert_eq!(left.stretches(start, of.now), all.stretches(start, of.now), "seed {seed}");
        assert_eq!(left.incidents(Hysteresis::default()), all.incidents(Hysteresis::default()), "seed {seed}");
    }
}
