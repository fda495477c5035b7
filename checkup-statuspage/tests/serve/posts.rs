//! Posts: `checkup-core` and the page choose the same versions and the same order. `tests/web/posts.test.mjs` reads the same cases.

use checkup_core::CheckResult;
use checkup_core::summary::Summary;
use serde::Deserialize;

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
            let millis = |time: checkup_core::Timestamp| time.unix_nanos().div_euclid(1_000_000);
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
