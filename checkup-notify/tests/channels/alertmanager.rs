//! Alertmanager's API v2: labels, which identify an alert, and times.

use std::time::Duration;

use checkup_core::{AlertStep, IntoNotifier};
use checkup_notify::Alertmanager;
use checkup_testkit::{Request, Response};

use crate::samples;
use crate::vendor::{Kind, SECRET, Service, Vendor, all_texts, assert_plain, body, json, require, require_keys};

fn service() -> Service<Alertmanager> {
    Service {
        name: "alertmanager",
        settings: |address| Alertmanager::new(address).token(SECRET).label("team", "ops"),
        accept,
        accepted: || Response::new(200),
        readable: all_texts,
        escaped,
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == "/api/v2/alerts", "not found")?;
    require(request.header("authorization") == Some(&format!("Bearer {SECRET}")), "unauthorized")?;
    let time = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<checkup_core::Timestamp>().ok());
    for alert in json(request)?.as_array().ok_or("not an array")? {
        require_keys(alert, "an alert", &["labels"], &["annotations", "startsAt", "endsAt", "generatorURL"])?;
        let labels = alert["labels"].as_object().ok_or("labels is not an object")?;
        require(labels.contains_key("alertname"), "no alertname")?;
        for (name, value) in labels.iter().chain(alert["annotations"].as_object().into_iter().flatten()) {
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            require(is_name && value.as_str().is_some_and(|value| !value.is_empty()), "an invalid label")?;
        }
        let starts = time(&alert["startsAt"]).ok_or("startsAt is not a time")?;
        let ends = alert.get("endsAt").map(|ends| time(ends).ok_or("endsAt is not a time")).transpose()?;
        require(ends.is_none_or(|ends| ends >= starts), "start time must be before end time")?;
    }
    Ok(())
}

/// Labels and annotations are texts, and what becomes a link is one.
fn escaped(request: &Request) {
    assert_plain(&all_texts(request));
    for alert in body(request).as_array().unwrap() {
        let links = [alert.get("generatorURL"), alert["annotations"].get("runbook_url")];
        for link in links.into_iter().flatten() {
            assert!(link.as_str().unwrap().starts_with("https://"), "{link}");
        }
    }
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer =
        |status, message: &str| Response::new(status).body(format!(r#"{{"code": 602, "message": "{message}"}}"#));
    service()
        .explains(&[
            (answer(400, "start time must be before end time"), Kind::Permanent, "start time must be before end time"),
            (answer(401, "Unauthorized"), Kind::Permanent, "check `token`"),
            (answer(404, ""), Kind::Permanent, "there is no Alertmanager at this address"),
            (answer(503, ""), Kind::Temporary, "the service is unavailable"),
        ])
        .await;
}

#[tokio::test]
async fn all_steps_of_an_incident_have_the_same_labels_and_an_open_one_ends_after_a_day() {
    let service = service();
    let vendor = Vendor::start(service.accept, service.accepted);
    let notifier = (service.settings)(&vendor.address()).into_notifier().unwrap();
    assert_eq!(notifier.keep_alive(), Some(Duration::from_secs(60)));
    let mut ends = Vec::new();
    for step in [AlertStep::Down, AlertStep::Again, AlertStep::Up] {
        let mut alert = samples::up().alerts.remove(0);
        alert.step = step;
        let day_later = alert.at.saturating_add(Duration::from_secs(24 * 3600));
        ends.push(if step == AlertStep::Up { alert.ended.unwrap() } else { day_later }.to_string());
        notifier.notify(&samples::alone(alert)).await.unwrap();
    }
    let sent: Vec<_> = vendor.accepted().iter().map(|request| body(request)[0].clone()).collect();
    assert!(sent.iter().all(|alert| alert["labels"] == sent[0]["labels"]));
    assert_eq!(sent.iter().map(|alert| alert["endsAt"].as_str().unwrap()).collect::<Vec<_>>(), ends);
}

#[test]
fn labels_that_are_invalid_or_set_already_are_refused() {
    let settings = Alertmanager::new("http://127.0.0.1:9093").label("severity", "page").label("a-b", "c");
    checkup_testkit::conformance::all_problems_are_reported(
        settings.into_notifier(),
        &["labels.severity", "labels.a-b"],
    );
}
