//! Posts: `checkup-core` and the page choose the same versions and the same order. `tests/web/posts.test.mjs` reads the same cases.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::summary::Summary;
use checkup_core::{CheckResult, MaintenanceWindow, Post, Report, Status, Storage as _, Timestamp};
use checkup_statuspage::Site;
use checkup_testkit::MemoryStorage;
use serde::Deserialize;

use crate::client::Served;

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    results: Vec<CheckResult>,
    /// The time in milliseconds, the text, and the state if the case is about it.
    messages: Vec<Vec<serde_json::Value>>,
    /// The times in milliseconds and the text.
    windows: Vec<(i64, i64, String)>,
}

#[test]
fn versions_and_order_are_the_same_for_the_page() {
    let cases: Cases = serde_json::from_str(include_str!("../web/posts.json")).unwrap();
    for case in cases.cases {
        let forwards = case.results.clone();
        let backwards: Vec<_> = case.results.iter().rev().cloned().collect();
        let twice = [case.results.clone(), case.results.clone()].concat();
        for (order, results) in [("forwards", forwards), ("backwards", backwards), ("twice", twice)] {
            let mut summary = Summary::new();
            for result in &results {
                summary.add(std::slice::from_ref(result));
            }
            let what = format!("{}, {order}", case.name);
            let millis = |time: Timestamp| time.unix_nanos().div_euclid(1_000_000);
            let mut windows: Vec<_> = summary
                .windows
                .iter()
                .map(|window| (millis(window.from), millis(window.to), window.text.clone()))
                .collect();
            windows.sort();
            assert_eq!(windows, case.windows, "{what}");
            assert_eq!(messages(&summary, &case), case.messages, "{what}");
        }
    }
}

/// The messages about the only check.
fn messages(summary: &Summary, case: &Case) -> Vec<Vec<serde_json::Value>> {
    let mut all: Vec<_> = summary.messages(&summary.series).into_iter().cloned().collect();
    if summary.series.is_empty() {
        let about = summary.posts().filter(|post| post.window.is_none()).map(|post| post.message.clone());
        all.extend(about);
        all.sort();
    }
    let shown = all.iter().enumerate().map(|(index, message)| {
        let mut shown = vec![(message.at.unix_nanos() / 1_000_000).into(), message.text.clone().into()];
        if case.messages.get(index).is_some_and(|expected| expected.len() > 2) {
            shown.push(message.state.map(|state| state.as_str()).into());
        }
        shown
    });
    shown.collect()
}

#[tokio::test]
async fn a_server_that_runs_follows_a_window_that_is_posted_and_withdrawn() {
    let storage = MemoryStorage::new();
    let now = Timestamp::now();
    let mut result = CheckResult::new("API", "https://example.com");
    (result.timestamp, result.status) = (now, Status::Down);
    storage.store(&Report::new(vec![result])).await.unwrap();
    let site = Site::of_storage(Arc::new(storage.clone())).refresh_after(Duration::ZERO).build().unwrap();
    let server = Served::start(site.router()).await;
    assert_eq!(state(&server, "down").await, "down");

    let mut post = CheckResult::of_post("API", "https://example.com", Post::new("w1", now));
    post.maintenance = Some(Box::new(MaintenanceWindow::new(now.saturating_sub(HOUR), now.saturating_add(HOUR))));
    storage.store(&Report::new(vec![post])).await.unwrap();
    assert_eq!(state(&server, "maintenance").await, "maintenance");

    let mut end = Post::new("w1", now.saturating_add(Duration::from_millis(1)));
    end.ended = true;
    storage.store(&Report::new(vec![CheckResult::of_post("API", "https://example.com", end)])).await.unwrap();
    assert_eq!(state(&server, "down").await, "down");
}

const HOUR: Duration = Duration::from_secs(3600);

/// The state of all checks, once it is as expected. The history is read in the background, after the answer to a request.
async fn state(server: &Served, expected: &str) -> String {
    let mut state = String::new();
    for _ in 0..1000 {
        let answer: serde_json::Value = serde_json::from_slice(&server.get("/api/v1/status").await.body).unwrap();
        state = answer["status"].as_str().unwrap().to_owned();
        if state == expected {
            break;
        }
    }
    state
}
