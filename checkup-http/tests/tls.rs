//! HTTPS, with certificates good and bad.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use checkup_core::{Cause, Check, Checkup, Phases, Status};
use checkup_http::{Http, TlsVersion};
use checkup_testkit::{Ca, HttpServer, Identity, Response, TlsOptions};
use support::{check, down, up};
use tempfile::TempDir;

/// An authority whose certificate is in a file.
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
    up(Http::new(server.url("/")).tls_ca_file(authority.ca_file()).must_contain("ok")).await;
    up(Http::new(server.url("/")).tls_skip_verify(true)).await;
    let localhost = format!("https://localhost:{}/", server.addr().port());
    up(Http::new(localhost).tls_ca_file(authority.ca_file()).ip_version(checkup_http::IpVersion::V4)).await;

    let stranger = Authority::new();
    let (cause, reason) = down(Http::new(server.url("/")).tls_ca_file(stranger.ca_file())).await;
    assert_eq!(cause, Cause::Tls);
    assert!(reason.contains("is not trusted"), "{reason}");

    let expired = start(authority.ca.expired_server(&["127.0.0.1"]), TlsOptions::new());
    let (cause, reason) = down(Http::new(expired.url("/")).tls_ca_file(authority.ca_file())).await;
    assert_eq!(cause, Cause::Tls);
    assert!(reason.contains("expired"), "{reason}");

    let (cause, reason) =
        down(Http::new("https://other.example/").resolve(server.addr()).tls_ca_file(authority.ca_file())).await;
    assert_eq!(cause, Cause::Tls);
    assert!(reason.contains("not valid for other.example"), "{reason}");
}

#[tokio::test]
async fn the_name_stays_when_the_address_is_given() {
    let authority = Authority::new();
    let server = start(authority.ca.server(&["search.example"]), TlsOptions::new());
    up(Http::new("https://search.example/").resolve(server.addr()).tls_ca_file(authority.ca_file())).await;
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_those_who_ask() {
    let authority = Authority::new();
    let server = start(authority.ca.server(&["127.0.0.1"]), TlsOptions::new().client_ca(&authority.ca));
    let http = || Http::new(server.url("/")).tls_ca_file(authority.ca_file());
    let (cause, reason) = down(http()).await;
    assert_eq!(
        (cause, reason.as_str()),
        (Cause::Tls, "127.0.0.1 refused the TLS handshake: it asks for a client certificate")
    );
    let client = authority.ca.client("checkup");
    let (cert, key) = (authority.file("client.pem", &client.cert_pem), authority.file("client.key", &client.key_pem));
    up(http().tls_client_cert(cert, key)).await;
}

#[tokio::test]
async fn the_lowest_version_holds() {
    let authority = Authority::new();
    let options = TlsOptions::new().only(checkup_testkit::TlsVersion::Tls12);
    let server = start(authority.ca.server(&["127.0.0.1"]), options);
    let http = || Http::new(server.url("/")).tls_ca_file(authority.ca_file());
    up(http()).await;
    let (cause, reason) = down(http().tls_min_version(TlsVersion::Tls13)).await;
    assert_eq!(cause, Cause::Tls, "{reason}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_and_tried_again() {
    let authority = Authority::new();
    let server = authority.server();
    let late = authority.folder.path().join("late.pem");
    let checkup = checkup_core::Checkup::builder()
        .check(checkup_core::Check::new("test", Http::new(server.url("/")).tls_ca_file(&late)))
        .build()
        .unwrap();
    let report = checkup.check().await;
    assert!(report.results[0].reason().unwrap().contains("there is no such file"), "{report}");
    std::fs::write(late, authority.ca.pem()).unwrap();
    checkup.check().await.assert_healthy();
}

#[tokio::test]
async fn every_phase_is_told() {
    let phases = |http: Http| async { *check(http).await.attempts.remove(0).phases.unwrap() };
    let told = |phases: &Phases| {
        [phases.dns, phases.connect, phases.tls, phases.first_byte, phases.transfer].map(|phase| phase.is_some())
    };
    let authority = Authority::new();
    let tls = authority.server();
    let by_name = format!("https://localhost:{}/", tls.addr().port());
    let http = Http::new(by_name).ip_version(checkup_http::IpVersion::V4).tls_ca_file(authority.ca_file());
    assert_eq!(told(&phases(http.must_contain("ok")).await), [true; 5]);
    let http = Http::new(tls.url("/")).tls_ca_file(authority.ca_file());
    assert_eq!(told(&phases(http).await), [false, true, true, true, false]);

    let to_tls = tls.url("/");
    let plain = HttpServer::start(move |request| match request.target.as_str() {
        "/redirect" => Response::new(302).header("location", to_tls.clone()),
        _ => Response::new(200).body("ok"),
    });
    assert_eq!(told(&phases(Http::new(plain.url("/"))).await), [false, true, false, true, false]);
    assert_eq!(told(&phases(Http::new(plain.url("/")).must_contain("ok")).await), [false, true, false, true, true]);
    let http = Http::new(plain.url("/redirect")).follow_redirects(1).tls_ca_file(authority.ca_file());
    assert_eq!(told(&phases(http).await), [false, true, true, true, false]);
}

/// Certificates come through a pipe here, so that reading them waits until the test writes.
#[cfg(unix)]
#[tokio::test]
async fn reading_certificates_is_not_the_servers_time() {
    const HOUR: Duration = Duration::from_secs(3600);
    let authority = Authority::new();
    let server = authority.server();
    let url = server.url("/");
    let redirecting = HttpServer::start(move |_| Response::new(302).header("location", url.as_str()));
    for (index, url) in [server.url("/"), redirecting.url("/")].into_iter().enumerate() {
        let pipe = authority.folder.path().join(format!("pipe{index}.pem"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let http = Http::new(url).tls_ca_file(&pipe).follow_redirects(1);
        let checkup = Checkup::builder().check(Check::new("test", http).timeout(24 * HOUR)).build().unwrap();
        let report = tokio::spawn(async move { checkup.check().await });
        let opened = tokio::task::spawn_blocking(|| OpenOptions::new().write(true).open(pipe));
        // Both ends are open: the check reads.
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
