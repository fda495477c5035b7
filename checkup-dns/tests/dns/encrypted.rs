//! Checks over TLS and HTTPS.

use std::fs::OpenOptions;
use std::future::pending;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use checkup_core::{Cause, IntoChecker, Phase, Status, Timestamp};
use checkup_dns::{Dns, TlsSettings, Transport};
use checkup_testkit::{Ca, Identity, TcpServer, TlsOptions, TlsServer};
use hickory_proto::op::{Message, ResponseCode};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::datagram_server::{address, bytes, empty};
use crate::https_server::Reply;
use crate::zone_server::{ZoneBuilder, ZoneServer};
use crate::{AMPLE, SHORT, assert_down, assert_healthy, check, check_within, failure, https_server};

const NAME: &str = "www.example.test";

/// Gives a busy machine time for a handshake with a server that then hangs.
const PATIENT: Duration = Duration::from_secs(1);

/// A certificate authority, and the file with its certificate.
struct Trust {
    ca: Ca,
    file: PathBuf,
    _dir: TempDir,
}

impl Trust {
    fn new() -> Self {
        let (ca, dir) = (Ca::new(), TempDir::new().unwrap());
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, ca.pem()).unwrap();
        Self { ca, file, _dir: dir }
    }

    fn identity(&self) -> Identity {
        self.ca.server(&["127.0.0.1", "dns.example.test"])
    }
}

fn example() -> Vec<ZoneBuilder> {
    vec![ZoneBuilder::example()]
}

#[tokio::test]
async fn a_server_over_tls_that_drops_edns_is_asked_again_without() {
    let trust = Trust::new();
    let server = TlsServer::start(trust.identity(), TlsOptions::new(), |mut stream| async move {
        let length = stream.read_u16().await.unwrap();
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        let query = Message::from_vec(&query).unwrap();
        if query.edns.is_some() {
            return pending::<()>().await;
        }
        let answer = bytes(&address(&query, NAME));
        stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
        stream.flush().await.unwrap();
    });
    let dns = Dns::new(server.addr().to_string()).transport(Transport::Tls).hostname(NAME);
    assert_healthy(&check(dns.tls(TlsSettings::new().ca_file(&trust.file)).expect("192.0.2.10")).await);
    assert_eq!(server.tcp().accepted(), 2);
}

/// Checks an HTTPS server that treats queries with EDNS like this, and returns how many connections it accepted.
async fn https_without_edns(refuse: impl Fn(&Message) -> Reply + Clone + Send + Sync + 'static) -> usize {
    let trust = Trust::new();
    let server = https_server::replying(trust.identity(), move |query| match query.edns {
        Some(_) => refuse(&query),
        None => Reply::Answer(address(&query, NAME)),
    });
    let dns = Dns::new(server.addr().to_string()).transport(Transport::Https).hostname(NAME);
    assert_healthy(&check(dns.tls(TlsSettings::new().ca_file(&trust.file)).expect("192.0.2.10")).await);
    server.tcp().accepted()
}

#[tokio::test]
async fn a_server_over_https_that_drops_edns_is_asked_again_without() {
    assert_eq!(https_without_edns(|_| Reply::Never).await, 2, "one connection for each query");
}

#[tokio::test]
async fn a_server_over_https_that_refuses_edns_is_asked_again_without_on_the_same_connection() {
    for code in [ResponseCode::FormErr, ResponseCode::NotImp, ResponseCode::ServFail] {
        let accepted = https_without_edns(move |query| Reply::Answer(empty(query, code))).await;
        assert_eq!(accepted, 1, "{code}");
    }
}

#[tokio::test]
async fn a_server_over_https_that_fails_because_of_edns_is_asked_again_without() {
    https_without_edns(|_| Reply::Reset).await;
    for status in [400, 500, 501] {
        https_without_edns(move |_| Reply::Status(status)).await;
    }
}

