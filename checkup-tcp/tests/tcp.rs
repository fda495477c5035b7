//! Checks of real servers on loopback, through the engine.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::path::PathBuf;
use std::time::Duration;

use checkup_core::{Cause, Check, CheckResult, Checkup, Status};
use checkup_net::{IpVersion, TlsVersion as MinVersion};
use checkup_tcp::{Expect, Tcp, TlsSettings};
use checkup_testkit::{Ca, TcpServer, TlsOptions, TlsServer, TlsVersion, closed_port};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Long enough that only a server that hangs is down for it.
const PATIENCE: Duration = Duration::from_secs(20);

async fn run(check: Check) -> CheckResult {
    let report = Checkup::builder().check(check).build().unwrap().check().await;
    report.results.into_iter().next().unwrap()
}

async fn run_tcp(tcp: Tcp) -> CheckResult {
    run(Check::new("tcp", tcp).timeout(PATIENCE)).await
}

fn to(server: &TcpServer) -> Tcp {
    Tcp::new(server.addr().to_string())
}

fn failure(result: &CheckResult) -> (Cause, &str) {
    let attempt = result.failures().next().unwrap_or_else(|| panic!("the check is down: {result:?}"));
    (attempt.cause.unwrap(), attempt.error.as_deref().unwrap())
}

fn assert_healthy(result: &CheckResult) {
    assert_eq!(result.status, Status::Healthy, "{result:?}");
}

