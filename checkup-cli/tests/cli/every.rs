//! `checkup every`.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use checkup_core::Status;
use checkup_testkit::{HttpServer, Response, TcpServer};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use crate::support::{Folder, server};

/// The command while it runs. Killed if the test ends before it.
struct Running {
    child: Child,
    stdout: Option<Lines<BufReader<ChildStdout>>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command = folder.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = Some(BufReader::new(child.stdout.take().unwrap()).lines());
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stdout, stderr }
    }

    /// The next line of standard output that has `part` in it.
    fn line(&mut self, part: &str) -> String {
        self.stdout.as_mut().unwrap().map(Result::unwrap).find(|line| line.contains(part)).expect(part)
    }

    /// Reads standard error up to a line that has `part` in it.
    fn diagnostic(&mut self, part: &str) -> String {
        self.stderr.by_ref().map(Result::unwrap).find(|line| line.contains(part)).expect(part)
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_is_at_once_and_each_is_a_line_that_tells_what_changed() {
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
async fn a_second_signal_ends_it_at_once() {
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
async fn a_storage_that_fails_is_told_and_does_not_stop_it() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "a-file/results" },
    }))
    .file("a-file", "");
    let mut running = Running::start(&folder, &["every", "20ms"]);
    for _ in 0..3 {
        let line = running.diagnostic("");
        assert!(line.starts_with("checkup: the report may not be stored: "), "{line}");
        running.line("1 healthy");
    }
    running.signal("TERM");
    assert_eq!(running.code(), Some(0));
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

#[test]
fn intervals_that_cannot_work_are_refused() {
    let folder = Folder::new(&json!({ "checkers": [] }));
    let ran = folder.run(&["every", "0s"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("expected more than 0"), "{}", ran.stderr);
    let ran = folder.run(&["every", "fortnight"]);
    assert!(ran.stderr.contains("found \"fortnight\", or second, minute, hour, day, week"), "{}", ran.stderr);
    let ran = folder.run(&["every", "1m"]);
    assert_eq!(ran.parts(), (2, "", "checkup: the config file has no checks: there is nothing to do\n"));
}