#[tokio::test]
async fn the_certificate_of_an_encrypted_server_has_its_expiry_in_results() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let trust = Trust::new();
    let now = SystemTime::now();
    let identity = || trust.ca.server_valid(&["127.0.0.1"], now - DAY, now + 5 * DAY - Duration::from_secs(30));
    let over_tls = ZoneServer::start_tls(example(), &identity()).await;
    let over_https = https_server::replying(identity(), |query| Reply::Answer(address(&query, NAME)));
    let servers = [(over_tls.addr, Transport::Tls), (over_https.addr(), Transport::Https)];
    for (server, transport) in servers {
        let server = Dns::new(server.to_string()).transport(transport).tls(TlsSettings::new().ca_file(&trust.file));
        for dns in [server.clone(), server.hostname(NAME)] {
            let result = check(dns.clone().cert_expiry(4 * DAY)).await;
            assert_healthy(&result);
            let left = result.facts().certificate_expiry.unwrap().since(Timestamp::now());
            assert!(left > 4 * DAY && left < 5 * DAY, "{left:?}");
            let result = check(dns.cert_expiry(6 * DAY)).await;
            assert_eq!(result.status, Status::Degraded, "{result:?}");
            assert!(result.reason().unwrap().starts_with("certificate expiring soon (119h59m"), "{result:?}");
        }
    }
    let error = Dns::new("127.0.0.1").cert_expiry(DAY).into_checker().unwrap_err().to_string();
    assert!(
        error.starts_with("cert_expiry: valid only with `transport` \"tls\" or \"https\", found with \"udp\""),
        "{error}"
    );
}

#[tokio::test]
async fn dns_over_tls_works() {
    let trust = Trust::new();
    let server = ZoneServer::start_tls(example(), &trust.identity()).await;
    let settings = || TlsSettings::new().ca_file(&trust.file);
    let dns = || Dns::new(server.addr.to_string()).transport(Transport::Tls).tls(settings());
    let result = check(dns().hostname(NAME).expect("192.0.2.10")).await;
    assert_healthy(&result);
    let phases = result.phases().expect("phases are marked");
    assert!(
        [Phase::Connect, Phase::Tls, Phase::FirstByte].iter().all(|phase| phases.get(*phase).is_some()),
        "{phases:?}"
    );
    assert_healthy(&check(dns().hostname(NAME).tls(settings().server_name("dns.example.test"))).await);
    assert_healthy(&check(dns()).await);
    let result = check(dns().hostname("gone.example.test")).await;
    assert_down(&result, Cause::Assertion, "gone.example.test does not exist (NXDOMAIN)");
}

#[tokio::test]
async fn dns_over_https_works() {
    let trust = Trust::new();
    let server = ZoneServer::start_https(example(), &trust.identity(), "/dns-query").await;
    let dns =
        || Dns::new(server.addr.to_string()).transport(Transport::Https).tls(TlsSettings::new().ca_file(&trust.file));
    assert_healthy(&check(dns().hostname(NAME).expect("192.0.2.10")).await);
    // Longer than a UDP packet.
    assert_healthy(&check(dns().hostname("big.example.test").expect("10.0.0.199")).await);
    assert_healthy(&check(dns()).await);
    let result = check(dns().hostname("gone.example.test")).await;
    assert_down(&result, Cause::Assertion, "gone.example.test does not exist (NXDOMAIN)");
}

#[tokio::test]
async fn the_path_of_https_can_be_set() {
    let trust = Trust::new();
    let server = ZoneServer::start_https(example(), &trust.identity(), "/resolve").await;
    let dns = Dns::new(server.addr.to_string())
        .transport(Transport::Https)
        .tls(TlsSettings::new().ca_file(&trust.file))
        .hostname(NAME);
    assert_healthy(&check(dns.clone().https_path("/resolve")).await);
    let result = check(dns).await;
    let (cause, message) = failure(&result);
    assert!(matches!(cause, Cause::Assertion | Cause::Protocol | Cause::Network), "{cause}: {message}");
}

