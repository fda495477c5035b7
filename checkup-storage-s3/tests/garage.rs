//! The contracts and the table of refusals against a real Garage server, which `.ci/garage` starts.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use checkup_core::archive::NamedFiles;
use checkup_core::{StorageError, StorageErrorKind};
use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::TcpServer;
use checkup_testkit::conformance::{NamedFilesFixture, StorageFixture};
use tokio::runtime::Runtime;

const BUCKET: &str = "checks";
/// A bucket that may hold one object.
const TINY: &str = "tiny";
const NAME: &str = "1473318000000000000-check.json";

static PREFIXES: AtomicUsize = AtomicUsize::new(0);

fn key() -> (String, String) {
    let key = env::var("CHECKUP_GARAGE_KEY").expect("`.ci/garage` sets CHECKUP_GARAGE_KEY");
    let (id, secret) = key.split_once(':').unwrap();
    (id.to_owned(), secret.to_owned())
}

/// Settings of a separate storage for each test.
fn settings() -> S3 {
    let endpoint = env::var("CHECKUP_GARAGE").expect("`.ci/garage` sets CHECKUP_GARAGE");
    let (id, secret) = key();
    let number = PREFIXES.fetch_add(1, Ordering::Relaxed);
    S3::new(BUCKET).endpoint(endpoint).access_key(id, secret).prefix(format!("{}-{number}", std::process::id()))
}

fn missing(mut settings: S3) -> S3 {
    "another".clone_into(&mut settings.bucket);
    settings
}

fn open(settings: S3) -> Arc<dyn NamedFiles> {
    S3Storage::new(settings).unwrap().files()
}

/// Waits for work from a function that may be called in a runtime.
fn wait<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| scope.spawn(|| Runtime::new().unwrap().block_on(work)).join().unwrap())
}

fn storage() -> StorageFixture {
    let (base, silent) = (settings(), TcpServer::silent());
    let of_silent = base.clone().endpoint(format!("http://{}", silent.addr()));
    let (expiring, failing) = (base.clone(), missing(base.clone()));
    let (putting, looking) = (base.clone(), base.clone());
    StorageFixture::new(move || base.clone())
        .expiring(move |age| expiring.clone().check_expiry(age))
        .failing(move || failing.clone())
        .hanging(move || of_silent.clone())
        .files(
            move |name, content| wait(open(putting.clone()).put(name, content.as_ref())).unwrap(),
            move |name| wait(open(looking.clone()).get(name)).is_ok(),
        )
        .secret(key().1)
        .keep(silent)
}

fn files() -> NamedFilesFixture {
    let (base, silent) = (settings(), TcpServer::silent());
    let opening = |settings: S3| move || open(settings.clone());
    NamedFilesFixture::new(opening(base.clone()))
        .failing(opening(missing(base.clone())))
        .hanging(opening(base.endpoint(format!("http://{}", silent.addr()))))
        .secret(key().1)
        .keep(silent)
}

checkup_testkit::named_files_conformance!(files);

checkup_testkit::storage_conformance!(storage);

/// The error of a put with these settings, with its causes.
async fn refusal(settings: S3) -> String {
    let error = open(settings).put_if_absent(NAME, b"[]\n").await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Other, "{error}");
    chain(&error)
}

fn chain(error: &StorageError) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

#[tokio::test]
async fn every_refusal_has_an_explanation_and_a_remedy() {
    let (id, _) = key();
    let mut anonymous = settings().anonymous(true);
    (anonymous.access_key_id, anonymous.secret_access_key) = (None, None);
    let mut tiny = settings();
    TINY.clone_into(&mut tiny.bucket);
    open(tiny.clone()).put("first", b"").await.unwrap();
    for (settings, words) in [
        (
            settings().access_key(id, "0".repeat(64)),
            ["the secret of the access key is wrong", "check `secret_access_key`"],
        ),
        (
            settings().access_key("GK000000000000000000000000", "0".repeat(64)),
            ["does not know the access key", "check `access_key_id`"],
        ),
        (anonymous, ["no access without an access key", "instead of `anonymous`"]),
        (missing(settings()), ["there is no bucket `another`", "checkup provision"]),
        (settings().region("eu-west-1"), ["in another region", "set `region`"]),
        (tiny, ["the quota of the bucket", "raise it"]),
    ] {
        let text = refusal(settings).await;
        for words in words {
            assert!(text.contains(words), "expected {words:?} in: {text}");
        }
    }
}
