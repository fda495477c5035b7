//! Mattermost's incoming webhooks: a post in Markdown.

use checkup_notify::{Slack, SlackDialect};
use checkup_testkit::{Request, Response};

use crate::vendor::{Kind, SECRET, Service, body, json, require, require_keys, require_text};

fn service() -> Service<Slack> {
    Service {
        name: "mattermost",
        settings: |address| {
            Slack::new(format!("{address}/hooks/{SECRET}")).dialect(SlackDialect::Mattermost).channel("ops")
        },
        accept,
        accepted: || Response::new(200).body("ok"),
        readable: |request| body(request)["text"].as_str().unwrap().replace(['\\', '\u{200b}'], ""),
        escaped,
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.target == format!("/hooks/{SECRET}"), "no such webhook")?;
    let payload = json(request)?;
    require_keys(&payload, "the post", &["text"], &["channel", "username", "icon_url"])?;
    require_text(&payload["text"], "text", 1..=16_383)
}

/// Every character of Markdown that the notifier did not write is behind a backslash, and there is no mention and no emoji.
fn escaped(request: &Request) {
    let text = body(request)["text"].as_str().unwrap().to_owned();
    for line in text.lines().filter(|line| !line.starts_with("[Runbook](") && !line.starts_with("[Status page](")) {
        let line = match line.split_once(" **").filter(|(symbol, _)| symbol.chars().count() == 1) {
            Some((_, title)) => title.strip_suffix("**").unwrap_or_else(|| panic!("{line}")),
            None => line,
        };
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' => assert!(characters.next().is_some_and(|next| next.is_ascii_punctuation()), "{line}"),
                '@' => assert_eq!(characters.peek(), Some(&'\u{200b}'), "a mention: {line}"),
                other => assert!(!"*_~`|<>[]()#".contains(other), "{other} is interpreted: {line}"),
            }
        }
        assert!(!line.contains(":smile:"), "{line}");
    }
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, id: &str| {
        Response::new(status).body(format!(r#"{{"id": "{id}", "message": "why", "status_code": {status}}}"#))
    };
    service()
        .explains(&[
            (
                answer(400, "web.incoming_webhook.invalid.app_error"),
                Kind::Permanent,
                "Mattermost: the webhook does not exist",
            ),
            (answer(403, "web.incoming_webhook.channel_locked.app_error"), Kind::Permanent, "remove `channel`"),
            (answer(404, "web.incoming_webhook.channel.app_error"), Kind::Permanent, "the channel does not exist"),
            (answer(403, "web.incoming_webhook.permissions.app_error"), Kind::Permanent, "may not post there"),
            (answer(501, "web.incoming_webhook.disabled.app_error"), Kind::Permanent, "webhooks are disabled"),
            (Response::new(429).header("Retry-After", "1"), Kind::After(1000), "too many messages"),
            (answer(500, "api.internal"), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}