#[tokio::test]
async fn a_bad_certificate_is_down_unless_any_is_accepted() {
    let (trust, stranger) = (Trust::new(), Trust::new());
    for transport in [Transport::Tls, Transport::Https] {
        let server = match transport {
            Transport::Tls => ZoneServer::start_tls(example(), &trust.identity()).await,
            _ => ZoneServer::start_https(example(), &trust.identity(), "/dns-query").await,
        };
        let dns = || Dns::new(server.addr.to_string()).transport(transport).hostname(NAME);
        for bad in [
            dns().tls(TlsSettings::new().ca_file(&stranger.file)),
            dns().tls(TlsSettings::new().ca_file(&trust.file).server_name("other.test")),
        ] {
            let result = check(bad).await;
            assert_eq!(failure(&result).0, Cause::Tls, "{result:?}");
        }
        assert_healthy(&check(dns().tls(TlsSettings::new().skip_verify(true))).await);
    }
}

#[tokio::test]
async fn an_expired_certificate_is_down() {
    let trust = Trust::new();
    let server = ZoneServer::start_tls(example(), &trust.ca.expired_server(&["127.0.0.1"])).await;
    for dns in [Dns::new(server.addr.to_string()), Dns::new(server.addr.to_string()).hostname(NAME)] {
        let result = check(dns.transport(Transport::Tls).tls(TlsSettings::new().ca_file(&trust.file))).await;
        let (cause, message) = failure(&result);
        assert_eq!(cause, Cause::Tls);
        assert!(message.contains("expired"), "{message}");
    }
}

