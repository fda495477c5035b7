//! Mail over SMTP: TLS, authentication, the message's headers and parts, and the server's errors.

use std::sync::Arc;

use base64::Engine;
use checkup_core::{AlertStep, IntoNotifier, Notification, NotifyErrorKind};
use checkup_notify::{Mail, Smtp, SmtpSecurity};
use checkup_testkit::TcpServer;
use checkup_testkit::conformance::NotifierFixture;

use crate::smtp_server::{Received, Rules, SmtpServer};
use crate::vendor::{SECRET, assert_html};
use crate::{samples, snapshot};

/// A server that wants TLS and a password.
fn protected() -> Rules {
    Rules { wants_login: true, ..Rules::default() }
}

fn mail(smtp: Smtp) -> Mail {
    Mail::new("Checkup <checkup@example.com>", ["ops@example.com", "Dev <dev@example.com>"], smtp)
}

fn login(server: &SmtpServer) -> Smtp {
    Smtp::new("localhost")
        .port(server.port())
        .security(SmtpSecurity::StartTls)
        .credentials("checkup", SECRET)
        .ca_file(server.ca_file().to_str().unwrap())
}

async fn send(smtp: Smtp, notification: &Notification) -> Result<(), checkup_core::NotifyError> {
    mail(smtp).into_notifier().unwrap().notify(notification).await
}

/// A part of a message without its transfer encoding: the first is the text, the second the HTML.
fn part(message: &Received, index: usize) -> String {
    let boundary = message.data.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let part = message.data.split(&format!("--{boundary}")).nth(index + 1).unwrap();
    let (head, body) = part.split_once("\n\n").unwrap();
    let encoding = head.to_ascii_lowercase();
    if encoding.contains("base64") {
        let text: String = body.split_whitespace().collect();
        return String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap())
            .unwrap()
            .replace("\r\n", "\n");
    }
    if !encoding.contains("quoted-printable") {
        return body.to_owned();
    }
    let unfolded = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = unfolded.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'=', [high, low, tail @ ..]) => {
                let hex = String::from_utf8(vec![*high, *low]).unwrap();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The value of a header, unfolded.
fn header(message: &Received, name: &str) -> Option<String> {
    let head = message.data.split("\n\n").next().unwrap().replace("\n ", " ").replace("\n\t", " ");
    let lines: Vec<_> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(own, _)| own.eq_ignore_ascii_case(name))
        .collect();
    assert!(lines.len() <= 1, "{name} occurs twice");
    lines.first().map(|(_, value)| (*value).to_owned())
}

mod conformance {
    use super::*;

    fn factory() -> NotifierFixture {
        let server = Arc::new(SmtpServer::start(protected()));
        // It repeats what it was sent in its error.
        let refusing = SmtpServer::start(Rules { without_starttls: true, wants_login: true, ..Rules::default() });
        let silent = TcpServer::silent();
        let (working, seen, seen_again) = (login(&server), Arc::clone(&server), Arc::clone(&server));
        let wrong =
            Smtp::new("localhost").port(refusing.port()).security(SmtpSecurity::None).credentials("wrong", SECRET);
        let hanging = Smtp::new("127.0.0.1").port(silent.addr().port()).credentials("checkup", SECRET);
        NotifierFixture::new(
            move || mail(working.clone()),
            move || seen.received().iter().map(|message| part(message, 0)).collect(),
        )
        .failing(move || mail(wrong.clone()))
        .hanging(move || mail(hanging.clone()))
        .escaping(move |_| seen_again.received().iter().for_each(escaped))
        .secret(SECRET)
        .keep((server, refusing, silent))
    }

    checkup_testkit::notifier_conformance!(factory);
}

/// Nothing in the text became a header, a recipient or markup.
fn escaped(message: &Received) {
    assert_eq!(message.to, ["ops@example.com", "dev@example.com"]);
    assert_eq!(header(message, "bcc"), None);
    let known = [
        "from",
        "to",
        "subject",
        "message-id",
        "auto-submitted",
        "in-reply-to",
        "references",
        "date",
        "mime-version",
        "content-type",
    ];
    let head = message.data.split("\n\n").next().unwrap().replace("\n ", " ");
    for line in head.lines() {
        let name = line.split_once(':').map_or(line, |(name, _)| name).to_ascii_lowercase();
        assert!(known.contains(&name.as_str()), "a header that was not written by the notifier: {line}");
    }
    assert_html(&part(message, 1), &["<b>", "</b>", "<br>", "</a>"]);
}

#[tokio::test]
async fn messages_match_their_snapshots() {
    let server = SmtpServer::start(protected());
    for (name, notification) in [("down", samples::down()), ("up", samples::up()), ("several", samples::several())] {
        send(login(&server), &notification).await.unwrap();
        let message = server.received().pop().unwrap();
        let headers = ["From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"];
        let headers: String =
            headers.iter().filter_map(|name| Some(format!("{name}: {}\n", header(&message, name)?))).collect();
        let shown = format!("{headers}\n{}\n--- HTML\n{}", part(&message, 0).trim(), part(&message, 1).trim());
        snapshot::assert_matches(&format!("mail-{name}"), &shown);
    }
}

#[tokio::test]
async fn hostile_texts_of_any_length_are_accepted_and_become_neither_headers_nor_markup() {
    let server = SmtpServer::start(protected());
    for notification in samples::all_hostile() {
        send(login(&server), &notification).await.unwrap();
        escaped(&server.received().pop().unwrap());
    }
}

