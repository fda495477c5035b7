//! What is asked of a server, and what comes of it if the server is away, slow, or lacks a part of the protocol.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::time::Duration;

use checkup_core::archive::Put;
use checkup_core::{
    CheckResult, PageFile, PageSource, Published, Report, Storage, StorageErrorKind, StorageReader, Timestamp, history,
};
use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::{S3Requests, S3Server};

const BUCKET: &str = "status";

/// The time of the first report: the beginning of a minute, in a past that nothing has expired of.
fn base() -> Timestamp {
    Timestamp::now().saturating_sub(Duration::from_secs(1800))
}

fn server() -> S3Server {
    let server = S3Server::start();
    server.create_bucket(BUCKET);
    server
}

fn settings(server: &S3Server) -> S3 {
    S3::new(BUCKET).endpoint(server.endpoint()).access_key(server.access_key_id(), server.secret_access_key())
}

fn storage(settings: S3) -> S3Storage {
    S3Storage::new(settings).unwrap()
}

fn report(number: u64) -> Report {
    let mut result = CheckResult::new("API", "https://example.com");
    result.timestamp = base().saturating_add(Duration::from_secs(number));
    Report::new(vec![result])
}

/// How many results there are, each counted once.
async fn count(storage: &S3Storage) -> usize {
    history::read(storage, Timestamp::from_unix_nanos(0)).await.unwrap().results.len()
}

/// A bucket with so many check files of the last hours, next to as many other objects.
fn with_history(files: u64) -> S3Server {
    let server = server();
    for number in 0..files {
        let time = Timestamp::now().saturating_sub(Duration::from_secs(number)).unix_nanos();
        server.put(BUCKET, &format!("checks/{time}-check.json"), "[]\n");
        server.put(BUCKET, &format!("other/{time}-check.json"), "[]\n");
    }
    server
}

#[tokio::test]
async fn a_run_costs_one_put_and_a_list_an_hour_in_the_steady_state() {
    let server = with_history(1100);
    // Nothing is compacted here, which would cost once for all of the history.
    let storage =
        storage(settings(&server).prefix("checks").compact(false).check_expiry(Duration::from_secs(365 * 24 * 3600)));
    let maintain = async || storage.maintainer().unwrap().maintain().await.unwrap();
    let run = async |number| {
        storage.store(&report(number)).await.unwrap();
        while maintain().await.unfinished {}
    };
    // The first run looks at what there is.
    run(0).await;
    let before = server.requests();
    for number in 1..=50 {
        run(number).await;
    }
    let S3Requests { put, list, delete, get, listed_keys, .. } = server.requests() - before;
    assert!(put <= 51 && list <= 2 && delete == 0, "50 runs put {put}, listed {list}, deleted {delete}");
    assert!(get <= 2, "50 runs got {get}");
    assert!(listed_keys <= 200, "50 runs listed {listed_keys} of 1,100 keys");
}

#[tokio::test]
async fn a_process_that_stores_once_does_not_list_the_whole_bucket() {
    let server = with_history(1100);
    let settings = settings(&server).prefix("checks").check_expiry(Duration::from_secs(365 * 24 * 3600));
    // One of them compacts, and summarises, what is due.
    let thorough = storage(settings.clone());
    while thorough.maintainer().unwrap().maintain().await.unwrap().unfinished {}
    let before = server.requests();
    for number in 0..20 {
        let storage = storage(settings.clone());
        storage.store(&report(number)).await.unwrap();
        storage.maintainer().unwrap().maintain().await.unwrap();
    }
    let S3Requests { put, list, delete, listed_keys, .. } = server.requests() - before;
    assert!(put <= 20 && delete == 0, "20 processes put {put} and deleted {delete}");
    assert!(list <= 40, "20 processes listed {list} times");
    assert!(listed_keys <= 20 * 1064, "20 processes listed {listed_keys} keys: more than a page and a look each");
}

