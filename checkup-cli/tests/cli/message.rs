//! `checkup message`.

use std::time::Duration;

use checkup_core::{CheckResult, IntoStorage, Timestamp, history};
use serde_json::{Value, json};

use crate::support::{Folder, server};

fn config(urls: &[(&str, String)]) -> Value {
    let checkers: Vec<_> =
        urls.iter().map(|(name, url)| json!({ "type": "http", "endpoint_name": name, "endpoint_url": url })).collect();
    json!({ "checkers": checkers, "storage": { "type": "fs", "dir": "results" } })
}

/// What readers see: every result once.
async fn history(folder: &Folder) -> Vec<CheckResult> {
    let storage = checkup::storage_fs::Fs::new(folder.path("results")).into_storage().unwrap();
    history::read(storage.reader().unwrap(), Timestamp::default()).await.unwrap().results
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_stored_with_the_first_check_of_that_name_regardless_of_case() {
    let server = server();
    let urls = [("API", server.url("/")), ("Search", server.url("/bad")), ("search", server.url("/"))];
    let folder = Folder::new(&config(&urls));
    let ran = folder.run(&["message", "we are on it", "--about", "SEARCH"]);
    // The check is down, but the command has done what it was asked.
    assert_eq!(ran.parts(), (0, "Message posted\n", ""));
    let messages: Vec<_> = folder.stored()[0].iter().map(|result| result.message.clone()).collect();
    assert_eq!(messages, [None, Some("we are on it".to_owned()), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_check_needs_no_name() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/"))]));
    assert_eq!(folder.run(&["message", "hello"]).parts(), (0, "Message posted\n", ""));
    assert_eq!(folder.stored()[0][0].message.as_deref(), Some("hello"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_posted_is_told_before_anything_is_checked() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/")), ("Search", server.url("/"))]));
    let ran = folder.run(&["message", "hello", "-a", "Serch"]);
    let expected = "checkup: no check is named \"Serch\"; did you mean \"Search\"? (checks: \"API\", \"Search\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
    let ran = folder.run(&["message", "hello"]);
    let expected = "checkup: choose the check that the message is about with --about (checks: \"API\", \"Search\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
    assert_eq!(folder.run(&["message", " ", "-a", "API"]).code, 2);

    let nowhere = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let ran = nowhere.run(&["message", "hello"]);
    let expected = "checkup: a message needs a `storage` in the config file, and there is none\n";
    assert_eq!(ran.parts(), (2, "", expected));
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_attached_to_the_latest_result_without_checking_again() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/")), ("Search", server.url("/bad"))]));
    assert_eq!(folder.run(&["--store"]).code, 1);
    let connections = server.connections();
    for text in ["we are on it", "fixed"] {
        assert_eq!(folder.run(&["message", text, "--about", "search"]).parts(), (0, "Message posted\n", ""));
    }
    assert_eq!(server.connections(), connections);

    let results = history(&folder).await;
    let messages: Vec<_> = results.iter().map(|result| (result.name.as_str(), result.message.as_deref())).collect();
    assert_eq!(messages, [("API", None), ("Search", Some("we are on it\nfixed"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checks_run_if_their_latest_result_is_old() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/"))]));
    let mut old = CheckResult::new("API", server.url("/"));
    old.timestamp = Timestamp::now().saturating_sub(Duration::from_secs(11 * 60));
    let name = format!("results/{}-check.json", old.timestamp.unix_nanos());
    let folder = folder.file(&name, &serde_json::to_string(&[&old]).unwrap());
    assert_eq!(folder.run(&["message", "hello"]).parts(), (0, "Message posted\n", ""));
    let results = history(&folder).await;
    let messages: Vec<_> = results.iter().map(|result| result.message.as_deref()).collect();
    assert_eq!(messages, [None, Some("hello")]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_maintenance_is_of_the_check_that_is_named_or_of_all() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/")), ("Search", server.url("/"))]));
    let before = Timestamp::now();
    let ran = folder.run(&["message", "another rack", "--about", "search", "--maintenance", "now..+2h"]);
    assert_eq!(ran.parts(), (0, "Message posted\n", ""));
    let posted = history(&folder).await.into_iter().find(|result| result.name == "Search").unwrap();
    assert_eq!(posted.message.as_deref(), Some("another rack"));
    let window = posted.maintenance.unwrap();
    assert!(window.from >= before && window.from <= Timestamp::now() && !window.all);
    assert_eq!(window.to.since(window.from), Duration::from_secs(7_200));
    let connections = server.connections();

    // A second one at once: the latest result of Search has one, that of API does not.
    let args = ["message", "new switches", "--maintenance", "2026-11-20T22:00Z..2026-11-20T23:30+01:00"];
    assert_eq!(folder.run(&args).parts(), (0, "Message posted\n", ""));
    assert_eq!(server.connections(), connections);
    let windows: Vec<_> = history(&folder).await.into_iter().filter_map(|result| result.maintenance).collect();
    let times: Vec<_> =
        windows.iter().map(|window| (window.from.to_string(), window.to.to_string(), window.all)).collect();
    assert!(times.contains(&("2026-11-20T22:00:00Z".into(), "2026-11-20T22:30:00Z".into(), true)), "{times:?}");
    assert_eq!(times.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_maintenance_that_cannot_be_says_what_was_found() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/"))]));
    for (window, expected) in [
        ("tomorrow", "found no `..` in \"tomorrow\""),
        ("now..then", "found \"then\""),
        ("22:00..+1h", "found \"22:00\", which has no date"),
        ("now..-1h", "expected an end after the start, found "),
    ] {
        let ran = folder.run(&["message", "hello", "--maintenance", window]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{window}");
        assert!(ran.stderr.contains(expected), "{window}: {}", ran.stderr);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_stored_exits_with_3() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "a-file/results" },
        "spool": false,
    }))
    .file("a-file", "");
    let ran = folder.run(&["message", "hello"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("checkup: could not confirm that the report was stored: "), "{}", ran.stderr);
}
