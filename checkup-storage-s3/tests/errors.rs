//! Errors name the bucket, the cause and the remedy, and contain no secret.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::error::Error;
use std::time::Duration;

use checkup_core::archive::{NamedFiles, Put};
use checkup_core::{StorageError, StorageErrorKind};
use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::{Ca, HttpServer, Response, S3Server, TcpServer, TlsOptions, TlsServer, closed_port};

const NAME: &str = "1473318000000000000-check.json";

fn server() -> S3Server {
    let server = S3Server::start();
    server.create_bucket("status");
    server
}

fn settings(server: &S3Server) -> S3 {
    S3::new("status").endpoint(server.endpoint()).access_key(server.access_key_id(), server.secret_access_key())
}

async fn put(settings: S3) -> Result<Put, StorageError> {
    S3Storage::new(settings).unwrap().files().put_if_absent(NAME, b"[]\n").await
}

/// The error and all its sources.
fn text(error: &StorageError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!("; caused by: {error}"));
        source = error.source();
    }
    text
}

/// Makes a put fail, and asserts that its error names the bucket and the endpoint and contains all of these words.
async fn fails(settings: S3, words: &[&str]) -> StorageError {
    let endpoint = settings.endpoint.clone().unwrap();
    let error = put(settings).await.unwrap_err();
    let text = text(&error);
    let place = format!("the bucket `status` at {endpoint}");
    for word in words.iter().copied().chain([place.as_str()]) {
        assert!(text.contains(word), "expected {word:?} in: {text}");
    }
    assert!(!text.contains("the+secret") && !text.contains("hidden"), "{text}");
    error
}

#[tokio::test]
async fn an_unknown_access_key() {
    let server = server();
    let unknown = settings(&server).access_key("AKIAUNKNOWN", "hidden");
    fails(unknown, &["does not know the access key", "check `access_key_id`", "403 InvalidAccessKeyId"]).await;
}

#[tokio::test]
async fn a_wrong_secret() {
    let server = server();
    let wrong = settings(&server).access_key(server.access_key_id(), "hidden");
    fails(wrong, &["the secret of the access key is wrong", "check `secret_access_key`", "SignatureDoesNotMatch"])
        .await;
}

#[tokio::test]
async fn a_missing_bucket() {
    let server = S3Server::start();
    let error =
        fails(settings(&server), &["there is no bucket `status`", "checkup provision", "404 NoSuchBucket"]).await;
    assert_eq!(error.kind(), StorageErrorKind::Other, "a bucket that is missing is no file that is missing");
    for error in [
        S3Storage::new(settings(&server)).unwrap().files().get(NAME).await.unwrap_err(),
        S3Storage::new(settings(&server)).unwrap().files().list("", 1).await.unwrap_err(),
        S3Storage::new(settings(&server)).unwrap().files().delete(&[NAME]).await.unwrap_err(),
        S3Storage::new(settings(&server)).unwrap().files().delete(&[NAME, "a"]).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("there is no bucket `status`"), "{error}");
        assert_eq!(error.kind(), StorageErrorKind::Other);
    }
}

#[tokio::test]
async fn a_key_that_may_only_read() {
    let server = server();
    server.read_only(true);
    fails(settings(&server), &["access is denied", "s3:PutObject", "403 AccessDenied"]).await;
    server.put("status", NAME, "[]\n");
    let files = S3Storage::new(settings(&server)).unwrap().files();
    for names in [&[NAME][..], &[NAME, "a"]] {
        let error = files.delete(names).await.unwrap_err();
        assert!(error.to_string().contains("access is denied"), "{error}");
    }
    assert_eq!(files.get(NAME).await.unwrap(), b"[]\n");
}

#[tokio::test]
async fn a_clock_that_is_wrong() {
    let server = server();
    server.clock_ahead(Duration::from_secs(3600));
    let error = fails(settings(&server), &["clock", "behind", "NTP", "403 RequestTimeTooSkewed"]).await.to_string();
    assert!(error.contains("(3600 s behind)") || error.contains("(3599 s behind)"), "{error}");
}

#[tokio::test]
async fn a_bucket_in_another_region() {
    // Amazon's two answers: to a signature for another region, and to a request to another region's endpoint.
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; expecting \
        'eu-west-1'</Message><Region>eu-west-1</Region></Error>";
    let moved = "<Error><Code>PermanentRedirect</Code><Message>must be addressed using the specified endpoint</Message></Error>";
    for (status, body) in [(400, malformed), (301, moved)] {
        let server =
            HttpServer::start(move |_| Response::new(status).header("x-amz-bucket-region", "eu-west-1").body(body));
        let settings = S3::new("status").endpoint(server.url("")).access_key("AKIA", "hidden");
        fails(settings, &["in another region", "set `region` to \"eu-west-1\""]).await;
    }
}

#[tokio::test]
async fn credentials_that_have_expired_or_a_wrong_token() {
    for (code, words) in [("ExpiredToken", "has expired; get new"), ("InvalidToken", "check `session_token`")] {
        let body = format!("<Error><Code>{code}</Code><Message>The token t0ken-hidden is bad</Message></Error>");
        let server = HttpServer::start(move |_| Response::new(400).body(body.clone()));
        let settings =
            S3::new("status").endpoint(server.url("")).access_key("AKIA", "hidden").session_token("t0ken-hidden");
        fails(settings, &[words, "The token [redacted] is bad"]).await;
    }
}

