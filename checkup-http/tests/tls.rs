//! HTTPS, with valid and invalid certificates.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use checkup_core::{Cause, Check, Checkup, IntoChecker, Phase, Phases, Status, Timestamp};
use checkup_http::{Http, TlsSettings, TlsVersion};
use checkup_testkit::{Ca, HttpServer, Identity, Response, TlsOptions, TlsServer};
use support::{check, down, up};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn trusting(ca_file: impl Into<PathBuf>) -> TlsSettings {
    TlsSettings::new().ca_file(ca_file)
}

/// A certificate authority whose certificate is in a file.
struct Authority {
    ca: Ca,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let authority = Self { ca: Ca::new(), folder: TempDir::new().unwrap() };
        authority.file("ca.pem", &authority.ca.pem());
        authority
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn server(&self) -> HttpServer {
        start(self.ca.server(&["127.0.0.1", "localhost"]), TlsOptions::new())
    }
}

fn start(identity: Identity, options: TlsOptions) -> HttpServer {
    HttpServer::start_tls(identity, options, |_| Response::new(200).body("ok"))
}

#[tokio::test]
async fn a_certificate_must_be_valid() {
    let authority = Authority::new();
    let server = authority.server();
    up(Http::new(server.url("/")).tls(trusting(authority.ca_file())).must_contain("ok")).await;
    up(Http::new(server.url("/")).tls(TlsSettings::new().skip_verify(true))).await;
    let localhost = format!("https://localhost:{}/", server.addr().port());
    up(Http::new(localhost).tls(trusting(authority.ca_file())).ip_version(checkup_http::IpVersion::V4)).await;

    let stranger = Authority::new();
    let (cause, reason) = down(Http::new(server.url("/")).tls(trusting(stranger.ca_file()))).await;
    assert_eq!(cause, Cause::Tls);
    assert!(reason.contains("is not trusted"), "{reason}");

    let expired = start(authority.ca.expired_server(&["127.0.0.1"]), TlsOptions::new());
    let (cause, reason) = down(Http::new(expired.url("/")).tls(trusting(authority.ca_file()))).await;
    assert_eq!(cause, Cause::Tls);
    assert!(reason.contains("expired"), "{reason}");

    let (cause, reason) =
        down(Http::new("https://other.example/").resolve(server.addr()).tls(trusting(authority.ca_file()))).await;
    assert_eq!(cause, Cause::Tls);
    assert!(reason.contains("not valid for other.example"), "{reason}");
}

#[tokio::test]
async fn the_certificates_name_is_checked_even_if_the_address_is_set() {
    let authority = Authority::new();
    let server = start(authority.ca.server(&["search.example"]), TlsOptions::new());
    up(Http::new("https://search.example/").resolve(server.addr()).tls(trusting(authority.ca_file()))).await;
}

#[tokio::test]
async fn server_name_applies_only_to_the_urls_own_host() {
    let authority = Authority::new();
    let search = start(authority.ca.server(&["search.example"]), TlsOptions::new());
    let tls = || trusting(authority.ca_file()).server_name("search.example");
    up(Http::new(search.url("/")).tls(tls())).await;
    let (cause, reason) = down(Http::new(authority.server().url("/")).tls(tls())).await;
    assert_eq!(cause, Cause::Tls);
    assert!(reason.contains("not valid for search.example"), "{reason}");
    // A redirect to another host.
    let url = format!("https://localhost:{}/", search.addr().port());
    let redirecting = HttpServer::start_tls(authority.ca.server(&["search.example"]), TlsOptions::new(), move |_| {
        Response::new(302).header("location", url.as_str())
    });
    let http = Http::new(redirecting.url("/")).tls(tls()).follow_redirects(1).ip_version(checkup_http::IpVersion::V4);
    let (cause, reason) = down(http).await;
    assert_eq!(cause, Cause::Tls);
    assert!(reason.contains("not valid for localhost"), "{reason}");
}

