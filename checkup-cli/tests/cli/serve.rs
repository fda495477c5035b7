//! `checkup serve`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use checkup_testkit::TcpServer;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use crate::support::{Folder, Running, server};

fn config(url: &str) -> Value {
    json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": url }],
        "storage": { "type": "fs", "dir": "results" },
        "status_page": { "title": "The shop" },
    })
}

/// The address of a command that has just started to serve.
fn address(running: &mut Running) -> SocketAddr {
    let line = running.line("status page at http://");
    line.trim_start_matches("status page at http://").trim_end_matches('/').parse().unwrap()
}

/// The status and the body of the response for this path.
fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_what_is_stored_and_ends_in_order() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/bad")));
    assert_eq!(folder.run(&["--store"]).code, 1);
    for signal in ["INT", "TERM"] {
        let mut running = Running::start(&folder, &["serve", "--listen", "0"]);
        let address = address(&mut running);
        assert!(address.ip().is_loopback());
        let (code, page) = get(address, "/");
        assert!(code == 200 && page.contains("The shop"), "{page}");
        let (code, status) = get(address, "/api/v1/status");
        assert!(code == 200 && status.contains("response status 503"), "{status}");
        assert_eq!(get(address, "/nothing").0, 404);
        running.signal(signal);
        assert_eq!((running.code(), running.diagnostics().as_str()), (Some(0), ""));
        assert!(TcpStream::connect(address).is_err());
    }
    // On its own, it checks nothing.
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_it_is_the_whole_system() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/")));
    let mut running = Running::start(&folder, &["serve", "--listen", ":0", "--every", "20ms", "--location", "eu"]);
    let address = address(&mut running);
    server.tcp().wait_accepted(3).await;
    assert_eq!(get(address, "/readyz").0, 200);
    let (_, metrics) = get(address, "/metrics");
    assert!(metrics.contains("API"), "{metrics}");
    running.signal("TERM");
    assert_eq!((running.code(), running.diagnostics().as_str()), (Some(0), ""));
    let stored = folder.stored();
    assert!(stored.len() >= 2);
    assert_eq!(stored[0][0].location.as_deref(), Some("eu"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_is_stored_when_it_ends() {
    let release = std::sync::Arc::new(Notify::new());
    let released = std::sync::Arc::clone(&release);
    let server = TcpServer::start(move |mut connection| {
        let released = std::sync::Arc::clone(&released);
        async move {
            released.notified().await;
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let folder = Folder::new(&config(&format!("http://{}/", server.addr())));
    let args = ["serve", "--listen", "0", "--every", "hour", "-v"];
    let mut running = Running::start(&folder, &args);
    address(&mut running);
    server.wait_accepted(1).await;
    running.signal("TERM");
    running.diagnostic("monitor stops");
    assert!(folder.stored().is_empty());
    release.notify_one();
    assert_eq!(running.code(), Some(0));
    assert_eq!(folder.stored().len(), 1);

    // And a second signal does not wait for it.
    let mut running = Running::start(&folder, &args);
    address(&mut running);
    server.wait_accepted(2).await;
    running.signal("TERM");
    running.diagnostic("monitor stops");
    running.signal("INT");
    assert_eq!(running.code(), Some(130));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn sighup_reads_the_config_again() {
    let server = server();
    for args in [&["serve", "--listen", "0"][..], &["serve", "--listen", "0", "--every", "20ms"]] {
        let folder = Folder::new(&config(&server.url("/")));
        assert_eq!(folder.run(&["--store"]).code, 0);
        let mut running = Running::start(&folder, args);
        let address = address(&mut running);
        assert!(get(address, "/").1.contains("The shop"));

        let mut renamed = config(&server.url("/"));
        renamed["status_page"]["title"] = json!("The market");
        renamed["status_page"]["no such key"] = json!(1);
        let folder = folder.file("checkup.json", &renamed.to_string());
        running.signal("HUP");
        running.diagnostic("checkup: checkup.json: status_page");
        running.diagnostic("checkup: the configuration was not changed");
        assert!(get(address, "/").1.contains("The shop"));

        renamed["status_page"].as_object_mut().unwrap().remove("no such key");
        let _folder = folder.file("checkup.json", &renamed.to_string());
        running.signal("HUP");
        running.diagnostic("checkup: checkup.json: the configuration was read again");
        while !get(address, "/").1.contains("The market") {
            std::thread::yield_now();
        }
        running.signal("TERM");
        assert_eq!((running.code(), running.diagnostics().as_str()), (Some(0), ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_cannot_be_stored_are_told_and_shown_all_the_same() {
    let server = server();
    let mut config = config(&server.url("/"));
    config["storage"]["dir"] = json!("a-file/results");
    let folder = Folder::new(&config).file("a-file", "");
    let mut running = Running::start(&folder, &["serve", "--listen", "0", "--every", "hour"]);
    let address = address(&mut running);
    running.diagnostic("the report is not stored yet: kept in the spool ");
    assert_eq!(get(address, "/healthz").0, 200);
    running.signal("TERM");
    running.diagnostic("the last report is not stored yet");
    assert_eq!(running.code(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_storage_it_shows_what_it_has_seen() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") }],
    }));
    let ran = folder.run(&["serve", "--listen", "0"]);
    let expected = "checkup: a page without --every needs a `storage` in the config file, and there is none\n";
    assert_eq!(ran.parts(), (2, "", expected));
    let mut running = Running::start(&folder, &["serve", "--listen", "0", "--every", "hour"]);
    let address = address(&mut running);
    running.diagnostic("nothing is stored: ");
    let is_ready = || get(address, "/readyz").0 == 200;
    while !is_ready() {
        std::thread::yield_now();
    }
    assert!(get(address, "/api/v1/status").1.contains("\"API\""));
}

#[test]
fn a_demonstration_needs_nothing() {
    let folder = Folder::empty();
    let mut running = Running::start(&folder, &["serve", "--demo", "--listen", "localhost:0"]);
    let address = address(&mut running);
    let (code, status) = get(address, "/api/v1/status");
    let status: Value = serde_json::from_str(&status).unwrap();
    assert!(code == 200 && status["checks"].as_array().unwrap().len() > 3, "{status}");
    running.signal("INT");
    assert_eq!(running.code(), Some(0));
    assert!(!folder.path("state").exists());
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_checked() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = Folder::new(&config("http://127.0.0.1:1/"));
    for args in [&["serve", "--every", "hour"][..], &["serve"], &["serve", "--demo"]] {
        let ran = folder.run(&[args, &["--listen", &address.to_string()]].concat());
        let expected = format!(
            "checkup: cannot listen on {address}: another program listens there; choose another port with --listen, or 0 for any free one\n"
        );
        assert_eq!(ran.parts(), (3, "", expected.as_str()), "{args:?}");
    }
    assert!(!folder.path("results").exists());
}

#[test]
fn only_what_is_asked_for_can_be_reached_from_elsewhere() {
    let folder = Folder::empty();
    for (args, expected) in [
        (&["--listen", "0"][..], ("127.0.0.1", "/")),
        (&["--listen", "0", "--public"], ("127.0.0.1", "/ and at every other address of this machine")),
        (&["--listen", "[::1]:0"], ("[::1]", "/")),
    ] {
        let mut running = Running::start(&folder, &[&["serve", "--demo"], args].concat());
        let line = running.line("status page at http://");
        let (host, end) = line.trim_start_matches("status page at http://").rsplit_once(':').unwrap();
        assert_eq!((host, end.trim_end().trim_start_matches(|c: char| c.is_ascii_digit())), expected);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = Folder::new(&config("http://127.0.0.1:1/"));
    for (args, expected) in [
        (
            &["--listen", "nowhere:3000"][..],
            "expected an address such as 127.0.0.1:3000, or a port, found \"nowhere:3000\"",
        ),
        (&["--listen", "127.0.0.1:0", "--public"], "--public has no effect next to the address of --listen"),
        (&["--location", "eu"], "--location has no effect without --every: nothing is checked"),
        (&["--shard", "1/2"], "--shard has no effect without --every: nothing is checked"),
        (&["--demo", "--every", "1m"], "cannot be used with"),
        (&["--every", "0s"], "expected more than 0"),
    ] {
        let ran = folder.run(&[&["serve"], args].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        assert!(ran.stderr.contains(expected), "{args:?}: {}", ran.stderr);
    }
}

/// What a server that has just been started says: the state of all, and that of the only check.
fn states(folder: &Folder) -> (String, String) {
    let mut running = Running::start(folder, &["serve", "--listen", "0"]);
    let (code, status) = get(address(&mut running), "/api/v1/status");
    assert_eq!(code, 200, "{status}");
    let status: Value = serde_json::from_str(&status).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&status["status"]), text(&status["checks"][0]["status"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maintenance_window_counts_until_it_is_ended_early_or_withdrawn() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/bad")));
    assert_eq!(folder.run(&["--store"]).code, 1);
    let both = |state: &str| (state.to_owned(), state.to_owned());
    let windows = |folder: &Folder| {
        let shown: Value = serde_json::from_str(&folder.run(&["history", "--format", "json"]).stdout).unwrap();
        shown["maintenance"].as_array().unwrap().len()
    };
    assert_eq!((states(&folder), windows(&folder)), (both("down"), 0));
    let message = |args: &[&str]| {
        let ran = folder.run(&[&["message"], args].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
        ran.stdout.split(' ').nth(1).unwrap().to_owned()
    };
    let id = message(&["new disks", "--maintenance", "-1h..+9600h"]);
    assert_eq!((states(&folder), windows(&folder)), (both("maintenance"), 1));
    // It ends early: it was a window, and failures count from now on.
    message(&["edit", &id, "--maintenance", "-1h..now"]);
    assert_eq!((states(&folder), windows(&folder)), (both("down"), 1));
    // As the end, it is after the start.
    message(&["edit", &id, "--maintenance", "-1h..+3h"]);
    assert_eq!((states(&folder), windows(&folder)), (both("maintenance"), 1));
    message(&["end", &id]);
    assert_eq!((states(&folder), windows(&folder)), (both("down"), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_health_can_have_an_address_of_their_own() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/")));
    folder.run(&["--store"]);
    let mut running = Running::start(&folder, &["serve", "--listen", "0", "--metrics-listen", "127.0.0.1:0"]);
    let page = address(&mut running);
    let line = running.line("metrics and health at http://");
    let operations = line.trim_start_matches("metrics and health at http://").trim_end_matches('/').parse().unwrap();
    for path in ["/healthz", "/readyz", "/health", "/metrics"] {
        assert_eq!((get(page, path).0, get(operations, path).0), (404, 200), "{path}");
    }
    assert_eq!((get(page, "/").0, get(operations, "/").0, get(operations, "/summary.json").0), (200, 404, 404));
    running.signal("INT");
    assert_eq!(running.code(), Some(0));
}