#[tokio::test]
async fn prefixes_do_not_see_each_other_and_what_is_deeper_is_left_alone() {
    let server = server();
    let prefixes = ["", "a", "a/b", "ab"];
    let storages = prefixes.map(|prefix| storage(settings(&server).prefix(prefix)));
    for (number, storage) in storages.iter().enumerate() {
        for run in 0..=number as u64 {
            storage.store(&report(run)).await.unwrap();
        }
    }
    for (number, storage) in storages.iter().enumerate() {
        assert_eq!(count(storage).await, number + 1, "in {:?}", prefixes[number]);
    }
    let names = storages[1].list(Timestamp::from_unix_nanos(0)).await.unwrap();
    let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
    storages[1].files().delete(&names).await.unwrap();
    let counts =
        [count(&storages[0]).await, count(&storages[1]).await, count(&storages[2]).await, count(&storages[3]).await];
    assert_eq!(counts, [1, 0, 3, 4]);
    for name in ["../b", "b/c", "/c", "..", ""] {
        assert!(storages[1].files().put_if_absent(name, b"").await.is_err(), "{name:?} leads elsewhere");
    }
}

#[tokio::test]
async fn a_long_listing_comes_in_pages_from_where_it_is_asked_for() {
    let server = with_history(2500);
    let files = storage(settings(&server).prefix("checks")).files();
    let all = files.list("", usize::MAX).await.unwrap();
    assert_eq!((all.len(), all.is_sorted()), (2500, true));
    let before = server.requests();
    assert_eq!(files.list(&all[2400], 50).await.unwrap(), all[2400..2450]);
    let requests = server.requests() - before;
    assert_eq!((requests.list, requests.listed_keys), (1, 50), "requests and keys for 50 names of 2500");
}

#[tokio::test]
async fn what_is_put_says_how_long_it_may_be_kept() {
    let server = server();
    let storage = storage(settings(&server).storage_class("STANDARD_IA"));
    storage.store(&report(0)).await.unwrap();
    storage.files().put("summary.json", b"{}").await.unwrap();
    let [check_file, summary] = &server.keys(BUCKET)[..] else { panic!("{:?}", server.keys(BUCKET)) };
    let check_file = server.object(BUCKET, check_file).unwrap();
    assert_eq!(check_file.content_type.as_deref(), Some("application/json"));
    assert_eq!(check_file.cache_control.as_deref(), Some("public, max-age=31536000, immutable"));
    assert_eq!(check_file.storage_class.as_deref(), Some("STANDARD_IA"));
    let summary = server.object(BUCKET, summary).unwrap();
    assert_eq!((summary.cache_control.as_deref(), summary.storage_class), (Some("no-cache"), None));
}

#[tokio::test]
async fn what_is_derived_is_compressed_and_check_files_are_not() {
    let server = server();
    let files = storage(settings(&server)).files();
    let content = "status ".repeat(1000).into_bytes();
    files.put("summary.json", &content).await.unwrap();
    assert_eq!(files.put_if_absent("1473318000000000000-check.json", &content).await.unwrap(), Put::Created);
    let summary = server.object(BUCKET, "summary.json").unwrap();
    assert_eq!(summary.content_encoding.as_deref(), Some("gzip"));
    assert!(summary.content.len() < content.len() / 10, "{} bytes", summary.content.len());
    assert_eq!(files.get("summary.json").await.unwrap(), content);
    let check_file = server.object(BUCKET, "1473318000000000000-check.json").unwrap();
    assert_eq!((check_file.content_encoding, check_file.content), (None, content));
}

#[tokio::test]
async fn an_answer_that_gets_lost_costs_nothing_and_stores_nothing_twice() {
    let server = server();
    let storage = storage(settings(&server));
    for number in 0..5 {
        server.lose_answers(1);
        storage.store(&report(number)).await.unwrap();
    }
    assert_eq!((count(&storage).await, server.keys(BUCKET).len()), (5, 5));
}

