//! A page of another origin that reads the API.

use serde_json::json;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::fixture::History;
use crate::web::{Web, settings};

#[tokio::test]
async fn a_page_of_another_origin_reads_the_api_only_if_the_settings_allow_it() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    History::new().checks(1).write(dir.path());
    std::fs::write(other.path().join("index.html"), "<!doctype html><title>Another page</title>").unwrap();
    let other = Web::of_files(other.path()).await;
    let origin = other.url.trim_end_matches('/').to_owned();
    let closed = Web::serving(dir.path(), settings()).await;
    let open = Web::serving(dir.path(), settings().cors_origin(&origin)).await;
    let for_all = Web::serving(dir.path(), settings().cors_origin("*")).await;
    let for_others = Web::serving(dir.path(), settings().cors_origin("https://example.com")).await;
    let browser = Browser::start().await;
    browser.driver.goto(&other.url).await.unwrap();
    for (web, expected) in [(&closed, false), (&open, true), (&for_all, true), (&for_others, false)] {
        for path in
            ["api/v1/status", "api/v1/history?check=API", "summary.json", "feed.atom", "badge.svg", "badge/API.svg"]
        {
            let read = format!(
                "fetch('{}{path}').then((answer) => answer.status, () => 'refused').then(arguments[0])",
                web.url
            );
            let expected = if expected { json!(200) } else { json!("refused") };
            assert_eq!(browser.eval_async(&read).await, expected, "{path}");
        }
    }
    for path in ["readyz", "health", "metrics", "index.json"] {
        let read =
            format!("fetch('{}{path}').then((answer) => answer.status, () => 'refused').then(arguments[0])", open.url);
        assert_eq!(browser.eval_async(&read).await, "refused", "{path} is not for other pages");
    }
    browser.close().await;
}
