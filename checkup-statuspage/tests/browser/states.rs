//! The texts and the look of the page in each state.

use checkup_statuspage::StatusPage;
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_DARK, DESKTOP_LIGHT, PHONE_DARK, PHONE_LIGHT, SMALL_PHONE, View};
use crate::fixture::{History, MINUTE};
use crate::web::{Web, serving};

const VIEWS: [View; 4] = [DESKTOP_LIGHT, DESKTOP_DARK, PHONE_LIGHT, PHONE_DARK];

/// Opens a page in all views and takes screenshots. It must fit the window, and log no errors.
async fn look(browser: &Browser, url: &str, name: &str) {
    for view in VIEWS {
        browser.open(url, view).await;
        browser.assert_no_overflow().await;
        browser.screenshot(name, view).await;
    }
    browser.open(url, SMALL_PHONE).await;
    browser.assert_no_overflow().await;
    browser.assert_quiet().await;
    browser.open(url, DESKTOP_LIGHT).await;
}

#[tokio::test]
async fn all_healthy() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    look(&browser, &web.url, "healthy").await;
    assert_eq!(browser.text("h1").await, "All systems operational");
    assert!(browser.text("#subline").await.starts_with("All 6 checks are healthy. Last checked "));
    assert_eq!(browser.driver.title().await.unwrap(), "✓ All systems operational · Acme Status");
    assert_eq!(browser.count(".card").await, 6);
    assert_eq!(browser.count("#incidents:not([hidden])").await, 0);
    assert_eq!(browser.count(".notice").await, 0);
    assert_eq!(browser.text(".group h2").await, "Core");
    assert!(browser.text(".group-state").await.starts_with("all 3 healthy · 90 d "));
    let names = browser.eval("return [...document.querySelectorAll('.card h3')].map(e => e.innerText)").await;
    assert_eq!(names, serde_json::json!(["API", "Website", "Login", "Search", "Payments", "Webhooks"]));
    assert!(browser.text(".card .card-state").await.starts_with("Healthy"));
    let uptimes = browser
        .eval("return [...document.querySelector('.card').querySelectorAll('.uptimes dt')].map(e => e.innerText)")
        .await;
    assert_eq!(uptimes, serde_json::json!(["24 h", "7 d", "30 d", "90 d"]));
    // Of the present month there may be none: it depends on the day on which this runs.
    let entries = browser.entries("entry.dataset.state").await;
    let of = |state: &str| entries.as_array().unwrap().iter().filter(|entry| **entry == state).count();
    assert_eq!(of("message"), 1, "{entries}");
    assert!(of("down") > 3 && of("degraded") > 3, "{entries}");
    let icon = browser.eval("return document.querySelector('link[rel=icon]').href").await;
    assert!(icon.as_str().unwrap().contains("%231f8a57"), "{icon}");
    browser.close().await;
}

#[tokio::test]
async fn one_degraded() {
    let history = History::new().degraded("Search", 38 * MINUTE, "median round trip time exceeded threshold (500ms)");
    let (web, _dir) = serving(&history).await;
    let browser = Browser::start().await;
    look(&browser, &web.url, "degraded").await;
    assert_eq!(browser.text("h1").await, "Degraded service: 1 of 6");
    let problem = browser.text("#incidents li").await;
    assert!(problem.starts_with("Search degraded for "), "{problem}");
    assert!(
        problem.contains("since ") && problem.contains("exceeded threshold (500ms) (3 of 3 locations)"),
        "{problem}"
    );
    browser.close().await;
}

#[tokio::test]
async fn one_down_and_another_at_one_location() {
    let history = History::new()
        .down("API", None, 97 * MINUTE, "cannot connect to api.example.com:443: connection refused")
        .down("Login", Some("us-east"), 22 * MINUTE, "response status 503 Service Unavailable");
    let (web, _dir) = serving(&history).await;
    let browser = Browser::start().await;
    look(&browser, &web.url, "down").await;
    assert_eq!(browser.text("h1").await, "Partial outage: 1 of 6 down");
    assert!(browser.text("#subline").await.starts_with("1 down, 1 degraded and 4 healthy of 6 checks."));
    assert_eq!(browser.driver.title().await.unwrap(), "✕ Partial outage: 1 of 6 down · Acme Status");
    let problems =
        browser.eval("return [...document.querySelectorAll('#incidents .problems > li')].map(e => e.innerText)").await;
    let [down, degraded] = [0, 1].map(|i| problems[i].as_str().unwrap().to_owned());
    assert!(down.starts_with("API down for 1 h 3"), "{down}");
    assert!(down.contains("connection refused (3 of 3 locations)"), "{down}");
    assert!(
        degraded.starts_with("Login degraded for ") && degraded.contains("Down at us-east: response status 503"),
        "{degraded}"
    );
    // Nothing opens by itself that is said above. The panel has the state of each location and the chart.
    assert_eq!(browser.count(".panel:not([hidden])").await, 0);
    browser.eval("document.querySelector('.card[data-state=down] h3 button').click()").await;
    browser.until("return document.querySelectorAll('.card[data-state=down] .chart path.median').length > 0").await;
    let rows = browser
        .eval(
            "return [...document.querySelectorAll('.card[data-state=down] .locations tbody tr:not(.of-reason)')].map(e => e.innerText)",
        )
        .await;
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert!(rows[0].as_str().unwrap().contains("Down"), "{rows}");
    assert_eq!(
        browser.count(".card[data-state=down] .chart path.median").await,
        6,
        "three lines, and their samples in the legend"
    );
    assert_eq!(browser.count(".card[data-state=down] .chart line.threshold").await, 1);
    // The timeline has one incident for all locations.
    let entry = browser.text("#timeline .entry[data-state=down]").await;
    assert!(entry.contains(" down for "), "{entry}");
    browser.close().await;
}

