//! PagerDuty's Events API v2: required keys and their lengths.

use checkup_core::{AlertStep, IntoNotifier};
use checkup_notify::PagerDuty;
use checkup_testkit::{Request, Response};

use crate::samples;
use crate::vendor::{
    Kind, SECRET, Service, Vendor, all_texts, assert_plain, body, json, require, require_keys, require_text,
};

fn service() -> Service<PagerDuty> {
    Service {
        name: "pagerduty",
        settings: |address| PagerDuty::new(SECRET).url(address),
        accept,
        accepted: || Response::new(202).body(r#"{"status": "success"}"#),
        readable: all_texts,
        escaped: |request| assert_plain(&all_texts(request)),
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == "/v2/enqueue", "not found")?;
    require(request.body.len() <= 512 << 10, "more than 512 KB")?;
    let event = json(request)?;
    let required = ["routing_key", "event_action", "dedup_key"];
    require_keys(&event, "the event", &required, &["payload", "images", "links", "client", "client_url"])?;
    require(event["routing_key"] == SECRET && SECRET.len() == 32, "Invalid routing key")?;
    require_text(&event["dedup_key"], "dedup_key", 1..=255)?;
    let action = event["event_action"].as_str().unwrap_or_default();
    require(matches!(action, "trigger" | "acknowledge" | "resolve"), "an unknown action")?;
    let payload = &event["payload"];
    let optional = ["timestamp", "component", "group", "class", "custom_details"];
    require_keys(payload, "the payload", &["summary", "source", "severity"], &optional)?;
    require_text(&payload["summary"], "summary", 1..=1024)?;
    require_text(&payload["source"], "source", 1..=2048)?;
    require(
        matches!(payload["severity"].as_str(), Some("critical" | "error" | "warning" | "info")),
        "an unknown severity",
    )?;
    let time: Result<checkup_core::Timestamp, _> = payload["timestamp"].as_str().unwrap_or_default().parse();
    require(time.is_ok(), "timestamp is not a time")?;
    for link in event["links"].as_array().ok_or("links is not an array")? {
        require_keys(link, "a link", &["href"], &["text"])?;
    }
    Ok(())
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, errors: &str| {
        Response::new(status).body(format!(
            r#"{{"status": "invalid event", "message": "Event object is invalid", "errors": ["{errors}"]}}"#
        ))
    };
    service()
        .explains(&[
            (answer(400, "Invalid routing key"), Kind::Permanent, "the integration key is refused"),
            (
                answer(400, "'payload.summary' is missing"),
                Kind::Permanent,
                "Event object is invalid 'payload.summary' is missing",
            ),
            (answer(403, ""), Kind::Permanent, "`url` for accounts in the EU"),
            (answer(429, ""), Kind::Temporary, "too many messages"),
            (answer(500, ""), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}

#[tokio::test]
async fn all_steps_of_an_incident_have_one_key_and_its_end_resolves_it() {
    let service = service();
    let vendor = Vendor::start(service.accept, service.accepted);
    let notifier = (service.settings)(&vendor.address()).into_notifier().unwrap();
    let steps =
        [AlertStep::Down, AlertStep::Again, AlertStep::Flapping, AlertStep::Up, AlertStep::Was, AlertStep::Closed];
    for step in steps {
        let mut alert = samples::down().alerts.remove(0);
        alert.step = step;
        notifier.notify(&samples::alone(alert)).await.unwrap();
    }
    let events: Vec<_> = vendor.accepted().iter().map(body).collect();
    assert!(events.iter().all(|event| event["dedup_key"] == events[0]["dedup_key"]));
    let actions: Vec<_> = events.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "trigger", "trigger", "resolve", "resolve", "resolve"]);
}

#[test]
fn a_key_of_another_length_is_refused_without_showing_it() {
    let error = PagerDuty::new("s3cret").into_notifier().unwrap_err().to_string();
    assert_eq!(error, "routing_key: expected the integration key of a service, with 32 characters, found 6");
}
