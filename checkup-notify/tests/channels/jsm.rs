//! The alerts of Jira Service Management and Opsgenie: lengths, the key, and closing by alias.

use checkup_core::IntoNotifier;
use checkup_notify::Jsm;
use checkup_testkit::{Request, Response};

use crate::samples;
use crate::vendor::{
    Kind, SECRET, Service, Vendor, all_texts, assert_plain, body, json, require, require_keys, require_text, texts,
};

fn service() -> Service<Jsm> {
    Service {
        name: "jsm",
        settings: |address| Jsm::new(SECRET).url(format!("{address}/jsm/ops/integration/v2/alerts")),
        accept,
        accepted: || Response::new(202).body(r#"{"result": "Request will be processed"}"#),
        readable: all_texts,
        escaped: |request| assert_plain(&all_texts(request)),
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.header("authorization") == Some(&format!("GenieKey {SECRET}")), "Could not authenticate")?;
    let payload = json(request)?;
    let rest = request.target.strip_prefix("/jsm/ops/integration/v2/alerts").ok_or("not found")?;
    if let Some(alias) = rest.strip_prefix('/').and_then(|rest| rest.strip_suffix("/close?identifierType=alias")) {
        require((1..=512).contains(&alias.len()) && !alias.contains('/'), "an alias that is too long")?;
        require_keys(&payload, "the request", &[], &["user", "source", "note"])?;
        return require_text(&payload["note"], "note", 1..=25_000);
    }
    require(rest.is_empty() && request.method == "POST", "not found")?;
    let optional = [
        "alias",
        "description",
        "responders",
        "visibleTo",
        "actions",
        "tags",
        "details",
        "entity",
        "source",
        "priority",
        "user",
        "note",
    ];
    require_keys(&payload, "the alert", &["message"], &optional)?;
    require_text(&payload["message"], "message", 1..=130)?;
    require_text(&payload["alias"], "alias", 1..=512)?;
    require_text(&payload["description"], "description", 0..=15_000)?;
    require_text(&payload["entity"], "entity", 0..=512)?;
    require_text(&payload["source"], "source", 1..=100)?;
    let details: usize = texts(&payload["details"]).iter().map(|text| text.encode_utf16().count()).sum();
    require(details <= 8000, "details are too long")?;
    require(matches!(payload["priority"].as_str(), Some("P1" | "P2" | "P3" | "P4" | "P5")), "an unknown priority")
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, message: &str| Response::new(status).body(format!(r#"{{"message": "{message}"}}"#));
    service()
        .explains(&[
            (
                answer(401, "Could not authenticate"),
                Kind::Permanent,
                "the key is refused (HTTP 401: Could not authenticate)",
            ),
            (answer(403, "Forbidden"), Kind::Permanent, "that the integration is turned on"),
            (answer(422, "Request body is not processable"), Kind::Permanent, "the alert is not accepted"),
            (answer(429, "You are making too many requests!"), Kind::Temporary, "too many messages"),
            (answer(503, ""), Kind::Temporary, "the service is unavailable"),
        ])
        .await;
}

#[tokio::test]
async fn the_end_of_an_incident_closes_the_alert_that_its_beginning_opened() {
    let service = service();
    let vendor = Vendor::start(service.accept, service.accepted);
    let notifier = (service.settings)(&vendor.address()).into_notifier().unwrap();
    for notification in [samples::down(), samples::up()] {
        notifier.notify(&notification).await.unwrap();
    }
    let sent = vendor.accepted();
    let alias = body(&sent[0])["alias"].as_str().unwrap().to_owned();
    assert!(sent[1].target.contains(&format!("/{alias}/close?")), "{}", sent[1].target);
}
