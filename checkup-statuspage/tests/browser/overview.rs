//! A page with many checks: an overview of all, and the details of a check when it is opened.

use checkup_core::Checkup;
use checkup_storage_fs::Fs;
use serde_json::json;
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT};
use crate::fixture::{History, MINUTE, millis};
use crate::web::{Web, export, settings};

const NOW: &str = "2026-11-25T12:00:00Z";

fn history() -> History {
    let history = History::at(millis(NOW)).checks(100).every(MINUTE);
    let history = history.down("Login", None, 30 * MINUTE, "connection refused");
    history.degraded("Mail", 20 * MINUTE, "slow").maintenance("DNS", -10 * MINUTE, 60 * MINUTE, "A new server")
}

/// What a page shows of every check: names, states, uptimes and daily statistics; and the entries of the history.
const SHOWN: &str = "
    document.querySelectorAll('h2 button[aria-expanded=false]').forEach((button) => button.click());
    for (let more; (more = document.querySelector('.group > .all:not([hidden])')); ) more.click();
    dispatchEvent(new Event('beforeprint'));
    return [...document.querySelectorAll('.card')].map(({ card }) => [
        card.verdict.check.title, card.state.textContent, card.share.textContent, card.uptimes.textContent,
        card.days.map(({ day, times, incidents }) => [day, Object.entries(times).map(([state, time]) => [state, Math.round(time / 60_000)]).sort(), incidents.map(({ incident: { id, from, to, reason, segments } }) => [id, from, to, reason, segments.map((one) => ({ ...one, to: Math.round(one.to / 60_000) }))])]),
    ]).concat([document.querySelector('#timeline').innerText, document.querySelector('#incidents').innerText]);
";

#[tokio::test]
async fn an_overview_shows_the_same_as_all_data_and_a_check_loads_its_details_when_it_is_opened() {
    let dir = TempDir::new().unwrap();
    history().write(dir.path());
    let served = Web::serving_at(dir.path(), settings(), millis(NOW)).await;
    export(dir.path(), &settings());
    std::fs::write(dir.path().join("index.json"), "{}").unwrap();
    let whole = Web::of_files(dir.path()).await;
    let browser = Browser::start().await;
    // The clock of both pages stands still: how long they take to load makes no difference.
    let clock = format!("Date.now = () => {}", millis(NOW));
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": clock})).await;
    browser.open(&whole.url, DESKTOP_LIGHT).await;
    let expected = browser.eval(SHOWN).await;
    assert!(expected.as_array().unwrap().len() > 100, "{expected}");
    browser.open(&served.url, DESKTOP_LIGHT).await;
    let found = browser.eval(SHOWN).await;
    for (found, expected) in found.as_array().unwrap().iter().zip(expected.as_array().unwrap()) {
        assert_eq!(found.to_string(), expected.to_string());
    }
    let fetched =
        "return performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/detail/')).length";
    assert_eq!(browser.eval(fetched).await, 0, "before a check is opened");
    browser.exchanges().await;
    browser.open(&served.url, DESKTOP_LIGHT).await;
    let before: u64 = browser.exchanges().await.iter().map(|exchange| exchange.bytes).sum();
    assert!(before < 200_000, "{before} bytes");
    let open = "[...document.querySelectorAll('.card')].find(({ card }) => card.verdict.check.title === 'Login').card.toggle(true)";
    browser.eval(open).await;
    browser.until("return document.querySelectorAll('.is-open .chart-surface path.median').length === 3").await;
    assert_eq!(browser.eval(fetched).await, 1);
    assert_eq!(browser.count(".is-open .locations tbody").await, 3);
    let text = browser.text(".is-open .panel").await;
    assert!(text.contains("connection refused") && !text.contains("being loaded"), "{text}");
    let tip = "return [...document.querySelectorAll('.card')].find(({ card }) => card.open).card.days.at(-2).locations.length";
    assert_eq!(browser.eval(tip).await, json!(3), "the tip of a day has its round-trip times");
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn a_static_page_of_many_checks_has_their_details_in_files() {
    let (checks, page) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    History::new()
        .checks(100)
        .every(MINUTE)
        .down("Login", None, 30 * MINUTE, "connection refused")
        .write(checks.path());
    let checkup = Checkup::builder().storage(Fs::new(checks.path())).build().unwrap();
    checkup_statuspage::export(page.path(), &settings(), &checkup).await.unwrap();
    assert!(!page.path().join("summary.json").exists());
    assert_eq!(std::fs::read_dir(page.path().join("detail")).unwrap().count(), 100);
    let web = Web::of_files(page.path()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.text("h1").await, "Partial outage: 1 of 100 down");
    browser.eval("[...document.querySelectorAll('.card')].find(({ card }) => card.verdict.check.title === 'Login').card.toggle(true)").await;
    browser.until("return document.querySelectorAll('.is-open .chart-surface path.median').length === 3").await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn details_that_cannot_be_loaded_are_reported_where_they_are_missed() {
    let dir = TempDir::new().unwrap();
    history().write(dir.path());
    let served = Web::serving_at(dir.path(), settings(), millis(NOW)).await;
    let browser = Browser::start().await;
    browser.set_clock(millis(NOW)).await;
    browser.open(&served.url, DESKTOP_LIGHT).await;
    browser.eval("const get = fetch; window.fetch = (url, options) => get(String(url).replace('/detail/', '/lost/'), options);").await;
    browser.eval("document.querySelectorAll('.card')[0].card.toggle(true)").await;
    browser.until("return document.querySelector('.is-open [role=status]').textContent.includes('404')").await;
    assert_eq!(browser.count(".is-open .chart:not([hidden])").await, 0);
    browser.close().await;
}