#[tokio::test]
async fn tls_to_a_plain_port_is_down() {
    let server = ZoneServer::start(example()).await;
    for transport in [Transport::Tls, Transport::Https] {
        let dns = Dns::new(server.addr.to_string())
            .transport(transport)
            .tls(TlsSettings::new().skip_verify(true))
            .hostname(NAME);
        // The plain server takes the handshake for the beginning of a long query and waits for the rest.
        let result = check_within(SHORT, dns).await;
        let (cause, message) = failure(&result);
        assert!(matches!(cause, Cause::Tls | Cause::Timeout), "{cause}: {message}");
        assert!(message.to_lowercase().contains("tls"), "{message}");
    }
    let server = TcpServer::start(async |mut stream: tokio::net::TcpStream| {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example.test ESMTP\r\n").await;
    });
    let dns = Dns::new(server.addr().to_string()).transport(Transport::Tls).tls(TlsSettings::new().skip_verify(true));
    let result = check_within(AMPLE, dns.hostname(NAME)).await;
    assert_eq!(failure(&result).0, Cause::Tls, "{result:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_after_the_handshake_times_out() {
    let trust = Trust::new();
    for (transport, alpn) in [(Transport::Tls, "dot"), (Transport::Https, "h2")] {
        let server = TlsServer::silent(trust.identity(), TlsOptions::new().alpn(&[alpn]));
        let dns = Dns::new(server.addr().to_string())
            .transport(transport)
            .tls(TlsSettings::new().ca_file(&trust.file))
            .hostname(NAME);
        let result = check_within(PATIENT, dns).await;
        assert_down(&result, Cause::Timeout, "timed out after 1s waiting for the first byte of the answer");
        server.tcp().wait_idle().await;
    }
}

#[tokio::test]
async fn an_https_server_without_http2_is_down() {
    let trust = Trust::new();
    let server = TlsServer::silent(trust.identity(), TlsOptions::new());
    let dns = Dns::new(server.addr().to_string())
        .transport(Transport::Https)
        .tls(TlsSettings::new().ca_file(&trust.file))
        .hostname(NAME);
    let result = check(dns).await;
    assert_down(&result, Cause::Protocol, "the server does not speak HTTP/2, which DNS over HTTPS needs");
}

/// Checks an HTTPS server that answers with this, and returns the outcome.
async fn https_outcome(status: u16, content_type: &'static str, body: &'static [u8]) -> (Cause, String) {
    let trust = Trust::new();
    let server = https_server::start(trust.identity(), move |mut respond| async move {
        let _ = https_server::head(&mut respond, status, content_type).send_data(body.into(), true);
    });
    let dns = Dns::new(server.addr().to_string())
        .transport(Transport::Https)
        .tls(TlsSettings::new().ca_file(&trust.file))
        .hostname(NAME);
    let result = check(dns).await;
    let (cause, message) = failure(&result);
    (cause, message.to_owned())
}

#[tokio::test]
async fn an_https_answer_that_is_not_a_dns_message_is_down() {
    for (status, content_type, body, cause, message) in [
        (404, "text/html", &b"<h1>"[..], Cause::Assertion, "response status 404 Not Found"),
        (302, "text/html", b"", Cause::Assertion, "response status 302 Found"),
        (
            200,
            "text/html",
            b"<h1>",
            Cause::Protocol,
            "expected an answer of type application/dns-message, got text/html",
        ),
        (
            200,
            "application/dns-message",
            b"",
            Cause::Protocol,
            "the answer is cut off after 0 bytes; its header alone has 12",
        ),
    ] {
        assert_eq!(https_outcome(status, content_type, body).await, (cause, message.to_owned()));
    }
}

#[tokio::test]
async fn an_endless_body_is_read_up_to_the_limit_of_a_message() {
    let trust = Trust::new();
    let server = https_server::start(trust.identity(), |mut respond| async move {
        let mut body = https_server::head(&mut respond, 200, "application/dns-message");
        // Sends as much as the client accepts, for as long as it does.
        loop {
            body.reserve_capacity(16 * 1024);
            match std::future::poll_fn(|cx| body.poll_capacity(cx)).await {
                Some(Ok(capacity)) if body.send_data(vec![0; capacity].into(), false).is_ok() => {}
                _ => return,
            }
        }
    });
    let dns = Dns::new(server.addr().to_string())
        .transport(Transport::Https)
        .tls(TlsSettings::new().ca_file(&trust.file))
        .hostname(NAME);
    let result = check(dns).await;
    assert_down(&result, Cause::Protocol, "the answer is longer than 65535 bytes, the limit of DNS messages");
    server.tcp().wait_idle().await;
}

#[tokio::test]
async fn an_https_answer_that_stops_in_the_middle_times_out() {
    let trust = Trust::new();
    let server = https_server::start(trust.identity(), |mut respond| async move {
        let mut body = https_server::head(&mut respond, 200, "application/dns-message");
        let _ = body.send_data(vec![0; 4].into(), false);
        std::future::pending::<()>().await;
    });
    let dns = Dns::new(server.addr().to_string())
        .transport(Transport::Https)
        .tls(TlsSettings::new().ca_file(&trust.file))
        .hostname(NAME);
    let result = check_within(PATIENT, dns).await;
    assert_down(&result, Cause::Timeout, "timed out after 1s receiving the answer");
    server.tcp().wait_idle().await;
}

/// The certificates are in a pipe, so that reading them waits until the test writes them.
#[cfg(unix)]
#[tokio::test]
async fn reading_certificates_does_not_count_as_the_servers_time() {
    const HOUR: Duration = Duration::from_secs(3600);
    let trust = Trust::new();
    let server = ZoneServer::start_tls(example(), &trust.identity()).await;
    let dns = Dns::new(server.addr.to_string()).transport(Transport::Tls);
    for (name, dns) in [("query.pem", dns.clone().hostname(NAME)), ("connection.pem", dns)] {
        let pipe = trust.file.with_file_name(name);
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let check = tokio::spawn(check_within(24 * HOUR, dns.tls(TlsSettings::new().ca_file(&pipe))));
        let opened = tokio::task::spawn_blocking(|| OpenOptions::new().write(true).open(pipe));
        // Opening the pipe succeeds once both ends are open, which means that the check is reading it.
        let mut pipe = opened.await.unwrap().unwrap();
        tokio::time::pause();
        tokio::time::advance(HOUR).await;
        tokio::time::resume();
        pipe.write_all(trust.ca.pem().as_bytes()).unwrap();
        drop(pipe);
        let result = check.await.unwrap();
        assert_healthy(&result);
        assert!(result.attempts[0].rtt < HOUR, "{result:?}");
    }
}
