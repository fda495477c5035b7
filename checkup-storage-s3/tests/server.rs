//! The requests to a server, and their outcome if the server is unreachable, slow, or lacks a part of the protocol.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::time::Duration;

use checkup_core::archive::Put;
use checkup_core::{
    CheckResult, PageFile, PageSource, Published, Report, Storage, StorageErrorKind, StorageReader, Timestamp, history,
};
use checkup_storage_s3::{S3, S3Storage};
use checkup_testkit::{S3Dialect, S3Requests, S3Server};

const BUCKET: &str = "status";

/// The time of the first report: so recent that its hour is never closed, and nothing of it is compacted.
fn base() -> Timestamp {
    Timestamp::now().saturating_sub(Duration::from_secs(300))
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

/// A bucket with this many check files of the last hours, next to as many other objects.
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
    // Nothing is compacted here, since that would cost requests once for the whole history.
    let storage =
        storage(settings(&server).prefix("checks").compact(false).check_expiry(Duration::from_secs(365 * 24 * 3600)));
    let maintain = async || storage.maintainer().unwrap().maintain().await.unwrap();
    let run = async |number| {
        storage.store(&report(number)).await.unwrap();
        while maintain().await.unfinished {}
    };
    // The first run looks at the existing files.
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
async fn prefixes_do_not_see_each_other_and_deeper_folders_are_left_alone() {
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
async fn a_long_listing_starts_where_it_is_asked_for_and_has_pages() {
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
async fn a_bucket_shared_with_thousands_of_folders_costs_no_more_lists() {
    let mut lists = Vec::new();
    for folders in [0, 3000] {
        let server = server();
        for number in 0..folders {
            server.put(BUCKET, &format!("user-{number:05}/notes.txt"), "alien");
            server.put(BUCKET, &format!("user-{number:05}.txt"), "alien");
        }
        let storage = storage(settings(&server).check_expiry(Duration::from_secs(365 * 24 * 3600)));
        let before = server.requests();
        storage.store(&report(0)).await.unwrap();
        storage.maintainer().unwrap().maintain().await.unwrap();
        lists.push((server.requests() - before).list);
        // A listing without an end has all names.
        assert_eq!(storage.files().list("user", usize::MAX).await.unwrap().len(), folders);
    }
    println!("lists of a store alone, and among 3,000 folders and 3,000 objects: {lists:?}");
    assert!(lists[0] <= 4 && lists[1] <= 4, "lists of a store alone, and among 3,000 folders: {lists:?}");
}

#[tokio::test]
async fn folders_among_the_names_of_check_files_are_skipped_a_thousand_at_a_time() {
    let server = server();
    for number in 0..3000 {
        server.put(BUCKET, &format!("{}/photo.jpg", 2_000_000_000 + number), "alien");
    }
    server.put(BUCKET, "1473318000000000000-check.json", "[]\n");
    server.put(BUCKET, "2900000000000000000-check.json", "[]\n");
    let files = storage(settings(&server)).files();
    let before = server.requests();
    let names = files.list_before("0", ":", 64).await.unwrap();
    assert_eq!(names, ["1473318000000000000-check.json", "2900000000000000000-check.json"]);
    assert!((server.requests() - before).list <= 4, "{:?}", server.requests() - before);
    assert_eq!(files.list_before("0", "2", 64).await.unwrap(), names[..1]);
    assert_eq!(files.list_before("0", ":", 1).await.unwrap(), names[..1]);
}

#[tokio::test]
async fn check_files_alone_carry_the_tag_of_their_storage() {
    let server = server();
    let tagged = |prefix: &str| storage(settings(&server).prefix(prefix).tag_check_files(true));
    let mut tags = Vec::new();
    for prefix in ["", "prod", "prod/2nd-site"] {
        let storage = tagged(prefix);
        storage.store(&report(0)).await.unwrap();
        storage.files().put("summary.json", b"{}").await.unwrap();
        let name = storage.list(Timestamp::from_unix_nanos(0)).await.unwrap()[0].to_string();
        let slash = if prefix.is_empty() { "" } else { "/" };
        let tag = server.object(BUCKET, &format!("{prefix}{slash}{name}")).unwrap().tagging.unwrap();
        assert!(tag.starts_with("checkup-storage="), "{tag}");
        assert_eq!(server.object(BUCKET, &format!("{prefix}{slash}summary.json")).unwrap().tagging, None);
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "each storage has its own: {tags:?}");
    storage(settings(&server).prefix("plain")).store(&report(0)).await.unwrap();
    let plain = server.keys(BUCKET).into_iter().find(|key| key.starts_with("plain/")).unwrap();
    assert_eq!(server.object(BUCKET, &plain).unwrap().tagging, None);
}

/// The names in the index of the storage with this prefix.
async fn indexed(server: &S3Server, prefix: &str) -> Vec<String> {
    let key = if prefix.is_empty() { "index.json".to_owned() } else { format!("{prefix}/index.json") };
    assert_eq!(server.object(BUCKET, &key).unwrap().cache_control.as_deref(), Some("no-cache"));
    let content = storage(settings(server).prefix(prefix)).files().get("index.json").await.unwrap();
    let index: serde_json::Map<_, _> = serde_json::from_slice(&content).unwrap();
    for (name, time) in &index {
        assert!(name.starts_with(&time.to_string()), "{name}: {time}");
    }
    index.keys().cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_index_has_every_file_that_many_nodes_store_at_the_same_time() {
    let server = std::sync::Arc::new(server());
    let nodes: Vec<_> = (0..8_u64)
        .map(|node| {
            let storage = storage(settings(&server).prefix("pub").index(true).compact(false));
            tokio::spawn(async move {
                for number in 0..4 {
                    storage.store(&report(node * 10 + number)).await.unwrap();
                }
            })
        })
        .collect();
    for node in nodes {
        node.await.unwrap();
    }
    let mut names: Vec<_> =
        server.keys(BUCKET).iter().filter_map(|key| key.strip_prefix("pub/").map(ToOwned::to_owned)).collect();
    names.retain(|name| name.ends_with("-check.json"));
    assert_eq!((names.len(), indexed(&server, "pub").await), (32, names));
}

#[tokio::test]
async fn deleted_and_old_files_leave_the_index() {
    let server = server();
    let storage = storage(settings(&server).index(true));
    server.put(BUCKET, "1473318000000000000-check.json", "[]\n");
    for number in 0..3 {
        storage.store(&report(number)).await.unwrap();
    }
    let names = indexed(&server, "").await;
    assert_eq!(names.len(), 3, "{names:?}");
    storage.files().delete(&[&names[0]]).await.unwrap();
    assert_eq!(indexed(&server, "").await, names[1..]);
    // If the index cannot be renewed, the report is still stored.
    server.deny_listing(true);
    storage.store(&report(9)).await.unwrap();
    server.deny_listing(false);
    storage.store(&report(10)).await.unwrap();
    assert_eq!(indexed(&server, "").await.len(), 4);
}

#[tokio::test]
async fn a_page_that_will_not_be_live_is_reported_unless_there_is_an_index() {
    let server = server();
    let warning = async |settings: S3| storage(settings).publisher().unwrap().warning().await.unwrap();
    for dialect in [S3Dialect::Amazon, S3Dialect::Ceph, S3Dialect::Garage, S3Dialect::Swift] {
        server.dialect(dialect);
        let text = warning(settings(&server).prefix("pub")).await.unwrap();
        assert!(text.contains("cannot list") && text.contains("set `index`"), "{dialect:?}: {text}");
        assert!(text.contains("`checkup provision`") && !text.contains(server.secret_access_key()), "{text}");
    }
    server.dialect(S3Dialect::Amazon);
    server.anyone_may_read(true);
    assert_eq!(warning(settings(&server).prefix("pub")).await, None);

    server.dialect(S3Dialect::Garage);
    let indexing = settings(&server).prefix("pub").index(true);
    let storage = storage(indexing.clone());
    assert_eq!(warning(indexing).await, None);
    assert_eq!(indexed(&server, "pub").await, [""; 0]);
    assert_eq!(storage.publisher().unwrap().page_source(), PageSource::Index { url: "./".to_owned() });
}

#[tokio::test]
async fn a_storage_has_a_name_without_credentials() {
    let amazon = S3::new("status").region("eu-west-1").prefix("prod").access_key("AKIA", "hidden");
    assert_eq!(storage(amazon).identity().as_deref(), Some("s3://status/prod"));
    let other = S3::new("status").endpoint("https://minio.example.com:9000").access_key("AKIA", "hidden");
    assert_eq!(storage(other).identity().as_deref(), Some("s3://status at https://minio.example.com:9000"));
}

#[tokio::test]
async fn objects_have_the_right_caching_headers() {
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
async fn derived_files_are_compressed_and_check_files_are_not() {
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
async fn a_lost_answer_loses_nothing_and_stores_nothing_twice() {
    let server = server();
    let storage = storage(settings(&server));
    for number in 0..5 {
        server.lose_answers(1);
        storage.store(&report(number)).await.unwrap();
    }
    assert_eq!((count(&storage).await, server.keys(BUCKET).len()), (5, 5));
}

#[tokio::test]
async fn a_server_that_was_down_is_used_again_once_it_is_back() {
    let server = server();
    let storage = storage(settings(&server).timeout(Duration::from_secs(1)));
    storage.store(&report(0)).await.unwrap();
    server.stop();
    let error = storage.store(&report(1)).await.unwrap_err();
    assert!(error.to_string().contains("nothing listens there"), "{error}");
    server.start_again();
    storage.store(&report(1)).await.unwrap();
    assert_eq!(count(&storage).await, 2);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_and_then_reported() {
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
async fn a_server_that_is_too_slow_is_reported() {
    let server = server();
    server.delay(Duration::from_secs(3600));
    let storage = storage(settings(&server).timeout(Duration::from_secs(1)));
    let error = storage.store(&report(0)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn a_refused_condition_is_tried_once_per_process() {
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
async fn a_refused_bulk_delete_is_tried_once_per_process() {
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
async fn a_page_with_a_prefix_of_its_own_reads_no_check_files() {
    let server = server();
    let storage = storage(settings(&server).prefix("private").page_prefix("public").index(true));
    storage.store(&report(0)).await.unwrap();
    let publisher = storage.publisher().unwrap();
    let page = PageFile::new("index.html", "<p>", "text/html").unwrap();
    assert_eq!(publisher.publish(&page).await.unwrap(), Published::Written);
    assert_eq!(publisher.publish(&page).await.unwrap(), Published::Unchanged);
    assert_eq!(publisher.warning().await.unwrap(), None);
    assert_eq!(publisher.page_source(), PageSource::Private);
    let keys = server.keys(BUCKET);
    let public: Vec<_> = keys.iter().filter(|key| key.starts_with("public/")).collect();
    assert_eq!(public, ["public/index.html"], "{keys:?}");
    assert_eq!(count(&storage).await, 1);
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
