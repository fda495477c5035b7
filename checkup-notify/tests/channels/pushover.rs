//! Pushover's message API: lengths, and what an emergency needs.

use checkup_core::IntoNotifier;
use checkup_notify::Pushover;
use checkup_testkit::{Request, Response};

use crate::vendor::{Kind, SECRET, Service, assert_plain, field, form, require};

fn service() -> Service<Pushover> {
    Service {
        name: "pushover",
        settings: |address| Pushover::new(SECRET, "user-key").priority(2).url(address),
        accept,
        accepted: || Response::new(200).body(r#"{"status": 1}"#),
        readable: |request| format!("{}\n{}", field(request, "title").unwrap(), field(request, "message").unwrap()),
        escaped: |request| form(request).iter().for_each(|(_, text)| assert_plain(text)),
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == "/1/messages.json", "not found")?;
    require(request.header("content-type") == Some("application/x-www-form-urlencoded"), "not a form")?;
    // No `html` and no `monospace`: the text is plain.
    let known = ["token", "user", "title", "message", "priority", "retry", "expire", "url", "url_title"];
    require(form(request).iter().all(|(name, _)| known.contains(&name.as_str())), "an unknown field")?;
    let length = |name: &str| field(request, name).map_or(0, |text| text.encode_utf16().count());
    require(field(request, "token").as_deref() == Some(SECRET), "application token is invalid")?;
    require(field(request, "user").as_deref() == Some("user-key"), "user identifier is invalid")?;
    require((1..=1024).contains(&length("message")), "message is blank or too long")?;
    require((1..=250).contains(&length("title")), "title is too long")?;
    require(length("url") <= 512 && length("url_title") <= 100, "url is too long")?;
    let number = |name: &str| field(request, name).and_then(|text| text.parse::<i64>().ok());
    let priority = number("priority").ok_or("no priority")?;
    require((-2..=2).contains(&priority), "priority is invalid")?;
    let (retry, expire) = (number("retry"), number("expire"));
    match priority {
        2 => require(
            retry >= Some(30) && expire.is_some_and(|expire| (30..=10_800).contains(&expire)),
            "no retry or expire",
        ),
        _ => require(retry.is_none() && expire.is_none(), "retry without an emergency"),
    }
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, error: &str| Response::new(status).body(format!(r#"{{"status": 0, "errors": ["{error}"]}}"#));
    service()
        .explains(&[
            (answer(400, "application token is invalid"), Kind::Permanent, "the application's token is refused"),
            (
                answer(400, "user identifier is not a valid user, group, or subscribed user key"),
                Kind::Permanent,
                "the recipient is refused",
            ),
            (answer(400, "message cannot be blank"), Kind::Permanent, "message cannot be blank"),
            (answer(429, "limit"), Kind::Temporary, "has reached its limit of messages for this month"),
            (answer(500, ""), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}

#[test]
fn an_emergency_has_its_documented_bounds() {
    let settings = Pushover::new("", "user")
        .priority(3)
        .retry(std::time::Duration::from_secs(10))
        .expire(std::time::Duration::from_secs(20_000));
    checkup_testkit::conformance::all_problems_are_reported(
        settings.into_notifier(),
        &["token", "priority", "retry", "expire"],
    );
}

#[test]
fn upstreams_object_is_accepted() {
    let settings: Pushover =
        serde_json::from_str(r#"{ "token": "t", "recipient": "r", "subject": "Checkup" }"#).unwrap();
    assert_eq!(settings, Pushover::new("t", "r").subject("Checkup"));
}