/// A server of a line protocol: answers each line by the function; no answer closes.
fn line_server(answer: impl Fn(&str) -> Option<&'static str> + Send + Sync + Copy + 'static) -> TcpServer {
    TcpServer::start(move |mut connection| async move {
        let mut line = Vec::new();
        while let Ok(1..) = connection.read_buf(&mut line).await {
            while let Some(end) = line.iter().position(|&byte| byte == b'\n') {
                let rest = line.split_off(end + 1);
                let command = String::from_utf8(std::mem::replace(&mut line, rest)).unwrap();
                let Some(answer) = answer(command.trim_end()) else { return };
                connection.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    })
}

/// Greets, then reads to the end of the connection.
fn greeting(banner: &'static [u8]) -> TcpServer {
    TcpServer::start(move |mut connection| async move {
        connection.write_all(banner).await.unwrap();
        let _ = connection.read_to_end(&mut Vec::new()).await;
    })
}

#[tokio::test]
async fn a_server_that_accepts_is_healthy_and_the_connection_is_closed() {
    let server = TcpServer::silent();
    let result = run_tcp(to(&server)).await;
    assert_healthy(&result);
    assert_eq!(result.endpoint, server.addr().to_string());
    let phases = result.phases().unwrap();
    assert!(phases.connect.is_some() && phases.dns.is_none() && phases.tls.is_none(), "{phases:?}");
    server.wait_accepted(1).await;
    server.wait_idle().await;
}

#[tokio::test]
async fn names_are_resolved() {
    let server = TcpServer::silent();
    let result = run_tcp(Tcp::new(format!("localhost:{}", server.addr().port()))).await;
    assert_healthy(&result);
    assert!(result.phases().unwrap().dns.is_some());
    let v4 = Tcp::new(format!("localhost:{}", server.addr().port())).ip_version(IpVersion::V4);
    assert_healthy(&run_tcp(v4).await);
}

#[tokio::test]
async fn ipv6_addresses_stand_in_brackets() {
    // Not every machine has IPv6; then the address cannot be bound, and there is nothing to check.
    let handler = |mut connection: TcpStream| async move {
        let _ = connection.read_to_end(&mut Vec::new()).await;
    };
    let Ok(server) = TcpServer::start_on("[::1]:0".parse().unwrap(), handler) else { return };
    let result = run_tcp(to(&server)).await;
    assert_healthy(&result);
    assert!(result.endpoint.starts_with("[::1]:"));
}

#[tokio::test]
async fn a_redis_that_answers_ping_is_healthy() {
    let server = line_server(|command| (command == "PING").then_some("+PONG\r\n"));
    assert_healthy(&run_tcp(to(&server).send("PING\r\n").expect("+PONG")).await);
    assert_healthy(&run_tcp(to(&server).send("PING\r\n").expect(Expect::Matches(r"^\+PONG\r\n".into()))).await);
}

#[tokio::test]
async fn a_redis_that_wants_a_password_says_so_within_the_timeout() {
    let server = line_server(|_| Some("-NOAUTH Authentication required.\r\n"));
    let check = Check::new("redis", to(&server).send("PING\r\n").expect("+PONG")).timeout(Duration::from_secs(1));
    let result = run(check).await;
    assert_eq!(
        failure(&result),
        (
            Cause::Timeout,
            r"timed out after 1s receiving the answer: it does not contain '+PONG' (got '-NOAUTH Authentication required.\r\n')"
        )
    );
    server.wait_idle().await;
}

#[tokio::test]
async fn an_answer_that_comes_in_pieces_is_put_together() {
    let server = TcpServer::start(|mut connection| async move {
        for byte in b"220 mail.example ESMTP\r\n" {
            connection.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let _ = connection.read_to_end(&mut Vec::new()).await;
    });
    assert_healthy(&run_tcp(to(&server).expect("ESMTP\r\n")).await);
}

#[tokio::test]
async fn reading_stops_at_the_match() {
    // The server would never end; the answer is there.
    let result = run_tcp(to(&greeting(b"220 ready\r\n")).expect(Expect::Matches("^220 ".into()))).await;
    assert_healthy(&result);
    assert!(result.phases().unwrap().first_byte.is_some());
}

#[tokio::test]
async fn a_wrong_answer_is_shown_shortened_and_escaped() {
    let server = TcpServer::start(|mut connection| async move {
        let answer = format!("-ERR \x1b[2J{}\r\n", "x".repeat(1000));
        connection.write_all(answer.as_bytes()).await.unwrap();
    });
    let result = run_tcp(to(&server).expect("+OK")).await;
    let (cause, reason) = failure(&result);
    assert_eq!(cause, Cause::Assertion);
    assert!(reason.starts_with(r"answer does not contain '+OK' (got '-ERR \u{1b}[2Jxxx"), "{reason}");
    assert!(reason.ends_with("xxx…')"), "{reason}");
    assert!(reason.len() < 200, "{reason}");
}

#[tokio::test]
async fn no_answer_at_all() {
    let server = line_server(|_| None);
    assert_eq!(
        failure(&run_tcp(to(&server).send("PING\r\n").expect("+PONG")).await),
        (Cause::Network, "the server closed the connection without an answer")
    );
}

#[tokio::test]
async fn over_tls() {
    let files = Files::new();
    let settings = || TlsSettings::new().ca_file(files.ca_file());
    let tcp = |version| {
        let options = TlsOptions::new().only(version);
        let server =
            TlsServer::start(files.ca.server(&["localhost", "127.0.0.1"]), options, |mut connection| async move {
                let _ = connection.read(&mut [0; 64]).await;
                let _ = connection.write_all(b"+PONG\r\n").await;
                let _ = connection.read_to_end(&mut Vec::new()).await;
            });
        let tcp = Tcp::new(server.addr().to_string()).tls(settings());
        (server, tcp.send("PING\r\n").expect("+PONG"))
    };
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let (server, tcp) = tcp(version);
        let result = run_tcp(tcp).await;
        assert_healthy(&result);
        assert!(result.phases().unwrap().tls.is_some());
        server.tcp().wait_idle().await;
    }
    let (_server, named) = tcp(TlsVersion::Tls13);
    assert_healthy(&run_tcp(named.tls(settings().server_name("localhost"))).await);
    let (_server, modern) = tcp(TlsVersion::Tls12);
    let result = run_tcp(modern.tls(settings().min_version(MinVersion::Tls13))).await;
    assert_eq!(
        failure(&result),
        (Cause::Tls, "127.0.0.1 refused the TLS handshake: it does not speak the TLS versions that are allowed")
    );
}

#[tokio::test]
async fn a_client_certificate() {
    let files = Files::new();
    let options = TlsOptions::new().client_ca(&files.ca);
    let server = TlsServer::start(files.ca.server(&["127.0.0.1"]), options, |mut connection| async move {
        let _ = connection.write_all(b"welcome").await;
        let _ = connection.shutdown().await;
    });
    let settings = TlsSettings::new().extra_ca_file(files.ca_file());
    let tcp = Tcp::new(server.addr().to_string()).expect("welcome");
    assert_eq!(
        failure(&run_tcp(tcp.clone().tls(settings.clone())).await),
        (Cause::Tls, "127.0.0.1 refused the TLS handshake: it asks for a client certificate")
    );
    let client = files.ca.client("checkup");
    let settings =
        settings.client_cert(files.write("client.pem", &client.cert_pem), files.write("client.key", &client.key_pem));
    assert_healthy(&run_tcp(tcp.tls(settings)).await);
}

#[tokio::test]
async fn a_certificate_file_that_is_missing_is_named() {
    let server = TcpServer::silent();
    let result = run_tcp(to(&server).tls(TlsSettings::new().ca_file("/missing/ca.pem"))).await;
    assert_eq!(failure(&result), (Cause::Other, "cannot read /missing/ca.pem: there is no such file"));
    assert_eq!(server.accepted(), 0);
}

/// An authority, and a folder with its certificate.
struct Files {
    folder: TempDir,
    ca: Ca,
}

impl Files {
    fn new() -> Self {
        let files = Self { folder: TempDir::new().unwrap(), ca: Ca::new() };
        files.write("ca.pem", &files.ca.pem());
        files
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let result = run_tcp(Tcp::new(closed_port().to_string())).await;
    assert_eq!(failure(&result), (Cause::Refused, format!("connection to {} refused", closed_port()).as_str()));
}
