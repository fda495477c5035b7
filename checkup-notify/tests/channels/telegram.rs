//! Telegram's Bot API: the length of a text, its HTML, and groups that have moved.

use checkup_core::IntoNotifier;
use checkup_notify::Telegram;
use checkup_testkit::{HttpServer, Request, Response};

use crate::samples;
use crate::vendor::{Kind, SECRET, Service, assert_html, body, from_html, json, require, require_keys, require_text};

fn service() -> Service<Telegram> {
    Service {
        name: "telegram",
        settings: |address| Telegram::new(SECRET, "-100123").message_thread_id(7).url(address),
        accept,
        accepted: || Response::new(200).body(r#"{"ok": true, "result": {}}"#),
        readable: |request| from_html(body(request)["text"].as_str().unwrap()),
        escaped: |request| assert_html(body(request)["text"].as_str().unwrap(), &["<b>", "</b>", "</a>"]),
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == format!("/bot{SECRET}/sendMessage"), "Unauthorized")?;
    let payload = json(request)?;
    let optional = ["message_thread_id", "parse_mode", "link_preview_options", "disable_notification"];
    require_keys(&payload, "the message", &["chat_id", "text"], &optional)?;
    require_text(&payload["text"], "message", 1..=4096)?;
    require(payload["parse_mode"] == "HTML", "the markup is not HTML")?;
    require(payload["message_thread_id"].as_i64() == Some(7), "another topic")?;
    require(payload["chat_id"] == "-100123", "chat not found")
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, description: &str| {
        Response::new(status)
            .body(format!(r#"{{"ok": false, "error_code": {status}, "description": "{description}"}}"#))
    };
    let busy = r#"{"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 17", "parameters": {"retry_after": 17}}"#;
    service()
        .explains(&[
            (answer(401, "Unauthorized"), Kind::Permanent, "the token is refused (HTTP 401: Unauthorized)"),
            (answer(404, "Not Found"), Kind::Permanent, "the token is refused"),
            (
                answer(400, "Bad Request: chat not found"),
                Kind::Permanent,
                "the chat does not exist, or the bot is not in it",
            ),
            (answer(403, "Forbidden: bot was blocked by the user"), Kind::Permanent, "the user has blocked the bot"),
            (answer(403, "Forbidden: bot was kicked from the supergroup chat"), Kind::Permanent, "add it again"),
            (answer(403, "Forbidden: the group chat was deleted"), Kind::Permanent, "the group was deleted"),
            (answer(400, "Bad Request: message thread not found"), Kind::Permanent, "the topic does not exist"),
            (answer(200, "who knows"), Kind::Permanent, "who knows"),
            (Response::new(429).body(busy), Kind::After(17_000), "too many messages"),
            (answer(500, "Internal Server Error"), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}

#[tokio::test]
async fn a_group_that_has_moved_is_written_to_under_its_new_id() {
    let server = HttpServer::start(|request| {
        match body(&request)["chat_id"].as_str() {
        Some("-100999") => Response::new(200).body(r#"{"ok": true}"#),
        _ => Response::new(400).body(r#"{"ok": false, "description": "Bad Request: group chat was upgraded to a supergroup chat", "parameters": {"migrate_to_chat_id": -100999}}"#),
    }
    });
    let notifier = Telegram::new(SECRET, "-5").url(server.url("")).into_notifier().unwrap();
    notifier.notify(&samples::down()).await.unwrap();
    assert_eq!(server.requests(), 2);
}
