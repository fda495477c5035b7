//! When a bucket cannot be written, the error gives the reason and the remedy, and the results are in the spool.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use checkup_core::{Checkup, IntoStorage, Spool, StorageErrorKind, Timestamp, check_fn, history};
use checkup_storage_s3::S3;
use checkup_testkit::{HttpServer, Response, S3Server, TcpServer};

const BUCKET: &str = "status";

fn server() -> S3Server {
    let server = S3Server::start();
    server.create_bucket(BUCKET);
    server
}

fn settings(server: &S3Server) -> S3 {
    let key = (server.access_key_id(), server.secret_access_key());
    S3::new(BUCKET).endpoint(server.endpoint()).access_key(key.0, key.1)
}

fn checkup(settings: &S3, dir: &Path) -> Checkup {
    Checkup::builder()
        .check(check_fn("queue", || async { Ok::<_, String>(()) }))
        .storage(settings.clone())
        .spool(Spool::new(dir))
        .build()
        .unwrap()
}

/// Stores with faulty settings or a faulty server, and then with correct ones.
async fn spools(server: &S3Server, wrong: &S3, parts: &[&str]) {
    let temporary = tempfile::tempdir().unwrap();
    let checkup = |settings| checkup(settings, temporary.path());
    let wrong = checkup(wrong);
    let report = wrong.check().await;
    let error = wrong.store(&report).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Spooled, "{error:?}");
    let text = chain(&error);
    let spool = format!("kept in the spool {} (1 report waits): cannot ", temporary.path().display());
    assert!(text.starts_with(&spool), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    for secret in [server.secret_access_key(), WRONG_SECRET] {
        assert!(!format!("{text} {error:?}").contains(secret), "{text}");
    }

    // Problems that were not caused by the settings are over now.
    server.start_again();
    server.create_bucket(BUCKET);
    server.read_only(false);
    server.unavailable(false);
    server.clock_ahead(Duration::ZERO);
    let right = checkup(&settings(server));
    let next = right.check_and_store().await.unwrap();
    assert_eq!(right.spool().unwrap().waiting().await.unwrap().reports, 0);
    let storage = settings(server).into_storage().unwrap();
    let history = history::read(storage.reader().unwrap(), Timestamp::from_unix_nanos(0)).await.unwrap();
    assert_eq!(history.results, [report.results, next.results].concat());
}

const WRONG_SECRET: &str = "a+wrong+secret";

#[tokio::test]
async fn a_server_that_is_away() {
    let server = server();
    server.stop();
    let place = format!("the bucket `status` at {}", server.endpoint());
    spools(&server, &settings(&server), &[&place, "refused"]).await;
}

#[tokio::test]
async fn a_server_that_does_not_answer() {
    let (server, silent) = (server(), TcpServer::silent());
    let wrong = settings(&server).endpoint(format!("http://{}", silent.addr())).timeout(Duration::from_secs(1));
    spools(&server, &wrong, &["check the server", "in between, or raise `timeout`"]).await;
}

#[tokio::test]
async fn a_server_that_is_overloaded() {
    let server = server();
    server.unavailable(true);
    spools(&server, &settings(&server), &["fewer requests"]).await;
}

#[tokio::test]
async fn a_bucket_that_is_missing() {
    let server = S3Server::start();
    spools(&server, &settings(&server), &["there is no bucket `status`", "`checkup provision`"]).await;
}

#[tokio::test]
async fn a_key_that_is_unknown() {
    let server = server();
    let wrong = settings(&server).access_key("AKIAUNKNOWN", WRONG_SECRET);
    spools(&server, &wrong, &["the server does not know the access key", "`access_key_id`"]).await;
}

#[tokio::test]
async fn a_secret_that_is_wrong() {
    let server = server();
    let wrong = settings(&server).access_key(server.access_key_id(), WRONG_SECRET);
    spools(&server, &wrong, &["the secret of the access key is wrong", "`secret_access_key`"]).await;
}

#[tokio::test]
async fn a_key_that_may_only_read() {
    let server = server();
    server.read_only(true);
    spools(&server, &settings(&server), &["access is denied", "s3:PutObject"]).await;
}

#[tokio::test]
async fn a_clock_that_is_wrong() {
    let server = server();
    server.clock_ahead(Duration::from_secs(3600));
    spools(&server, &settings(&server), &["clock differs too much from the server's", "NTP"]).await;
}

#[tokio::test]
async fn a_region_that_is_wrong() {
    let server = server();
    let elsewhere = HttpServer::start(|_| {
        let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong region</Message>\
                    <Region>eu-north-1</Region></Error>";
        Response::new(400).body(body)
    });
    let wrong = settings(&server).endpoint(elsewhere.url("/"));
    spools(&server, &wrong, &["the bucket is in another region; set `region` to \"eu-north-1\""]).await;
}

#[tokio::test]
async fn a_server_whose_name_is_not_found() {
    let server = server();
    // The name is too long, and is therefore rejected without a lookup.
    let name = format!("{}.invalid", "a".repeat(64));
    let wrong = settings(&server).endpoint(format!("http://{name}"));
    spools(&server, &wrong, &[&format!("the bucket `status` at http://{name}: "), "resolve", &name]).await;
}

/// An error with its sources, as the command line prints it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
