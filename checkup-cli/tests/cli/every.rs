//! `checkup every`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use checkup_core::{Report, Status};
use checkup_testkit::{HttpServer, Response, TcpServer};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use crate::support::{Folder, ONE_CHECK, Running, server};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_starts_immediately_and_each_run_is_a_line_with_what_changed() {
    let works = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&works);
    let server = HttpServer::start(move |_| Response::new(if switch.load(Ordering::SeqCst) { 200 } else { 503 }));
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "results" },
    }));
    let mut running = Running::start(&folder, &["every", "20ms"]);
    assert!(running.line("Z  ").contains("Z  1 healthy in "));
    works.store(false, Ordering::SeqCst);
    let line = running.line("down");
    assert!(line.contains("Z  1 down in "), "{line}");
    assert!(line.ends_with(": API down (response status 503 Service Unavailable)"), "{line}");
    works.store(true, Ordering::SeqCst);
    let line = running.line("again");
    assert!(line.ends_with(": API healthy again"), "{line}");
    running.signal("INT");
    assert_eq!(running.code(), Some(0));
    assert!(folder.stored().len() >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_waits_for_what_is_in_flight_and_stores_it() {
    let release = Arc::new(Notify::new());
    let released = Arc::clone(&release);
    let server = TcpServer::start(move |mut connection| {
        let released = Arc::clone(&released);
        async move {
            released.notified().await;
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": format!("http://{}/", server.addr()), "timeout": "60s" }],
        "storage": { "type": "fs", "dir": "results" },
    }));
    let mut running = Running::start(&folder, &["every", "hour", "-v"]);
    server.wait_accepted(1).await;
    running.signal("TERM");
    running.diagnostic("monitor stops");
    assert!(folder.stored().is_empty());
    release.notify_one();
    assert_eq!(running.code(), Some(0));
    let stored = folder.stored();
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0][0].name.as_str(), stored[0][0].status), ("API", Status::Healthy));
    assert!(running.line("Z  ").contains("1 healthy in "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_immediately() {
    let server = TcpServer::silent();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_url": format!("http://{}/", server.addr()), "timeout": "10m" }],
        "storage": { "type": "fs", "dir": "results" },
    }));
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let accepted = server.accepted();
        let mut running = Running::start(&folder, &["every", "hour", "-v"]);
        server.wait_accepted(accepted + 1).await;
        running.signal("TERM");
        running.diagnostic("monitor stops");
        running.signal(signal);
        assert_eq!(running.code(), Some(code));
        assert!(folder.stored().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_fails_does_not_stop_it_and_is_reported_again_when_it_ends() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "a-file/results" },
        "spool": false,
    }))
    .file("a-file", "");
    let mut running = Running::start(&folder, &["every", "20ms"]);
    for _ in 0..3 {
        let line = running.diagnostic("");
        assert!(line.starts_with("checkup: could not confirm that the report was stored: "), "{line}");
        running.line("1 healthy");
    }
    running.signal("TERM");
    running.diagnostic("checkup: could not confirm that the last report was stored");
    assert_eq!(running.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_works_again_ends_it_with_0() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "a-file/results" },
        "spool": false,
    }))
    .file("a-file", "");
    let mut running = Running::start(&folder, &["every", "20ms"]);
    running.diagnostic("could not confirm that the report was stored: ");
    std::fs::remove_file(folder.path("a-file")).unwrap();
    std::fs::create_dir_all(folder.path("a-file/results")).unwrap();
    let stored = || std::fs::read_dir(folder.path("a-file/results")).unwrap().count() > 0;
    while !stored() {
        running.line("1 healthy");
    }
    running.signal("TERM");
    assert_eq!(running.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_storage_it_says_once_that_nothing_is_stored() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let mut running = Running::start(&folder, &["every", "20ms"]);
    for _ in 0..3 {
        running.line("1 healthy");
    }
    running.signal("TERM");
    assert_eq!(running.code(), Some(0));
    assert_eq!(running.diagnostics(), "checkup: nothing is stored: the config file has no `storage`\n");

    let connections = server.connections();
    let mut running = Running::start(&folder, &["every", "20ms", "--quiet"]);
    server.tcp().wait_accepted(connections + 1).await;
    running.signal("TERM");
    assert_eq!((running.code(), running.diagnostics().as_str()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_nobody_reads_on() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let mut running = Running::start(&folder, &["every", "20ms"]);
    running.line("1 healthy");
    running.stdout = None;
    assert_eq!(running.code(), Some(0));
}

/// A config with a check of this server and a storage.
fn stored(url: &str) -> serde_json::Value {
    json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": url }],
        "storage": { "type": "fs", "dir": "results" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_storage_it_continues_when_nobody_reads_on() {
    let server = server();
    let folder = Folder::new(&stored(&server.url("/")));
    let mut running = Running::start(&folder, &["every", "20ms"]);
    running.line("1 healthy");
    running.stdout = None;
    let problem = running.diagnostic("standard output");
    assert_eq!(problem, "checkup: standard output was closed; the checks continue, and their reports are stored");
    let connections = server.connections();
    server.tcp().wait_accepted(connections + 2).await;
    running.signal("TERM");
    // It is reported once.
    assert_eq!((running.code(), running.diagnostics().as_str()), (Some(0), ""));
    assert!(folder.stored().len() > 2);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn with_a_storage_it_continues_when_the_disk_of_the_log_is_full() {
    let server = server();
    let folder = Folder::new(&stored(&server.url("/")));
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut running =
        Running::of(folder.command(&["every", "20ms"]).stdout(full()).stderr(std::process::Stdio::piped()));
    let problem = running.diagnostic("cannot write to standard output: ");
    assert!(problem.ends_with("; the checks continue, and their reports are stored"), "{problem}");
    server.tcp().wait_accepted(3).await;
    running.signal("TERM");
    assert_eq!((running.code(), running.diagnostics().as_str()), (Some(0), ""));
    // Diagnostics and log events are on the same disk, often.
    let accepted = server.connections();
    let mut running = Running::of(folder.command(&["every", "20ms", "-vv"]).stdout(full()).stderr(full()));
    server.tcp().wait_accepted(accepted + 3).await;
    running.signal("TERM");
    assert_eq!(running.code(), Some(0));
    assert!(folder.stored().len() > 4);

    // Without a storage, the output is the only result.
    let folder = Folder::new(&json!({ "checkers": stored(&server.url("/"))["checkers"] }));
    let mut running =
        Running::of(folder.command(&["every", "20ms"]).stdout(full()).stderr(std::process::Stdio::piped()));
    running.diagnostic("cannot write to standard output: ");
    assert_eq!(running.code(), Some(3));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn sighup_reads_the_config_again_and_keeps_what_is_in_flight() {
    let release = Arc::new(Notify::new());
    let released = Arc::clone(&release);
    let slow = TcpServer::start(move |mut connection| {
        let released = Arc::clone(&released);
        async move {
            released.notified().await;
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let server = server();
    let config = |name: &str, url: &str| {
        let check = json!({ "type": "http", "endpoint_name": name, "endpoint_url": url, "timeout": "60s" });
        json!({ "checkers": [check], "storage": { "type": "fs", "dir": "results" } })
    };
    let folder = Folder::new(&config("Old", &format!("http://{}/", slow.addr())));
    let mut running = Running::start(&folder, &["every", "hour"]);
    slow.wait_accepted(1).await;

    // A broken file changes nothing.
    let folder = folder.file("checkup.json", "{");
    running.signal("HUP");
    running.diagnostic("checkup: checkup.json: ");
    running.diagnostic("checkup: the configuration was not changed: the previous one stays in use");

    let folder = folder.file("checkup.json", &config("New", &server.url("/")).to_string());
    running.signal("HUP");
    running.diagnostic("checkup: checkup.json: the configuration was read again");
    assert!(running.line("Z  ").contains("1 healthy in "));
    let names = |folder: &Folder| -> Vec<_> { folder.stored().iter().map(|results| results[0].name.clone()).collect() };
    assert_eq!(names(&folder), ["New"]);
    release.notify_one();
    assert!(running.line("Z  ").contains("1 healthy in "));
    running.signal("TERM");
    assert_eq!(running.code(), Some(0));
    let mut names = names(&folder);
    names.sort();
    assert_eq!(names, ["New", "Old"]);
}

/// A terminal that is closed when this is dropped, and the side of it that a process uses.
#[cfg(target_os = "linux")]
fn terminal() -> (std::os::fd::OwnedFd, std::fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let inner = std::fs::File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (terminal, inner)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_lets_it_finish_and_store() {
    let release = Arc::new(Notify::new());
    let released = Arc::clone(&release);
    let server = TcpServer::start(move |mut connection| {
        let released = Arc::clone(&released);
        async move {
            released.notified().await;
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let mut config = stored(&format!("http://{}/", server.addr()));
    config["checkers"][0]["timeout"] = json!("60s");
    let folder = Folder::new(&config);
    let (terminal, inner) = terminal();
    // The command leads the session of the terminal, as a shell does: the kernel sends it SIGHUP.
    let command = folder.command(&["every", "hour", "-v"]);
    let mut leader = std::process::Command::new("setsid");
    leader.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
    leader.current_dir(folder.path("")).env("XDG_STATE_HOME", folder.path("state"));
    leader.stdin(inner.try_clone().unwrap()).stdout(inner).stderr(std::process::Stdio::piped());
    let mut running = Running::of(&mut leader);
    drop(leader);
    server.wait_accepted(1).await;
    drop(terminal);
    running.diagnostic("monitor stops");
    assert!(folder.stored().is_empty());
    release.notify_one();
    assert_eq!(running.code(), Some(0));
    assert_eq!(folder.stored().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_checks_that_are_selected_run() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") },
        { "type": "http", "endpoint_name": "Search", "endpoint_url": server.url("/bad") },
    ]}));
    let mut running = Running::start(&folder, &["every", "20ms", "--only", "api"]);
    let line = running.line("Z  ");
    assert!(line.contains("Z  1 healthy in "), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_json_each_run_is_a_line_as_in_a_check_file() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "Search", "endpoint_url": server.url("/bad") },
    ]}));
    let mut running = Running::start(&folder, &["every", "20ms", "--format", "json"]);
    for _ in 0..2 {
        let report: Report = serde_json::from_str(&running.line("")).unwrap();
        let results: Vec<_> = report.results.iter().map(|result| (result.name.as_str(), result.status)).collect();
        assert_eq!(results, [("Search", Status::Down)]);
    }
}

#[test]
fn invalid_intervals_are_refused() {
    let folder = Folder::empty().file("checkup.json", ONE_CHECK);
    let ran = folder.run(&["every", "0s"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("expected more than 0"), "{}", ran.stderr);
    let ran = folder.run(&["every", "fortnight"]);
    assert!(ran.stderr.contains("found \"fortnight\", or second, minute, hour, day, week"), "{}", ran.stderr);
}
