//! Servers with their own dialects of S3: refused requests are made in another way, and valid responses are accepted.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkup_core::archive::{NamedFiles, Put};
use checkup_core::{StorageError, StorageErrorKind};
use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::{HttpServer, Response, S3Dialect, S3Server, TcpServer};

const BUCKET: &str = "status";
const NAME: &str = "1473318000000000000-check.json";

fn server(dialect: S3Dialect) -> S3Server {
    let server = S3Server::start();
    server.create_bucket(BUCKET);
    server.dialect(dialect);
    server
}

fn files(server: &S3Server) -> Arc<dyn NamedFiles> {
    open(S3::new(BUCKET).endpoint(server.endpoint()).access_key(server.access_key_id(), server.secret_access_key()))
}

fn open(settings: S3) -> Arc<dyn NamedFiles> {
    S3Storage::new(settings).unwrap().files()
}

fn chain(error: &StorageError) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(error) = source {
        text.push_str(&format!("; caused by: {error}"));
        source = error.source();
    }
    text
}

#[tokio::test]
async fn files_are_deleted_one_by_one_where_a_key_may_not_delete_many() {
    let server = server(S3Dialect::Ceph);
    let files = files(&server);
    for names in [["a", "b"], ["c", "d"]] {
        for name in names {
            files.put(name, b"").await.unwrap();
        }
        files.delete(&names).await.unwrap();
    }
    assert!(server.keys(BUCKET).is_empty());
    assert_eq!(server.requests().delete, 5, "one for many files, which is not asked again, and one for each file");
}

#[tokio::test]
async fn the_error_names_the_permission_if_the_key_may_not_delete_at_all() {
    for dialect in [S3Dialect::Amazon, S3Dialect::Ceph, S3Dialect::Garage] {
        let server = server(dialect);
        let files = files(&server);
        assert_eq!(files.put_if_absent(NAME, b"[]\n").await.unwrap(), Put::Created);
        server.deny_deletes(true);
        for names in [&[NAME][..], &[NAME, "a"]] {
            let text = chain(&files.delete(names).await.unwrap_err());
            assert!(text.contains("needs s3:DeleteObject on the objects"), "{dialect:?}: {text}");
        }
        assert_eq!(
            files.put_if_absent("2", b"[]\n").await.unwrap(),
            Put::Created,
            "other requests need no such permission"
        );
        server.deny_deletes(false);
        files.delete(&[NAME, "2"]).await.unwrap();
        assert!(server.keys(BUCKET).is_empty());
    }
}

#[tokio::test]
async fn an_answer_is_judged_by_its_body_not_its_content_type() {
    let server = server(S3Dialect::Swift);
    let files = files(&server);
    let names = ["a", "b", "c"];
    for name in names {
        assert_eq!(files.put_if_absent(name, b"").await.unwrap(), Put::Created);
    }
    files.delete(&names).await.unwrap();
    assert!(server.keys(BUCKET).is_empty());
    assert_eq!(server.requests().delete, 1);
}

#[tokio::test]
async fn a_success_with_an_error_or_a_page_in_its_body_is_a_failure() {
    let error = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    let page = "<!DOCTYPE html><title>Log in</title><p>Welcome<br>";
    for (body, kind, words) in [
        (error, "application/xml", "access is denied"),
        (page, "application/xml", "is not an S3 server"),
        (page, "text/html", "is not an S3 server"),
    ] {
        let server = HttpServer::start(move |_| Response::new(200).header("content-type", kind).body(body));
        let files = open(S3::new(BUCKET).endpoint(server.url("")).access_key("AKIA", "hidden"));
        for error in [
            files.put_if_absent(NAME, b"[]\n").await.unwrap_err(),
            files.list("", 10).await.unwrap_err(),
            files.delete(&["a", "b"]).await.unwrap_err(),
        ] {
            assert!(error.to_string().contains(words), "{kind}: {}", chain(&error));
        }
    }
    // Valid XML or JSON that is not a listing, such as a feed, is not an empty history.
    for body in ["<feed/>", "{}", "Index of /", ""] {
        let server = HttpServer::start(move |_| Response::new(200).body(body));
        let files = open(S3::new(BUCKET).endpoint(server.url("")).access_key("AKIA", "hidden"));
        let text = chain(&files.list("", 10).await.unwrap_err());
        assert!(text.contains("is not an S3 server") && text.contains("not a listing"), "{body:?}: {text}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed_and_the_error_says_where_it_leads() {
    for status in [301, 302, 303, 307, 308] {
        let stolen = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&stolen);
        let thief = HttpServer::start(move |request| {
            taken.lock().unwrap().push(request.headers);
            Response::new(200)
        });
        let target = thief.url("/status/x?X-Amz-Security-Token=1");
        let server = HttpServer::start(move |_| Response::new(status).header("location", target.as_str()));
        let settings = S3::new(BUCKET).endpoint(server.url("")).access_key("AKIA", "hidden").session_token("t0ken");
        let files = open(settings);
        for error in [
            files.put_if_absent(NAME, b"[]\n").await.unwrap_err(),
            files.get("summary.json").await.unwrap_err(),
            files.list("", 10).await.unwrap_err(),
            files.delete(&["a"]).await.unwrap_err(),
        ] {
            let text = chain(&error);
            let origin = thief.url("");
            assert!(text.contains(&format!("the server redirects to {origin},")), "{status}: {text}");
            assert!(text.contains("set `endpoint` and `region`") && !text.contains("Token"), "{status}: {text}");
        }
        assert!(stolen.lock().unwrap().is_empty(), "{status}: {stolen:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_region_names_the_region() {
    let server = HttpServer::start(|_| {
        Response::new(307)
            .header("location", "https://status.s3.eu-west-1.amazonaws.com/x")
            .header("x-amz-bucket-region", "eu-west-1")
            .body("<Error><Code>TemporaryRedirect</Code></Error>")
    });
    let files = open(S3::new(BUCKET).endpoint(server.url("")).access_key("AKIA", "hidden"));
    let text = chain(&files.list("", 1).await.unwrap_err());
    assert!(text.contains("set `region` to \"eu-west-1\""), "{text}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_asked_twice() {
    let server = HttpServer::start(|_| Response::new(200).delay(Duration::from_secs(3600)));
    let files =
        open(S3::new(BUCKET).endpoint(server.url("")).access_key("AKIA", "hidden").timeout(Duration::from_secs(6)));
    let error = files.put_if_absent(NAME, b"[]\n").await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Timeout, "{error}");
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_setting_covers_all_attempts_together() {
    let silent = TcpServer::silent();
    for timeout in [1, 6, 30, 50].map(Duration::from_secs) {
        let settings = S3::new(BUCKET).endpoint(format!("http://{}", silent.addr())).access_key("AKIA", "hidden");
        let files = open(settings.timeout(timeout));
        let start = tokio::time::Instant::now();
        files.put_if_absent(NAME, b"[]\n").await.unwrap_err();
        let took = start.elapsed();
        assert!(took <= timeout && took > timeout * 3 / 4, "{took:?} of {timeout:?}: two attempts, and no third");
    }
}
