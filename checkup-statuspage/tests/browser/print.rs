//! The printed page: all checks, complete and in one piece.

use serde_json::json;

use crate::browser::{Browser, DESKTOP_LIGHT};
use crate::fixture::{History, MINUTE};
use crate::web::serving;

#[tokio::test]
async fn a_printed_page_has_the_bars_and_uptimes_of_all_checks() {
    let (web, _dir) =
        serving(&History::new().checks(40).down("Service 030", None, 30 * MINUTE, "connection refused")).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert!(browser.count("h2 button[aria-expanded=false]").await > 0, "groups are closed");
    let drawn = "return [...document.querySelectorAll('.card')].filter((card) => card.querySelector('path.day.healthy').getAttribute('d') && card.querySelector('.uptimes dd')).length";
    assert_ne!(browser.eval(drawn).await, 40, "only cards near the window are drawn");
    // Before it prints, the browser sends this event.
    let pdf = browser.devtools("Page.printToPDF", json!({"printBackground": true})).await;
    assert!(pdf["data"].as_str().is_some_and(|data| data.len() > 10_000));
    assert_eq!(browser.eval(drawn).await, 40);
    assert!(browser.count("h2 button[aria-expanded=false]").await > 0, "they are closed again");
    // Drawn for one width, a bar is as wide as its place at any other.
    browser.devtools("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
    browser
        .devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": 700, "height": 900, "deviceScaleFactor": 1, "mobile": false}),
        )
        .await;
    let fits = "return [...document.querySelectorAll('.days')].every((bar) => { const box = bar.getBoundingClientRect(); \
                const paths = [...bar.querySelectorAll('path')].map((path) => path.getBoundingClientRect()).filter(({width}) => width); \
                return Math.max(...paths.map(({right}) => right)) <= box.right + 1; })";
    browser.until(fits).await;
    assert_eq!(browser.eval("return getComputedStyle(document.querySelector('.card')).breakInside").await, "avoid");
    browser.assert_no_overflow().await;
    browser.screenshot("print", DESKTOP_LIGHT.named("paper")).await;
    browser.close().await;
}
