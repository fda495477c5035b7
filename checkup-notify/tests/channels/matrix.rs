//! Matrix' client-server API: events, their size, and transaction ids.

use checkup_core::IntoNotifier;
use checkup_notify::Matrix;
use checkup_testkit::{Request, Response};
use serde_json::json;

use crate::samples;
use crate::vendor::{
    Kind, SECRET, Service, Vendor, assert_html, body, json as json_of, require, require_keys, require_text,
};

fn service() -> Service<Matrix> {
    Service {
        name: "matrix",
        settings: |address| Matrix::new(address, "!room:example.com", SECRET),
        accept,
        accepted: || Response::new(200).body(r#"{"event_id": "$1"}"#),
        readable: |request| body(request)["body"].as_str().unwrap().to_owned(),
        escaped: |request| {
            assert_html(body(request)["formatted_body"].as_str().unwrap(), &["<b>", "</b>", "<br>", "</a>"]);
        },
    }
}

fn accept(request: &Request) -> Result<(), String> {
    let begin = "/_matrix/client/v3/rooms/!room:example.com/send/m.room.message/";
    let id = request.target.strip_prefix(begin).ok_or("M_UNRECOGNIZED")?;
    require(request.method == "PUT" && !id.is_empty(), "M_UNRECOGNIZED")?;
    require(request.header("authorization") == Some(&format!("Bearer {SECRET}")), "M_UNKNOWN_TOKEN")?;
    require(request.body.len() <= 60 << 10, "M_TOO_LARGE")?;
    let event = json_of(request)?;
    require_keys(&event, "the event", &["msgtype", "body"], &["format", "formatted_body", "m.mentions"])?;
    require(event["msgtype"] == "m.text" && event["format"] == "org.matrix.custom.html", "M_BAD_JSON")?;
    require(event["m.mentions"] == json!({}), "someone is mentioned")?;
    require_text(&event["body"], "body", 1..=65_536)?;
    require_text(&event["formatted_body"], "formatted_body", 1..=65_536)
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, code: &str| Response::new(status).body(format!(r#"{{"errcode": "{code}", "error": "why"}}"#));
    let busy = r#"{"errcode": "M_LIMIT_EXCEEDED", "error": "Too many requests", "retry_after_ms": 2500}"#;
    service()
        .explains(&[
            (
                answer(401, "M_UNKNOWN_TOKEN"),
                Kind::Permanent,
                "the access token is refused or has expired (HTTP 401: M_UNKNOWN_TOKEN why)",
            ),
            (answer(403, "M_FORBIDDEN"), Kind::Permanent, "let it join the room"),
            (answer(404, "M_NOT_FOUND"), Kind::Permanent, "the room does not exist"),
            (Response::new(429).body(busy), Kind::After(2500), "too many messages"),
            (answer(500, "M_UNKNOWN"), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}

#[tokio::test]
async fn a_repeated_delivery_is_the_same_transaction() {
    let service = service();
    let vendor = Vendor::start(service.accept, service.accepted);
    let notifier = (service.settings)(&vendor.address()).into_notifier().unwrap();
    for notification in [samples::down(), samples::down(), samples::up()] {
        notifier.notify(&notification).await.unwrap();
    }
    let sent = vendor.accepted();
    assert_eq!(sent[0].target, sent[1].target);
    assert_ne!(sent[0].target, sent[2].target);
}
