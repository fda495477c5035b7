//! Gotify's API: the token in its header, and plain text.

use checkup_notify::Gotify;
use checkup_testkit::{Request, Response};

use crate::vendor::{Kind, SECRET, Service, all_texts, assert_plain, json, require, require_keys, require_text};

fn service() -> Service<Gotify> {
    Service {
        name: "gotify",
        settings: |address| Gotify::new(format!("{address}/gotify/"), SECRET),
        accept,
        accepted: || Response::new(200).body(r#"{"id": 1}"#),
        readable: all_texts,
        escaped: |request| assert_plain(&all_texts(request)),
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == "/gotify/message", "not found, or a token in the URL")?;
    require(request.header("x-gotify-key") == Some(SECRET), "you need to provide a valid access token")?;
    let payload = json(request)?;
    // No `extras`: the text is plain.
    require_keys(&payload, "the message", &["message"], &["title", "priority"])?;
    require_text(&payload["message"], "message", 1..=8000)?;
    require_text(&payload["title"], "title", 1..=250)?;
    require(payload["priority"].as_u64().is_some_and(|priority| priority <= 10), "priority invalid")
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, error: &str| {
        Response::new(status).body(format!(r#"{{"error": "x", "errorCode": {status}, "errorDescription": "{error}"}}"#))
    };
    service()
        .explains(&[
            (answer(401, "you need to provide a valid access token"), Kind::Permanent, "the token is refused"),
            (
                answer(403, "you are not allowed to access this api"),
                Kind::Permanent,
                "the token of an application, not of a client",
            ),
            (answer(404, "page not found"), Kind::Permanent, "there is no Gotify server"),
            (answer(502, ""), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}
