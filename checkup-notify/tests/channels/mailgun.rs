//! Mailgun's HTTP API: both forms of the text, and the recipients.

use checkup_core::IntoNotifier;
use checkup_notify::Mailgun;
use checkup_testkit::{Request, Response};

use crate::vendor::{Kind, SECRET, Service, assert_html, field, form, require};

fn service() -> Service<Mailgun> {
    Service {
        name: "mailgun",
        settings: |address| {
            Mailgun::new(
                SECRET,
                "mg.example.com",
                "Checkup <checkup@mg.example.com>",
                ["a@example.com", "b@example.com"],
            )
            .url(address)
        },
        accept,
        accepted: || Response::new(200).body(r#"{"id": "<1>", "message": "Queued. Thank you."}"#),
        readable: |request| format!("{}\n{}", field(request, "subject").unwrap(), field(request, "text").unwrap()),
        escaped: |request| {
            assert_html(&field(request, "html").unwrap(), &["<b>", "</b>", "<br>", "</a>"]);
            assert!(!field(request, "subject").unwrap().contains(['\r', '\n']));
        },
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == "/v3/mg.example.com/messages", "not found")?;
    // `api` and the key, in Base64.
    let expected = "Basic YXBpOnMzY3IzdHMzY3IzdHMzY3IzdHMzY3IzdHMzY3IzdDAw";
    require(request.header("authorization") == Some(expected), "Forbidden")?;
    let known = ["from", "to", "subject", "text", "html", "h:Auto-Submitted"];
    require(form(request).iter().all(|(name, _)| known.contains(&name.as_str())), "an unknown field")?;
    for name in ["from", "to", "subject", "text", "html"] {
        require(field(request, name).is_some_and(|text| !text.is_empty()), &format!("{name} parameter is missing"))?;
    }
    require(form(request).iter().filter(|(name, _)| name == "to").count() == 2, "a recipient is missing")
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, message: &str| Response::new(status).body(format!(r#"{{"message": "{message}"}}"#));
    service()
        .explains(&[
            (Response::new(401).body("Forbidden"), Kind::Permanent, "the API key is refused (HTTP 401: Forbidden)"),
            (answer(404, "Domain not found: mg.example.com"), Kind::Permanent, "the domain does not exist"),
            (answer(400, "to parameter is not a valid address"), Kind::Permanent, "check `from` and `to`"),
            (answer(429, "").header("Retry-After", "60"), Kind::After(60_000), "too many messages"),
            (answer(500, ""), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}

#[test]
fn upstreams_object_is_accepted() {
    let settings: Mailgun = serde_json::from_str(
        r#"{ "from": "a@example.com", "to": ["b@example.com"], "subject": "Checkup", "apikey": "k", "domain": "mg.example.com" }"#,
    )
    .unwrap();
    assert_eq!(settings, Mailgun::new("k", "mg.example.com", "a@example.com", ["b@example.com"]).subject("Checkup"));
}

#[test]
fn invalid_settings_are_reported_together() {
    let settings = Mailgun::new("", "", "nobody", ["a@example.com", "x\r\nBcc: all@example.com"]);
    checkup_testkit::conformance::all_problems_are_reported(
        settings.into_notifier(),
        &["apikey", "domain", "from", "to[1]"],
    );
}
