//! Checks of real servers on loopback, through the engine.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use checkup_core::{Cause, Check, CheckResult, Checkup, IntoChecker, Phase, Status, Timestamp};
use checkup_net::{IpVersion, TlsVersion as MinVersion};
use checkup_tcp::{Expect, StartTls, Tcp, TlsSettings};
use checkup_testkit::{Ca, TcpServer, TlsOptions, TlsServer, TlsVersion, closed_port};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Long enough that only a server that hangs exceeds it.
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

/// A server of a line protocol: answers each line with the result of the function, and closes on `None`.
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

/// Sends a greeting, then reads until the connection ends.
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
    assert!(phases.iter().map(|(phase, _)| phase).eq([Phase::Connect]), "{phases:?}");
    server.wait_accepted(1).await;
    server.wait_idle().await;
}

#[tokio::test]
async fn names_are_resolved() {
    let server = TcpServer::silent();
    let result = run_tcp(Tcp::new(format!("localhost:{}", server.addr().port()))).await;
    assert_healthy(&result);
    assert!(result.phases().unwrap().get(Phase::Dns).is_some());
    let v4 = Tcp::new(format!("localhost:{}", server.addr().port())).ip_version(IpVersion::V4);
    assert_healthy(&run_tcp(v4).await);
}

#[tokio::test]
async fn ipv6_addresses_are_in_brackets() {
    // If this machine has no IPv6, the address cannot be bound, and there is nothing to check.
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
async fn a_redis_that_requires_a_password_is_quoted_in_the_timeout() {
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
async fn an_answer_in_several_pieces_is_put_together() {
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
    // The server never ends its answer.
    let result = run_tcp(to(&greeting(b"220 ready\r\n")).expect(Expect::Matches("^220 ".into()))).await;
    assert_healthy(&result);
    assert!(result.phases().unwrap().get(Phase::FirstByte).is_some());
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
        assert!(result.phases().unwrap().get(Phase::Tls).is_some());
        server.tcp().wait_idle().await;
    }
    let (_server, named) = tcp(TlsVersion::Tls13);
    assert_healthy(&run_tcp(named.tls(settings().server_name("localhost"))).await);
    let (_server, modern) = tcp(TlsVersion::Tls12);
    let result = run_tcp(modern.tls(settings().min_version(MinVersion::Tls13))).await;
    assert_eq!(
        failure(&result),
        (
            Cause::Tls,
            "127.0.0.1 refused the TLS handshake: it does not speak the TLS versions that are allowed; enable TLS 1.2 or 1.3 \
             on it, or lower `min_version`"
        )
    );
}

#[tokio::test]
async fn tls_that_ends_without_close_notify_is_judged_by_what_has_come() {
    let files = Files::new();
    let greeting = |answer: &'static [u8]| {
        TlsServer::start(files.ca.server(&["127.0.0.1"]), TlsOptions::new(), move |mut stream| async move {
            let _ = stream.write_all(answer).await;
            let _ = stream.flush().await;
            // The connection ends under TLS: no `close_notify`.
            let (tcp, _) = stream.into_inner();
            drop(tcp);
        })
    };
    let check = |server: &TlsServer, expect: Expect| {
        let tls = TlsSettings::new().ca_file(files.ca_file());
        run_tcp(Tcp::new(server.addr().to_string()).tls(tls).expect(expect))
    };
    let server = greeting(b"220 ready\r\n");
    assert_healthy(&check(&server, "220 ready".into()).await);
    assert_healthy(&check(&server, Expect::Matches(r"ready\r\n$".into())).await);
    let result = check(&server, "250 done".into()).await;
    let expected = (Cause::Assertion, r"answer does not contain '250 done' (got '220 ready\r\n')");
    assert_eq!(failure(&result), expected);
    let result = check(&greeting(b""), "220".into()).await;
    assert_eq!(failure(&result), (Cause::Network, "the server closed the connection without an answer"));
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
        (
            Cause::Tls,
            "127.0.0.1 refused the TLS handshake: it asks for a client certificate; set `client_cert_file` and \
             `client_key_file`"
        )
    );
    let client = files.ca.client("checkup");
    let settings =
        settings.client_cert(files.write("client.pem", &client.cert_pem), files.write("client.key", &client.key_pem));
    assert_healthy(&run_tcp(tcp.tls(settings)).await);
}

