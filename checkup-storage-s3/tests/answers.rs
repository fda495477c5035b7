//! Objects that other programs put into the bucket, and answers that servers rarely give.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::error::Error;
use std::sync::{Arc, Mutex};

use checkup_core::archive::{NamedFiles, Put};
use checkup_core::{StorageMaintainer, StorageReader, Timestamp};
use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::{HttpServer, Response, S3Server};

const BUCKET: &str = "status";
const NAME: &str = "1473318000000000000-check.json";

fn settings(server: &HttpServer) -> S3 {
    S3::new(BUCKET).endpoint(server.url("")).access_key("AKIA", "hidden")
}

/// A server that answers the first requests of this method with `first`, and later ones correctly. Also returns the requests
/// that it has seen.
fn server(method: &'static str, first: Vec<Response>) -> (HttpServer, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let first = Mutex::new(first.into_iter());
    let requests = Arc::clone(&seen);
    let server = HttpServer::start(move |request| {
        let is_conditional = request.header("if-none-match").is_some();
        requests.lock().unwrap().push(format!("{}{}", request.method, if is_conditional { " if free" } else { "" }));
        let first = if request.method == method { first.lock().unwrap().next() } else { None };
        match first {
            Some(response) => response,
            None if request.method == "HEAD" => Response::new(404),
            None => Response::new(200).header("etag", "\"1\""),
        }
    });
    (server, seen)
}

fn refusal(status: u16, code: &str) -> Response {
    Response::new(status).body(format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
}

#[tokio::test]
async fn objects_with_strange_names_are_ignored() {
    for prefix in ["", "checks/"] {
        let server = S3Server::start();
        server.create_bucket(BUCKET);
        for key in ["/x", "./z", "../z", ".", "1//x", "1473318000000000000//x", "A/./z", "~/../z", ".."] {
            server.put(BUCKET, &format!("{prefix}{key}"), "alien");
        }
        server.put(BUCKET, &format!("{prefix}{NAME}"), "[]\n");
        let settings = S3::new(BUCKET)
            .endpoint(server.endpoint())
            .access_key(server.access_key_id(), server.secret_access_key())
            .prefix(prefix);
        let storage = S3Storage::new(settings).unwrap();
        for from in ["", "0", "1", "1473318000000000000"] {
            assert_eq!(storage.files().list(from, 10).await.unwrap(), [NAME], "from {from:?} in {prefix:?}");
        }
        let names = storage.list(Timestamp::from_unix_nanos(0)).await.unwrap();
        assert_eq!(names.len(), 1);
        storage.maintain().await.unwrap();
    }
}

#[tokio::test]
async fn an_object_with_a_line_break_in_its_name_is_not_listed() {
    let page = |keys: &[&str]| {
        let about = "<LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>3</Size>";
        let objects: String = keys.iter().map(|key| format!("<Contents><Key>{key}</Key>{about}</Contents>")).collect();
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>")
    };
    let page = page(&["1&#10;2", NAME, "2&#x7;-check.json"]);
    let server =
        HttpServer::start(move |_| Response::new(200).header("content-type", "application/xml").body(page.clone()));
    let files = S3Storage::new(settings(&server)).unwrap().files();
    assert_eq!(files.list("0", 10).await.unwrap(), [NAME]);
}

#[tokio::test]
async fn an_endless_listing_is_read_up_to_a_limit() {
    let page = format!("<ListBucketResult>{}", " ".repeat(17 << 20));
    let server =
        HttpServer::start(move |_| Response::new(200).header("content-type", "application/xml").body(page.clone()));
    let error = S3Storage::new(settings(&server)).unwrap().files().list("0", 10).await.unwrap_err();
    let source = error.source().unwrap().to_string();
    assert!(source.contains("longer than 16 MiB"), "{error}: {source}");
}

#[tokio::test]
async fn a_put_that_reached_the_server_too_slowly_is_repeated_unchanged() {
    let (server, seen) = server("PUT", vec![refusal(400, "RequestTimeout")]);
    let files = S3Storage::new(settings(&server)).unwrap().files();
    assert_eq!(files.put_if_absent(NAME, b"[]\n").await.unwrap(), Put::Created);
    assert_eq!(*seen.lock().unwrap(), ["PUT if free", "PUT if free"]);
}

#[tokio::test]
async fn a_put_that_always_reaches_the_server_too_slowly_is_reported() {
    let (server, seen) = server("PUT", vec![refusal(400, "RequestTimeout"); 20]);
    let error = S3Storage::new(settings(&server)).unwrap().files().put_if_absent(NAME, b"[]\n").await.unwrap_err();
    assert!(error.to_string().contains("did not get the request in time"), "{error}");
    assert!(seen.lock().unwrap().iter().all(|request| request == "PUT if free"), "{:?}", seen.lock().unwrap());
}

#[tokio::test]
async fn only_requests_that_a_server_never_supports_are_not_repeated() {
    for (response, stays) in [
        (refusal(400, "InvalidArgument"), true),
        (refusal(400, "InvalidRequest"), true),
        (refusal(400, "NotImplemented"), true),
        (refusal(501, "NotImplemented"), true),
        (Response::new(405), true),
        (Response::new(400), false),
        (refusal(400, "IncompleteBody"), false),
    ] {
        let (server, seen) = server("PUT", vec![response.clone()]);
        let files = S3Storage::new(settings(&server)).unwrap().files();
        for name in ["a", "b"] {
            assert_eq!(files.put_if_absent(name, b"").await.unwrap(), Put::Created, "{response:?}");
        }
        let second = if stays { &["HEAD", "PUT"][..] } else { &["PUT if free"] };
        assert_eq!(*seen.lock().unwrap(), [&["PUT if free", "HEAD", "PUT"][..], second].concat(), "{response:?}");
    }
}

#[tokio::test]
async fn a_bulk_delete_that_failed_once_is_tried_again() {
    let (server, seen) = server("POST", vec![refusal(400, "IncompleteBody"), refusal(400, "IncompleteBody")]);
    let files = S3Storage::new(settings(&server)).unwrap().files();
    for _ in 0..2 {
        files.delete(&["a", "b"]).await.unwrap();
    }
    assert_eq!(*seen.lock().unwrap(), ["POST", "DELETE", "DELETE", "POST", "DELETE", "DELETE"]);
}
