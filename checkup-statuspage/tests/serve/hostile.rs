//! Odd check files in a storage: each costs itself alone, and all views agree about the rest.

use std::path::Path;

use checkup_core::history::{Hysteresis, read_summary};
use checkup_core::{IntoStorage, Quorum, Timestamp};
use checkup_statuspage::{Site, StatusPage};
use checkup_storage_fs::Fs;
use serde_json::{Value, json};

use crate::client::Served;

const MINUTE: i64 = 60_000_000_000;

fn write(dir: &Path, at: i64, content: &Value) {
    std::fs::write(dir.join(format!("{at}-check.json")), content.to_string()).unwrap();
}

fn result(name: &str, at: i64, more: Value) -> Value {
    let mut result = json!({ "title": name, "endpoint": "e", "timestamp": at, "times": [{ "rtt": 1_000_000 }] });
    result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    result
}

/// Files with everything that was found in the wild or made up, next to an outage of three results.
fn odd(dir: &Path, now: i64) {
    for (minutes, down) in [(9, false), (8, true), (7, true), (6, true), (5, false), (4, false)] {
        let at = now - minutes * MINUTE;
        let times = if down { json!([{ "rtt": 0, "error": "refused" }]) } else { json!([{ "rtt": 2_000_000 }]) };
        write(dir, at, &json!([result("Shop", at, json!({ "down": down, "healthy": !down, "times": times }))]));
    }
    let many: Vec<_> = (0..200_000).map(|i| json!({ "rtt": 1_000_000 + i })).collect();
    write(dir, now - 3 * MINUTE, &json!([result("Attempts", now - 3 * MINUTE, json!({ "times": many }))]));
    let names: Vec<_> = (0..3000).map(|i| result(&format!("check {i}"), now - 2 * MINUTE, json!({}))).collect();
    write(dir, now - 2 * MINUTE, &json!(names));
    let message = "m".repeat(1_000_000);
    write(dir, now - MINUTE, &json!([result("   ", now - MINUTE, json!({ "message": message }))]));
    for (seconds, content) in [
        (1, json!(5)),
        (2, json!([{ "title": 7 }])),
        (3, json!([result("Huge", 1, json!({ "timestamp": 1e300 }))])),
        (4, json!([result("Negative", -MINUTE, json!({}))])),
        (5, json!([result("Slow", now - MINUTE, json!({ "times": [{ "rtt": -5 }] }))])),
        (6, json!(null)),
    ] {
        write(dir, now - 3 * MINUTE + seconds * 1_000_000_000, &content);
    }
    std::fs::write(dir.join("index.json"), "5").unwrap();
    std::fs::write(dir.join("summary.json"), r#"{"version":2,"made":NaN}"#).unwrap();
}

#[tokio::test]
async fn odd_files_cost_themselves_alone_and_all_views_agree() {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::now();
    odd(dir.path(), now.unix_nanos());
    let storage = Fs::new(dir.path()).into_storage().unwrap();
    // What `checkup history` shows.
    let summary = read_summary(storage.reader().unwrap(), Timestamp::default()).await.unwrap();
    let series: Vec<_> = summary.series.iter().filter(|series| series.name == "Shop").collect();
    let incidents = summary.timeline(series, Quorum::Majority, now).incidents(Hysteresis::default());
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    let site = Site::of_storage(storage).page(StatusPage::new()).clock(move || now).build().unwrap();
    let server = Served::start(site.router()).await;
    let history = server.get("/api/v1/history?check=Shop").await.json();
    assert_eq!(history["incidents"][0]["id"], incidents[0].id, "{history}");
    let status = server.get("/api/v1/status").await.json();
    let checks = status["checks"].as_array().unwrap();
    let named = |name: &str| checks.iter().find(|check| check["name"] == name);
    assert!(named("Shop").is_some() && named("   ").is_some() && named("Attempts").is_some());
    assert!(named("Huge").is_none() && named("Negative").is_none());
    assert!(checks.len() >= 3003, "{}", checks.len());
    let data = server.get("/summary.json").await.json();
    let overview = data["overview"]["checks"].as_array().unwrap();
    let shop = overview.iter().find(|check| check["title"] == "Shop").unwrap();
    assert_eq!(shop["incidents"][0]["id"], incidents[0].id);
    assert_eq!(overview.len(), checks.len());
    let longest = data["series"].as_array().unwrap().iter().filter_map(|series| series["messages"][0]["text"].as_str());
    assert!(longest.map(str::len).max().unwrap() <= 2100, "messages are cut");
    let feed = server.get("/feed.atom").await.text();
    assert!(feed.contains(&incidents[0].id) && feed.len() < 1 << 20, "{} bytes", feed.len());
    let detail = server.get(&format!("/detail/{}.json", shop["detail"].as_str().unwrap())).await.json();
    assert_eq!(detail["series"][0]["recent"]["at"].as_array().unwrap().len(), 6);
    assert_eq!(server.get("/detail/none.json").await.status, 404);
}
