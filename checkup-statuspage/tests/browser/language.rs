//! The language of the page, and what it says without scripts.

use checkup_statuspage::StatusPage;
use serde_json::json;
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_DARK, DESKTOP_LIGHT, PHONE_LIGHT, SMALL_PHONE};
use crate::fixture::{History, MINUTE, now};
use crate::web::{Web, export, serving, settings};

/// Makes the browser prefer these languages in pages that are opened from now on.
async fn prefer(browser: &Browser, languages: &[&str]) {
    let source = format!(
        "Object.defineProperty(navigator, 'languages', {{ configurable: true, get: () => {} }})",
        json!(languages)
    );
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": source})).await;
}

#[tokio::test]
async fn the_language_is_the_visitors_unless_it_is_set() {
    let history = History::new().down("API", None, 97 * MINUTE, "connection refused");
    let (web, dir) = serving(&history).await;
    let browser = Browser::start().await;
    prefer(&browser, &["de-DE", "en"]).await;
    for view in [DESKTOP_DARK, PHONE_LIGHT, SMALL_PHONE] {
        browser.open(&web.url, view).await;
        browser.assert_no_overflow().await;
        browser.screenshot("german", view).await;
    }
    assert_eq!(browser.text("h1").await, "Teilausfall: 1 von 6 ausgefallen");
    assert_eq!(browser.eval("return document.documentElement.lang").await, "de");
    let share = browser.text(".card[data-state=down] .uptimes dd").await;
    assert!(share.contains(',') && share.ends_with(" %"), "{share}");
    let texts = dir.path().join("texts.json");
    std::fs::write(&texts, r#"{"en": {"history": "Past incidents"}, "fr": {"history": "Historique"}}"#).unwrap();
    let english = Web::serving(dir.path(), settings().language("en").texts(&texts)).await;
    browser.open(&english.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.text("h1").await, "Partial outage: 1 of 6 down");
    assert_eq!(browser.text("#timeline-title").await, "Past incidents");
    prefer(&browser, &["fr-FR"]).await;
    let french = Web::serving(dir.path(), settings().texts(&texts)).await;
    browser.open(&french.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.text("#timeline-title").await, "Historique");
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn without_scripts_a_served_page_says_the_state_and_a_static_one_what_it_needs() {
    let history = History::new().down("API", None, 97 * MINUTE, "connection refused").maintenance(
        "Mail",
        -MINUTE,
        60 * MINUTE,
        "New disks",
    );
    let (web, dir) = serving(&history).await;
    let browser = Browser::start().await;
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    // The history takes a moment to be read, and the page does not wait for it for long.
    browser.driver.goto(format!("{}summary.json", web.url)).await.unwrap();
    browser.driver.goto(&web.url).await.unwrap();
    let source = browser.driver.source().await.unwrap();
    for part in [
        "<h1 id=\"headline\">Partial outage: 1 of 6 down</h1>",
        "API: down",
        "Login: healthy",
        "Mail: New disks",
        "data-state=\"down\"",
    ] {
        assert!(source.contains(part), "{part} is missing in {source}");
    }
    export(dir.path(), &StatusPage::new());
    let files = Web::of_files(dir.path()).await;
    browser.driver.goto(&files.url).await.unwrap();
    let source = browser.driver.source().await.unwrap();
    assert!(source.contains("Without it, the feed lists the incidents."), "{source}");
    browser.close().await;
}

#[tokio::test]
async fn names_in_other_directions_keep_the_order_of_their_sentences() {
    let dir = TempDir::new().unwrap();
    let series = |location: &str| {
        json!({"title": "متجر", "endpoint": "e", "location": location, "messages": [],
        "recent": {"at": [now() - 3 * MINUTE, MINUTE, MINUTE], "status": "hdd", "rtt": [1, null, null], "reasons": {"1": "فشل: refused", "2": "فشل: refused"}}})
    };
    let summary =
        json!({"version": 2, "made": now(), "recent_from": 0, "series": [series("أوروبا"), series("eu-west")]});
    std::fs::write(dir.path().join("summary.json"), summary.to_string()).unwrap();
    let web = Web::serving(dir.path(), StatusPage::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser.screenshot("right-to-left", DESKTOP_LIGHT).await;
    // The name is at the start of its line, and the words about it follow.
    let order = "const line = document.querySelector('.problem'); const [name, word] = [line.querySelector('a'), line.querySelector('strong')]; \
        return name.getBoundingClientRect().right <= word.getBoundingClientRect().left";
    assert_eq!(browser.eval(order).await, true);
    assert!(browser.count("bdi").await >= 3);
    browser.close().await;
}
