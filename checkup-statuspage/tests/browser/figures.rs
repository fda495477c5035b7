//! The page's figures are those of the library.

use checkup_core::Timestamp;
use checkup_core::summary::Summary;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT};
use crate::fixture::{DAY, History, MINUTE};
use crate::web::{Web, export, settings};

/// A share as the page writes it: never rounded up.
#[allow(clippy::cast_possible_truncation, reason = "from 0 to 10,000")]
fn percent(share: Option<f64>) -> String {
    match share {
        None => "no data".to_owned(),
        Some(1.0) => "100 %".to_owned(),
        Some(share) => {
            let hundredths = (share * 10_000.0 + 1e-7).floor() as i64;
            format!("{}.{:02} %", hundredths / 100, hundredths % 100)
        }
    }
}

/// A history with trouble of all kinds: long, short, at one location, at all, and in maintenance.
fn history() -> History {
    History::new()
        .down("API", None, 97 * MINUTE, "refused")
        .down("Login", Some("us-east"), 22 * MINUTE, "503")
        .degraded("Search", 600 * MINUTE, "slow")
        .down("Payments", None, 200 * MINUTE, "refused")
        .maintenance("Payments", -90 * MINUTE, -30 * MINUTE, "planned")
}

async fn opened(web: &Web) -> Browser {
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser
        .eval("document.querySelectorAll('h3 button[aria-expanded=false]').forEach((button) => button.click())")
        .await;
    browser
        .eval("document.querySelectorAll('.card').forEach((card) => card.scrollIntoView({behavior: 'instant'}))")
        .await;
    for card in 0..6 {
        browser
            .eval(&format!("document.querySelectorAll('.card')[{card}].scrollIntoView({{behavior: 'instant'}})"))
            .await;
        browser
            .until(&format!(
                "return document.querySelectorAll('.card')[{card}].querySelectorAll('.locations tbody tr').length === 3"
            ))
            .await;
    }
    browser
}

/// For each check and location, the percentages of 24 hours, 7, 30 and 90 days that the page shows.
async fn shown(browser: &Browser) -> Value {
    browser
        .eval(
            "return Object.fromEntries([...document.querySelectorAll('.card')].flatMap((card) => [...card.querySelectorAll('.locations tbody tr')]\
             .map((row) => [card.querySelector('h3').textContent + ' at ' + row.cells[0].textContent, [...row.cells].slice(5).map((cell) => cell.textContent)])))",
        )
        .await
}

fn computed(summary: &Summary, days: &[i64]) -> Value {
    let now = Timestamp::now();
    let of = |series: &checkup_core::summary::Series| {
        let from = |days: i64| Timestamp::from_unix_nanos(now.unix_nanos() - days * DAY * 1_000_000);
        let shares: Vec<_> = days.iter().map(|days| percent(summary.uptime(series, from(*days), now))).collect();
        (format!("{} at {}", series.name, series.location.as_deref().unwrap()), json!(shares))
    };
    Value::Object(summary.series.iter().map(of).collect())
}

#[tokio::test]
async fn uptime_is_that_of_the_library() {
    let json = history().json();
    let summary: Summary = serde_json::from_value(json.clone()).unwrap();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("summary.json"), json.to_string()).unwrap();
    export(dir.path(), &settings());
    let web = Web::of_files(dir.path()).await;
    let browser = opened(&web).await;
    let shown = shown(&browser).await;
    assert_eq!(shown, computed(&summary, &[1, 7, 30, 90]));
    assert_ne!(shown["API at eu-west"][0], "100 %");
    browser.close().await;
}

#[tokio::test]
async fn uptime_of_days_is_the_same_from_thinned_data() {
    let json = history().every(MINUTE).json();
    let summary: Summary = serde_json::from_value(json.clone()).unwrap();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("summary.json"), json.to_string()).unwrap();
    let web = Web::serving(dir.path(), settings()).await;
    let browser = opened(&web).await;
    let mut shown = shown(&browser).await;
    for (_, shares) in shown.as_object_mut().unwrap() {
        // Where the last 24 hours begin, a thinned point may stand for results from before.
        shares.as_array_mut().unwrap().remove(0);
    }
    assert_eq!(shown, computed(&summary, &[7, 30, 90]));
    browser.close().await;
}

/// What a script fetches from beside the page.
async fn fetched(browser: &Browser, url: &str) -> String {
    let script = format!("const done = arguments[0]; fetch('{url}').then((answer) => answer.text()).then(done)");
    browser.eval_async(&script).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn uptime_of_a_check_is_that_of_the_api() {
    // Results of one location are fewer than those of the others, which have no trouble.
    let mut json = history().json();
    for series in json["series"].as_array_mut().unwrap() {
        if series["title"] == "API" && series["location"] == "eu-west" {
            let (days, kept) = (series["days"].as_array_mut().unwrap(), 20);
            days.drain(..days.len() - kept);
            days.iter_mut().for_each(|day| day[3] = json!(40));
        }
    }
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("summary.json"), json.to_string()).unwrap();
    let web = Web::serving(dir.path(), settings()).await;
    let browser = opened(&web).await;
    let shown = browser
        .eval(
            "return Object.fromEntries([...document.querySelectorAll('.card')].map((card) => [card.querySelector('h3').textContent, \
             [...card.querySelectorAll('.uptimes dd')].slice(1).map((cell) => cell.textContent)]))",
        )
        .await;
    let answer: Value = serde_json::from_str(&fetched(&browser, "api/v1/status").await).unwrap();
    let of = |check: &Value| {
        let shares = ["7d", "30d", "90d"].map(|time| percent(check["uptime"][time].as_f64()));
        (check["name"].as_str().unwrap().to_owned(), json!(shares))
    };
    let expected = Value::Object(answer["checks"].as_array().unwrap().iter().map(of).collect());
    assert_eq!(shown, expected);
    browser.close().await;
}

/// The incidents of the feed: the check, the second of the beginning, and the status.
fn incidents_of_feed(feed: &str) -> Vec<(String, i64, String)> {
    let between = |text: &str, tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>")).unwrap();
        rest.split_once("</").unwrap().0.to_owned()
    };
    let entries = feed.split("<entry>").skip(1);
    let read = entries.filter_map(|entry| {
        let title = between(entry, "title");
        let (name, status) = title.split_once(" is ").or_else(|| title.split_once(" was "))?;
        let from: Timestamp = between(entry, "published").parse().unwrap();
        Some((name.to_owned(), from.unix_nanos() / 1_000_000_000, status.to_owned()))
    });
    read.collect()
}

#[tokio::test]
async fn incidents_are_those_of_the_feed() {
    let dir = TempDir::new().unwrap();
    // At one location of three: a degradation.
    history().down("Website", Some("us-east"), 40 * MINUTE, "refused").write(dir.path());
    let web = Web::serving(dir.path(), settings()).await;
    let browser = opened(&web).await;
    browser.eval("document.querySelector('#timeline button')?.click()").await;
    let shown = browser.eval("return [...document.querySelectorAll('#timeline .entry:is([data-state=down], [data-state=degraded])')].map((e) => [e.querySelector('b').textContent, Math.floor(Date.parse(e.querySelector('time').dateTime) / 1000), e.dataset.state])").await;
    let mut shown: Vec<(String, i64, String)> = serde_json::from_value(shown).unwrap();
    let mut expected = incidents_of_feed(&fetched(&browser, "feed.atom").await);
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    let of = |name: &str, status: &str| expected.iter().any(|(of, _, is)| of == name && is == status);
    assert!(of("Website", "degraded") && of("API", "down"), "{expected:?}");
    browser.close().await;
}
