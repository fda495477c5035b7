//! ntfy: publishing as JSON.

use checkup_notify::Ntfy;
use checkup_testkit::{Request, Response};

use crate::vendor::{Kind, SECRET, Service, all_texts, assert_plain, json, require, require_keys};

fn service() -> Service<Ntfy> {
    Service {
        name: "ntfy",
        settings: |address| Ntfy::new("alerts-1").url(address).token(SECRET),
        accept,
        accepted: || Response::new(200).body("{}"),
        readable: all_texts,
        escaped: |request| assert_plain(&all_texts(request)),
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == "/", "not found")?;
    require(request.header("authorization") == Some(&format!("Bearer {SECRET}")), "unauthorized")?;
    let payload = json(request)?;
    // No `markdown`: the text is plain.
    require_keys(&payload, "the message", &["topic", "title", "message", "priority"], &["tags", "actions", "click"])?;
    require(payload["topic"] == "alerts-1", "topic invalid")?;
    let bytes = |key: &str| payload[key].as_str().map_or(0, str::len);
    require((1..=1024).contains(&bytes("title")), "title too long")?;
    require((1..=4096).contains(&bytes("message")), "the message would become an attachment")?;
    require(payload["priority"].as_u64().is_some_and(|priority| (1..=5).contains(&priority)), "priority invalid")?;
    let tags: usize =
        payload["tags"].as_array().into_iter().flatten().filter_map(|tag| tag.as_str()).map(str::len).sum();
    require(tags <= 512, "tags too long")?;
    let actions = payload["actions"].as_array().map_or(&[][..], Vec::as_slice);
    require(actions.len() <= 3, "too many actions")?;
    actions.iter().try_for_each(|action| require_keys(action, "an action", &["action", "label", "url"], &[]))
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, code: u32, error: &str| {
        Response::new(status).body(format!(r#"{{"code": {code}, "http": {status}, "error": "{error}"}}"#))
    };
    service()
        .explains(&[
            (
                answer(401, 40101, "unauthorized"),
                Kind::Permanent,
                "the token or the password is refused (HTTP 401: 40101 unauthorized)",
            ),
            (answer(403, 40301, "forbidden"), Kind::Permanent, "writing to the topic is forbidden"),
            (answer(413, 41301, "attachment too large"), Kind::Permanent, "larger than the server accepts"),
            (answer(429, 42901, "limit reached"), Kind::Temporary, "too many messages"),
            (
                answer(429, 42908, "limit reached: daily message quota reached"),
                Kind::Temporary,
                "the day's limit of messages is reached",
            ),
            (answer(404, 40401, "page not found"), Kind::Permanent, "there is no ntfy server"),
            (answer(507, 50701, "out of space"), Kind::Temporary, "the server's storage is full"),
        ])
        .await;
}
