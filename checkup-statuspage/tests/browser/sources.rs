//! The sources of the page's data, and what the page shows when they fail.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use checkup_core::{CheckResult, Checkup, Report, Status, Storage as _, Timestamp};
use checkup_statuspage::{PageStorage, StatusPage, deploy};
use checkup_storage_s3::S3;
use checkup_testkit::{S3Dialect, S3Server};
use http::{StatusCode, Uri, header};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT};
use crate::fixture::{History, MINUTE, check_file, file_name, now};
use crate::web::{Web, export, settings};

/// A directory in the layout of the original Checkup: check files and an index, but no summary.
fn upstream(dir: &TempDir, files: &[(String, String)]) {
    let index: serde_json::Map<String, Value> = files
        .iter()
        .map(|(name, _)| (name.clone(), json!(name.split('-').next().unwrap().parse::<i64>().unwrap())))
        .collect();
    std::fs::write(dir.path().join("index.json"), serde_json::to_string(&index).unwrap()).unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
}

fn minutes_ago(title: &str, minutes: i64, status: &str) -> (String, String) {
    let at = now() - minutes * MINUTE;
    (file_name(at), check_file(title, at, status).to_string())
}

#[tokio::test]
async fn an_upstream_directory_without_a_summary() {
    let dir = TempDir::new().unwrap();
    let files: Vec<_> =
        (0..100).map(|i| minutes_ago("Website", 100 - i, if i == 50 { "down" } else { "healthy" })).collect();
    upstream(&dir, &files);
    export(dir.path(), &StatusPage::new());
    let web = Web::of_files(dir.path()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.text("h1").await, "All systems operational");
    // The newest are shown immediately, and the others as they arrive.
    browser.until("return document.querySelector('.uptimes dd')?.innerText.startsWith('99.00 % of ')").await;
    browser.until("return document.querySelectorAll('.notice').length === 0").await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn files_that_are_missing_truncated_or_alien_cost_themselves_alone() {
    let dir = TempDir::new().unwrap();
    let mut files: Vec<_> = (1..10).map(|i| minutes_ago("Website", i, "healthy")).collect();
    let bad: Vec<String> = (20..25).map(|i| file_name(now() - i * MINUTE)).collect();
    let contents = [r#"[{"title": "Web"#, "{}", "[7]", "", "<!doctype html>"];
    files.extend(bad.iter().cloned().zip(contents.map(ToOwned::to_owned)));
    files.push(minutes_ago("Missing", 30, "down"));
    upstream(&dir, &files);
    std::fs::remove_file(dir.path().join(&files.last().unwrap().0)).unwrap();
    std::fs::write(dir.path().join("summary.json"), "{\"version\": 1, \"series\": [").unwrap();
    export(dir.path(), &StatusPage::new());
    let web = Web::of_files(dir.path()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.text("h1").await, "All systems operational");
    let notices = browser.text("#notices").await;
    assert!(notices.contains("6 files could not be read. Their results are missing here."), "{notices}");
    assert!(notices.contains("The summary could not be read"), "{notices}");
    let names = browser.eval("return [...document.querySelectorAll('.card h3')].map((e) => e.innerText)").await;
    assert_eq!(names, json!(["Website"]));
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn a_page_in_a_bucket_lists_and_gets_the_check_files_without_a_key() {
    let server = S3Server::start();
    server.create_bucket("status");
    server.anyone_may_read(true);
    let settings = S3::new("status")
        .endpoint(server.endpoint())
        .prefix("checks/")
        .access_key(server.access_key_id(), server.secret_access_key());
    let checkup = Checkup::builder().storage(settings).build().unwrap();
    let storage = checkup.storage().unwrap();
    let store = async |title: &str, minutes: u64, status: Status| {
        let mut result = CheckResult::new(title, "https://example.com");
        result.timestamp = Timestamp::now().saturating_sub(Duration::from_secs(60 * minutes));
        result.status = status;
        storage.store(&Report::new(vec![result])).await.unwrap();
    };
    store("API", 90, Status::Down).await;
    store("API", 80, Status::Healthy).await;
    // The page, and a summary of what is there so far.
    let page = StatusPage::new().refresh_interval(Duration::from_secs(5));
    deploy(&page, &checkup).await.unwrap();
    store("API", 2, Status::Healthy).await;
    server.put("status", "checks/1795000000000000000-check.jsonx", "not a check file");
    server.put("status", "other/9995000000000000000-check.json", "outside of the prefix");
    let browser = Browser::start().await;
    browser.open(&format!("{}/status/checks/index.html", server.endpoint()), DESKTOP_LIGHT).await;
    assert_eq!(browser.text("h1").await, "All systems operational");
    assert!(browser.text("#timeline .entry[data-state=down]").await.starts_with("API down for 10 min"));
    assert_eq!(browser.count(".notice").await, 0);
    // What is stored later appears, and is all that is fetched then.
    let before = server.requests().get;
    store("API", 0, Status::Down).await;
    browser.until("return document.documentElement.dataset.state === 'down'").await;
    assert!(server.requests().get - before <= 4, "the summary, and the new file");
    browser.assert_quiet().await;
    // The bucket may no longer be listed or read.
    server.anyone_may_read(false);
    browser.until("return document.querySelectorAll('.notice').length === 1").await;
    assert!(browser.text(".notice").await.starts_with("New data could not be loaded: "));
    assert_eq!(browser.count(".card").await, 1);
    browser.close().await;
}

#[tokio::test]
async fn a_bucket_that_does_not_list_its_files_is_read_by_its_index() {
    let dir = TempDir::new().unwrap();
    upstream(&dir, &[minutes_ago("Login", 2, "healthy"), minutes_ago("Search", 1, "down")]);
    let web = Web::of_files(dir.path()).await;
    // Like the web endpoint of a bucket, this server responds to a request for a list with the page.
    let storage = PageStorage::s3(&web.url, "");
    export(dir.path(), &StatusPage::new().storage(storage).refresh_interval(Duration::from_secs(5)));
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.text("h1").await, "Partial outage: 1 of 2 down");
    assert_eq!((browser.count(".card").await, browser.count(".notice").await), (2, 0));
    // It stays live.
    upstream(&dir, &[minutes_ago("Login", 2, "healthy"), minutes_ago("Search", 0, "healthy")]);
    browser.until("return document.documentElement.dataset.state === 'healthy'").await;
    browser.close().await;
}

/// What a bucket's web endpoint sends: objects, with the page for a folder, and no lists. Garage has no other access without a key.
async fn object(State(server): State<Arc<S3Server>>, uri: Uri) -> Response {
    let key = uri.path().trim_start_matches('/');
    let key = if key.is_empty() || key.ends_with('/') { format!("{key}index.html") } else { key.to_owned() };
    let Some(object) = server.object("status", &key) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = object.content.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, object.content_type),
        (header::CONTENT_ENCODING, object.content_encoding),
        (header::CACHE_CONTROL, object.cache_control),
    ] {
        if let Some(value) = value {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

#[tokio::test]
async fn a_page_in_a_bucket_without_lists_is_live_by_the_index_that_nodes_write() {
    let server = Arc::new(S3Server::start());
    server.create_bucket("status");
    server.dialect(S3Dialect::Garage);
    let settings = || {
        S3::new("status")
            .endpoint(server.endpoint())
            .prefix("checks/")
            .access_key(server.access_key_id(), server.secret_access_key())
            .index(true)
    };
    let store = async |name: &str, status: Status| {
        // Each is a node of its own.
        let checkup = Checkup::builder().storage(settings()).build().unwrap();
        let mut result = CheckResult::new(name, format!("https://example.com/{name}"));
        result.timestamp = Timestamp::now();
        result.status = status;
        checkup.storage().unwrap().store(&Report::new(vec![result])).await.unwrap();
    };
    let checkup = Checkup::builder().storage(settings()).build().unwrap();
    let page = StatusPage::new().refresh_interval(Duration::from_secs(5));
    deploy(&page, &checkup).await.unwrap();
    store("Login", Status::Healthy).await;
    let web = Web::of(Router::new().fallback(object).with_state(Arc::clone(&server))).await;
    let browser = Browser::start().await;
    browser.open(&format!("{}checks/", web.url), DESKTOP_LIGHT).await;
    assert_eq!(browser.text("h1").await, "All systems operational");
    assert_eq!((browser.count(".card").await, browser.count(".notice").await), (1, 0));
    // A node stores, and the open page shows it.
    store("Search", Status::Down).await;
    browser.until("return document.documentElement.dataset.state === 'down'").await;
    assert_eq!((browser.count(".card").await, browser.count(".notice").await), (2, 0));
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn two_checks_of_one_url_are_two_checks() {
    let dir = TempDir::new().unwrap();
    upstream(&dir, &[minutes_ago("Login", 2, "healthy"), minutes_ago("Search", 1, "down")]);
    export(dir.path(), &StatusPage::new());
    let web = Web::of_files(dir.path()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    let states = browser.eval("return [...document.querySelectorAll('.card')].map((e) => [e.querySelector('h3').innerText, e.dataset.state])").await;
    assert_eq!(states, json!([["Login", "healthy"], ["Search", "down"]]));
    browser.close().await;
}

#[tokio::test]
async fn when_data_cannot_be_loaded_the_last_stay_and_the_page_says_so() {
    let dir = TempDir::new().unwrap();
    History::new().write(dir.path());
    export(dir.path(), &settings().refresh_interval(Duration::from_secs(5)));
    let web = Web::of_files(dir.path()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.count(".notice").await, 0);
    drop(web);
    browser.until("return document.querySelectorAll('.notice').length === 1").await;
    let notice = browser.text(".notice").await;
    assert!(
        notice.starts_with("New data could not be loaded: ") && notice.contains("Showing the last data, loaded at "),
        "{notice}"
    );
    assert_eq!(browser.count(".card[data-state=healthy]").await, 6);
    browser.screenshot("unreachable", DESKTOP_LIGHT).await;
    browser.close().await;
}

#[tokio::test]
async fn when_nothing_could_be_loaded_the_page_says_so() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("index.json"), "{").unwrap();
    export(dir.path(), &StatusPage::new());
    let web = Web::of_files(dir.path()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.text("h1").await, "Status unknown");
    assert!(browser.text(".notice").await.starts_with("New data could not be loaded: index.json is not valid JSON"));
    assert_eq!(browser.text("#subline").await, "The results could not be loaded. The next attempt is within 1 min.");
    browser.close().await;
}