#[tokio::test]
async fn a_body_without_a_declared_end_may_end_without_close_notify() {
    let authority = Authority::new();
    for (head, is_up) in [
        ("HTTP/1.1 200 OK\r\n\r\n", true),
        ("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n", false),
    ] {
        let identity = authority.ca.server(&["127.0.0.1"]);
        let server = TlsServer::start(identity, TlsOptions::new(), move |mut connection| async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                if !connection.read_buf(&mut request).await.is_ok_and(|length| length > 0) {
                    return;
                }
            }
            let _ = connection.write_all(format!("{head}ok").as_bytes()).await;
            let _ = connection.flush().await;
            // Ends the TCP connection without ending TLS.
            let _ = connection.get_mut().0.shutdown().await;
        });
        let http = Http::new(format!("https://{}/", server.addr())).tls(trusting(authority.ca_file()));
        if is_up {
            up(http.must_contain("ok").must_not_contain("error")).await;
        } else {
            let (cause, reason) = down(http.clone().must_not_contain("error")).await;
            assert_eq!(
                (cause, reason.as_str()),
                (Cause::Network, "the server closed the connection in the middle of its answer")
            );
            up(http.must_not_contain("error").lenient(true)).await;
        }
    }
}

#[tokio::test]
async fn a_client_certificate_is_presented_on_request() {
    let authority = Authority::new();
    let server = start(authority.ca.server(&["127.0.0.1"]), TlsOptions::new().client_ca(&authority.ca));
    let tls = || trusting(authority.ca_file());
    let http = |tls| Http::new(server.url("/")).tls(tls);
    let (cause, reason) = down(http(tls())).await;
    assert_eq!(
        (cause, reason.as_str()),
        (
            Cause::Tls,
            "127.0.0.1 refused the TLS handshake: it asks for a client certificate; set `client_cert_file` and \
             `client_key_file`"
        )
    );
    let client = authority.ca.client("checkup");
    let (cert, key) = (authority.file("client.pem", &client.cert_pem), authority.file("client.key", &client.key_pem));
    up(http(tls().client_cert(cert, key))).await;
}

#[tokio::test]
async fn the_minimum_version_is_enforced() {
    let authority = Authority::new();
    let options = TlsOptions::new().only(checkup_testkit::TlsVersion::Tls12);
    let server = start(authority.ca.server(&["127.0.0.1"]), options);
    let tls = || trusting(authority.ca_file());
    let http = |tls| Http::new(server.url("/")).tls(tls);
    up(http(tls())).await;
    let (cause, reason) = down(http(tls().min_version(TlsVersion::Tls13))).await;
    assert_eq!(cause, Cause::Tls, "{reason}");
}

#[tokio::test]
async fn a_missing_file_is_reported_and_tried_again() {
    let authority = Authority::new();
    let server = authority.server();
    let late = authority.folder.path().join("late.pem");
    let checkup = checkup_core::Checkup::builder()
        .check(checkup_core::Check::new("test", Http::new(server.url("/")).tls(trusting(&late))))
        .build()
        .unwrap();
    let report = checkup.check().await;
    assert!(report.results[0].reason().unwrap().contains("there is no such file"), "{report}");
    std::fs::write(late, authority.ca.pem()).unwrap();
    checkup.check().await.assert_healthy();
}

#[tokio::test]
async fn every_phase_is_reported() {
    let phases = |http: Http| async { check(http).await.attempts.remove(0).phases };
    let known = |phases: &Phases| Phase::ALL.map(|phase| phases.get(phase).is_some());
    let authority = Authority::new();
    let tls = authority.server();
    let by_name = format!("https://localhost:{}/", tls.addr().port());
    let http = Http::new(by_name).ip_version(checkup_http::IpVersion::V4).tls(trusting(authority.ca_file()));
    assert_eq!(known(&phases(http.must_contain("ok")).await), [true; 5]);
    let http = Http::new(tls.url("/")).tls(trusting(authority.ca_file()));
    assert_eq!(known(&phases(http).await), [false, true, true, true, false]);

    let to_tls = tls.url("/");
    let plain = HttpServer::start(move |request| match request.target.as_str() {
        "/redirect" => Response::new(302).header("location", to_tls.clone()),
        _ => Response::new(200).body("ok"),
    });
    assert_eq!(known(&phases(Http::new(plain.url("/"))).await), [false, true, false, true, false]);
    assert_eq!(known(&phases(Http::new(plain.url("/")).must_contain("ok")).await), [false, true, false, true, true]);
    let http = Http::new(plain.url("/redirect")).follow_redirects(1).tls(trusting(authority.ca_file()));
    assert_eq!(known(&phases(http).await), [false, true, true, true, false]);
}

