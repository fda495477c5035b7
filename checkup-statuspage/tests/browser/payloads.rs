//! Whatever checks, operators and settings contain is text on the page, never markup.

use checkup_statuspage::{Group, StatusPage};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT, PHONE_DARK};
use crate::fixture::{DAY, MINUTE, now};
use crate::web::Web;

const SCRIPT: &str = "<script>window.pwned=1</script>";
const IMAGE: &str = "<img src=x onerror=window.pwned=1>";
const QUOTES: &str = "\"'><svg onload=window.pwned=1>";
const LINK: &str = "[click](javascript:window.pwned=1) [data](data:text/html,<script>window.pwned=1</script>) **<b onclick=window.pwned=1>bold</b>**";

fn history() -> Value {
    let now = now();
    let series = |title: &str, endpoint: &str, location: &str, status: &str, reason: &str| {
        json!({"title": title, "endpoint": endpoint, "location": location, "threshold": 1000,
            "messages": [{"at": now - 3 * MINUTE, "text": LINK}, {"at": now - 2 * MINUTE, "text": IMAGE}],
            "incidents": [{"from": now - 2 * DAY, "to": now - 2 * DAY + MINUTE, "status": "down", "reason": format!("{SCRIPT} {reason}")}],
            "days": [[now / DAY - 2, 10, 0, 1, 0, 1000, 1000, 1000]],
            "recent": {"at": [now - 2 * MINUTE, MINUTE], "status": status, "rtt": [1000, 2000], "reasons": {"1": reason}}})
    };
    json!({"version": 1, "made": now, "recent_from": now / DAY * DAY,
    "unread": [format!("{IMAGE}-check.json")],
    "windows": [{"from": now - MINUTE, "to": now + MINUTE, "title": "other", "text": format!("{SCRIPT} {LINK}")}],
    "series": [
        series(SCRIPT, "javascript:window.pwned=1", IMAGE, "hd", IMAGE),
        series(IMAGE, SCRIPT, SCRIPT, "hg", SCRIPT),
        series(QUOTES, QUOTES, QUOTES, "hh", QUOTES),
        series("__proto__", "constructor", "toString", "hd", "__proto__"),
        series("{{config}} ${1} $&", "</script><script>window.pwned=1</script>", "</style>", "hh", ""),
    ]})
}

#[tokio::test]
async fn scripts_in_data_and_settings_stay_text() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("summary.json"), history().to_string()).unwrap();
    // The same from a check file, which every node can write.
    let at = now();
    let result = json!([{"title": IMAGE, "endpoint": LINK, "location": QUOTES, "timestamp": at * 1_000_000, "down": true,
        "times": [{"rtt": 1, "error": SCRIPT}], "notice": IMAGE, "message": LINK}]);
    std::fs::write(dir.path().join(crate::fixture::file_name(at)), result.to_string()).unwrap();
    let settings = StatusPage::new()
        .title(format!("{SCRIPT}{QUOTES}"))
        .description(format!("{IMAGE} {LINK} </script>"))
        .group(Group::new(SCRIPT, [IMAGE]));
    let web = Web::serving(dir.path(), settings).await;
    let browser = Browser::start().await;
    for view in [DESKTOP_LIGHT, PHONE_DARK] {
        browser.open(&web.url, view).await;
        browser
            .eval("document.querySelectorAll('h3 button[aria-expanded=false]').forEach((button) => button.click())")
            .await;
        // The panel of a card is drawn when it is near the window.
        browser
            .until(
                "const cards = [...document.querySelectorAll('.card')]; \
                 cards.find((card) => !card.querySelector('.figures table'))?.scrollIntoView({behavior: 'instant'}); \
                 document.querySelectorAll('details').forEach((details) => { details.open = true; }); \
                 return cards.every((card) => card.querySelector('.figures table'))",
            )
            .await;
        browser.hover(".days").await;
        browser.hover(".chart-surface").await;
        browser.screenshot("payloads", view).await;
        browser.assert_no_overflow().await;
        assert_eq!(browser.eval("return window.pwned === undefined").await, true);
        assert_eq!(browser.count("script").await, 2, "the settings and the page's own");
        assert_eq!(browser.count("img, b[onclick], svg[onload], iframe, style ~ style").await, 0);
        let schemes = "return [...document.querySelectorAll('a[href]')].map((a) => a.protocol).filter((p) => !['http:', 'https:', 'mailto:'].includes(p))";
        assert_eq!(browser.eval(schemes).await, json!([]));
    }
    // All of it can be read.
    let titles = browser.eval("return [...document.querySelectorAll('.card h3')].map((e) => e.textContent)").await;
    let titles: Vec<&str> = titles.as_array().unwrap().iter().map(|title| title.as_str().unwrap()).collect();
    for title in [SCRIPT, IMAGE, QUOTES, "__proto__", "{{config}} ${1} $&"] {
        assert!(titles.contains(&title), "{title} is missing of {titles:?}");
    }
    assert_eq!(browser.text("#brand").await, format!("{SCRIPT}{QUOTES}"));
    let page = browser.eval("return document.body.textContent").await;
    let page = page.as_str().unwrap();
    for text in [
        "[click](javascript:window.pwned=1)",
        "<b onclick=window.pwned=1>bold</b>",
        "Endpoint: javascript:window.pwned=1",
    ] {
        assert!(page.contains(text), "{text}");
    }
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn the_policy_refuses_markup_and_scripts_that_are_not_the_pages() {
    let (web, _dir) = crate::web::serving(&crate::fixture::History::new()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    let markup = "try { document.body.innerHTML = '<b>x</b>'; return 'written'; } catch (error) { return error.name; }";
    assert_eq!(browser.eval(markup).await, "TypeError");
    let handler = "try { document.body.setAttribute('onclick', 'window.pwned = 1'); document.body.click(); return 'set'; } catch (error) { return error.name; }";
    assert_eq!(browser.eval(handler).await, "TypeError");
    assert_eq!(browser.eval("return window.pwned === undefined").await, true);
    let console = browser.console().await;
    assert!(!console.is_empty(), "a violation is in the console, so that the other tests would see it");
    browser.close().await;
}