#[tokio::test]
async fn stale() {
    let (web, _dir) = serving(&History::new().age(47 * MINUTE)).await;
    let browser = Browser::start().await;
    look(&browser, &web.url, "stale").await;
    assert_eq!(browser.text("h1").await, "No recent results");
    let notice = browser.text(".notice").await;
    assert!(notice.starts_with("No results for ") && notice.contains("The current state is unknown"), "{notice}");
    assert_eq!(browser.count(".card[data-state=stale]").await, 6);
    browser.close().await;
}

#[tokio::test]
async fn empty() {
    let dir = TempDir::new().unwrap();
    let web = Web::serving(dir.path(), StatusPage::new()).await;
    let browser = Browser::start().await;
    look(&browser, &web.url, "empty").await;
    assert_eq!(browser.text("h1").await, "No results yet");
    assert_eq!(browser.text("#subline").await, "They appear here after the first check.");
    browser.close().await;
}

#[tokio::test]
async fn two_hundred_checks() {
    let (web, _dir) =
        serving(&History::new().checks(200).down("Service 100", None, 30 * MINUTE, "connection refused")).await;
    let browser = Browser::start().await;
    look(&browser, &web.url, "many").await;
    // Groups without problems are closed, and a large group shows what is wrong first.
    assert_eq!(browser.count("h2 button[aria-expanded=true]").await, 1);
    assert_eq!(browser.count(".card").await, 1);
    for view in [SMALL_PHONE, DESKTOP_LIGHT] {
        browser.open(&web.url, view).await;
        let height = browser.eval("return document.documentElement.scrollHeight").await.as_u64().unwrap();
        assert!(height <= 6000, "{}: {height}", view.name);
        browser.eval("document.querySelector('.group .all:not([hidden])').click()").await;
        browser.until("return document.querySelectorAll('.card').length === 194").await;
        let height = browser.eval("return document.getElementById('checks').offsetHeight").await.as_u64().unwrap();
        assert!(height <= 8000, "{}: {height}", view.name);
    }
    // The link to the check that is down scrolls to its card and opens it.
    browser.eval("document.querySelector('#incidents a').click()").await;
    browser.until("const b = document.querySelector('.card[data-state=down]').getBoundingClientRect(); return b.top >= 0 && b.top < innerHeight").await;
    assert_eq!(browser.text(".card[data-state=down] h3").await, "Service 100");
    browser.until("return document.querySelectorAll('.card[data-state=down] .chart path.median').length > 0").await;
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn one_broken_check_file() {
    let dir = TempDir::new().unwrap();
    History::new().write(dir.path());
    let broken = crate::fixture::file_name(crate::fixture::now() - 2 * MINUTE);
    std::fs::write(dir.path().join(&broken), r#"[{"title": "API", "endp"#).unwrap();
    let web = Web::serving(dir.path(), crate::web::settings()).await;
    let browser = Browser::start().await;
    look(&browser, &web.url, "broken-file").await;
    assert_eq!(browser.text("h1").await, "All systems operational");
    let notice = browser.text(".notice").await;
    assert!(
        notice.starts_with("1 file could not be read. Its results are missing here.") && notice.contains(&broken),
        "{notice}"
    );
    browser.close().await;
}

#[tokio::test]
async fn maintenance() {
    let history = History::new().down("Payments", None, 20 * MINUTE, "connection refused").maintenance(
        "Payments",
        -30 * MINUTE,
        45 * MINUTE,
        "New database. **Nothing** is lost.",
    );
    let (web, _dir) = serving(&history).await;
    let browser = Browser::start().await;
    look(&browser, &web.url, "maintenance").await;
    assert_eq!(browser.text("h1").await, "Maintenance under way");
    assert!(browser.text("#running li").await.starts_with("Payments until "));
    assert_eq!(browser.count("#running .said strong").await, 1);
    assert_eq!(browser.count("#planned:not([hidden])").await, 0);
    assert_eq!(browser.text(".card[data-state=maintenance] .uptimes dd").await, "100 %", "what was down was announced");
    assert!(browser.text("#timeline .entry[data-state=maintenance]").await.contains("New database."));
    browser.close().await;
}

#[tokio::test]
async fn files_that_a_summary_names_as_unreadable_are_noted() {
    let (web, _dir) = serving(&History::new().unread("1795000000000000000-check.json")).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert!(browser.text(".notice").await.contains("1795000000000000000-check.json"));
    browser.close().await;
}

#[tokio::test]
async fn the_page_does_not_shift_while_it_loads() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    let script = "const done = arguments[0]; let sum = 0; \
        new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; }).observe({type: 'layout-shift', buffered: true}); \
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 0)));";
    let shift = browser.eval_async(script).await.as_f64().unwrap();
    assert!(shift < 0.02, "cumulative layout shift {shift}");
    browser.close().await;
}