#[tokio::test]
async fn a_server_that_was_away_is_found_again() {
    let server = server();
    let storage = storage(settings(&server).timeout(Duration::from_secs(1)));
    storage.store(&report(0)).await.unwrap();
    server.stop();
    let error = storage.store(&report(1)).await.unwrap_err();
    assert!(error.to_string().contains("nobody listens there"), "{error}");
    server.start_again();
    storage.store(&report(1)).await.unwrap();
    assert_eq!(count(&storage).await, 2);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_and_then_told_of() {
    let server = server();
    server.unavailable(true);
    let storage = storage(settings(&server));
    let error = storage.store(&report(0)).await.unwrap_err();
    assert!(error.to_string().contains("asks for fewer requests"), "{error}");
    assert!((3..=6).contains(&server.requests().put), "{} requests", server.requests().put);
    server.unavailable(false);
    storage.store(&report(0)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_too_slow_is_told_of() {
    let server = server();
    server.delay(Duration::from_secs(3600));
    let storage = storage(settings(&server).timeout(Duration::from_secs(1)));
    let error = storage.store(&report(0)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn a_refused_condition_is_asked_for_once_in_a_process() {
    let server = server();
    server.refuse_put_conditions(true);
    let files = storage(settings(&server)).files();
    assert_eq!(files.put_if_absent("a", b"1").await.unwrap(), Put::Created);
    assert_eq!((server.requests().put, server.requests().head), (2, 1), "refused, looked for, and put");
    assert_eq!(files.put_if_absent("a", b"2").await.unwrap(), Put::Exists);
    assert_eq!(files.put_if_absent("b", b"3").await.unwrap(), Put::Created);
    assert_eq!((server.requests().put, server.requests().head), (3, 3));
    assert_eq!(server.object(BUCKET, "a").unwrap().content, b"1");
}

#[tokio::test]
async fn a_refused_bulk_delete_is_asked_for_once_in_a_process() {
    let server = server();
    server.refuse_bulk_deletes(true);
    let files = storage(settings(&server)).files();
    for names in [["a", "b"], ["c", "d"]] {
        for name in names {
            files.put(name, b"").await.unwrap();
        }
        files.delete(&names).await.unwrap();
    }
    assert_eq!(server.requests().delete, 5, "a refused one, and one for each file");
    assert!(server.keys(BUCKET).is_empty());
}

#[tokio::test]
async fn a_thousand_files_are_deleted_with_one_request() {
    let server = server();
    let names: Vec<_> = (0..1500).map(|number| format!("{number}-check.json")).collect();
    for name in &names {
        server.put(BUCKET, name, "");
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    storage(settings(&server)).files().delete(&names).await.unwrap();
    assert_eq!((server.requests().delete, server.keys(BUCKET).len()), (2, 0));
}

#[tokio::test]
async fn a_page_is_published_once_with_its_type_and_caching() {
    let server = server();
    let storage = storage(settings(&server).prefix("checks"));
    let publisher = storage.publisher().unwrap();
    let page = |content: &str| PageFile::new("index.html", content.repeat(1000), "text/html; charset=utf-8").unwrap();
    assert_eq!(publisher.publish(&page("one")).await.unwrap(), Published::Written);
    assert_eq!(publisher.publish(&page("one")).await.unwrap(), Published::Unchanged);
    assert_eq!(publisher.publish(&page("two")).await.unwrap(), Published::Written);
    assert_eq!(publisher.publish(&page("two").cache_control("max-age=60")).await.unwrap(), Published::Written);
    let badge = PageFile::new("badge/a/b.svg", "<svg/>", "image/svg+xml").unwrap();
    assert_eq!(publisher.publish(&badge).await.unwrap(), Published::Written);
    assert_eq!(publisher.publish(&badge).await.unwrap(), Published::Unchanged);
    assert_eq!(server.keys(BUCKET), ["checks/badge/a/b.svg", "checks/index.html"]);
    let object = server.object(BUCKET, "checks/index.html").unwrap();
    assert_eq!(object.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(object.content_type.as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(object.cache_control.as_deref(), Some("max-age=60"));
    let url = format!("{}/{BUCKET}/", server.endpoint());
    assert_eq!(publisher.page_source(), PageSource::S3 { url, prefix: "checks/".to_owned() });
    assert_eq!(count(&storage).await, 0, "a page is no check file");
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let server = server();
    let storage = storage(settings(&server).session_token("t0ken"));
    let _ = storage.store(&report(0)).await;
    let shown =
        format!("{storage:?} {storage:#?} {:?} {:?}", storage.files(), settings(&server).session_token("t0ken"));
    assert!(!shown.contains(server.secret_access_key()) && !shown.contains("t0ken"), "{shown}");
}
