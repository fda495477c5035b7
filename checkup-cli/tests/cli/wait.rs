//! `checkup wait`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use checkup_core::{Cause, Report, Status};
use checkup_testkit::{HttpServer, Response, TcpServer};
use serde_json::json;

use crate::support::{Folder, Running, normal, server};

/// A server whose `/` is healthy once the switch is on.
fn starting() -> (HttpServer, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&switch);
    let server = HttpServer::start(move |_| Response::new(if works.load(Ordering::SeqCst) { 200 } else { 503 }));
    (server, switch)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_healthy_at_once_is_a_plain_run() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "results" },
    }));
    let ran = folder.run(&["wait"]);
    assert_eq!(normal(&ran.stdout, &server), "healthy   API  TIME  http://SERVER/\n1 healthy in TIME\n");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(folder.stored().is_empty(), "a wait stores nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_it_waits_for_when_that_changes_and_ends_when_all_are_healthy() {
    let ((api, api_works), (shop, shop_works)) = (starting(), starting());
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "API", "endpoint_url": api.url("/") },
        { "type": "http", "endpoint_name": "Shop\u{1b}[2J", "endpoint_url": shop.url("/") },
    ]}));
    let mut running = Running::start(&folder, &["wait", "--interval", "20ms"]);
    let (reason, shop) = ("response status 503 Service Unavailable", "Shop\\u{1b}[2J");
    assert_eq!(running.diagnostic(""), format!("checkup: waiting for API ({reason}), {shop} ({reason})"));
    api_works.store(true, Ordering::SeqCst);
    assert_eq!(running.diagnostic(""), format!("checkup: waiting for {shop} ({reason})"));
    shop_works.store(true, Ordering::SeqCst);
    assert!(running.diagnostic("").starts_with("checkup: healthy after "));
    assert!(running.rest().contains("\n2 healthy in "));
    assert_eq!(running.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_limit_it_prints_the_last_report_and_exits_with_1() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") },
        { "type": "http", "endpoint_name": "Shop", "endpoint_url": server.url("/bad") },
    ]}));
    let ran = folder.run(&["wait", "--timeout", "1s"]);
    let table = "\
healthy   API  TIME  http://SERVER/
down      Shop  TIME  http://SERVER/bad
          response status 503 Service Unavailable
1 healthy, 1 down in TIME
";
    assert_eq!(normal(&ran.stdout, &server), table);
    let shown = "\
checkup: waiting for Shop (response status 503 Service Unavailable)
checkup: not healthy within 1s
";
    assert_eq!((ran.code, ran.stderr.as_str()), (1, shown));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_longer_than_the_limit_is_named() {
    let server = TcpServer::silent();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_url": format!("http://{}/", server.addr()), "timeout": "10m" },
    ]}));
    let ran = folder.run(&["wait", "--timeout", "200ms", "--format", "json"]);
    let report: Report = serde_json::from_str(&ran.stdout).unwrap();
    let result = &report.results[0];
    assert_eq!((ran.code, result.status, result.attempts[0].cause), (1, Status::Down, Some(Cause::Timeout)));
    assert_eq!(ran.stderr, "checkup: not healthy within 200ms\n");
    assert_eq!(result.reason().as_deref(), Some("still running when the time of 200ms was over"));
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_leaves_it_to_the_exit_code() {
    let server = server();
    let check =
        |path: &str| Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url(path) }] }));
    assert_eq!(check("/bad").run(&["wait", "-q", "--timeout", "200ms"]).parts(), (1, "", ""));
    assert_eq!(check("/").run(&["wait", "-q"]).parts(), (0, "", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_checks_that_are_selected_are_waited_for() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/"), "tags": ["ready"] },
        { "type": "http", "endpoint_name": "Shop", "endpoint_url": server.url("/bad") },
    ]}));
    let ran = folder.run(&["wait", "--only", "tag:ready"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_end_it_at_once() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/bad") }] }));
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut running = Running::start(&folder, &["wait", "--timeout", "10m"]);
        running.diagnostic("waiting for");
        running.signal(signal);
        assert_eq!((running.code(), running.rest().as_str()), (Some(code), ""));
    }
}

#[test]
fn what_cannot_be_waited_for_exits_with_2() {
    let ran = Folder::new(&json!({ "checkers": [{ "type": "http" }] })).run(&["wait"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    let ran = Folder::empty().run(&["wait", "--timeout", "0s"]);
    assert!(ran.stderr.contains("expected more than 0; without a command, the checks run once"), "{}", ran.stderr);
}
