//! The page's figures are those of the library.

use checkup_core::Timestamp;
use checkup_core::summary::Summary;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT};
use crate::fixture::{DAY, History, MINUTE, MOMENTS, millis};
use crate::web::{Web, export, settings};

/// A share as shown by the page: never rounded up.
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

/// A history up to a time, with problems of all kinds: long, short, at one location, at all, and in maintenance.
fn history(now: i64) -> History {
    // No result is at the beginning of the last 24 hours, which is slightly later in the browser.
    History::at(now)
        .age(30_000)
        .down("API", None, 97 * MINUTE, "refused")
        .down("Login", Some("us-east"), 22 * MINUTE, "503")
        .degraded("Search", 600 * MINUTE, "slow")
        .down("Payments", None, 200 * MINUTE, "refused")
        .maintenance("Payments", -90 * MINUTE, -30 * MINUTE, "planned")
}

/// A browser with its clock set to this time.
async fn browser_at(now: i64) -> Browser {
    let browser = Browser::start().await;
    browser.set_clock(now).await;
    browser
}

/// Opens a page with all its checks open.
async fn open_all(browser: &Browser, web: &Web) {
    browser.open(&web.url, DESKTOP_LIGHT).await;
    browser
        .eval("document.querySelectorAll('h3 button[aria-expanded=false]').forEach((button) => button.click())")
        .await;
    for card in 0..6 {
        browser
            .eval(&format!("document.querySelectorAll('.card')[{card}].scrollIntoView({{behavior: 'instant'}})"))
            .await;
        browser
            .until(&format!(
                "return document.querySelectorAll('.card')[{card}].querySelectorAll('.locations tbody tr:not(.of-reason)').length === 3"
            ))
            .await;
    }
}

/// For each check and location, the percentages of 24 hours, 7, 30 and 90 days that the page shows.
async fn shown(browser: &Browser) -> Value {
    browser
        .eval(
            "return Object.fromEntries([...document.querySelectorAll('.card')].flatMap((card) => [...card.querySelectorAll('.locations tbody tr:not(.of-reason)')]\
             .map((row) => [card.querySelector('h3').textContent + ' at ' + row.cells[0].textContent, [...row.cells].slice(5).map((cell) => cell.textContent)])))",
        )
        .await
}

fn computed(summary: &Summary, now: i64, days: &[i64]) -> Value {
    let now = Timestamp::from_unix_nanos(now * 1_000_000);
    let of = |series: &checkup_core::summary::Series| {
        let from = |days: i64| Timestamp::from_unix_nanos(now.unix_nanos() - days * DAY * 1_000_000);
        let shares: Vec<_> = days.iter().map(|days| percent(summary.uptime(series, from(*days), now))).collect();
        (format!("{} at {}", series.name, series.location.as_deref().unwrap()), json!(shares))
    };
    Value::Object(summary.series.iter().map(of).collect())
}

/// Windows end at the current time, which is slightly later in the browser, so the last digit may differ.
fn assert_alike(shown: &Value, computed: &Value, moment: &str) {
    let (shown, computed) = (shown.as_object().unwrap(), computed.as_object().unwrap());
    assert!(shown.keys().eq(computed.keys()), "{moment}: {shown:?} {computed:?}");
    let number = |text: &Value| text.as_str().unwrap().trim_end_matches(" %").parse::<f64>();
    for (name, shares) in shown {
        let others = computed[name].as_array().unwrap();
        assert_eq!(shares.as_array().unwrap().len(), others.len(), "{moment}: {name}");
        for (share, other) in shares.as_array().unwrap().iter().zip(others) {
            let is_near = |a: f64, b: f64| (a - b).abs() < 0.0101;
            let alike =
                share == other || number(share).ok().zip(number(other).ok()).is_some_and(|(a, b)| is_near(a, b));
            assert!(alike, "{moment}: {name} {shares} {others:?}");
        }
    }
}

#[tokio::test]
async fn uptime_is_that_of_the_library() {
    for moment in MOMENTS {
        let now = millis(moment);
        let json = history(now).json();
        let summary: Summary = serde_json::from_value(json.clone()).unwrap();
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("summary.json"), json.to_string()).unwrap();
        export(dir.path(), &settings());
        let web = Web::of_files(dir.path()).await;
        let browser = browser_at(now).await;
        open_all(&browser, &web).await;
        let shown = shown(&browser).await;
        assert_alike(&shown, &computed(&summary, now, &[1, 7, 30, 90]), moment);
        assert_ne!(shown["API at eu-west"][0], "100 %", "{moment}");
        browser.close().await;
    }
}