#[tokio::test]
async fn starttls_and_tls_protect_the_password() {
    let starttls = SmtpServer::start(protected());
    send(login(&starttls), &samples::down()).await.unwrap();
    let wrapped = SmtpServer::start(Rules { is_wrapped: true, ..protected() });
    send(login(&wrapped).security(SmtpSecurity::Tls), &samples::down()).await.unwrap();
    for message in [&starttls.received()[0], &wrapped.received()[0]] {
        assert!(message.over_tls && message.is_authenticated);
        assert_eq!((message.from.as_str(), message.to.len()), ("checkup@example.com", 2));
    }
}

#[tokio::test]
async fn a_password_is_not_sent_to_a_server_whose_starttls_was_removed() {
    let server = SmtpServer::start(Rules { without_starttls: true, ..protected() });
    let error = send(login(&server), &samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Permanent, "{error}");
    assert!(error.to_string().contains("smtp.security") && server.received().is_empty(), "{error}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = SmtpServer::start(protected());
    let mut unknown = login(&server);
    unknown.ca_file = None;
    let error = send(unknown, &samples::down()).await.unwrap_err().to_string();
    assert!(error.contains("no TLS connection") && error.contains("smtp.ca_file"), "{error}");
}

#[tokio::test]
async fn without_credentials_tls_is_used_if_the_server_has_it() {
    for (rules, over_tls) in [(Rules::default(), true), (Rules { without_starttls: true, ..Rules::default() }, false)] {
        let server = SmtpServer::start(rules);
        let smtp = Smtp::new("localhost").port(server.port()).ca_file(server.ca_file().to_str().unwrap());
        send(smtp, &samples::down()).await.unwrap();
        assert_eq!(server.received()[0].over_tls, over_tls);
    }
}

#[tokio::test]
async fn documented_errors_are_in_words() {
    use NotifyErrorKind::{Permanent, Temporary};
    let cases = [
        ("AUTH", "535 5.7.8 authentication failed", Permanent, "the user name or the password is refused"),
        ("MAIL", "530 5.7.0 authentication required", Permanent, "the server requires authentication"),
        ("MAIL", "552 5.3.4 message too big", Permanent, "the message is too large, or a mailbox is full"),
        ("RCPT", "550 5.1.1 no such user", Permanent, "an address is refused (550"),
        ("RCPT", "450 4.2.1 greylisted", Temporary, "the server asks to try again later"),
        ("RCPT", "451 4.3.0 try again", Temporary, "the server asks to try again later"),
        ("DATA", "554 5.7.1 spam", Permanent, "the message is refused"),
        ("CONNECT", "421 4.3.2 shutting down", Temporary, "the server asks to try again later"),
    ];
    for (command, answer, kind, words) in cases {
        let server = SmtpServer::start(Rules { refuses: Some((command, answer)), ..protected() });
        let error = send(login(&server), &samples::down()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{command}: {error}");
        assert!(error.to_string().contains(words), "{command}: expected {words:?} in {error}");
        assert!(server.received().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_a_temporary_error() {
    let closed = checkup_testkit::closed_port();
    let error = send(Smtp::new("127.0.0.1").port(closed.port()), &samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Temporary);
    assert!(error.to_string().starts_with(&format!("mail: {closed}: no delivery")), "{error}");
}

#[tokio::test]
async fn messages_about_an_incident_are_one_thread_and_a_repeated_one_has_the_same_id() {
    let server = SmtpServer::start(protected());
    let mut again = samples::down().alerts.remove(0);
    (again.step, again.reminder) = (AlertStep::Again, 2);
    for notification in [samples::down(), samples::down(), samples::alone(again), samples::up()] {
        send(login(&server), &notification).await.unwrap();
    }
    let [first, repeated, again, up] = server.received().try_into().unwrap();
    let id = |message: &Received| header(message, "Message-ID").unwrap();
    assert_eq!(id(&first), id(&repeated));
    assert!(id(&first) != id(&again) && id(&again) != id(&up));
    assert_eq!(header(&first, "In-Reply-To"), None);
    assert_eq!(header(&again, "In-Reply-To"), Some(id(&first)));
    assert_eq!(header(&up, "References"), Some(id(&first)));
    assert_eq!(header(&up, "Auto-Submitted").as_deref(), Some("auto-generated"));
}

#[test]
fn upstreams_object_is_accepted() {
    let settings: Mail = serde_json::from_str(
        r#"{ "from": "a@example.com", "to": ["b@example.com"], "subject": "Checkup", "smtp": { "server": "smtp.example.com", "port": 25, "username": "u", "password": "p" } }"#,
    )
    .unwrap();
    let smtp = Smtp::new("smtp.example.com").credentials("u", "p");
    assert_eq!(settings, Mail::new("a@example.com", ["b@example.com"], smtp).subject("Checkup"));
    assert!(settings.into_notifier().is_ok());
}

#[test]
fn invalid_settings_are_reported_together() {
    let smtp = Smtp::new("smtp example").port(0).ca_file("/not/there.pem").credentials("u", "");
    let settings = Mail::new("nobody", ["x@example.com\r\nBcc: all@example.com"], smtp);
    let keys = ["from", "to[0]", "smtp.server", "smtp.port", "smtp.username", "smtp.ca_file"];
    checkup_testkit::conformance::all_problems_are_reported(settings.into_notifier(), &keys);
    let unprotected = Smtp::new("smtp.example.com").security(SmtpSecurity::Opportunistic).credentials("u", "p");
    let error = mail(unprotected).into_notifier().unwrap_err().to_string();
    assert!(error.starts_with("smtp.security: expected `starttls` or `tls`"), "{error}");
}
