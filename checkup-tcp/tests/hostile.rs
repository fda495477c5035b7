//! Hostile endpoints on real sockets: every check ends within its timeout, in bounded memory, and is down with a reason that
//! names the cause.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use checkup_core::{Cause, Check, Checkup};
use checkup_tcp::{Expect, Tcp, TlsSettings};
use checkup_testkit::{Ca, Identity, TcpServer, TlsOptions, TlsServer, reset};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The timeout of these checks.
const LIMIT: Duration = Duration::from_millis(300);

/// The timeout of checks in which something must happen first, even on a slow machine.
const LONGER: Duration = Duration::from_secs(1);

/// The timeout of checks that are not about timeouts, long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs one check. Returns why it is down.
async fn reason(tcp: Tcp, limit: Duration) -> (Cause, String) {
    let checkup = Checkup::builder().check(Check::new("hostile", tcp).timeout(limit)).build().unwrap();
    // Far longer than any of these checks takes, so that one that hangs fails the test instead of hanging it.
    let report = tokio::time::timeout(Duration::from_secs(60), checkup.check()).await.expect("the check ends");
    let attempt = report.results[0].failures().next().expect("the check is down").clone();
    (attempt.cause.unwrap(), attempt.error.unwrap().into())
}

fn to(server: &TcpServer) -> Tcp {
    Tcp::new(server.addr().to_string())
}

fn timed_out(reason: &str) -> (Cause, String) {
    (Cause::Timeout, format!("timed out after 300ms {reason}"))
}

#[tokio::test]
async fn silent_after_accept() {
    let server = TcpServer::silent();
    let expected = timed_out("waiting for the first byte of the answer");
    assert_eq!(reason(to(&server).expect("hello"), LIMIT).await, expected);
    assert_eq!(reason(to(&server).send("hello\r\n").expect("hello"), LIMIT).await, expected);
    server.wait_idle().await;
}

#[tokio::test]
async fn silent_in_the_tls_handshake() {
    let server = TcpServer::silent();
    assert_eq!(
        reason(to(&server).tls(TlsSettings::new().skip_verify(true)), LIMIT).await,
        timed_out("in the TLS handshake")
    );
    server.wait_idle().await;
}

#[tokio::test]
async fn silent_after_the_tls_handshake() {
    let server = TlsServer::silent(Identity::self_signed(&["localhost"]), TlsOptions::new());
    let tcp = Tcp::new(server.addr().to_string()).tls(TlsSettings::new().skip_verify(true)).expect("hello");
    let expected = (Cause::Timeout, "timed out after 1s waiting for the first byte of the answer".to_owned());
    assert_eq!(reason(tcp, LONGER).await, expected);
    server.tcp().wait_idle().await;
}

#[tokio::test]
async fn a_server_that_never_reads() {
    let server = TcpServer::start(|connection| async move {
        // Keeps the connection open until the server ends.
        std::future::pending::<()>().await;
        drop(connection);
    });
    let tcp = to(&server).send("x".repeat(64 << 20)).expect("hello");
    assert_eq!(reason(tcp, LIMIT).await, timed_out("waiting for the first byte of the answer"));
}

