//! `checkup message`.

use std::time::Duration;

use checkup_core::summary::Summary;
use checkup_core::{CheckResult, IntoStorage, MaintenanceWindow, Status, Timestamp, history};
use serde_json::{Value, json};

use crate::support::{Folder, server};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn config(urls: &[(&str, String)]) -> Value {
    let checkers: Vec<_> =
        urls.iter().map(|(name, url)| json!({ "type": "http", "endpoint_name": name, "endpoint_url": url })).collect();
    json!({ "checkers": checkers, "storage": { "type": "fs", "dir": "results" } })
}

/// The results that readers see, each once.
async fn history(folder: &Folder) -> Vec<CheckResult> {
    let storage = checkup::storage_fs::Fs::new(folder.path("results")).into_storage().unwrap();
    history::read(storage.reader().unwrap(), Timestamp::default()).await.unwrap().results
}

/// The summary that readers see.
async fn summary(folder: &Folder) -> Summary {
    let storage = checkup::storage_fs::Fs::new(folder.path("results")).into_storage().unwrap();
    let since = Timestamp::now().saturating_sub(DAY);
    history::read_summary(storage.reader().unwrap(), since).await.unwrap()
}

/// Runs `checkup message` with these arguments, and returns the id that it prints.
fn post(folder: &Folder, args: &[&str]) -> String {
    let ran = folder.run(&[&["message"], args].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
    let id = ran.stdout.strip_prefix("Message ").and_then(|rest| rest.strip_suffix(" posted\n"));
    id.unwrap_or_else(|| panic!("{:?}", ran.stdout)).to_owned()
}

fn texts(summary: &Summary, name: &str) -> Vec<String> {
    let posts = summary.posts().filter(|post| post.check.as_ref().is_some_and(|(own, _)| own == name));
    let mut messages: Vec<_> = posts.map(|post| post.message.clone()).collect();
    messages.sort();
    messages.into_iter().map(|message| message.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_needs_no_result_and_checks_nothing() {
    let server = server();
    let urls = [("API", server.url("/")), ("Search", server.url("/bad")), ("search", server.url("/"))];
    let folder = Folder::new(&config(&urls));
    post(&folder, &["we are on it", "--about", "SEARCH"]);
    post(&folder, &["we move"]);
    assert_eq!(server.connections(), 0);
    let summary = summary(&folder).await;
    // The first check of that name, regardless of case.
    assert_eq!(texts(&summary, "Search"), ["we are on it"]);
    let announcements: Vec<_> = summary.announcements().into_iter().map(|posted| posted.text.as_str()).collect();
    assert_eq!(announcements, ["we move"]);
    assert!(summary.series.is_empty(), "a post is not a result");
    let shown = folder.run(&["history"]).stdout;
    assert!(shown.contains("All checks\n  messages\n") && shown.contains("we move"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_check_needs_no_name() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/"))]));
    post(&folder, &["hello"]);
    assert_eq!(texts(&summary(&folder).await, "API"), ["hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_posted_is_told_before_anything_is_stored() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/")), ("Search", server.url("/"))]));
    let ran = folder.run(&["message", "hello", "-a", "Serch"]);
    let expected = "checkup: no check is named \"Serch\"; did you mean \"Search\"? (checks: \"API\", \"Search\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
    assert_eq!(folder.run(&["message", " ", "-a", "API"]).code, 2);
    assert_eq!(folder.run(&["message"]).code, 2);
    assert_eq!(folder.run(&["message", "hello", "--state", "fixed"]).code, 2);

    let nowhere = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let ran = nowhere.run(&["message", "hello"]);
    let expected = "checkup: a message needs a `storage` in the config file, and there is none\n";
    assert_eq!(ran.parts(), (2, "", expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_shown_in_the_order_in_which_they_were_posted() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/")), ("Search", server.url("/bad"))]));
    let before = Timestamp::now();
    assert_eq!(folder.run(&["--store"]).code, 1);
    let connections = server.connections();
    for (text, state) in [("we look", "investigating"), ("it is the disk", "identified"), ("fixed", "resolved")] {
        post(&folder, &[text, "--about", "search", "--state", state]);
    }
    assert_eq!(server.connections(), connections);

    let summary = summary(&folder).await;
    assert_eq!(texts(&summary, "Search"), ["we look", "it is the disk", "fixed"]);
    let latest = summary.series.iter().filter_map(|series| series.latest()).map(|point| point.timestamp).max().unwrap();
    assert!(latest >= before.saturating_sub(Duration::from_millis(1)));
    assert!(summary.posts().all(|post| post.message.at >= latest), "the time of the post, not of the result");
    assert!(summary.series.iter().all(|series| series.recent.len() == 1), "no result is counted twice");
    let document: Value = serde_json::from_str(&folder.run(&["history", "--format", "json"]).stdout).unwrap();
    let messages = document["checks"][1]["messages"].as_array().unwrap();
    let shown: Vec<_> = messages.iter().map(|message| (&message["text"], &message["state"])).collect();
    assert_eq!(
        json!(shown),
        json!([["fixed", "resolved"], ["it is the disk", "identified"], ["we look", "investigating"]])
    );
    // The page of the original shows a message with the state of the check.
    let copies = history(&folder).await;
    assert!(copies.iter().all(|result| result.status == Status::Down || result.name == "API"), "{copies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_can_be_listed_edited_and_ended() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/")), ("Search", server.url("/"))]));
    let (typo, other) = (post(&folder, &["we are om it", "-a", "API"]), post(&folder, &["hello"]));
    let ran = folder.run(&["message", "edit", &typo, "we are on it", "--state", "identified"]);
    assert_eq!(ran.parts(), (0, format!("Message {typo} edited\n").as_str(), ""));
    let listed = folder.run(&["message", "list"]).stdout;
    let lines: Vec<_> = listed.lines().collect();
    assert!(lines[0].starts_with(&format!("{other}  20")) && lines[0].ends_with("  all checks  hello"), "{listed}");
    assert!(
        lines[1].starts_with(&format!("{typo}  20")) && lines[1].ends_with("  API  identified  we are on it"),
        "{listed}"
    );
    assert_eq!(folder.run(&["message", "end", &typo]).parts(), (0, format!("Message {typo} ended\n").as_str(), ""));
    assert_eq!(folder.run(&["message", "end", &other]).code, 0);
    assert_eq!(folder.run(&["message", "list"]).stdout, "nothing was posted in the last 90 days\n");
    let expected = format!("checkup: no message has the id \"{typo}\"; `checkup message list` shows all ids\n");
    assert_eq!(folder.run(&["message", "end", &typo]).parts(), (2, "", expected.as_str()));
    let expected = "checkup: nothing to change; add a text, --maintenance, --state or --incident\n";
    assert_eq!(folder.run(&["message", "edit", &typo]).parts(), (2, "", expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_was_posted_by_mistake_is_withdrawn_and_everything_counts_again() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/bad"))]));
    assert_eq!(folder.run(&["--store"]).code, 1);
    let id = post(&folder, &["new disks", "--maintenance", "-1h..+9600h"]);
    let uptime = |folder: &Folder| {
        let shown = folder.run(&["history", "--since", "24h", "--format", "json"]).stdout;
        let document: Value = serde_json::from_str(&shown).unwrap();
        (document["checks"][0]["uptime"]["24h"].clone(), document["maintenance"].as_array().unwrap().len())
    };
    assert_eq!(uptime(&folder), (Value::Null, 1));
    assert!(summary(&folder).await.windows[0].covers("API", Timestamp::now()));
    // It is shortened, and then withdrawn.
    let ran = folder.run(&["message", "edit", &id, "--maintenance", "-1h..+1h"]);
    assert_eq!(ran.parts(), (0, format!("Message {id} edited\n").as_str(), ""));
    let windows = summary(&folder).await.windows;
    assert_eq!((windows.len(), windows[0].text.as_str()), (1, "new disks"));
    assert!(windows[0].to <= Timestamp::now().saturating_add(Duration::from_secs(3600)));
    assert_eq!(folder.run(&["message", "end", &id]).code, 0);
    assert_eq!(uptime(&folder), (json!(0.0), 0));
    assert!(summary(&folder).await.windows.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_windows_in_results_can_be_withdrawn_too() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/"))]));
    let now = Timestamp::now();
    let mut old = CheckResult::new("API", server.url("/"));
    old.timestamp = now.saturating_sub(Duration::from_secs(11 * 60));
    old.message = Some("new disks".into());
    old.maintenance = Some(Box::new(MaintenanceWindow::new(old.timestamp, now.saturating_add(DAY))));
    let mut later = CheckResult::new("API", server.url("/"));
    later.timestamp = now.saturating_sub(Duration::from_secs(60));
    later.message = Some("hello".into());
    let name = format!("results/{}-check.json", later.timestamp.unix_nanos());
    let folder = folder.file(&name, &serde_json::to_string(&[&old, &later]).unwrap());
    let listed = folder.run(&["message", "list"]).stdout;
    let ids: Vec<_> = listed.lines().map(|line| line.split("  ").next().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2, "{listed}");
    assert!(ids[0].starts_with('r') && ids[1].starts_with('w'), "{listed}");
    for id in &ids {
        assert_eq!(folder.run(&["message", "end", id]).code, 0);
    }
    let summary = summary(&folder).await;
    assert!(summary.windows.is_empty() && summary.messages(&summary.series).is_empty());
    assert_eq!(summary.series[0].recent.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_maintenance_is_of_the_check_that_is_named_or_of_all() {
    let server = server();
    let folder = Folder::new(&config(&[("API", server.url("/")), ("Search", server.url("/"))]));
    let before = Timestamp::now().saturating_sub(Duration::from_millis(1));
    post(&folder, &["another rack", "--about", "search", "--maintenance", "now..+2h"]);
    post(&folder, &["new switches", "--maintenance", "2026-11-20T22:00Z..2026-11-20T23:30+01:00"]);
    let summary = summary(&folder).await;
    let [all, search] = &summary.windows[..] else { panic!("{:?}", summary.windows) };
    assert_eq!((search.name.as_deref(), search.text.as_str()), (Some("Search"), "another rack"));
    assert!(search.from >= before && search.from <= Timestamp::now());
    assert_eq!(search.to.since(search.from), Duration::from_secs(7_200));
    assert_eq!((all.name.as_deref(), all.text.as_str()), (None, "new switches"));
    assert_eq!(
        (all.from.to_string(), all.to.to_string()),
        ("2026-11-20T22:00:00Z".into(), "2026-11-20T22:30:00Z".into())
    );
    assert_eq!(server.connections(), 0);
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

#[tokio::test]
async fn a_message_to_a_group_is_about_each_of_its_checks_and_shown_once() {
    let mut config = config(&[
        ("API", "http://127.0.0.1:9/".to_owned()),
        ("Search", "http://127.0.0.1:9/".to_owned()),
        ("Mail", "http://127.0.0.1:9/".to_owned()),
    ]);
    config["checkers"][0]["group"] = json!("Shop");
    config["status_page"] = json!({ "groups": [{ "name": "Shop", "checks": ["Search"] }] });
    let folder = Folder::new(&config);
    let id = post(&folder, &["New disks", "--group", "shop", "--maintenance", "now..+2h"]);
    let posted = summary(&folder).await;
    let mut names: Vec<_> = posted.windows.iter().map(|window| window.name.clone().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["API", "Search"]);
    assert!(posted.windows.iter().all(|window| window.group.as_deref() == Some("Shop") && window.id == id));
    let listed = folder.run(&["message", "list"]).stdout;
    assert!(listed.lines().count() == 1 && listed.contains("  group Shop  maintenance "), "{listed}");
    let ran = folder.run(&["message", "hello", "--group", "Warehouse"]);
    assert_eq!(ran.parts(), (2, "", "checkup: no group has the name \"Warehouse\"; available: Shop\n"));
    assert_eq!(folder.run(&["message", "end", &id]).code, 0);
    assert!(summary(&folder).await.windows.is_empty(), "of all of its checks");
}

#[tokio::test]
async fn maintenance_recurs_in_its_time_zone_until_it_is_withdrawn() {
    let folder = Folder::new(&config(&[("API", "http://127.0.0.1:9/".to_owned())]));
    let rule = ["--repeat", "0 3 * * sun", "--zone", "Europe/Berlin"];
    let id = post(&folder, &[&["Weekly work", "--maintenance", "now..+90m"], &rule[..]].concat());
    let posted = summary(&folder).await;
    assert!(
        (57..=59).contains(&posted.windows.len()),
        "the first, and the Sundays of 400 days: {}",
        posted.windows.len()
    );
    let length = |window: &checkup_core::summary::Window| window.to.since(window.from).as_secs();
    assert!(posted.windows.iter().all(|window| length(window) == 5400 && window.id == id));
    let hours: std::collections::BTreeSet<_> =
        posted.windows[1..].iter().map(|window| window.from.to_string()[11..16].to_owned()).collect();
    assert_eq!(hours.into_iter().collect::<Vec<_>>(), ["01:00", "02:00"], "in summer and in winter");
    let listed = folder.run(&["message", "list"]).stdout;
    assert!(listed.contains(", then 0 3 * * sun Europe/Berlin  Weekly work"), "{listed}");
    let document: Value = serde_json::from_str(&folder.run(&["history", "--format", "json"]).stdout).unwrap();
    assert_eq!(document["maintenance"].as_array().unwrap().len(), 2, "the present one and the next: {document}");
    // Another text changes nothing else; another window is alone.
    assert_eq!(folder.run(&["message", "edit", &id, "Every week"]).code, 0);
    assert_eq!(summary(&folder).await.windows.len(), posted.windows.len());
    assert_eq!(folder.run(&["message", "edit", &id, "--maintenance", "now..+1h"]).code, 0);
    assert_eq!(summary(&folder).await.windows.len(), 1);
    let ran = folder.run(&["message", "hello", "--maintenance", "now..+1h", "--repeat", "0 3 31 2 *"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("--repeat: expected a rule that recurs within 400 days"),
        "{}",
        ran.stderr
    );
    assert_eq!(folder.run(&["message", "hello", "--repeat", "0 3 * * sun"]).code, 2, "of which window?");
}
