//! Google Chat's webhooks: the size of a message, its card, and keys against duplicates.

use checkup_core::IntoNotifier;
use checkup_notify::GoogleChat;
use checkup_testkit::{Request, Response};

use crate::samples;
use crate::vendor::{
    Kind, SECRET, Service, Vendor, all_texts, assert_html, body, from_html, json, require, require_keys, require_text,
};

fn service() -> Service<GoogleChat> {
    Service {
        name: "googlechat",
        settings: |address| GoogleChat::new(format!("{address}/v1/spaces/AAA/messages?key=K&token={SECRET}")),
        accept,
        accepted: || Response::new(200).body("{}"),
        readable: |request| from_html(&all_texts(request)),
        escaped,
    }
}

fn accept(request: &Request) -> Result<(), String> {
    let begin = format!(
        "/v1/spaces/AAA/messages?key=K&token={SECRET}&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD&requestId="
    );
    let id = request.target.strip_prefix(&begin).ok_or("no such webhook, or no key")?;
    require(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "no key")?;
    require(request.body.len() <= 32_000, "more than 32,000 bytes")?;
    let payload = json(request)?;
    require_keys(&payload, "the message", &["cardsV2"], &["fallbackText", "thread", "text"])?;
    let [card] = payload["cardsV2"].as_array().ok_or("no cards")?.as_slice() else {
        return Err("not one card".to_owned());
    };
    require_text(&card["card"]["header"]["title"], "the title", 1..=200)?;
    for widget in card["card"]["sections"][0]["widgets"].as_array().ok_or("no widgets")? {
        match (widget.get("textParagraph"), widget.get("buttonList")) {
            (Some(text), None) => require_text(&text["text"], "the text", 1..=32_000)?,
            (None, Some(list)) => {
                for button in list["buttons"].as_array().ok_or("no buttons")? {
                    let url = button["onClick"]["openLink"]["url"].as_str().unwrap_or_default();
                    require(url.starts_with("https://"), "a link that is not https")?;
                }
            }
            _ => return Err("an unknown widget".to_owned()),
        }
    }
    Ok(())
}

fn escaped(request: &Request) {
    let text = body(request)["cardsV2"][0]["card"]["sections"][0]["widgets"][0]["textParagraph"]["text"].clone();
    assert_html(text.as_str().unwrap(), &["<b>", "</b>"]);
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, code: &str| {
        Response::new(status)
            .body(format!(r#"{{"error": {{"code": {status}, "message": "why", "status": "{code}"}}}}"#))
    };
    service()
        .explains(&[
            (
                answer(404, "NOT_FOUND"),
                Kind::Permanent,
                "the webhook does not exist or was deleted (HTTP 404: NOT_FOUND why)",
            ),
            (answer(400, "INVALID_ARGUMENT"), Kind::Permanent, "copy the URL again"),
            (answer(403, "PERMISSION_DENIED"), Kind::Permanent, "the space allows no messages of webhooks"),
            (answer(429, "RESOURCE_EXHAUSTED"), Kind::Temporary, "too many messages"),
            (answer(503, "UNAVAILABLE"), Kind::Temporary, "the service is unavailable"),
        ])
        .await;
}

#[tokio::test]
async fn a_repeated_delivery_has_the_same_key_and_an_incident_one_thread() {
    let service = service();
    let vendor = Vendor::start(service.accept, service.accepted);
    let notifier = (service.settings)(&vendor.address()).into_notifier().unwrap();
    for notification in [samples::down(), samples::down(), samples::up()] {
        notifier.notify(&notification).await.unwrap();
    }
    let sent = vendor.accepted();
    assert_eq!(sent[0].target, sent[1].target);
    assert_ne!(sent[0].target, sent[2].target);
    assert_eq!(body(&sent[0])["thread"], body(&sent[2])["thread"]);
}