#[tokio::test]
async fn one_byte_a_second() {
    let server = TcpServer::start(|mut connection| async move {
        while connection.write_all(b"z").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let (cause, text) = reason(to(&server).expect("hello"), LONGER).await;
    assert_eq!(cause, Cause::Timeout);
    assert!(text.starts_with("timed out after 1s receiving the answer: it does not contain 'hello' (got 'z"), "{text}");
}

#[tokio::test]
async fn an_endless_answer_is_read_up_to_the_bound() {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let server = TcpServer::start(move |mut connection| {
        let counter = Arc::clone(&counter);
        async move {
            let chunk = [b'z'; 4096];
            while connection.write_all(&chunk).await.is_ok() {
                counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        }
    });
    for expect in [Expect::from("hello"), Expect::Matches("hello$".into())] {
        let verb = if expect == Expect::from("hello") { "contain 'hello'" } else { "match 'hello$'" };
        let (cause, text) = reason(to(&server).expect(expect).max_read_bytes(10_000), PATIENCE).await;
        assert_eq!(cause, Cause::Assertion);
        let start = format!("answer does not {verb} in its first 10000 bytes (got 'zzz");
        assert!(text.starts_with(&start), "{text}");
        server.wait_idle().await;
    }
    // The rest stayed in the sockets' buffers, which are far smaller than this.
    assert!(sent.load(Ordering::Relaxed) < 64 << 20, "{sent:?}");
}

#[tokio::test]
async fn reset_immediately_and_in_the_middle_of_the_answer() {
    let server = TcpServer::reset();
    let (cause, text) = reason(to(&server).expect("hello"), PATIENCE).await;
    // The reset may arrive before the connection is known to be open.
    let connecting = format!("cannot connect to {}: connection reset by the other side", server.addr());
    let reading = "connection reset by the other side before the answer was complete";
    assert!(cause == Cause::Network && (text == reading || text == connecting), "{cause}: {text}");

    let server = TcpServer::start(|mut connection| async move {
        let _ = connection.write_all(b"hel").await;
        // The client has read the three bytes and waits for more.
        let _ = connection.read(&mut [0; 16]).await;
        reset(connection);
    });
    assert_eq!(
        reason(to(&server).send("?").expect("hello"), PATIENCE).await,
        (Cause::Network, "connection reset by the other side before the answer was complete (got 'hel')".to_owned())
    );
}

#[tokio::test]
async fn reset_in_the_tls_handshake() {
    let server = TcpServer::start(|mut connection| async move {
        let _ = connection.read(&mut [0; 1024]).await;
        reset(connection);
    });
    assert_eq!(
        reason(to(&server).tls(TlsSettings::new().skip_verify(true)), PATIENCE).await,
        (Cause::Network, "connection reset by the other side in the TLS handshake".to_owned())
    );
}

#[tokio::test]
async fn tls_to_a_plain_port() {
    let server = TcpServer::start(|mut connection| async move {
        let _ = connection.write_all(b"220 mail.example ESMTP\r\n").await;
        let _ = connection.read_to_end(&mut Vec::new()).await;
    });
    assert_eq!(
        reason(to(&server).tls(TlsSettings::new().skip_verify(true)), PATIENCE).await,
        (Cause::Tls, "the server does not speak TLS on this port; check the port, or connect without TLS".to_owned())
    );
}

#[tokio::test]
async fn plain_to_a_tls_port() {
    let server = TlsServer::silent(Identity::self_signed(&["localhost"]), TlsOptions::new());
    let tcp = Tcp::new(server.addr().to_string()).send("PING\r\n").expect("+PONG");
    let expected = (Cause::Protocol, "the server speaks TLS on this port: set `tls`".to_owned());
    assert_eq!(reason(tcp, PATIENCE).await, expected);
}

#[tokio::test]
async fn bad_certificates() {
    let ca = Ca::new();
    let folder = tempfile::TempDir::new().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, ca.pem()).unwrap();
    for (identity, expected) in [
        (ca.expired_server(&["127.0.0.1"]), "the certificate of 127.0.0.1 expired 24h0m"),
        (ca.server(&["other.example"]), "the certificate is not valid for 127.0.0.1, only for other.example"),
        (
            Ca::new().server(&["127.0.0.1"]),
            "the certificate of 127.0.0.1 is not trusted: it is self-signed, or signed by",
        ),
        (Identity::self_signed(&["127.0.0.1"]), "the certificate of 127.0.0.1 is not trusted: it is self-signed, or"),
    ] {
        let server = TlsServer::silent(identity, TlsOptions::new());
        let settings = TlsSettings::new().ca_file(&ca_file);
        let tcp = Tcp::new(server.addr().to_string()).tls(settings.clone());
        let (cause, text) = reason(tcp.clone(), PATIENCE).await;
        assert_eq!(cause, Cause::Tls, "{text}");
        assert!(text.starts_with(expected), "{text}");
        let checkup =
            Checkup::builder().check(Check::new("lenient", tcp.tls(settings.skip_verify(true))).timeout(PATIENCE));
        checkup.build().unwrap().check().await.assert_healthy();
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    // A reserved name (RFC 6761), which never resolves. If no name server answers, the check times out.
    let (cause, text) = reason(Tcp::new("does-not-exist.invalid:80"), LIMIT).await;
    let unresolved = cause == Cause::Dns && text.starts_with("cannot resolve does-not-exist.invalid: ");
    assert!(unresolved || (cause, text.clone()) == timed_out("resolving the name"), "{cause}: {text}");
    // Too long for a name: the system's resolver sends no query.
    let name = format!("{}.invalid", "a".repeat(64));
    let (cause, text) = reason(Tcp::new(format!("{name}:80")), PATIENCE).await;
    assert_eq!(cause, Cause::Dns);
    assert!(text.starts_with(&format!("cannot resolve {name}: ")), "{text}");
}

#[tokio::test]
async fn a_thousand_checks_of_a_silent_server_do_not_delay_each_other() {
    let server = TcpServer::silent();
    let checks = (0..1000).map(|i| Check::new(format!("silent {i}"), to(&server).expect("hello")).timeout(LIMIT));
    let checkup = Checkup::builder().checks(checks).concurrent_checks(1000).build().unwrap();
    let report = checkup.check().await;
    assert_eq!(report.unhealthy().count(), 1000);
    drop(checkup);
    server.wait_idle().await;
}
