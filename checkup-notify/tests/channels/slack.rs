//! Slack's incoming webhooks: Block Kit's limits, and what mrkdwn interprets.

use checkup_notify::Slack;
use checkup_testkit::{Request, Response};
use serde_json::Value;

use crate::vendor::{Kind, SECRET, Service, all_texts, body, json, require, require_keys, require_text};

fn service() -> Service<Slack> {
    Service {
        name: "slack",
        settings: |address| Slack::new(format!("{address}/services/T000/B000/{SECRET}")),
        accept,
        accepted: || Response::new(200).body("ok"),
        readable: |request| all_texts(request).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        escaped,
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == format!("/services/T000/B000/{SECRET}"), "no such webhook")?;
    let payload = json(request)?;
    require_keys(&payload, "the message", &["text", "blocks"], &["channel", "username", "unfurl_links"])?;
    require_text(&payload["text"], "text", 1..=4000)?;
    let blocks = payload["blocks"].as_array().ok_or("blocks is not an array")?;
    require((1..=50).contains(&blocks.len()), "too many blocks")?;
    let mut total = 0;
    for block in blocks {
        match block["type"].as_str() {
            Some("header") => {
                require_keys(block, "a header", &["type", "text"], &["block_id"])?;
                require(block["text"]["type"] == "plain_text", "a header is not plain text")?;
                require_text(&block["text"]["text"], "a header", 1..=150)?;
                total += block["text"]["text"].as_str().unwrap_or_default().len();
            }
            Some("section") => {
                require_keys(block, "a section", &["type", "text"], &["block_id", "fields", "accessory"])?;
                require_text(&block["text"]["text"], "a section", 1..=3000)?;
                total += block["text"]["text"].as_str().unwrap_or_default().encode_utf16().count();
            }
            Some("context") => {
                let elements = block["elements"].as_array().ok_or("a context has no elements")?;
                require((1..=10).contains(&elements.len()), "a context has too many elements")?;
                for element in elements {
                    require_text(&element["text"], "a context's text", 1..=3000)?;
                    total += element["text"].as_str().unwrap_or_default().len();
                }
            }
            other => return Err(format!("an unknown block {other:?}")),
        }
    }
    require(total <= 13_200, "msg_blocks_too_long")
}

/// Plain text is not interpreted, and mrkdwn has nothing but links that the notifier wrote.
fn escaped(request: &Request) {
    let payload = body(request);
    let text = payload["text"].as_str().unwrap();
    assert!(!text.contains(['<', '>']), "{text}");
    for block in payload["blocks"].as_array().unwrap() {
        for element in block["elements"].as_array().into_iter().flatten() {
            let text = element["text"].as_str().unwrap();
            for link in text.split("  ·  ") {
                let link =
                    link.strip_prefix('<').and_then(|link| link.strip_suffix('>')).unwrap_or_else(|| panic!("{text}"));
                let (url, label) = link.split_once('|').unwrap();
                assert!(url.starts_with("http") && !url.contains(['<', '>', '|']), "{url}");
                assert!(matches!(label, "Runbook" | "Status page"), "{label}");
            }
        }
        if let Some(text) = block.get("text") {
            assert_eq!((&text["type"], &text["emoji"]), (&Value::from("plain_text"), &Value::from(false)));
        }
    }
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, body: &str| Response::new(status).body(body);
    service()
        .explains(&[
            (
                answer(404, "no_service"),
                Kind::Permanent,
                "Slack: the webhook was revoked (HTTP 404: no_service); create a new one and set `webhook`",
            ),
            (answer(404, "channel_not_found"), Kind::Permanent, "the channel does not exist"),
            (answer(410, "channel_is_archived"), Kind::Permanent, "the channel is archived"),
            (answer(403, "action_prohibited"), Kind::Permanent, "an administrator of the workspace does not allow it"),
            (answer(400, "invalid_payload"), Kind::Permanent, "set `dialect`"),
            (answer(429, "rate_limited").header("Retry-After", "30"), Kind::After(30_000), "too many messages"),
            (answer(500, "rollup_error"), Kind::Temporary, "the service has a problem"),
            (answer(503, ""), Kind::Temporary, "the service is unavailable (HTTP 503)"),
            (answer(302, "").header("Location", "https://elsewhere.example"), Kind::Permanent, "redirects"),
        ])
        .await;
}

#[tokio::test]
async fn upstreams_channel_and_username_are_sent() {
    let settings: Slack =
        serde_json::from_str(r##"{ "username": "checkup", "channel": "#ops", "webhook": "http://127.0.0.1:1/x" }"##)
            .unwrap();
    assert_eq!(settings, Slack::new("http://127.0.0.1:1/x").channel("#ops").username("checkup"));
    let vendor = crate::vendor::Vendor::start(accept, || Response::new(200));
    let slack =
        Slack::new(format!("{}/services/T000/B000/{SECRET}", vendor.address())).channel("#ops").username("checkup");
    let notifier = checkup_core::IntoNotifier::into_notifier(slack).unwrap();
    notifier.notify(&crate::samples::down()).await.unwrap();
    let payload = body(&vendor.accepted()[0]);
    assert_eq!((&payload["channel"], &payload["username"]), (&Value::from("#ops"), &Value::from("checkup")));
}