#[tokio::test]
async fn no_part_of_a_secret_is_shown() {
    // The token straddles the end of the text that is shown, in a message and in a code.
    let token = format!("t0ken-hidden{}", "abcdefgh".repeat(100));
    for (code, message) in [
        ("InvalidToken".to_owned(), format!("{} {token}", "x".repeat(275))),
        (format!("{}{token}", "C".repeat(50)), "no".to_owned()),
    ] {
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message><Region>{token}</Region></Error>");
        let server = HttpServer::start(move |_| Response::new(403).body(body.clone()));
        let settings =
            S3::new("status").endpoint(server.url("")).access_key("AKIA", "hidden").session_token(token.as_str());
        let error = fails(settings, &["[redacted]"]).await;
        let shown = format!("{} {error:?}", text(&error));
        assert!(!shown.contains("t0ken") && shown.len() < 2000, "{shown}");
    }
}

#[tokio::test]
async fn a_404_from_another_kind_of_server_is_not_a_missing_file() {
    let page = "<html>Not here</html>";
    for (status, words) in [
        (404, "no S3 server answers there"),
        (501, "does not support this request"),
        (405, "does not support this request"),
    ] {
        let website = HttpServer::start(move |_| Response::new(status).header("content-type", "text/html").body(page));
        let settings = S3::new("status").endpoint(website.url("")).access_key("AKIA", "hidden");
        let error = fails(settings.clone(), &[words, "`endpoint`"]).await;
        assert_eq!(error.kind(), StorageErrorKind::Other);
        let error = S3Storage::new(settings).unwrap().files().list("", 10).await.unwrap_err();
        assert!(error.kind() == StorageErrorKind::Other && error.to_string().contains(words), "{error}");
    }
    // For a file that is read, a plain 404 is enough to say that it does not exist.
    let server = HttpServer::start(|_| Response::new(404));
    let settings = S3::new("status").endpoint(server.url("")).access_key("AKIA", "hidden");
    let error = S3Storage::new(settings).unwrap().files().get(NAME).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains("it does not exist")), (StorageErrorKind::NotFound, true));
}

#[tokio::test]
async fn a_port_where_nothing_listens() {
    let endpoint = format!("http://{}", closed_port());
    let settings = S3::new("status").endpoint(endpoint).access_key("AKIA", "hidden");
    fails(settings, &["nothing listens there", "connection refused"]).await;
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    let settings = S3::new("status").endpoint("http://no-such-host.invalid:9000").access_key("AKIA", "hidden");
    fails(settings, &["name cannot be resolved", "no-such-host.invalid"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer() {
    let silent = TcpServer::silent();
    let settings = S3::new("status").endpoint(format!("http://{}", silent.addr())).access_key("AKIA", "hidden");
    let error = fails(settings, &["did not answer in time", "raise `timeout`"]).await;
    assert_eq!(error.kind(), StorageErrorKind::Timeout);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted() {
    let ca = Ca::new();
    let server = TlsServer::start(ca.server(&["127.0.0.1"]), TlsOptions::default(), |_| async {});
    let settings =
        S3::new("status").endpoint(format!("https://127.0.0.1:{}", server.addr().port())).access_key("AKIA", "hidden");
    fails(settings, &["the TLS connection failed", "certificate"]).await;
}

#[tokio::test]
async fn a_server_that_has_a_fault_or_does_not_speak_s3() {
    let broken = HttpServer::start(|_| Response::new(500).body("<html>oops</html>"));
    let settings = |server: &HttpServer| S3::new("status").endpoint(server.url("")).access_key("AKIA", "hidden");
    fails(settings(&broken), &["the server has a fault; try again later", "500 Internal Server Error"]).await;
    assert!(broken.requests() > 1, "a fault may be gone the next time");
    let website =
        HttpServer::start(|_| Response::new(200).header("content-type", "text/html").body("<html>Welcome!</html>"));
    fails(settings(&website), &["is not an S3 server", "a web page"]).await;
    let files = S3Storage::new(settings(&website)).unwrap().files();
    for error in [files.list("", 10).await.unwrap_err(), files.delete(&[NAME, "a"]).await.unwrap_err()] {
        assert!(error.to_string().contains("is not an S3 server"), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_is_read_up_to_a_limit() {
    let body = format!("<Error><Code>AccessDenied</Code><Message>{}</Message></Error>", "x".repeat(1 << 20));
    let wordy = HttpServer::start(move |_| Response::new(403).body(body.clone()));
    let settings = S3::new("status").endpoint(wordy.url("")).access_key("AKIA", "hidden");
    fails(settings, &["access is denied", "the server answered 403 Forbidden"]).await;
}

#[tokio::test]
async fn anonymous_access_that_is_not_allowed() {
    let server = server();
    let anyone = S3::new("status").endpoint(server.endpoint()).anonymous(true);
    fails(anyone.clone(), &["without an access key", "key instead of `anonymous`"]).await;
    server.anyone_may_read(true);
    server.put("status", NAME, "[]\n");
    let files = S3Storage::new(anyone).unwrap().files();
    assert_eq!(files.list("", 10).await.unwrap(), [NAME]);
    assert_eq!(files.get(NAME).await.unwrap(), b"[]\n");
}
