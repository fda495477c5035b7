//! The history: by month and day, links to incidents, and the days of the bars.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, DESKTOP_LIGHT, PHONE_LIGHT};
use crate::fixture::{DAY, MINUTE, now};
use crate::web::{Web, export, settings};

/// A check with an outage some days ago, a message about it, and hundreds of short slowdowns.
fn summary(days_ago: i64) -> Value {
    let now = now();
    let outage = now - days_ago * DAY;
    let mut runs = vec![('h', now - 89 * DAY)];
    for hour in (2..24 * 80).rev().step_by(17) {
        runs.push(('g', now - hour * 60 * MINUTE));
        runs.push(('h', now - hour * 60 * MINUTE + 4 * MINUTE));
    }
    // Nothing else is near the outage.
    runs.retain(|(_, from)| (from - outage).abs() > 120 * MINUTE);
    runs.push(('d', outage));
    runs.push(('h', outage + 30 * MINUTE));
    runs.sort_by_key(|(_, from)| *from);
    let ends: Vec<i64> = runs.iter().skip(1).map(|(_, from)| *from).chain([now + MINUTE]).collect();
    let steps: Vec<i64> =
        runs.iter().scan(0, |before, (_, from)| Some(from - std::mem::replace(before, *from))).collect();
    let reasons: serde_json::Map<String, Value> = runs
        .iter()
        .enumerate()
        .filter(|(_, (status, _))| *status != 'h')
        .map(|(i, (status, _))| {
            (i.to_string(), json!([[if *status == 'd' { "connection refused" } else { "slow" }, 3]]))
        })
        .collect();
    let lengths: Vec<i64> = runs.iter().zip(&ends).map(|((_, from), end)| end - from - MINUTE).collect();
    let post = |id: &str, at: i64, text: &str, state: &str| json!({"id": id, "at": at, "revised": at, "title": "API", "endpoint": "e", "text": text, "state": state});
    json!({"version": 2, "made": now, "recent_from": now - DAY, "days": {}, "files": [],
        "posts": [post("a", outage + 5 * MINUTE, "We look **into** it.", "investigating"), post("b", outage + 40 * MINUTE, "All is well.", "resolved")],
        "series": [{"title": "API", "endpoint": "e", "location": "eu", "threshold": 0, "days": [], "messages": [],
            "runs": {"at": steps, "length": lengths, "every": vec![MINUTE; runs.len()], "status": runs.iter().map(|(status, _)| *status).collect::<String>(),
                "n": lengths.iter().map(|length| length / MINUTE + 1).collect::<Vec<_>>(), "reasons": reasons},
            "recent": {"at": [now - MINUTE, MINUTE], "status": "hh", "rtt": [1000, 1000]}}]})
}

fn write(dir: &TempDir, days_ago: i64) {
    std::fs::write(dir.path().join("summary.json"), summary(days_ago).to_string()).unwrap();
}

const IN_VIEW: &str = "const e = document.querySelector('.entry.is-target'); if (!e) return false; \
    const b = e.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight && document.activeElement === e";

#[tokio::test]
async fn a_permalink_opens_its_incident_served_and_static() {
    let dir = TempDir::new().unwrap();
    write(&dir, 65);
    export(dir.path(), &settings());
    let browser = Browser::start().await;
    for web in [Web::serving(dir.path(), settings()).await, Web::of_files(dir.path()).await] {
        browser.open(&web.url, DESKTOP_LIGHT).await;
        assert_eq!(browser.count(".entry[data-state=down]").await, 0, "it is months ago");
        browser.eval("for (let i = 0; i < 4 && !document.querySelector('.entry[data-state=down]'); i += 1) document.querySelector('[data-focus=earlier]').click()").await;
        let entry = browser.text(".entry[data-state=down]").await;
        assert!(entry.starts_with("API down for 30 min"), "{entry}");
        assert!(entry.contains("Investigating at ") && entry.contains("Resolved at "), "{entry}");
        let link = browser.eval("return document.querySelector('.entry[data-state=down] .permalink').href").await;
        let link = link.as_str().unwrap().to_owned();
        assert!(link.contains("#incident-"), "{link}");
        // Opened later, in a page that has not been there, on a phone, too.
        for view in [DESKTOP_LIGHT, PHONE_LIGHT] {
            browser.driver.goto("about:blank").await.unwrap();
            browser.open(&link, view).await;
            browser.until(IN_VIEW).await;
        }
        // And followed in an open page.
        browser.open(&web.url, DESKTOP_LIGHT).await;
        browser.eval(&format!("location.hash = '{}'", link.split_once('#').unwrap().1)).await;
        browser.until(IN_VIEW).await;
        browser.assert_quiet().await;
    }
    browser.close().await;
}

#[tokio::test]
async fn a_day_with_an_outage_says_why_and_leads_to_its_incidents() {
    let dir = TempDir::new().unwrap();
    write(&dir, 3);
    let web = Web::serving(dir.path(), settings()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert!(browser.count(".days path.day.down[d^=M]").await == 1);
    assert_eq!(browser.count(".days path.day.degraded[d^=M]").await, 0, "short slowdowns do not colour a day");
    let outage = now() - 3 * DAY;
    let steps = now().div_euclid(DAY) - outage.div_euclid(DAY);
    browser.eval("document.querySelector('.days').focus()").await;
    for _ in 0..steps {
        browser.press('\u{e012}').await;
    }
    let tip = browser.text(".tip").await;
    assert!(tip.contains("Down") && tip.contains(": connection refused"), "{tip}");
    browser.screenshot("day-tip", DESKTOP_LIGHT).await;
    browser.press('\u{e007}').await;
    browser.until("return document.activeElement.className === 'month'").await;
    assert!(browser.text("#timeline .month").await.starts_with("API on "));
    assert!(browser.count("#timeline .entry[data-state=down]").await >= 1);
    browser.eval("document.querySelector('[data-focus=all]').click()").await;
    assert!(!browser.text("#timeline .month").await.contains("API"));
    browser.assert_quiet().await;
    browser.close().await;
}

#[tokio::test]
async fn short_slowdowns_are_behind_a_filter_and_days_come_ten_at_a_time() {
    let dir = TempDir::new().unwrap();
    write(&dir, 3);
    let web = Web::serving(dir.path(), settings()).await;
    let browser = Browser::start().await;
    browser.open(&web.url, DESKTOP_LIGHT).await;
    assert_eq!(browser.count(".entry[data-state=degraded]").await, 0);
    let filter = browser.text(".filter").await;
    let number: u32 = filter.trim().trim_start_matches("Short slowdowns (").trim_end_matches(')').parse().unwrap();
    assert!(number > 90, "{filter}");
    browser.eval("document.querySelector('.filter input').click()").await;
    assert_eq!(browser.eval("return document.querySelector('.filter input').checked").await, true);
    browser.eval("document.querySelector('[data-focus=earlier]').click()").await;
    assert_eq!(browser.count(".day-entries").await, 10);
    let height = browser.eval("return document.documentElement.scrollHeight").await.as_u64().unwrap();
    assert!(height < 8000, "{height}");
    browser.eval("document.querySelector('[data-focus=more]').click()").await;
    assert_eq!(browser.count(".day-entries").await, 20);
    assert_eq!(browser.eval("return document.activeElement.className === 'entry'").await, true);
    assert!(browser.text(".zone").await.starts_with("Times: "));
    browser.assert_quiet().await;
    browser.close().await;
}
