//! States, incidents and uptime, compared with a slow and obvious reference over random histories.

use std::num::NonZeroU32;
use std::time::Duration;

use checkup_core::history::{Hysteresis, Incident, State, Timeline};
use checkup_core::summary::Summary;
use checkup_core::{CheckResult, Quorum, Status, Timestamp};

use crate::random::{RandomHistory, history};
use crate::{MINUTE, result};

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
        distances.get(distances.len() / 2).copied().unwrap_or_default()
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
                    let interval = Self::interval(results, self.end_of_run(results, one, index));
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

    /// The last result of the run that a result is in: its interval is that of the run.
    fn end_of_run(&self, results: &[&CheckResult], index: usize, last: usize) -> usize {
        (index..=last).take_while(|other| results[*other].status == results[index].status).last().unwrap_or(index)
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
        let mut of = history(seed);
        // At a regular interval: at midnight, only one side of a changed interval is known when a day is summarised.
        let mut counts = std::collections::HashMap::<_, i64>::new();
        let begin = of.now.saturating_sub(30 * 60 * MINUTE).unix_nanos();
        for result in &mut of.results {
            let count = counts.entry(result.location.clone()).or_default();
            result.timestamp = Timestamp::from_unix_nanos((begin + *count * 120_000_000_000) / 1_000_000 * 1_000_000);
            *count += 1;
        }
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

/// The end of the random histories' times.
fn noon() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn at(location: &str, ages: impl IntoIterator<Item = (u32, Status)>) -> Vec<CheckResult> {
    let of = |(minutes, status)| result("API", location, noon().saturating_sub(MINUTE * minutes), status);
    ages.into_iter().map(of).collect()
}

fn incidents_of(results: &[CheckResult]) -> Vec<Incident> {
    let mut summary = Summary::new();
    summary.add(results);
    summary.timeline(&summary.series, Quorum::Majority, noon()).incidents(Hysteresis::default())
}

#[test]
fn a_location_that_is_switched_off_while_down_ends_its_incident() {
    let down = |from: u32, to: u32| {
        (0..8 * 1440)
            .step_by(5)
            .rev()
            .map(move |age| (age, if (to..from).contains(&age) { Status::Down } else { Status::Healthy }))
    };
    let mut results = at("eu", down(1500, 1440));
    results.extend(at("us", down(2900, 2870)));
    let off = (5 * 1440..8 * 1440).step_by(5).rev();
    results.extend(at("asia", off.map(|age| (age, if age < 5 * 1440 + 10 { Status::Down } else { Status::Healthy }))));
    let incidents = incidents_of(&results);
    let shown: Vec<_> = incidents
        .iter()
        .map(|one| (one.status, one.to.unwrap().since(one.from), one.segments[0].locations.clone()))
        .collect();
    let place = |name: &str| vec![Some(name.to_owned())];
    let expected = [
        (Status::Degraded, 20 * MINUTE, place("asia")),
        // Two are known then, and both must be down.
        (Status::Degraded, 30 * MINUTE, place("us")),
        (Status::Degraded, 60 * MINUTE, place("eu")),
    ];
    assert_eq!(shown, expected);
    assert!(incidents.iter().all(|one| one.to.is_some()));
}

#[test]
fn slow_for_days_at_one_place_and_down_for_an_hour_at_two_others_was_never_down() {
    let of = |from: u32, to: u32, bad: Status| {
        (0..5 * 1440_u32)
            .step_by(5)
            .rev()
            .map(move |age| (age, if (to..from).contains(&age) { bad } else { Status::Healthy }))
    };
    let mut results = at("eu", of(4 * 1440, 1440, Status::Degraded));
    results.extend(at("us", of(3000, 2940, Status::Down)));
    results.extend(at("asia", of(2000, 1940, Status::Down)));
    let incidents = incidents_of(&results);
    assert_eq!(incidents.len(), 1);
    assert_eq!((incidents[0].status, incidents[0].time_down()), (Status::Degraded, Duration::ZERO));
    assert_eq!(incidents[0].locations(), [Some("asia"), Some("eu"), Some("us")]);
}

#[test]
fn single_bad_results_are_no_incident_and_rare_checks_need_one() {
    let single = (0..60).rev().map(|age| (age, if age == 30 { Status::Down } else { Status::Healthy }));
    assert_eq!(incidents_of(&at("eu", single)), []);
    let rare = (0..600).step_by(10).rev().map(|age| (age, if age == 300 { Status::Down } else { Status::Healthy }));
    let incidents = incidents_of(&at("eu", rare));
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].to.unwrap().since(incidents[0].from), 10 * MINUTE);
}

