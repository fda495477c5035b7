//! Groups, the search field, and the ranges of the chart.

use crate::browser::{Browser, DESKTOP_LIGHT, SMALL_PHONE};
use crate::fixture::{History, MINUTE};
use crate::web::serving;

#[tokio::test]
async fn groups_close_and_open_and_say_their_state() {
    let history = History::new().checks(20).down("Login", None, 30 * MINUTE, "connection refused");
    let (web, _dir) = serving(&history).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    let expanded = "return [...document.querySelectorAll('h2 button')].map((button) => button.textContent + ' ' + button.getAttribute('aria-expanded'))";
    assert_eq!(browser.eval(expanded).await, serde_json::json!(["Core true", "Commerce false", "Other checks false"]));
    assert!(browser.text(".group-state").await.starts_with("1 down of 3 · 90 d "));
    browser.eval("document.querySelectorAll('h2 button')[1].focus()").await;
    browser.press('\u{e007}').await;
    assert_eq!(browser.count("#group-1-cards:not([hidden]) .card").await, 3);
    browser.press('\u{e007}').await;
    assert_eq!(browser.count("#group-1-cards:not([hidden])").await, 0);
    assert_eq!(browser.eval("return document.querySelector('.search').hidden").await, true, "20 checks need no search");
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn many_checks_can_be_searched() {
    let (web, _dir) = serving(&History::new().checks(60)).await;
    let browser = Browser::start().await;
    for view in [DESKTOP_LIGHT, SMALL_PHONE] {
        browser.open(&web.url, view).await;
        assert_eq!(browser.count(".cards:not([hidden])").await, 0, "all is healthy");
        browser.eval("const input = document.querySelector('#search'); input.value = 'commerce se'; input.dispatchEvent(new Event('input'))").await;
        let names = browser
            .eval("return [...document.querySelectorAll('.cards:not([hidden]) .card h3')].map((e) => e.textContent)")
            .await;
        assert_eq!(names, serde_json::json!(["Search"]), "by group and name");
        assert_eq!(browser.text(".search-count").await, "1 of 60 checks");
        browser.eval("const input = document.querySelector('#search'); input.value = 'no such'; input.dispatchEvent(new Event('input'))").await;
        assert_eq!(browser.text(".search-count").await, "No check has this in its name.");
        browser.eval("const input = document.querySelector('#search'); input.value = ''; input.dispatchEvent(new Event('input'))").await;
        assert_eq!(browser.count(".group").await, 3);
        assert_eq!(browser.count(".cards:not([hidden])").await, 0, "what was closed is closed again");
        browser.assert_no_overflow().await;
    }
    // A link to a check opens it, wherever it is.
    let id = browser.eval("document.querySelectorAll('h2 button')[2].click(); return document.querySelectorAll('.cards:not([hidden]) .card')[50].id").await;
    let id = id.as_str().unwrap().to_owned();
    assert!(id.starts_with("check-service-"), "{id}");
    browser.driver.goto("about:blank").await.unwrap();
    browser.open(&format!("{}#{id}", web.url), DESKTOP_LIGHT).await;
    browser.until(&format!("const b = document.getElementById('{id}')?.getBoundingClientRect(); return !!b && b.top >= 0 && b.top < innerHeight")).await;
    browser.until(&format!("return document.querySelectorAll('#{id} .chart path.median').length > 0")).await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn the_chart_has_four_ranges() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser.eval("document.querySelector('h3 button').click()").await;
    browser.until("return document.querySelectorAll('.ranges button').length === 4").await;
    let steps = "return Number(document.querySelector('.chart-surface').getAttribute('aria-valuemax')) + 1";
    for (index, count) in [(0, 144), (1, 7), (2, 30), (3, 90)] {
        browser.eval(&format!("document.querySelectorAll('.ranges button')[{index}].click()")).await;
        assert_eq!(browser.eval(steps).await, count);
        let lines = browser.eval("return [...document.querySelectorAll('.chart-surface path.median')].filter((e) => (e.getAttribute('d') ?? '').includes('L')).length").await;
        assert_eq!(lines, 3, "a line for each location");
        let pressed = browser.eval("return [...document.querySelectorAll('.ranges [aria-pressed=true]')].length").await;
        assert_eq!(pressed, 1);
    }
    let label = browser.eval("return document.querySelector('.chart-surface').getAttribute('aria-label')").await;
    assert_eq!(label, "API: round-trip time, 90 d");
    browser.assert_quiet().await;
    browser.close().await;
}
