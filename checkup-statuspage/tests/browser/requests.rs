//! The cost of the page in requests and bytes.

use serde_json::json;
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT, Exchange};
use crate::fixture::{History, MINUTE, check_file, file_name, now};
use crate::web::{Web, export, settings};

const KIB: u64 = 1024;

fn report(what: &str, exchanges: &[Exchange]) -> u64 {
    let bytes = exchanges.iter().map(|exchange| exchange.bytes).sum();
    // Shown with `--nocapture`.
    eprintln!("{what}: {} requests, {bytes} bytes", exchanges.len());
    for Exchange { url, status, bytes } in exchanges.iter().take(6) {
        eprintln!("  {status} {bytes:>7} {url}");
    }
    bytes
}

#[tokio::test]
async fn a_served_page_of_20_checks_at_3_locations_takes_3_requests_and_150_kib() {
    let dir = TempDir::new().unwrap();
    History::new().checks(20).every(MINUTE).write(dir.path());
    let web = Web::serving(dir.path(), settings()).await;
    let browser = Browser::start().await;
    browser.exchanges().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.count("h2 button").await, 3, "three groups, closed since all is healthy");
    let first = browser.exchanges().await;
    let bytes = report("served, 90 days, 20 checks, 3 locations, a result a minute", &first);
    assert!(first.len() <= 3, "{first:?}");
    assert!(bytes <= 150 * KIB, "{bytes} bytes");
    let own: u64 =
        first.iter().filter(|exchange| !exchange.url.ends_with(".json")).map(|exchange| exchange.bytes).sum();
    // The code alone has at most 45 KiB (a test in `src/page/files.rs`). The rest is HTTP heads, and the state in the HTML.
    assert!(own <= 46 * KIB, "the page's own code: {own} bytes");
    browser.close().await;
}

#[tokio::test]
async fn unchanged_data_is_not_sent_again() {
    let dir = TempDir::new().unwrap();
    History::new().write(dir.path());
    // A file that does not change, with an old summary.
    let web = Web::serving(dir.path(), settings()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser.exchanges().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    let again = browser.exchanges().await;
    let bytes = report("served, again", &again);
    assert!(again.iter().all(|exchange| exchange.status == 304 || exchange.bytes == 0), "{again:?}");
    assert!(bytes <= 3 * KIB, "{bytes} bytes");
    browser.close().await;
}

#[tokio::test]
async fn a_static_page_takes_40_requests_and_then_only_what_is_new() {
    let dir = TempDir::new().unwrap();
    History::new().checks(20).age(3 * MINUTE).write(dir.path());
    let mut index = serde_json::Map::new();
    let mut store = |at: i64| {
        std::fs::write(dir.path().join(file_name(at)), check_file("API", at, "healthy").to_string()).unwrap();
        index.insert(file_name(at), json!(at * 1_000_000));
        std::fs::write(dir.path().join("index.json"), serde_json::to_string(&index).unwrap()).unwrap();
    };
    for i in 0..25 {
        store(now() - 2 * MINUTE + i * 1000);
    }
    export(dir.path(), &settings().refresh_interval(std::time::Duration::from_secs(5)));
    let web = Web::of_files(dir.path()).await;
    let browser = Browser::start().await;
    browser.exchanges().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    let first = browser.exchanges().await;
    report("static, 90 days, 20 checks, 3 locations, 25 newer files", &first);
    assert!(first.len() <= 40, "{first:?}");
    let at = now();
    store(at);
    let name = file_name(at);
    browser
        .until(&format!(
            "return performance.getEntriesByType('resource').some((entry) => entry.name.endsWith('{name}'))"
        ))
        .await;
    browser.until("return performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('index.json')).length >= 2").await;
    let files = "const names = performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.endsWith('-check.json')); return [names.length, new Set(names).size]";
    assert_eq!(browser.eval(files).await, json!([26, 26]), "a file is fetched once");
    let later = browser.exchanges().await;
    report("static, later", &later);
    assert!(
        later.iter().filter(|exchange| exchange.url.ends_with("summary.json")).all(|exchange| exchange.status == 304),
        "{later:?}"
    );
    browser.assert_quiet().await;
    browser.close().await;
}
