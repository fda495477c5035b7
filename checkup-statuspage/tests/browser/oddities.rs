//! Unusual data and slow networks: the page stays readable, and says only what it knows.

use axum::Router;
use axum::routing::get;
use checkup_statuspage::StatusPage;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT, PHONE_LIGHT, SMALL_PHONE};
use crate::fixture::{History, MINUTE, now};
use crate::web::{Web, export, serving};

const LONG: &str = "OrdersService_production_europe_west1_replica_0123456789_abcdefghijklmnopqrstuvwxyz";

fn series(title: &str, location: &str, status: &str, reason: &str) -> Value {
    let now = now();
    json!({"title": title, "endpoint": format!("https://example.com/{}", title.trim().len()), "location": location,
        "messages": [{"at": now - MINUTE, "text": "m".repeat(1_000_000)}],
        "recent": {"at": [now - 2 * MINUTE, MINUTE], "status": status, "rtt": [1000, 2000], "reasons": {"1": reason}}})
}

#[tokio::test]
async fn long_blank_and_right_to_left_names_stay_readable_on_phones() {
    let dir = TempDir::new().unwrap();
    let reason = format!("{LONG}{LONG} {}", "because ".repeat(40));
    let summary = json!({"version": 1, "made": now(), "recent_from": 0, "series": [
        series(LONG, LONG, "dd", &reason), series(LONG, "eu-west", "dd", "connection refused"),
        series("   ", "eu-west", "hh", ""), series("متجر", "أوروبا", "dd", "فشل: connection refused")]});
    std::fs::write(dir.path().join("summary.json"), summary.to_string()).unwrap();
    let web = Web::serving(dir.path(), StatusPage::new()).await;
    let browser = Browser::start().await;
    for view in [SMALL_PHONE, PHONE_LIGHT, DESKTOP_LIGHT] {
        browser.open(&web.url, view).await;
        browser.assert_no_overflow().await;
        let clipped = "return [...document.querySelectorAll('.problems > li, .problems p, .card-head, .places, .places li, .legend, .legend li, .notice, .entry')].filter((e) => e.scrollWidth > e.clientWidth).length";
        assert_eq!(browser.eval(clipped).await, 0, "{}", view.name);
        browser.screenshot("odd", view).await;
    }
    // The reasons of locations are in the panels.
    browser.eval("document.querySelectorAll('h3 button').forEach((button) => button.click())").await;
    browser
        .until(
            "const cards = [...document.querySelectorAll('.card[data-state=down]')]; \
             cards.find((card) => !card.querySelector('.cell-reason'))?.scrollIntoView({behavior: 'instant'}); \
             return cards.every((card) => card.querySelector('.cell-reason'))",
        )
        .await;
    let narrow = "return [...document.querySelectorAll('.cell-reason')].map((e) => [e.clientWidth, e.clientHeight]).filter(([width, height]) => width < 150 || height > 80).length";
    assert_eq!(browser.eval(narrow).await, 0, "reasons have room, and at most three lines");
    let names = browser.eval("return [...document.querySelectorAll('h3 button')].map((e) => e.innerText)").await;
    assert!(names.as_array().unwrap().contains(&json!("https://example.com/0")), "{names}");
    let said = browser.text("#timeline .said").await;
    assert!(said.len() < 2100 && said.ends_with("(998,000 more characters)"), "{}", said.len());
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn while_it_loads_the_page_says_nothing_about_the_state() {
    let dir = TempDir::new().unwrap();
    export(dir.path(), &StatusPage::new());
    let files = Router::new()
        .route("/summary.json", get(std::future::pending::<&str>))
        .route("/index.json", get(std::future::pending::<&str>))
        .merge(crate::web::files(dir.path()));
    let web = Web::of(files).await;
    let browser = Browser::start().await;
    // The page's timer is in the hands of the test.
    let timer = "globalThis.ticks = []; globalThis.setInterval = (tick) => globalThis.ticks.push(tick);";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": timer})).await;
    browser.driver.goto(&web.url).await.unwrap();
    browser.until("return globalThis.ticks.length > 0").await;
    browser.eval("globalThis.ticks.forEach((tick) => tick())").await;
    assert_eq!(browser.text("h1").await, "Loading the current status");
    assert_eq!(browser.count("main[aria-busy]").await, 1);
    browser.close().await;
}

#[tokio::test]
async fn the_figures_of_a_day_stay_after_a_tap_until_the_next_one() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, PHONE_LIGHT).await;
    assert_eq!(browser.text(".below-bar span").await, "30 days ago");
    let place = browser
        .eval("const b = document.querySelector('.days').getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]")
        .await;
    let tap = async |x: &Value, y: &Value| {
        let points = json!([{"x": x, "y": y}]);
        browser.devtools("Input.dispatchTouchEvent", json!({"type": "touchStart", "touchPoints": points})).await;
        browser.devtools("Input.dispatchTouchEvent", json!({"type": "touchEnd", "touchPoints": []})).await;
    };
    tap(&place[0], &place[1]).await;
    browser.until("return document.querySelectorAll('.tip:not([hidden])').length === 1").await;
    tap(&json!(20), &json!(20)).await;
    browser.until("return document.querySelectorAll('.tip:not([hidden])').length === 0").await;
    browser.close().await;
}
