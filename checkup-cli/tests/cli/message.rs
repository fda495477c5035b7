//! `checkup message`.

use serde_json::{Value, json};

use crate::support::{Folder, server};

fn config(urls: &[(&str, String)]) -> Value {
    let checkers: Vec<_> =
        urls.iter().map(|(name, url)| json!({ "type": "http", "endpoint_name": name, "endpoint_url": url })).collect();
    json!({ "checkers": checkers, "storage": { "type": "fs", "dir": "results" } })
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
    let expected = "checkup: there is no check \"Serch\"; did you mean \"Search\"? (checks: \"API\", \"Search\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
    let ran = folder.run(&["message", "hello"]);
    let expected = "checkup: name the check that the message is about with --about (checks: \"API\", \"Search\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
    assert_eq!(folder.run(&["message", " ", "-a", "API"]).code, 2);

    let nowhere = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let ran = nowhere.run(&["message", "hello"]);
    let expected = "checkup: a message needs a `storage` in the config file, and there is none\n";
    assert_eq!(ran.parts(), (2, "", expected));
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_stored_exits_with_3() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "a-file/results" },
    }))
    .file("a-file", "");
    let ran = folder.run(&["message", "hello"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("checkup: the report may not be stored: "), "{}", ran.stderr);
}
