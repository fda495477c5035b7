//! The table of refusals: each server's response for each cause, with our explanation and remedy.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::error::Error;
use std::time::Duration;

use checkup_core::archive::NamedFiles;
use checkup_core::{StorageError, StorageErrorKind};
use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::{S3Cause, S3Refusal, S3Server};

const NAME: &str = "1473318000000000000-check.json";

/// What the message must say for this cause: the reason, and what to do.
fn words(cause: S3Cause) -> [&'static str; 2] {
    match cause {
        S3Cause::UnknownKey => ["does not know the access key", "check `access_key_id`"],
        S3Cause::WrongSecret => ["the secret of the access key is wrong", "check `secret_access_key`"],
        S3Cause::ExpiredToken => ["the session token has expired", "get new credentials"],
        S3Cause::WrongClock => ["clock differs too much", "NTP"],
        S3Cause::NoAnonymous => ["without an access key|no access without", "instead of `anonymous`"],
        S3Cause::Denied => ["access is denied", "needs s3:"],
        S3Cause::NoBucket => ["there is no bucket `status`", "make it with `checkup provision`"],
        S3Cause::OtherRegion => ["the bucket is in another region", "set `region`"],
        S3Cause::QuotaFull => ["the quota of the bucket", "raise it"],
        S3Cause::ServerFull => ["the server's disks are full", "free some space"],
        S3Cause::NoStorageClass => ["does not have the storage class \"REDUCED\"", "set another `storage_class`"],
        S3Cause::Archived => ["archived", "restore it"],
        S3Cause::CustomerKey => ["SSE-C", "with the bucket's own encryption"],
        S3Cause::Kms => ["the key in KMS", "kms:GenerateDataKey"],
        S3Cause::Suspended => ["is suspended", "use another key"],
        S3Cause::Busy => ["asks for fewer requests", "try again later"],
        S3Cause::Fault => ["asks for fewer requests|has a fault", "try again later"],
        S3Cause::NotS3 => ["no S3 server answers there|does not support this request", "`endpoint`"],
        other => panic!("no words are expected of {other:?}: add them"),
    }
}

fn chain(error: &StorageError) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(error) = source {
        text.push_str(&format!("; caused by: {error}"));
        source = error.source();
    }
    text
}

/// The errors of each request that the storage makes while the server refuses them all.
async fn errors(refusal: &'static S3Refusal) -> Vec<(&'static str, StorageError)> {
    let server = S3Server::start();
    server.create_bucket("status");
    server.refuse_all(Some(refusal));
    // The minimum of retries, since this test is not about them.
    let settings = S3::new("status").endpoint(server.endpoint()).timeout(Duration::from_secs(1));
    let settings = match refusal.cause {
        S3Cause::NoAnonymous => settings.anonymous(true),
        S3Cause::ExpiredToken => settings.access_key(server.access_key_id(), "hidden").session_token("t0ken"),
        _ => settings.access_key(server.access_key_id(), "hidden"),
    };
    let files = S3Storage::new(settings.storage_class("REDUCED")).unwrap().files();
    let put = || async { files.put_if_absent(NAME, b"[]\n").await.unwrap_err() };
    match refusal.cause {
        // Of a file, that it does not exist is all that a server need say.
        S3Cause::NotS3 if refusal.status == 404 => {
            vec![("put", put().await), ("list", files.list("", 10).await.unwrap_err())]
        }
        // These causes apply only to puts, or only to reads.
        S3Cause::QuotaFull | S3Cause::ServerFull | S3Cause::NoStorageClass => vec![("put", put().await)],
        S3Cause::Archived | S3Cause::CustomerKey => vec![("get", files.get(NAME).await.unwrap_err())],
        _ => vec![
            ("put", put().await),
            ("get", files.get(NAME).await.unwrap_err()),
            ("list", files.list("", 10).await.unwrap_err()),
            ("delete", files.delete(&[NAME]).await.unwrap_err()),
            ("delete many", files.delete(&[NAME, "a"]).await.unwrap_err()),
        ],
    }
}

#[tokio::test]
async fn every_refusal_of_every_server_has_an_explanation_and_a_remedy() {
    for refusal in S3Refusal::all() {
        for (request, error) in errors(refusal).await {
            // A website answers 404 for each file, which is enough to say that it does not exist.
            let text = chain(&error);
            for alternatives in words(refusal.cause) {
                let is_said = alternatives.split('|').any(|words| text.contains(words));
                assert!(
                    is_said,
                    "{:?} {:?} {request}: expected {alternatives:?} in: {text}",
                    refusal.dialect, refusal.cause
                );
            }
            assert!(text.contains("the bucket `status` at http://127.0.0.1"), "{text}");
            assert!(text.contains(&format!("the server answered {}", refusal.status)), "{text}");
            assert!(!text.contains("hidden") && !text.contains("t0ken"), "{text}");
            assert_ne!(error.kind(), StorageErrorKind::NotFound, "{text}");
        }
    }
}
