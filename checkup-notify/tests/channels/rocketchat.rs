//! Rocket.Chat's incoming webhooks: a message in its own Markdown.

use checkup_notify::{Slack, SlackDialect};
use checkup_testkit::{Request, Response};

use crate::vendor::{Kind, SECRET, Service, body, json, require, require_keys, require_text};

fn service() -> Service<Slack> {
    Service {
        name: "rocketchat",
        settings: |address| {
            Slack::new(format!("{address}/hooks/{SECRET}")).dialect(SlackDialect::RocketChat).channel("ops")
        },
        accept,
        accepted: || Response::new(200).body("ok"),
        readable: |request| {
            body(request)["text"].as_str().unwrap().replace(['\\', '\u{200b}'], "").replace('‹', "<").replace('›', ">")
        },
        escaped,
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.target == format!("/hooks/{SECRET}"), "no such webhook")?;
    let payload = json(request)?;
    require_keys(&payload, "the post", &["text"], &["channel", "username", "icon_url"])?;
    require_text(&payload["text"], "text", 1..=5000)
}

/// What Rocket.Chat interprets is behind a backslash or broken by a space without width, but for what the notifier wrote.
fn escaped(request: &Request) {
    let text = body(request)["text"].as_str().unwrap().to_owned();
    for line in text.lines().filter(|line| !line.starts_with("[Runbook](") && !line.starts_with("[Status page](")) {
        let line = match line.split_once(" *").filter(|(symbol, _)| symbol.chars().count() == 1) {
            Some((_, title)) => title.strip_suffix('*').unwrap_or_else(|| panic!("{line}")),
            None => line,
        };
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' if characters.peek().is_some_and(|next| "*_~`#".contains(*next)) => drop(characters.next()),
                '@' => assert_eq!(characters.peek(), Some(&'\u{200b}'), "a mention: {line}"),
                other => assert!(!"*_~`#<>".contains(other), "{other} is interpreted: {line}"),
            }
        }
        assert!(!line.contains(":smile:") && !line.contains("]("), "{line}");
    }
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer =
        |status, error: &str| Response::new(status).body(format!(r#"{{"success": false, "error": "{error}"}}"#));
    service()
        .explains(&[
            (
                answer(404, "Invalid integration id or token provided."),
                Kind::Permanent,
                "Rocket.Chat: the webhook does not exist",
            ),
            (answer(400, "invalid-channel"), Kind::Permanent, "check `channel`"),
            (answer(503, "integration disabled"), Kind::Permanent, "the webhook is disabled"),
            (Response::new(429).header("Retry-After", "1"), Kind::After(1000), "too many messages"),
            (answer(500, "?"), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}