#[test]
fn maintenance_hides_incidents_inside_it_and_marks_those_that_it_cuts() {
    let down = |from: u32, to: u32| {
        let states = (0..300)
            .rev()
            .map(move |age| (age, if (to..=from).contains(&age) { Status::Down } else { Status::Healthy }));
        let mut results = at("eu", states);
        let before = |minutes: u32| noon().saturating_sub(MINUTE * minutes);
        results[0].maintenance = Some(Box::new(checkup_core::MaintenanceWindow::new(before(200), before(100))));
        incidents_of(&results)
    };
    assert_eq!(down(180, 120), []);
    let cut = down(220, 150);
    assert_eq!((cut.len(), cut[0].in_maintenance, cut[0].segments.len()), (1, true, 1));
    assert_eq!((cut[0].from, cut[0].time_down()), (noon().saturating_sub(MINUTE * 220), 20 * MINUTE));
}

#[test]
fn a_change_of_the_interval_does_not_change_the_uptime() {
    let mut results = at("eu", (0..96).map(|run| (run * 15 + 15, Status::Healthy)));
    for second in 0..56_u32 {
        let time = noon().saturating_sub(Duration::from_secs(15) * (56 - second));
        results.push(result("API", "eu", time, Status::Down));
    }
    let mut summary = Summary::new();
    summary.add(&results);
    let day = noon().saturating_sub(Duration::from_secs(86_400));
    let uptime = summary.uptime(&summary.series[0], day, noon()).unwrap();
    assert!((uptime - (1.0 - 14.0 / 1440.0)).abs() < 0.0001, "{uptime}");
}

#[test]
fn results_from_the_future_count_from_their_own_time_on() {
    let mut results = at("eu", (0..30).rev().map(|age| (age, Status::Down)));
    let later = noon().saturating_add(Duration::from_secs(365 * 86_400));
    results.push(result("API", "eu", later, Status::Healthy));
    let mut summary = Summary::new();
    summary.add(&results);
    let state = |now: Timestamp| summary.timeline(&summary.series, Quorum::Majority, now).state();
    assert_eq!((state(noon()), state(later)), (State::Down, State::Healthy));
    assert_eq!(incidents_of(&results)[0].to, None);
}

#[test]
fn messages_belong_to_the_incident_that_they_were_posted_in() {
    let down = |age: &u32| (100..110).contains(age) || (20..30).contains(age);
    let states = (0..200).rev().map(|age| (age, if down(&age) { Status::Down } else { Status::Healthy }));
    let mut results = at("eu", states.clone());
    results.extend(at("us", states));
    for (age, text) in [(150, "before"), (105, "we know"), (90, "solved"), (25, "again")] {
        for result in results.iter_mut().filter(|one| noon().since(one.timestamp) == MINUTE * age) {
            result.message = Some(text.into());
        }
    }
    let of: Vec<Vec<_>> = incidents_of(&results)
        .into_iter()
        .map(|one| one.messages.into_iter().map(|posted| posted.text).collect())
        .collect();
    assert_eq!(of, [vec!["we know", "solved"], vec!["again"]]);
}

/// Results of two locations whose outage begins 30 and 26 minutes before noon.
fn outage() -> (Vec<CheckResult>, Vec<CheckResult>) {
    let status = |age: u32, begin: u32| if age <= begin && age > 5 { Status::Down } else { Status::Healthy };
    let of = |location, begin| at(location, (0..60).rev().map(|age| (age, status(age, begin))));
    (of("eu", 26), of("us", 30))
}

