//! The workflows of Microsoft Teams: Adaptive Cards up to version 1.4.

use checkup_notify::Teams;
use checkup_testkit::{Request, Response};
use serde_json::Value;

use crate::vendor::{Kind, SECRET, Service, all_texts, body, json, require, require_keys};

fn service() -> Service<Teams> {
    Service {
        name: "teams",
        settings: |address| {
            Teams::new(format!("{address}/workflows/1/triggers/manual/paths/invoke?api-version=1&sig={SECRET}"))
        },
        accept,
        accepted: || Response::new(202),
        readable: all_texts,
        escaped,
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.target.ends_with(&format!("?api-version=1&sig={SECRET}")), "no such workflow")?;
    require(request.body.len() <= 28 << 10, "more than 28 KB")?;
    let payload = json(request)?;
    require_keys(&payload, "the message", &["type", "attachments"], &[])?;
    require(payload["type"] == "message", "not a message")?;
    let [attachment] = payload["attachments"].as_array().ok_or("no attachments")?.as_slice() else {
        return Err("more than one attachment".to_owned());
    };
    require(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", "not an Adaptive Card")?;
    let card = &attachment["content"];
    require_keys(card, "the card", &["type", "version", "body"], &["$schema", "msteams", "actions"])?;
    require(card["type"] == "AdaptiveCard" && card["version"] == "1.4", "the card's version is not shown")?;
    for block in card["body"].as_array().ok_or("no body")? {
        require_keys(block, "a block", &["type", "inlines"], &["spacing"])?;
        require(block["type"] == "RichTextBlock", "an unknown block")?;
        for run in block["inlines"].as_array().ok_or("no inlines")? {
            require_keys(run, "a run", &["type", "text"], &["weight", "size", "color", "isSubtle"])?;
            require(run["type"] == "TextRun" && run["text"] != "", "an empty run")?;
            let is_color = |color: &Value| ["attention", "good", "warning"].iter().any(|known| color == known);
            require(run.get("color").is_none_or(is_color), "an unknown colour")?;
        }
    }
    let actions = card["actions"].as_array().ok_or("no actions")?;
    require(actions.len() <= 6, "more than 6 actions")?;
    for action in actions {
        require_keys(action, "an action", &["type", "title", "url"], &[])?;
        let is_web =
            action["url"].as_str().is_some_and(|url| url.starts_with("https://") || url.starts_with("http://"));
        require(action["type"] == "Action.OpenUrl" && is_web, "an unknown action")?;
    }
    Ok(())
}

/// Texts are in runs, which have no markup: there is no text anywhere else.
fn escaped(request: &Request) {
    let card = &body(request)["attachments"][0]["content"];
    for block in card["body"].as_array().unwrap() {
        assert_eq!(block["type"], "RichTextBlock");
    }
    for action in card["actions"].as_array().unwrap() {
        assert!(matches!(action["title"].as_str(), Some("Runbook" | "Status page")), "{action}");
    }
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, code: &str| {
        Response::new(status).body(format!(r#"{{"error": {{"code": "{code}", "message": "why"}}}}"#))
    };
    service()
        .explains(&[
            (answer(401, "DirectApiAuthorizationRequired"), Kind::Permanent, "the `sig` of the URL is refused"),
            (answer(400, "TriggerInputSchemaMismatch"), Kind::Permanent, "the workflow expects another message"),
            (
                answer(404, "WorkflowNotFound"),
                Kind::Permanent,
                "the workflow was deleted (HTTP 404: WorkflowNotFound why)",
            ),
            (answer(400, "WorkflowTriggerIsNotEnabled"), Kind::Permanent, "the workflow is turned off"),
            (answer(413, "RequestEntityTooLarge"), Kind::Permanent, "larger than the workflow accepts"),
            (answer(429, "").header("Retry-After", "2"), Kind::After(2000), "too many messages"),
            (answer(502, "BadGateway"), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}
