//! Webhooks: the document, templates, signatures, and what counts as success.

use checkup_core::{Delivery, IntoNotifier};
use checkup_notify::Webhook;
use checkup_testkit::{Request, Response};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::samples;
use crate::vendor::{Kind, SECRET, Service, Vendor, all_texts, assert_plain, body, json, require, require_keys, texts};

fn service() -> Service<Webhook> {
    Service {
        name: "webhook",
        settings: |address| Webhook::new(format!("{address}/hook")).header("X-Token", SECRET).secret(SECRET),
        accept,
        accepted: || Response::new(204),
        readable: |request| {
            texts(&body(request)["title"]).concat() + &texts(&body(request)["text"]).concat() + &names(request)
        },
        // The rest of the document is for programs, which get names as they are.
        escaped: |request| ["title", "text"].iter().for_each(|key| assert_plain(&texts(&body(request)[*key]).concat())),
    }
}

/// The names as they are in the checks, for programs; what misleads people is escaped in `text` and `title`.
fn names(request: &Request) -> String {
    let names: Vec<_> =
        body(request)["alerts"].as_array().unwrap().iter().map(|alert| alert["name"].to_string()).collect();
    names.join("\n").chars().filter(|c| *c == '\n' || !checkup_core::text::is_misleading(*c)).collect()
}

fn accept(request: &Request) -> Result<(), String> {
    require(request.method == "POST" && request.target == "/hook", "not found")?;
    require(request.header("x-token") == Some(SECRET), "unauthorized")?;
    require(request.header("x-checkup-signature") == Some(&signature(&request.body)), "not signed")?;
    let payload = json(request)?;
    require_keys(&payload, "the document", &["id", "title", "severity", "text", "count", "alerts"], &[])?;
    require(request.header("idempotency-key") == payload["id"].as_str(), "another key")
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    format!("sha256={}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

crate::vendor::tested_as_every_service!();

/// With a template instead of the document.
mod template_conformance {
    use super::*;

    fn service() -> Service<Webhook> {
        Service {
            settings: |address| {
                let names = r#"{ "title": {{ title }}, "names": [{% for alert in alerts %}{{ alert.name }}{% if not loop.last %}, {% endif %}{% endfor %}] }"#;
                Webhook::new(format!("{address}/hook?token={SECRET}")).body(names)
            },
            accept: |request| {
                require(request.target == format!("/hook?token={SECRET}"), "not found")?;
                require_keys(&json(request)?, "the body", &["title", "names"], &[])
            },
            readable: all_texts,
            ..super::service()
        }
    }

    checkup_testkit::notifier_conformance!(|| service().fixture());
}

#[tokio::test]
async fn the_status_says_what_is_worth_another_try() {
    service()
        .explains(&[
            (Response::new(400).body("no"), Kind::Permanent, "webhook: the message is not accepted (HTTP 400: no)"),
            (Response::new(401), Kind::Permanent, "the credentials are refused"),
            (Response::new(404), Kind::Permanent, "the address does not exist"),
            (Response::new(301), Kind::Permanent, "redirects, which is not followed"),
            (Response::new(408), Kind::Temporary, "waited too long"),
            (Response::new(429).header("Retry-After", "30"), Kind::After(30_000), "too many messages"),
            (Response::new(500), Kind::Temporary, "the service has a problem"),
            (Response::new(503).header("Retry-After", "7"), Kind::After(7000), "the service is unavailable"),
        ])
        .await;
}

#[tokio::test]
async fn only_the_expected_status_is_a_success() {
    let vendor = Vendor::start(|_| Ok(()), || Response::new(200));
    let webhook = |status| Webhook::new(vendor.address()).expect_status(status).into_notifier().unwrap();
    webhook(200).notify(&samples::down()).await.unwrap();
    let error = webhook(202).notify(&samples::down()).await.unwrap_err();
    assert!(error.to_string().contains("unexpected answer (HTTP 200)"), "{error}");
}

#[tokio::test]
async fn method_headers_type_and_template_are_used_and_a_repeated_delivery_has_the_same_key() {
    let vendor = Vendor::start(|_| Ok(()), || Response::new(200));
    let webhook = Webhook::new(format!("{}/x?y=z", vendor.address()))
        .method("put")
        .header("X-Team", "ops")
        .content_type("application/x-www-form-urlencoded")
        .body("text={{ title }}&count={{ alerts | length }}");
    let notifier = webhook.into_notifier().unwrap();
    for _ in 0..2 {
        notifier.notify(&samples::several()).await.unwrap();
    }
    let [first, second] = vendor.accepted().try_into().unwrap();
    assert_eq!((first.method.as_str(), first.target.as_str(), first.header("x-team")), ("PUT", "/x?y=z", Some("ops")));
    assert_eq!(
        String::from_utf8(first.body.clone()).unwrap(),
        "text=2+checks+down&count=3".replace("2+checks+down", &title())
    );
    assert!(first.header("idempotency-key").is_some() && first == second);
}

fn title() -> String {
    url::form_urlencoded::byte_serialize(samples::several().message().title.as_bytes()).collect()
}

#[test]
fn invalid_settings_are_reported_together() {
    let webhook = Webhook::new("example.com")
        .method("TRACE")
        .header("Host", "x")
        .header("X-A", "a\r\nb")
        .body("{{")
        .secret(" ")
        .expect_status(9);
    let keys = ["url", "method", "headers.Host", "headers.X-A", "body", "secret", "expect_status"];
    checkup_testkit::conformance::all_problems_are_reported(webhook.into_notifier(), &keys);
}

#[test]
fn it_can_be_called_for_each_alert() {
    let delivery = |each| Webhook::new("https://example.com").each(each).into_notifier().unwrap().delivery();
    assert_eq!([delivery(false), delivery(true)], [Delivery::Together, Delivery::Each]);
}
