//! Certificates of servers that begin without TLS: each protocol's dialogue, servers that refuse, and those that add data.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

mod support;

use std::time::Duration;

use checkup_core::{Cause, Status};
use checkup_net::StartTls;
use checkup_testkit::{TcpServer, TlsOptions};
use checkup_tls::Tls;
use support::{PATIENCE, Trusted, ending, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A turn of a server: it reads as many bytes as the first text has, which must be those, then writes the second.
type Turn = (&'static [u8], &'static [u8]);

/// Version 10 of the protocol, and TLS among the capabilities.
const GREETING_MYSQL: &[u8] =
    b"\x26\0\0\0\x0a\x38.\x34.\x30\0\x01\0\0\0AAAAAAAA\0\x01\x8a\x2d\x02\0\xff\xff\x15\0\0\0\0\0\0\0\0\0\0";

/// A dialogue of each protocol, up to the handshake.
fn dialogues() -> Vec<(StartTls, Vec<Turn>)> {
    let ldap_request: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
    let xmpp_open: &[u8] = b"<?xml version='1.0'?><stream:stream to='127.0.0.1' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
    let mysql_request: &[u8] =
        b"\x20\0\0\x01\x00\x8a\x08\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    vec![
        (
            StartTls::Smtp,
            vec![
                (b"", b"220-mail.example\r\n220 ready\r\n"),
                (b"EHLO checkup.invalid\r\n", b"250-mail.example\r\n250-SIZE 1\r\n250-starttls\r\n250 HELP\r\n"),
                (b"STARTTLS\r\n", b"220 go ahead\r\n"),
            ],
        ),
        (StartTls::Imap, vec![(b"", b"* OK ready\r\n"), (b"a1 STARTTLS\r\n", b"* CAPABILITY IMAP4rev1\r\na1 OK begin\r\n")]),
        (StartTls::Pop3, vec![(b"", b"+OK ready\r\n"), (b"STLS\r\n", b"+OK begin\r\n")]),
        (StartTls::Ftp, vec![(b"", b"220-welcome\r\n220 ready\r\n"), (b"AUTH TLS\r\n", b"234 begin\r\n")]),
        (StartTls::Ldap, vec![(ldap_request, b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")]),
        (
            StartTls::Xmpp,
            vec![
                (xmpp_open, b"<?xml version='1.0'?><stream:stream><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"),
                (b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            ],
        ),
        (StartTls::Postgres, vec![(b"\0\0\0\x08\x04\xd2\x16\x2f", b"S")]),
        (StartTls::Mysql, vec![(b"", GREETING_MYSQL), (mysql_request, b"")]),
    ]
}

/// Plays a dialogue. Returns whether the client said what it should.
async fn play(connection: &mut TcpStream, turns: &[Turn]) -> bool {
    for (request, answer) in turns {
        let mut received = vec![0; request.len()];
        if connection.read_exact(&mut received).await.is_err() || received != *request {
            return false;
        }
        if connection.write_all(answer).await.is_err() {
            return false;
        }
    }
    true
}

/// A server that plays a dialogue and then performs the handshake.
fn server(trusted: &Trusted, turns: Vec<Turn>) -> TcpServer {
    let acceptor = TlsOptions::new().acceptor(&ending(&trusted.ca, 20));
    TcpServer::start(move |mut connection| {
        let (acceptor, turns) = (acceptor.clone(), turns.clone());
        async move {
            if play(&mut connection, &turns).await
                && let Ok(mut connection) = acceptor.accept(connection).await
            {
                let _ = connection.read_to_end(&mut Vec::new()).await;
            }
        }
    })
}

fn check(trusted: &Trusted, server: &TcpServer, protocol: StartTls) -> Tls {
    Tls::new(server.addr().to_string()).trusted_roots([trusted.file()]).starttls(protocol)
}

async fn reason(tls: Tls, limit: Duration) -> (Option<Cause>, String) {
    let result = run(tls, limit).await;
    (result.attempts[0].cause, result.reason().unwrap_or_default().into_owned())
}

#[tokio::test]
async fn every_protocol_changes_to_tls() {
    let trusted = Trusted::new();
    for (protocol, turns) in dialogues() {
        let server = server(&trusted, turns);
        let result = run(check(&trusted, &server, protocol), PATIENCE).await;
        assert_eq!(result.status, Status::Healthy, "{protocol}: {result:?}");
        assert!(result.facts().certificate_expiry.is_some(), "{protocol}");
    }
}

#[tokio::test]
async fn data_between_the_consent_and_the_handshake_is_refused() {
    let trusted = Trusted::new();
    for (protocol, mut turns) in dialogues().into_iter().filter(|(protocol, _)| *protocol != StartTls::Mysql) {
        let last = turns.last_mut().unwrap();
        last.1 = Box::leak([last.1, b"injected\r\n"].concat().into_boxed_slice());
        let server = server(&trusted, turns);
        let expected = format!("the server sent data between its consent to TLS and the handshake ({protocol})");
        assert_eq!(reason(check(&trusted, &server, protocol), PATIENCE).await, (Some(Cause::Protocol), expected));
    }
    // In MySQL, the client has the last word before the handshake.
    let greeting = Box::leak([GREETING_MYSQL, b"injected"].concat().into_boxed_slice());
    let server = server(&trusted, vec![(b"", greeting)]);
    let (_, text) = reason(check(&trusted, &server, StartTls::Mysql), PATIENCE).await;
    assert_eq!(text, "the server sent data between its consent to TLS and the handshake (mysql)");
}

#[tokio::test]
async fn a_server_that_does_not_offer_or_refuses_tls_is_down_with_its_words() {
    let trusted = Trusted::new();
    let refusals: Vec<(StartTls, Vec<Turn>, &str)> = vec![
        (StartTls::Smtp, vec![(b"", b"554 no service\r\n")], "it answers '554 no service'"),
        (
            StartTls::Smtp,
            vec![(b"", b"220 x\r\n"), (b"EHLO checkup.invalid\r\n", b"250 x\r\n")],
            "does not offer TLS over smtp",
        ),
        (
            StartTls::Imap,
            vec![(b"", b"* OK x\r\n"), (b"a1 STARTTLS\r\n", b"a1 BAD unknown\r\n")],
            "it answers 'a1 BAD unknown'",
        ),
        (StartTls::Pop3, vec![(b"", b"+OK x\r\n"), (b"STLS\r\n", b"-ERR no\r\n")], "it answers '-ERR no'"),
        (
            StartTls::Ftp,
            vec![(b"", b"220 x\r\n"), (b"AUTH TLS\r\n", b"500 \x1b[31m\r\n")],
            r"it answers '500 \u{1b}[31m'",
        ),
        (StartTls::Ldap, vec![(b"\x30", b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00")], "result code 2"),
        (StartTls::Xmpp, vec![(b"<", b"<stream:stream><stream:features/>")], "does not offer TLS over xmpp"),
        (StartTls::Postgres, vec![(b"\0", b"N")], "does not offer TLS over postgres"),
        (StartTls::Mysql, vec![(b"", b"\x0a\0\0\0\xff\x6a\x04Host bad")], "it answers '"),
        (
            StartTls::Mysql,
            vec![(
                b"",
                b"\x26\0\0\0\x0a\x38.\x34.\x30\0\x01\0\0\0AAAAAAAA\0\x01\x82\x2d\x02\0\xff\xff\x15\0\0\0\0\0\0\0\0\0\0",
            )],
            "does not offer TLS over mysql",
        ),
        (StartTls::Mysql, vec![(b"", b"\x03\0\0\0\x0a8\0")], "it answers '"),
    ];
    for (protocol, turns, expected) in refusals {
        let server = server(&trusted, turns);
        let (cause, text) = reason(check(&trusted, &server, protocol), PATIENCE).await;
        assert!(cause == Some(Cause::Protocol) && text.contains(expected), "{protocol}: {text}");
    }
}

#[tokio::test]
async fn silent_and_endless_servers() {
    let trusted = Trusted::new();
    let silent = TcpServer::silent();
    let endless = [
        TcpServer::endless("220-", "all work and no play "),
        TcpServer::endless("220-x\r\n", "220-all work and no play\r\n"),
        TcpServer::endless("<", "x"),
        TcpServer::endless("\x30\u{7f}", "x"),
    ];
    for (protocol, _) in dialogues() {
        let (cause, text) = reason(check(&trusted, &silent, protocol), Duration::from_millis(300)).await;
        assert_eq!(cause, Some(Cause::Timeout));
        assert_eq!(
            text,
            format!("timed out after 300ms waiting for the first byte of the answer: asking for TLS over {protocol}")
        );
        for server in &endless {
            let (cause, text) = reason(check(&trusted, server, protocol), PATIENCE).await;
            assert!(matches!(cause, Some(Cause::Protocol | Cause::Network)), "{protocol}: {cause:?} {text}");
        }
    }
    silent.wait_idle().await;
}
