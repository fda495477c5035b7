//! Reaching everything with the mouse and the keyboard.

use crate::browser::{Browser, DESKTOP_LIGHT};
use crate::fixture::{History, MINUTE};
use crate::web::serving;

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';
const HOME: char = '\u{e011}';
const LEFT: char = '\u{e012}';
const RIGHT: char = '\u{e014}';

const FOCUS: &str = "const e = document.activeElement; return [e.className || e.tagName, e.getAttribute('role'), e.getAttribute('aria-valuetext')]";

#[tokio::test]
async fn the_keyboard_reaches_the_statistics_of_each_day() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    let mut stops = Vec::new();
    let bar = loop {
        browser.press(TAB).await;
        let focus = browser.eval(FOCUS).await;
        if focus[0] == "days" {
            break focus;
        }
        stops.push(focus[0].clone());
        assert!(stops.len() < 12, "{stops:?}");
    };
    assert_eq!(stops[0], "skip");
    assert_eq!(bar[1], "slider");
    let today = bar[2].as_str().unwrap().to_owned();
    assert!(today.contains("(UTC), Uptime 100 %, healthy so far"), "{today}");
    assert_eq!(browser.count(".tip:not([hidden])").await, 1, "what is in focus shows its figures");
    browser.press(LEFT).await;
    let yesterday = browser.eval(FOCUS).await[2].as_str().unwrap().to_owned();
    assert_ne!(yesterday, today);
    assert!(yesterday.contains("healthy all day") && yesterday.contains("us-east"), "{yesterday}");
    assert!(browser.text(".tip").await.contains(&yesterday[..20]), "the tip shows what is spoken");
    browser.press(RIGHT).await;
    assert_eq!(browser.eval(FOCUS).await[2], today.as_str());
    browser.press(HOME).await;
    assert_eq!(browser.eval("return document.activeElement.getAttribute('aria-valuenow')").await, "0");
    browser.press(ESCAPE).await;
    assert_eq!(browser.count(".tip:not([hidden])").await, 0);
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn the_mouse_shows_the_statistics_of_a_day() {
    let (web, _dir) = serving(&History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser.hover(".days").await;
    let tip = browser.text(".tip").await;
    assert!(tip.contains("(UTC)") && tip.contains("eu-west"), "{tip}");
    let inside = "const b = document.querySelector('.tip').getBoundingClientRect(); return b.left >= 0 && b.right <= innerWidth && b.top >= 0";
    assert_eq!(browser.eval(inside).await, true);
    browser.screenshot("tip", DESKTOP_LIGHT).await;
    browser.close().await;
}

#[tokio::test]
async fn a_check_opens_by_keyboard_to_its_locations_chart_and_figures() {
    let (web, _dir) = serving(&History::new().down("API", None, 60 * MINUTE, "refused")).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.count(".panel:not([hidden])").await, 0, "nothing opens by itself");
    browser.eval("document.querySelectorAll('h3 button')[1].focus()").await;
    browser.press(ENTER).await;
    assert_eq!(browser.eval("return document.activeElement.getAttribute('aria-expanded')").await, "true");
    assert_eq!(browser.count(".panel:not([hidden])").await, 1);
    let chart = ".card:nth-child(2) .chart-surface";
    browser.until(&format!("return !!document.querySelector('{chart}')")).await;
    browser.eval(&format!("document.querySelector('{chart}').focus()")).await;
    browser.press(LEFT).await;
    let spoken = browser.eval(FOCUS).await[2].as_str().unwrap().to_owned();
    assert!(spoken.contains(" to ") && spoken.contains("eu-west") && spoken.contains(" ms"), "{spoken}");
    // The same data is in tables, too.
    browser.eval("document.querySelector('.card:nth-child(2) details').open = true").await;
    browser.until("return document.querySelectorAll('.card:nth-child(2) .figures tbody tr').length === 24 + 90").await;
    browser.eval("document.querySelectorAll('h3 button')[1].focus()").await;
    browser.press(ENTER).await;
    assert_eq!(browser.count(".panel:not([hidden])").await, 0);
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn open_cards_and_focus_stay_when_new_data_arrives() {
    let dir = tempfile::TempDir::new().unwrap();
    History::new().write(dir.path());
    let settings = crate::web::settings().refresh_interval(std::time::Duration::from_secs(5));
    let web = crate::web::Web::serving(dir.path(), settings).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser.eval("document.querySelectorAll('h3 button')[1].click(); document.querySelector('.days').focus()").await;
    let file = crate::fixture::check_file("Extra", crate::fixture::now(), "down");
    std::fs::write(dir.path().join(crate::fixture::file_name(crate::fixture::now())), file.to_string()).unwrap();
    browser.until("return document.querySelectorAll('.card').length === 7").await;
    assert_eq!(browser.text("h1").await, "Partial outage: 1 of 7 down");
    assert_eq!(browser.eval("return document.activeElement.className").await, "days");
    assert_eq!(
        browser.eval("return document.querySelectorAll('h3 button')[1].getAttribute('aria-expanded')").await,
        "true"
    );
    browser.assert_quiet().await;
    browser.close().await;
}
