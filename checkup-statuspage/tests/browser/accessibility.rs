//! The findings of axe for the page, in light and dark, with closed and open cards.

use serde_json::{Value, json};

use crate::browser::{Browser, DESKTOP_DARK, DESKTOP_LIGHT, PHONE_LIGHT, axe};
use crate::fixture::{History, MINUTE};
use crate::web::serving;

/// Violations that axe reports as serious or critical.
async fn violations(browser: &Browser) -> Vec<Value> {
    browser.eval(&axe()).await;
    let run = "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((result) => done(result.violations), (error) => done(String(error)));";
    let found = browser.eval_async(run).await;
    let found = found.as_array().unwrap_or_else(|| panic!("{found}")).clone();
    let serious = found.into_iter().filter(|one| ["serious", "critical"].iter().any(|impact| one["impact"] == *impact));
    serious.map(|one| json!({"id": one["id"], "nodes": one["nodes"].as_array().unwrap().iter().map(|node| json!([node["html"], node["failureSummary"]])).collect::<Vec<_>>()})).collect()
}

#[tokio::test]
async fn axe_finds_nothing_serious() {
    let histories = [
        ("healthy", History::new()),
        (
            "trouble",
            History::new()
                .down("API", None, 97 * MINUTE, "connection refused")
                .degraded("Search", 30 * MINUTE, "slow")
                .maintenance("Mail", -MINUTE, 60 * MINUTE, "text")
                .unread("1795000000000000000-check.json"),
        ),
        ("stale", History::new().age(60 * MINUTE)),
    ];
    let browser = Browser::start().await;
    for (name, history) in histories {
        let (web, _dir) = serving(&history).await;
        for view in [DESKTOP_LIGHT, DESKTOP_DARK, PHONE_LIGHT] {
            browser.open(&web.url, view).await;
            browser
                .eval("document.querySelectorAll('h3 button[aria-expanded=false]').forEach((button) => button.click())")
                .await;
            browser.eval("document.querySelectorAll('details').forEach((details) => { details.open = true; })").await;
            browser.until("return document.querySelectorAll('.figures table').length > 0").await;
            assert_eq!(violations(&browser).await, Vec::<Value>::new(), "{name}, {}", view.name);
        }
    }
    browser.close().await;
}

#[tokio::test]
async fn axe_finds_a_page_that_is_not_accessible() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser.eval("document.querySelector('h3 button').textContent = ''").await;
    assert_ne!(violations(&browser).await, Vec::<Value>::new());
    browser.close().await;
}

#[tokio::test]
async fn the_page_has_landmarks_and_headings_in_order() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    for landmark in ["header", "main", "footer", "nav[aria-label]:not([hidden])"] {
        assert_eq!(browser.count(landmark).await, 1, "{landmark}");
    }
    let levels = browser.eval("return [...document.querySelectorAll('h1, h2, h3, h4')].filter(e => e.checkVisibility()).map(e => Number(e.tagName[1]))").await;
    let levels: Vec<u64> = levels.as_array().unwrap().iter().map(|level| level.as_u64().unwrap()).collect();
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    browser.close().await;
}

#[tokio::test]
async fn nothing_moves_with_reduced_motion() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser
        .devtools(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}),
        )
        .await;
    let moving = "return document.getAnimations().length + [...document.querySelectorAll('*')].filter((e) => getComputedStyle(e, '::after').transitionDuration !== '0s' || getComputedStyle(e).transitionDuration !== '0s').length";
    assert_eq!(browser.eval(moving).await, 0);
    browser.close().await;
}
