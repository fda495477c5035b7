//! The words of alerts, as people read them.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::time::Duration;

use checkup_core::{Alert, AlertKind, AlertStep, Notification, Severity, Status, Timestamp};

fn at(time: &str) -> Timestamp {
    format!("2026-11-25T{time}Z").parse().unwrap()
}

/// An alert with everything that can be known.
fn full(step: AlertStep) -> Alert {
    let mut alert = Alert::new(step, "database", "tcp://db.example.com:5432", at("13:03:20"));
    alert.id = "3f2a9c01".to_owned();
    alert.group = Some("shop".to_owned());
    alert.reason = Some("connection refused".to_owned());
    alert.locations = vec![Some("eu".to_owned()), Some("us".to_owned())];
    alert.of_locations = 3;
    alert.at = at("13:05:40");
    alert.ended = step.is_over().then(|| at("13:15:20"));
    alert.zone = "Europe/Berlin".parse().unwrap();
    alert.page = Some("https://status.example.com".to_owned());
    alert.runbook = Some("https://wiki.example.com/database".to_owned());
    alert.also_affected = (1..=48).map(|number| format!("service {number}")).collect();
    alert
}

fn text(alert: Alert) -> String {
    Notification::new(vec![alert]).message().to_string()
}

#[test]
fn down_says_what_why_where_since_when_and_what_to_do() {
    let expected = "\
database (shop) is down

Reason: connection refused
Where: eu, us (2 of 3 locations)
Also affected: service 1, service 2, service 3, service 4, service 5, service 6, service 7, service 8, service 9, service 10 and 38 more
Since: 2026-11-25 14:03 CET, for 2 min
Endpoint: tcp://db.example.com:5432
Runbook: https://wiki.example.com/database
Status page: https://status.example.com";
    assert_eq!(text(full(AlertStep::Down)), expected);
}

#[test]
fn up_says_from_when_to_when() {
    let mut alert = full(AlertStep::Up);
    alert.also_affected.clear();
    alert.runbook = None;
    let expected = "\
database (shop) is up again

Reason: connection refused
Where: eu, us (2 of 3 locations)
Lasted: 12 min, from 2026-11-25 14:03 to 14:15 CET
Endpoint: tcp://db.example.com:5432
Status page: https://status.example.com";
    assert_eq!(text(alert), expected);
}

#[test]
fn each_step_has_its_title() {
    let title = |step, status, kind| {
        let mut alert = Alert::new(step, "eu", "", at("13:03:20"));
        (alert.status, alert.kind) = (status, kind);
        alert.title()
    };
    let steps =
        [AlertStep::Down, AlertStep::Again, AlertStep::Flapping, AlertStep::Up, AlertStep::Was, AlertStep::Closed];
    let titles = |status, kind| steps.map(|step| title(step, status, kind)).to_vec();
    assert_eq!(
        titles(Status::Down, AlertKind::Check),
        [
            "eu is down",
            "eu is still down",
            "eu is flapping",
            "eu is up again",
            "eu was down and is up again",
            "eu was down, and the alert is closed"
        ]
    );
    assert_eq!(
        titles(Status::Degraded, AlertKind::Check),
        [
            "eu is degraded",
            "eu is still degraded",
            "eu is flapping",
            "eu is healthy again",
            "eu was degraded and is up again",
            "eu was degraded, and the alert is closed"
        ]
    );
    assert_eq!(
        titles(Status::Down, AlertKind::Location),
        [
            "location eu does not work",
            "location eu still does not work",
            "location eu fails again and again",
            "location eu works again",
            "location eu did not work and works again",
            "location eu is no longer watched"
        ]
    );
    assert_eq!(title(AlertStep::Down, Status::Down, AlertKind::Notifier), "notifier eu does not work");
    assert_eq!(title(AlertStep::Up, Status::Down, AlertKind::Storage), "the storage works again");
}

#[test]
fn a_location_without_name_is_not_mentioned_and_long_outages_are_in_days() {
    let mut alert = Alert::new(AlertStep::Again, "queue", "", at("13:03:20"));
    alert.locations = vec![None];
    alert.of_locations = 1;
    alert.id = "3f2a9c01".to_owned();
    alert.at = alert.onset.saturating_add(Duration::from_secs(2 * 86_400 + 3 * 3600));
    let expected = "\
queue is still down

Since: 2026-11-25 13:03 UTC, for 2 d 3 h";
    assert_eq!(text(alert), expected);
}

