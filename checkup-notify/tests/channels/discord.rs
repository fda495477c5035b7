//! Discord's webhooks: embeds' limits, and no mentions.

use checkup_notify::Discord;
use checkup_testkit::{Request, Response};
use serde_json::json;

use crate::vendor::{Kind, SECRET, Service, all_texts, body, json as json_of, require, require_keys, require_text};

fn service() -> Service<Discord> {
    Service {
        name: "discord",
        settings: |address| Discord::new(format!("{address}/api/webhooks/1/{SECRET}")),
        accept,
        accepted: || Response::new(200).body("{\"id\": \"1\"}"),
        readable: |request| all_texts(request).replace('\\', ""),
        escaped,
    }
}

fn accept(request: &Request) -> Result<(), String> {
    let target = format!("/api/webhooks/1/{SECRET}?wait=true");
    require(request.method == "POST" && request.target == target, "no such webhook, or it does not wait")?;
    let payload = json_of(request)?;
    require_keys(&payload, "the message", &["allowed_mentions"], &["content", "embeds", "username", "avatar_url"])?;
    require(payload["allowed_mentions"] == json!({ "parse": [] }), "mentions are allowed")?;
    require_text(&payload["content"], "content", 0..=2000)?;
    let embeds = payload["embeds"].as_array().ok_or("embeds is not an array")?;
    require(embeds.len() <= 10, "more than 10 embeds")?;
    require(payload["content"] != "" || !embeds.is_empty(), "Cannot send an empty message")?;
    let mut total = 0;
    for embed in embeds {
        require_keys(embed, "an embed", &["title", "description"], &["color", "url", "timestamp"])?;
        require_text(&embed["title"], "a title", 1..=256)?;
        require_text(&embed["description"], "a description", 1..=4096)?;
        require(embed["color"].as_u64().is_some_and(|color| color <= 0xff_ff_ff), "no colour")?;
        total += ["title", "description"]
            .map(|key| embed[key].as_str().unwrap_or_default().encode_utf16().count())
            .iter()
            .sum::<usize>();
    }
    require(total <= 6000, "more than 6000 characters in embeds")
}

/// Every character of Markdown that the notifier did not write is behind a backslash.
fn escaped(request: &Request) {
    let payload = body(request);
    let mut texts = vec![payload["content"].as_str().unwrap()];
    for embed in payload["embeds"].as_array().unwrap() {
        texts.push(embed["title"].as_str().unwrap());
        texts.extend(embed["description"].as_str().unwrap().lines().filter(|line| {
            !["[Runbook](<", "[Status page](<"]
                .iter()
                .any(|link| line.starts_with(link) && line.ends_with(">)") && line.matches(['<', '>']).count() == 2)
        }));
    }
    for text in texts {
        // The title of several alerts is bold.
        let text = text.strip_prefix("**").map_or(text, |rest| rest.split_once("**").map_or(rest, |(_, rest)| rest));
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => assert!(characters.next().is_some_and(|next| next.is_ascii_punctuation()), "{text}"),
                other => assert!(!"*_~`|<>[]()#@".contains(other), "{other} is interpreted: {text}"),
            }
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
                answer(404, r#"{"message": "Unknown Webhook", "code": 10015}"#),
                Kind::Permanent,
                "the webhook does not exist or was deleted (HTTP 404: Unknown Webhook)",
            ),
            (
                answer(401, r#"{"message": "Invalid Webhook Token", "code": 50027}"#),
                Kind::Permanent,
                "create a new one",
            ),
            (
                answer(429, r#"{"message": "You are being rate limited.", "retry_after": 0.75, "global": false}"#)
                    .header("Retry-After", "1"),
                Kind::After(750),
                "too many messages",
            ),
            (answer(429, "").header("Retry-After", "5"), Kind::After(5000), "too many messages"),
            (answer(400, r#"{"message": "Invalid Form Body"}"#), Kind::Permanent, "Invalid Form Body"),
            (answer(502, "<html>"), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}
