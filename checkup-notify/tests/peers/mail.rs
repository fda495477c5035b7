//! A real SMTP server, aiosmtpd, which requires STARTTLS and a password. A Python program parses the messages that it accepts.

use checkup_core::{IntoNotifier, Notification, Notifier, NotifyErrorKind};
use checkup_notify::{Mail, Smtp, SmtpSecurity};
use serde_json::Value;

use crate::{samples, variable};

const PASSWORD: &str = "hunter2 of the tests";

fn smtp(port: &str) -> Smtp {
    let ca = variable("CHECKUP_SMTP_CA");
    Smtp::new("localhost").port(variable(port).parse().unwrap()).credentials("checkup", PASSWORD).ca_file(ca)
}

async fn send(smtp: Smtp, notification: &Notification) -> Result<(), checkup_core::NotifyError> {
    let mail = Mail::new("Checkup <checkup@example.com>", ["ops@example.com", "Dev <dev@example.com>"], smtp);
    mail.into_notifier().unwrap().notify(notification).await
}

/// The messages with this id, each as the server's program has parsed it.
fn received(notification: &Notification) -> Vec<Value> {
    let lines = std::fs::read_to_string(variable("CHECKUP_SMTP_RECEIVED")).unwrap();
    let messages = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let id = format!("<{}@example.com>", notification.id());
    messages.filter(|message| message["headers"]["Message-ID"] == id.as_str()).collect()
}

#[tokio::test]
async fn a_message_arrives_after_starttls_and_authentication() {
    send(smtp("CHECKUP_SMTP_PORT"), &samples::down()).await.unwrap();
    let message = received(&samples::down()).remove(0);
    assert_eq!(message["user"], "checkup");
    assert_eq!(message["tls"], true);
    assert_eq!(message["to"], serde_json::json!(["ops@example.com", "dev@example.com"]));
    assert_eq!(message["headers"]["Subject"], "database_1 (shop) is down");
    assert_eq!(message["headers"]["Auto-Submitted"], "auto-generated");
    let text = message["text"].as_str().unwrap();
    assert!(text.starts_with("database_1 (shop) is down\nReason: connection refused <db> & *more*\n"), "{text}");
    assert!(message["html"].as_str().unwrap().contains("connection refused &lt;db&gt; &amp; *more*<br>"));
    assert_eq!(message["defects"], serde_json::json!([]));
}

#[tokio::test]
async fn a_message_arrives_over_tls() {
    send(smtp("CHECKUP_SMTPS_PORT").security(SmtpSecurity::Tls), &samples::up()).await.unwrap();
    let message = received(&samples::up()).remove(0);
    assert_eq!((&message["user"], &message["tls"]), (&Value::from("checkup"), &Value::from(true)));
}

#[tokio::test]
async fn hostile_texts_become_neither_headers_nor_recipients() {
    for notification in samples::all_hostile() {
        send(smtp("CHECKUP_SMTP_PORT"), &notification).await.unwrap();
        let message = received(&notification).remove(0);
        assert_eq!(message["to"], serde_json::json!(["ops@example.com", "dev@example.com"]));
        assert_eq!(message["defects"], serde_json::json!([]));
        let headers: Vec<_> = message["headers"].as_object().unwrap().keys().map(|name| name.to_lowercase()).collect();
        assert!(!headers.iter().any(|name| name == "bcc"), "{headers:?}");
        let subject = message["headers"]["Subject"].as_str().unwrap();
        assert!(!subject.contains(['\r', '\n']), "{subject}");
        let begin = |text: &str| text.chars().take(60).collect::<String>();
        assert_eq!(begin(subject), begin(&notification.message().title));
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let wrong = smtp("CHECKUP_SMTP_PORT").credentials("checkup", "wr0ng password");
    let error = send(wrong, &samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Permanent);
    let text = error.to_string();
    assert!(text.contains("the user name or the password is refused (535"), "{text}");
    assert!(!text.contains("wr0ng"), "{text}");
}

#[tokio::test]
async fn a_server_that_requires_tls_says_so() {
    let mut unprotected = smtp("CHECKUP_SMTP_PORT").security(SmtpSecurity::None);
    unprotected.ca_file = None;
    let error = send(unprotected.clone(), &samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Permanent);
    assert!(error.to_string().contains("check `smtp.security`"), "{error}");

    let error = send(unprotected.credentials("", ""), &samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Permanent);
    assert!(error.to_string().contains("the server requires TLS (530"), "{error}");
}