#[tokio::test]
async fn the_expiry_of_the_certificate_is_a_fact() {
    let files = Files::new();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let identity = files.ca.server_valid(&["127.0.0.1"], SystemTime::UNIX_EPOCH, end);
    let server = TlsServer::silent(identity, TlsOptions::new());
    let result = run_tcp(Tcp::new(server.addr().to_string()).tls(TlsSettings::new().ca_file(files.ca_file()))).await;
    assert_healthy(&result);
    let expiry = Timestamp::from_unix_nanos(4_000_000_000_000_000_000);
    assert_eq!(result.facts().certificate_expiry, Some(expiry));
    let plain = TcpServer::silent();
    assert_eq!(run_tcp(to(&plain)).await.facts().certificate_expiry, None);
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_degraded_if_the_settings_ask_for_it() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let files = Files::new();
    let now = SystemTime::now();
    let server = |end| TlsServer::silent(files.ca.server_valid(&["127.0.0.1"], now - 9 * DAY, end), TlsOptions::new());
    let check = |server: &TlsServer, tls: TlsSettings| Tcp::new(server.addr().to_string()).tls(tls);
    let trusting = || TlsSettings::new().ca_file(files.ca_file());
    let soon = server(now + 5 * DAY - Duration::from_secs(30));
    assert_healthy(&run_tcp(check(&soon, trusting())).await);
    assert_healthy(&run_tcp(check(&soon, trusting()).cert_expiry(4 * DAY)).await);
    let result = run_tcp(check(&soon, trusting()).cert_expiry(6 * DAY)).await;
    assert_eq!(result.status, Status::Degraded, "{result:?}");
    assert!(result.reason().unwrap().starts_with("certificate expiring soon (119h59m"), "{result:?}");
    let expired = server(now - 3 * DAY);
    let unverified = || TlsSettings::new().skip_verify(true);
    assert_healthy(&run_tcp(check(&expired, unverified())).await);
    let result = run_tcp(check(&expired, unverified()).cert_expiry(DAY)).await;
    assert!(failure(&result).1.starts_with("certificate expired 72h0m"), "{result:?}");
    let error = Tcp::new("db:1").cert_expiry(DAY).into_checker().unwrap_err().to_string();
    assert_eq!(error, "cert_expiry: valid only with `tls`; set `tls`, or remove this");
}

#[tokio::test]
async fn a_server_changes_to_tls_before_it_is_talked_to() {
    let files = Files::new();
    let acceptor = TlsOptions::new().acceptor(&files.ca.server(&["127.0.0.1"]));
    let server = TcpServer::start(move |mut connection| {
        let acceptor = acceptor.clone();
        async move {
            connection.write_all(b"220 ready\r\n").await.unwrap();
            let mut command = [0; 22];
            connection.read_exact(&mut command).await.unwrap();
            connection.write_all(b"250 STARTTLS\r\n").await.unwrap();
            connection.read_exact(&mut command[..10]).await.unwrap();
            connection.write_all(b"220 begin\r\n").await.unwrap();
            let Ok(mut connection) = acceptor.accept(connection).await else { return };
            connection.read_exact(&mut command[..6]).await.unwrap();
            let answer: &[u8] = if command.starts_with(b"NOOP\r\n") { b"250 over TLS\r\n" } else { b"500 no\r\n" };
            connection.write_all(answer).await.unwrap();
            let _ = connection.read_to_end(&mut Vec::new()).await;
        }
    });
    let tls = TlsSettings::new().ca_file(files.ca_file());
    let tcp = to(&server).tls(tls).starttls(StartTls::Smtp).send("NOOP\r\n").expect("250 over TLS");
    let result = run_tcp(tcp).await;
    assert_healthy(&result);
    assert!(result.facts().certificate_expiry.is_some());
    let error = Tcp::new("db:1").starttls(StartTls::Smtp).into_checker().unwrap_err().to_string();
    assert_eq!(error, "starttls: valid only with `tls`; set `tls`, or remove this");
}

#[tokio::test]
async fn replaced_certificate_files_take_effect_with_the_next_attempt() {
    let (files, other) = (Files::new(), Ca::new());
    let server = TlsServer::silent(files.ca.server(&["127.0.0.1"]), TlsOptions::new());
    let tcp = Tcp::new(server.addr().to_string()).tls(TlsSettings::new().ca_file(files.ca_file()));
    let checkup = Checkup::builder().check(Check::new("tcp", tcp).timeout(PATIENCE)).build().unwrap();
    let replace = |pem: &str| std::fs::rename(files.write("new.pem", pem), files.ca_file()).unwrap();
    checkup.check().await.assert_healthy();
    for (pem, words) in [(other.pem().as_str(), "is not trusted"), ("half", "ca.pem: the file is not PEM")] {
        replace(pem);
        let report = checkup.check().await;
        assert!(report.results[0].reason().unwrap().contains(words), "{report}");
        replace(&files.ca.pem());
        checkup.check().await.assert_healthy();
    }
}

#[tokio::test]
async fn a_text_is_sent_as_it_is() {
    let server = TcpServer::start(|mut connection| async move {
        let mut received = [0; 8];
        let _ = connection.read_exact(&mut received).await;
        let _ = connection.write_all(&received).await;
    });
    assert_healthy(&run_tcp(to(&server).send(" a \r\n b\n").expect(" a \r\n b\n")).await);
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
