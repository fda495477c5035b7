//! The page's figures are those of the library.

use checkup_core::Timestamp;
use checkup_core::summary::Summary;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT};
use crate::fixture::{DAY, History, MINUTE, now};
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

#[tokio::test]
async fn incidents_are_those_of_the_library() {
    let json = history().json();
    let summary: Summary = serde_json::from_value(json.clone()).unwrap();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("summary.json"), json.to_string()).unwrap();
    let web = Web::serving(dir.path(), settings()).await;
    let browser = opened(&web).await;
    browser.eval("document.querySelector('#timeline button')?.click()").await;
    let starts = browser.eval("return [...document.querySelectorAll('#timeline .entry:is([data-state=down], [data-state=degraded])')].map((e) => [e.querySelector('b').textContent, Date.parse(e.querySelector('time').dateTime), e.dataset.state])").await;
    let oldest = now() - 90 * DAY;
    let mut expected: Vec<(String, i64, String)> = Vec::new();
    // The first of each that overlap over locations: in this history they begin within one interval.
    let close = 6 * MINUTE;
    for series in &summary.series {
        for incident in summary.incidents(series) {
            let from = incident.from.unix_nanos() / 1_000_000;
            let known = expected.iter().any(|(name, at, _)| *name == series.name && (at - from).abs() <= close);
            let ended = incident.to.is_some_and(|to| to.unix_nanos() / 1_000_000 < oldest);
            if !known && !ended {
                expected.push((series.name.clone(), from, incident.status.to_string().to_lowercase()));
            }
        }
    }
    let mut shown: Vec<(String, i64, String)> = serde_json::from_value(starts).unwrap();
    shown.sort();
    expected.sort();
    assert_eq!(shown.len(), expected.len(), "{shown:?} {expected:?}");
    for (shown, expected) in shown.iter().zip(&expected) {
        assert_eq!((&shown.0, &shown.2), (&expected.0, &expected.2));
        assert!((shown.1 - expected.1).abs() <= close, "{shown:?} {expected:?}");
    }
    browser.close().await;
}