#[test]
fn an_incident_keeps_its_id_when_a_late_file_moves_its_onset() {
    let (eu, us) = outage();
    let all: Vec<_> = eu.iter().chain(&us).cloned().collect();
    let [first] = &incidents_of(&eu)[..] else { panic!("one incident") };
    let [moved] = &incidents_of(&all)[..] else { panic!("one incident") };
    assert_eq!(first.from.since(moved.from), 4 * MINUTE);
    assert_ne!(first.id, moved.id, "without a memory, an id is that of the onset");
    let mut summary = Summary::new();
    summary.add(&eu);
    summary.note_incidents(noon());
    // It is stored, and read by another node.
    let mut summary: Summary = serde_json::from_str(&serde_json::to_string(&summary).unwrap()).unwrap();
    summary.add(&us);
    let id = |summary: &Summary| {
        let timeline = summary.timeline(&summary.series, Quorum::Majority, noon());
        timeline.incidents(Hysteresis::default()).into_iter().map(|one| (one.from, one.id)).collect::<Vec<_>>()
    };
    assert_eq!(id(&summary), [(moved.from, first.id.clone())]);
    summary.note_incidents(noon());
    assert_eq!(id(&summary), [(moved.from, first.id.clone())], "again");
}

#[test]
fn an_incident_does_not_get_the_id_of_another_that_is_near() {
    // Known is an incident that began 20 minutes ago; a late file has another one eight minutes earlier.
    let status = |age: u32| if (15..=20).contains(&age) { Status::Down } else { Status::Healthy };
    let mut summary = Summary::new();
    summary.add(&at("eu", (0..25).rev().map(|age| (age, status(age)))));
    summary.note_incidents(noon());
    let id = incidents_of(&at("eu", (0..25).rev().map(|age| (age, status(age)))))[0].id.clone();
    let early = |age: u32| if (27..=28).contains(&age) { Status::Down } else { Status::Healthy };
    summary.add(&at("eu", (25..40).rev().map(|age| (age, early(age)))));
    let timeline = summary.timeline(&summary.series, Quorum::Majority, noon());
    let found = timeline.incidents(Hysteresis::default());
    assert_eq!(found.len(), 2);
    assert_ne!(found[0].id, id);
    assert_eq!(found[1].id, id);
}

#[test]
fn the_settings_of_a_check_say_how_many_results_begin_and_end_an_incident() {
    let results =
        at("eu", (0..40).rev().map(|age| (age, if (20..23).contains(&age) { Status::Down } else { Status::Healthy })));
    let mut summary = Summary::new();
    summary.add(&results);
    let of = |failures: u32, successes: u32| {
        let hysteresis = Hysteresis { failures: NonZeroU32::new(failures), successes: NonZeroU32::new(successes) };
        let timeline = summary.timeline(&summary.series, Quorum::Majority, noon());
        timeline.incidents(hysteresis).iter().map(|one| one.to.is_none()).collect::<Vec<_>>()
    };
    assert_eq!(of(3, 2), [false]);
    assert_eq!(of(4, 2), [] as [bool; 0]);
    assert_eq!(of(3, 20), [false]);
    assert_eq!(of(3, 21), [true], "20 good results are not enough");
}

#[test]
fn stretches_less_than_two_intervals_apart_are_one_incident() {
    // `us` recovers, and `eu` fails a minute later: with a good result of both between them.
    let of = |location, bad: std::ops::RangeInclusive<u32>| {
        at(
            location,
            (0..40).rev().map(move |age| (age, if bad.contains(&age) { Status::Down } else { Status::Healthy })),
        )
    };
    let near: Vec<_> = of("us", 20..=25).into_iter().chain(of("eu", 14..=18)).collect();
    let found = incidents_of(&near);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].segments.len(), 2);
    let apart: Vec<_> = of("us", 20..=25).into_iter().chain(of("eu", 14..=17)).collect();
    assert_eq!(incidents_of(&apart).len(), 2, "two whole intervals");
}
