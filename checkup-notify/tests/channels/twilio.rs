//! Twilio's message resource: a short text.

use checkup_core::IntoNotifier;
use checkup_notify::Twilio;
use checkup_testkit::{Request, Response};

use crate::vendor::{Kind, SECRET, Service, assert_plain, field, form, require};

fn service() -> Service<Twilio> {
    Service {
        name: "twilio",
        settings: |address| Twilio::new("AC0000", SECRET, "+15005550006", "+15005550010").url(address),
        accept,
        accepted: || Response::new(201).body(r#"{"sid": "SM1"}"#),
        readable: |request| field(request, "Body").unwrap(),
        escaped: |request| {
            let text = field(request, "Body").unwrap();
            assert_plain(&text);
            assert!(!text.contains(['\n', '…']), "{text}");
        },
    }
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == "/2010-04-01/Accounts/AC0000/Messages.json", "20404")?;
    // The account and the token, in Base64.
    let expected = "Basic QUMwMDAwOnMzY3IzdHMzY3IzdHMzY3IzdHMzY3IzdHMzY3IzdDAw";
    require(request.header("authorization") == Some(expected), "20003 Authenticate")?;
    require(form(request).iter().all(|(name, _)| ["From", "To", "Body"].contains(&name.as_str())), "an unknown field")?;
    require(field(request, "From").as_deref() == Some("+15005550006"), "21606")?;
    require(field(request, "To").as_deref() == Some("+15005550010"), "21211")?;
    let length = field(request, "Body").map_or(0, |text| text.encode_utf16().count());
    require((1..=306).contains(&length), "21617 The concatenated message body exceeds the limit")
}

crate::vendor::tested_as_every_service!();

#[tokio::test]
async fn documented_errors_are_in_words() {
    let answer = |status, code: u32| {
        Response::new(status).body(format!(r#"{{"code": {code}, "message": "why", "status": {status}}}"#))
    };
    service()
        .explains(&[
            (answer(401, 20003), Kind::Permanent, "the credentials are refused (HTTP 401: 20003 why)"),
            (answer(400, 21211), Kind::Permanent, "the phone's number is not valid"),
            (answer(400, 21610), Kind::Permanent, "the phone has unsubscribed"),
            (answer(400, 21608), Kind::Permanent, "a trial account sends to verified numbers only"),
            (answer(429, 20429), Kind::Temporary, "too many messages"),
            (answer(500, 20500), Kind::Temporary, "the service has a problem"),
        ])
        .await;
}

#[test]
fn invalid_settings_are_reported_together() {
    let settings = Twilio::new("", "", "", "0171").max_length(5000);
    let keys = ["account_sid", "auth_token", "from", "to", "max_length"];
    checkup_testkit::conformance::all_problems_are_reported(settings.into_notifier(), &keys);
}
