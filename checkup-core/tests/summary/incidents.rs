//! Incidents of single histories that are easy to get wrong.

use std::num::NonZeroU32;
use std::time::Duration;

use checkup_core::history::{Hysteresis, Incident, State};
use checkup_core::summary::Summary;
use checkup_core::{CheckResult, Quorum, Status, Timestamp};

use crate::{MINUTE, result};

/// The time of the reader.
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
