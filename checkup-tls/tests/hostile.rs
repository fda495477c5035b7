//! Hostile endpoints on real sockets: every check ends within its timeout and is down with a reason that names the cause.

mod support;

use std::time::Duration;

use checkup_core::Cause;
use checkup_testkit::{Ca, TcpServer, TlsOptions, TlsServer, closed_port, reset};
use checkup_tls::{Tls, TlsSettings};
use support::{PATIENCE, Trusted, ending, in_days, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The timeout of these checks.
const LIMIT: Duration = Duration::from_millis(300);

async fn reason(tls: Tls, limit: Duration) -> (Cause, String) {
    let result = run(tls, limit).await;
    let attempt = result.failures().next().expect("the check is down").clone();
    (attempt.cause.expect("there is a cause"), attempt.error.expect("there is a reason").into())
}

fn to(address: std::net::SocketAddr) -> Tls {
    Tls::new(address.to_string()).tls(TlsSettings::new().skip_verify(true))
}

#[tokio::test]
async fn silent_in_the_handshake() {
    let server = TcpServer::silent();
    let expected = (Cause::Timeout, "timed out after 300ms in the TLS handshake".to_owned());
    assert_eq!(reason(to(server.addr()), LIMIT).await, expected);
    server.wait_idle().await;
}

#[tokio::test]
async fn a_server_that_never_closes_does_not_delay_the_result() {
    let trusted = Trusted::new();
    let server = TlsServer::start(ending(&trusted.ca, 20), TlsOptions::new(), |connection| async move {
        std::future::pending::<()>().await;
        drop(connection);
    });
    let result = run(trusted.check(&server), PATIENCE).await;
    assert!(result.is_healthy(), "{result:?}");
}

#[tokio::test]
async fn endless_bytes_that_are_not_tls() {
    let server = TcpServer::endless("", "all work and no play ");
    let (cause, text) = reason(to(server.addr()), PATIENCE).await;
    assert_eq!(cause, Cause::Tls);
    assert_eq!(text, "the server does not speak TLS on this port; check the port, or connect without TLS");
    server.wait_idle().await;
}

#[tokio::test]
async fn closed_and_reset() {
    let address = closed_port();
    assert_eq!(reason(to(address), PATIENCE).await, (Cause::Refused, format!("connection to {address} refused")));
    let server = TcpServer::start(|mut connection| async move {
        let _ = connection.read(&mut [0; 1024]).await;
        reset(connection);
    });
    let expected = (Cause::Network, "connection reset by the other side in the TLS handshake".to_owned());
    assert_eq!(reason(to(server.addr()), PATIENCE).await, expected);
    let server = TcpServer::start(|mut connection| async move {
        let _ = connection.read(&mut [0; 1024]).await;
        let _ = connection.shutdown().await;
    });
    let (cause, text) = reason(to(server.addr()), PATIENCE).await;
    assert_eq!(cause, Cause::Tls);
    assert!(text.starts_with("the server closed the connection in the TLS handshake"), "{text}");
}

#[tokio::test]
async fn a_torn_handshake() {
    // The head of a handshake record of 16 KiB, and nothing more.
    let server = TcpServer::start(|mut connection| async move {
        let _ = connection.write_all(&[0x16, 0x03, 0x03, 0x3f, 0xff, 0x02]).await;
        let _ = connection.read_to_end(&mut Vec::new()).await;
    });
    let expected = (Cause::Timeout, "timed out after 300ms in the TLS handshake".to_owned());
    assert_eq!(reason(to(server.addr()), LIMIT).await, expected);
}

#[tokio::test]
async fn a_chain_with_dozens_of_useless_certificates() {
    let trusted = Trusted::new();
    let intermediate = trusted.ca.intermediate(in_days(200));
    let mut identity = ending(&intermediate, 3).followed_by(&intermediate.pem());
    let useless = Ca::new().pem();
    for _ in 0..40 {
        identity = identity.followed_by(&useless);
    }
    let result = trusted.run(identity, |tls| tls).await;
    let text = result.reason().unwrap_or_default().into_owned();
    assert!(text.starts_with("certificate expiring soon (77h59m") && text.ends_with("and 34 more"), "{text}");
    assert!(text.len() < 1000, "{}", text.len());
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    // Too long for a name: the system's resolver sends no query.
    let name = format!("{}.invalid", "a".repeat(64));
    let settings = TlsSettings::new().skip_verify(true).server_name("a.example");
    let (cause, text) = reason(Tls::new(&name).tls(settings), PATIENCE).await;
    assert_eq!(cause, Cause::Dns);
    assert!(text.starts_with(&format!("cannot resolve {name}: ")), "{text}");
}