#[test]
fn a_test_says_that_it_is_one() {
    let expected = "\
[TEST] Checkup is down

Reason: nothing is wrong: someone tests this notifier
Since: 2026-11-25 13:03 UTC, for 2 min";
    assert_eq!(text(Alert::test(AlertStep::Down, at("13:05:20"))), expected);
}

#[test]
fn many_alerts_are_counted_worst_first_and_twenty_are_shown_in_full() {
    let mut alerts: Vec<_> =
        (100..497).map(|number| Alert::new(AlertStep::Down, format!("check {number}"), "", at("13:03:20"))).collect();
    alerts.extend((0..2).map(|number| Alert::new(AlertStep::Up, format!("up {number}"), "", at("13:03:20"))));
    let mut slow = Alert::new(AlertStep::Down, "slow", "", at("13:03:20"));
    slow.status = Status::Degraded;
    alerts.insert(0, slow);
    let message = Notification::new(alerts).message();
    assert_eq!(message.title, "397 checks are down, 1 is degraded, 2 are up again");
    assert_eq!((message.severity, message.sections.len()), (Severity::Critical, 20));
    assert_eq!(message.sections[0].title, "check 100 is down");
    let more = message.more().unwrap();
    assert!(more.starts_with("And 380 more: check 120 is down, check 121 is down, "), "{more}");
    assert!(more.ends_with(" check 129 is down and 370 more"), "{more}");
    let short = message.with_sections(2);
    assert_eq!(short.sections.len(), 2);
    assert!(short.more().unwrap().starts_with("And 398 more: check 102 is down, "), "{:?}", short.more());
}

#[test]
fn hostile_texts_are_on_one_line_and_short() {
    let mut alert = full(AlertStep::Down);
    let hostile = "a\r\nBcc: all@example.com\u{202e}".repeat(10_000);
    alert.name.clone_from(&hostile);
    alert.reason = Some(hostile.clone());
    alert.endpoint.clone_from(&hostile);
    alert.locations = vec![Some(hostile.clone()); 30];
    alert.also_affected = vec![hostile.clone(); 30];
    alert.page = Some(format!("https://{hostile}"));
    let message = Notification::new(vec![alert; 3]).message();
    for section in &message.sections {
        let lines = section.lines.iter().map(|line| &line.text).chain([&section.title]);
        for text in lines {
            assert!(!text.contains(['\r', '\n', '\u{202e}']), "{text}");
            assert!(text.chars().count() < 4000, "{} characters", text.chars().count());
        }
        assert!(section.links.iter().all(|link| link.label == "Runbook"), "a long URL is left out");
    }
}

#[test]
fn only_the_urls_of_web_pages_are_links() {
    for (url, links) in [
        ("https://wiki.example.com/a?b=1", 2),
        ("HTTP://wiki.example.com", 2),
        ("!channel", 1),
        ("javascript:alert(1)", 1),
        ("https://a.example.com b", 1),
        ("", 1),
    ] {
        let mut alert = full(AlertStep::Down);
        alert.runbook = Some(url.to_owned());
        assert_eq!(Notification::new(vec![alert]).message().sections[0].links.len(), links, "{url:?}");
    }
}

#[test]
fn each_test_of_a_channel_is_delivered() {
    let first = Alert::test(AlertStep::Down, at("13:00:00"));
    let second = Alert::test(AlertStep::Down, at("13:00:01"));
    assert_eq!(first.key, second.key);
    assert_ne!(first.delivery_id(), second.delivery_id());
}

#[test]
fn keys_stay_and_delivery_ids_differ_by_incident_and_step() {
    let (down, mut again) = (full(AlertStep::Down), full(AlertStep::Again));
    assert_eq!(down.key, again.key);
    assert_ne!(down.delivery_id(), again.delivery_id());
    let second = again.delivery_id();
    again.reminder += 1;
    assert_ne!(again.delivery_id(), second, "each reminder is a message of its own");
    let mut later = down.clone();
    later.id = "77aa".to_owned();
    assert_ne!(later.delivery_id(), down.delivery_id());
    let both = |a: &Alert, b: &Alert| Notification::new(vec![a.clone(), b.clone()]).id();
    assert_eq!(both(&down, &again), both(&again, &down));
}