/// The certificates are in a pipe, so that reading them waits until the test writes them.
#[cfg(unix)]
#[tokio::test]
async fn reading_certificates_does_not_count_as_the_servers_time() {
    const HOUR: Duration = Duration::from_secs(3600);
    let authority = Authority::new();
    let server = authority.server();
    let url = server.url("/");
    let redirecting = HttpServer::start(move |_| Response::new(302).header("location", url.as_str()));
    for (index, url) in [server.url("/"), redirecting.url("/")].into_iter().enumerate() {
        let pipe = authority.folder.path().join(format!("pipe{index}.pem"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let http = Http::new(url).tls(trusting(&pipe)).follow_redirects(1);
        let checkup = Checkup::builder().check(Check::new("test", http).timeout(24 * HOUR)).build().unwrap();
        let report = tokio::spawn(async move { checkup.check().await });
        let opened = tokio::task::spawn_blocking(|| OpenOptions::new().write(true).open(pipe));
        // Opening the pipe succeeds once both ends are open, which means that the check is reading it.
        let mut pipe = opened.await.unwrap().unwrap();
        tokio::time::pause();
        tokio::time::advance(HOUR).await;
        tokio::time::resume();
        pipe.write_all(authority.ca.pem().as_bytes()).unwrap();
        drop(pipe);
        let result = report.await.unwrap().results.remove(0);
        assert_eq!(result.status, Status::Healthy, "{result:?}");
        assert!(result.attempts[0].rtt < HOUR, "{result:?}");
    }
}

#[tokio::test]
async fn the_expiry_of_the_certificate_is_a_fact() {
    let authority = Authority::new();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let identity = authority.ca.server_valid(&["127.0.0.1"], SystemTime::UNIX_EPOCH, end);
    let server = start(identity, TlsOptions::new());
    let expiry = Some(Timestamp::from_unix_nanos(4_000_000_000_000_000_000));
    let result = check(Http::new(server.url("/")).tls(trusting(authority.ca_file()))).await;
    assert_eq!(result.status, Status::Healthy, "{result:?}");
    assert_eq!(result.facts().certificate_expiry, expiry);

    // If redirects are followed, it is that of the last target.
    let url = server.url("/");
    let redirecting = HttpServer::start(move |_| Response::new(302).header("Location", &url));
    let http = Http::new(redirecting.url("/")).tls(trusting(authority.ca_file())).follow_redirects(1);
    assert_eq!(check(http).await.facts().certificate_expiry, expiry);
    let plain = HttpServer::start(|_| Response::new(200));
    assert_eq!(check(Http::new(plain.url("/"))).await.facts().certificate_expiry, None);
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_degraded_if_the_settings_ask_for_it() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let authority = Authority::new();
    let now = SystemTime::now();
    let identity = authority.ca.server_valid(&["127.0.0.1"], now - DAY, now + 5 * DAY - Duration::from_secs(30));
    let server = start(identity, TlsOptions::new());
    let http = || Http::new(server.url("/")).tls(trusting(authority.ca_file()));
    for healthy in [http(), http().cert_expiry(4 * DAY)] {
        assert_eq!(check(healthy).await.status, Status::Healthy);
    }
    let url = server.url("/");
    let redirecting = HttpServer::start(move |_| Response::new(302).header("Location", &url));
    let redirected = Http::new(redirecting.url("/")).tls(trusting(authority.ca_file())).follow_redirects(1);
    for degraded in [http(), redirected] {
        let result = check(degraded.cert_expiry(6 * DAY)).await;
        assert_eq!(result.status, Status::Degraded, "{result:?}");
        assert!(result.reason().unwrap().starts_with("certificate expiring soon (119h59m"), "{result:?}");
    }
    let error = Http::new("http://127.0.0.1/").cert_expiry(DAY).into_checker().unwrap_err().to_string();
    assert!(error.starts_with("cert_expiry: valid only with an https:// URL"), "{error}");
}

#[tokio::test]
async fn a_replaced_ca_file_takes_effect_with_the_next_attempt() {
    let (authority, other) = (Authority::new(), Ca::new());
    let server = authority.server();
    let http = Http::new(server.url("/")).tls(trusting(authority.ca_file()));
    let checkup =
        Checkup::builder().check(Check::new("search", http).timeout(Duration::from_secs(20))).build().unwrap();
    let replace = |pem: &str| std::fs::rename(authority.file("new.pem", pem), authority.ca_file()).unwrap();
    checkup.check().await.assert_healthy();
    replace(&other.pem());
    let report = checkup.check().await;
    assert!(report.results[0].reason().unwrap().contains("is not trusted"), "{report}");
    replace(&authority.ca.pem());
    checkup.check().await.assert_healthy();
}