#[tokio::test]
async fn uptime_of_days_is_the_same_from_thinned_data() {
    for moment in MOMENTS {
        let now = millis(moment);
        let json = history(now).every(MINUTE).json();
        let summary: Summary = serde_json::from_value(json.clone()).unwrap();
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("summary.json"), json.to_string()).unwrap();
        let web = Web::serving_at(dir.path(), settings(), now).await;
        let browser = browser_at(now).await;
        open_all(&browser, &web).await;
        let mut shown = shown(&browser).await;
        for (_, shares) in shown.as_object_mut().unwrap() {
            // At the beginning of the last 24 hours, a thinned point may represent earlier results.
            shares.as_array_mut().unwrap().remove(0);
        }
        assert_alike(&shown, &computed(&summary, now, &[7, 30, 90]), moment);
        browser.close().await;
    }
}

/// The files next to the page that a script fetches.
async fn fetched(browser: &Browser, url: &str) -> String {
    let script = format!("const done = arguments[0]; fetch('{url}').then((answer) => answer.text()).then(done)");
    browser.eval_async(&script).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn uptime_of_a_check_is_that_of_the_api() {
    let now = millis("2026-03-29T01:30:00Z");
    // One location has fewer results than the others, which have no problems.
    let mut json = history(now).json();
    for series in json["series"].as_array_mut().unwrap() {
        if series["title"] == "API" && series["location"] == "eu-west" {
            let (days, kept) = (series["days"].as_array_mut().unwrap(), 20);
            days.drain(..days.len() - kept);
            days.iter_mut().for_each(|day| day[3] = json!(40));
        }
    }
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("summary.json"), json.to_string()).unwrap();
    let web = Web::serving_at(dir.path(), settings(), now).await;
    let browser = browser_at(now).await;
    open_all(&browser, &web).await;
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
    assert_alike(&shown, &expected, "2026-03-29T01:30:00Z");
    browser.close().await;
}

/// The incidents of the feed: the check, the start in seconds, and the status.
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
    for moment in MOMENTS {
        let now = millis(moment);
        let dir = TempDir::new().unwrap();
        // At one of three locations: degraded.
        history(now).down("Website", Some("us-east"), 40 * MINUTE, "refused").write(dir.path());
        let web = Web::serving_at(dir.path(), settings(), now).await;
        let browser = browser_at(now).await;
        browser.open(&web.url, DESKTOP_LIGHT).await;
        let entry = "[entry.querySelector('b').textContent, Math.floor(Date.parse(entry.querySelector('time').dateTime) / 1000), \
                     entry.dataset.state]";
        let shown = browser.entries(entry).await;
        let mut shown: Vec<(String, i64, String)> = serde_json::from_value(shown).unwrap();
        shown.retain(|(_, _, state)| ["down", "degraded"].contains(&state.as_str()));
        let mut expected = incidents_of_feed(&fetched(&browser, "feed.atom").await);
        shown.sort();
        expected.sort();
        assert_eq!(shown, expected, "{moment}");
        let of = |name: &str, status: &str| expected.iter().any(|(of, _, is)| of == name && is == status);
        assert!(of("Website", "degraded") && of("API", "down"), "{moment}: {expected:?}");
        browser.close().await;
    }
}

/// The page shows the round-trip times of today over all results, although it receives joined points.
#[tokio::test]
async fn round_trip_times_of_today_are_those_of_the_api() {
    for moment in MOMENTS {
        let now = millis(moment);
        let dir = TempDir::new().unwrap();
        history(now).every(MINUTE).write(dir.path());
        let web = Web::serving_at(dir.path(), settings(), now).await;
        let browser = browser_at(now).await;
        browser.open(&web.url, DESKTOP_LIGHT).await;
        let data: Value = serde_json::from_str(&fetched(&browser, "summary.json").await).unwrap();
        let joined = data["series"].as_array().unwrap().iter().filter(|series| series["recent"]["n"].is_array());
        assert!(joined.count() > 0, "points are joined at {moment}");
        let path = "api/v1/history?check=Website";
        let answer: Value = serde_json::from_str(&fetched(&browser, path).await).unwrap();
        let mut compared = 0;
        for exact in answer["series"].as_array().unwrap() {
            let own = |series: &&Value| series["title"] == "Website" && series["location"] == exact["location"];
            let sent = data["series"].as_array().unwrap().iter().find(own).unwrap();
            // Just after midnight, some locations have no results for today yet.
            let Some(sent) = sent["open"].as_array().unwrap().last() else { continue };
            let exact = exact["days"].as_array().unwrap().last().unwrap();
            compared += 1;
            for (column, key) in [(5, "p50_ms"), (6, "p90_ms"), (7, "p99_ms")] {
                let (sent, exact) = (sent[column].as_f64().unwrap() / 1000.0, exact[key].as_f64().unwrap());
                assert!((sent - exact).abs() <= exact / 199.0, "{moment}: {key} {sent} {exact}");
            }
        }
        assert!(compared > 0, "{moment}");
        browser.close().await;
    }
}
