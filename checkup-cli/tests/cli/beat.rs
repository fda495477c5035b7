//! `checkup beat`, and the URL for jobs of `checkup serve`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Folder, Ran, Running};

const TOKEN: &str = "0123456789abcdef-secret";

fn config() -> Value {
    json!({
        "checkers": [
            { "type": "heartbeat", "endpoint_name": "Backup", "job": "backup", "every": "1h", "token": TOKEN },
            { "type": "heartbeat", "endpoint_name": "Import", "job": "import", "every": "1h" },
        ],
        "storage": { "type": "fs", "dir": "results" },
        "location": "eu",
    })
}

/// Why the check of the job is down; empty if it is healthy.
fn reason(folder: &Folder) -> String {
    let ran = folder.run(&["--only", "Backup", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let result = &report[0];
    match result["healthy"].as_bool() {
        Some(true) => String::new(),
        _ => result["times"][0]["error"].as_str().unwrap_or("?").to_owned(),
    }
}

fn beats(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path("results")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("beat-")).collect();
    names.sort();
    names
}

#[test]
fn a_job_reports_by_hand() {
    let folder = Folder::new(&config());
    assert_eq!(reason(&folder), "no beat yet: the job has never reported");
    assert_eq!(folder.run(&["beat", "backup"]).parts(), (0, "", ""));
    assert_eq!(reason(&folder), "");
    assert_eq!(folder.run(&["beat", "backup", "--fail", "-m", "the disk is full"]).parts(), (0, "", ""));
    let failed = reason(&folder);
    assert!(failed.starts_with("failed ") && failed.ends_with(" at eu: the disk is full"), "{failed}");
    assert_eq!(folder.run(&["beat", "backup", "--begin"]).code, 0);
    assert!(reason(&folder).starts_with("failed "));
    assert_eq!(folder.run(&["beat", "backup", "-m", "12 GB"]).code, 0);
    assert_eq!(reason(&folder), "");
    assert_eq!(beats(&folder).len(), 4);
}

#[cfg(unix)]
#[test]
fn a_command_is_run_and_its_exit_code_is_passed_on() {
    let folder = Folder::new(&config());
    let beat = |command: &[&str]| folder.run(&[&["beat", "backup", "--"], command].concat());
    assert_eq!(beat(&["sh", "-c", "echo out; echo err >&2"]).parts(), (0, "out\n", "err\n"));
    assert_eq!(reason(&folder), "");
    let names = beats(&folder);
    assert!(
        names.len() == 2 && names[0].contains("-began-") && names[1].contains("-ok-") && names[1].contains("ms-"),
        "{names:?}"
    );
    // Options of the command are its own.
    assert_eq!(beat(&["sh", "-c", "exit $1", "--fail", "7"]).parts(), (7, "", ""));
    assert!(reason(&folder).ends_with(" at eu: exit status 7"), "{}", reason(&folder));
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("SEGV", 139)] {
        let ran = beat(&["sh", "-c", &format!("kill -{signal} $$")]);
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{signal}");
        assert!(reason(&folder).ends_with(&format!("killed by signal {}", code - 128)), "{}", reason(&folder));
    }
    let ran = folder.run(&["beat", "backup", "-m", "see the log", "--", "sh", "-c", "exit 3"]);
    assert_eq!(ran.code, 3);
    assert!(reason(&folder).ends_with(": exit status 3: see the log"), "{}", reason(&folder));
    let ran = beat(&["./nothing-here"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (127, "checkup: cannot run ./nothing-here: there is no such command\n")
    );
    assert_eq!(beat(&["/"]).code, 126);
    assert!(reason(&folder).contains("cannot run /: permission denied"), "{}", reason(&folder));
}

#[cfg(unix)]
#[test]
fn signals_are_passed_on_to_the_command_and_its_end_is_reported() {
    let folder = Folder::new(&config());
    let script = "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done";
    let mut running = Running::start(&folder, &["beat", "backup", "--", "sh", "-c", script]);
    running.line("ready");
    running.signal("TERM");
    assert_eq!(running.rest(), "bye\n");
    assert_eq!(running.code(), Some(5));
    assert!(reason(&folder).ends_with("exit status 5"), "{}", reason(&folder));
}

#[cfg(unix)]
#[test]
fn the_command_runs_even_if_nothing_can_be_stored_or_the_configuration_is_invalid() {
    let run = |folder: &Folder, exit: &str| {
        folder.run(&["beat", "backup", "--", "sh", "-c", &format!("echo ran; exit {exit}")])
    };
    // The folder of the storage is a file.
    let folder = Folder::new(&config()).file("results", "");
    let Ran { code, stdout, stderr } = run(&folder, "0");
    assert_eq!((code, stdout.as_str()), (3, "ran\n"));
    assert!(stderr.starts_with("checkup: could not confirm that the report of the job was stored: "), "{stderr}");
    let ran = run(&folder, "9");
    assert_eq!((ran.code, ran.stdout.as_str()), (9, "ran\n"));
    assert_eq!(folder.run(&["beat", "backup"]).code, 3);

    let broken = Folder::empty().file("checkup.json", "{");
    let ran = run(&broken, "0");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, "ran\n"));
    assert!(ran.stderr.contains("checkup.json"), "{}", ran.stderr);
    assert_eq!(run(&broken, "9").code, 9);
    assert_eq!(broken.run(&["beat", "backup"]).code, 2);
}

#[test]
fn mistakes_are_pointed_out() {
    let folder = Folder::new(&config());
    let ran = folder.run(&["beat", "archive"]);
    let warning = "checkup: warning: no check of type `heartbeat` in the config file reads the job `archive`; the file has checks of `backup`, `import`\n";
    assert_eq!(ran.parts(), (0, "", warning));
    assert_eq!(folder.run(&["-q", "beat", "archive"]).parts(), (0, "", ""));
    assert_eq!(folder.run(&["beat", " "]).code, 2);
    assert_eq!(folder.run(&["beat", "backup", "--fail", "--", "true"]).code, 2);
    let mut without = config();
    without.as_object_mut().unwrap().remove("storage");
    let ran = Folder::new(&without).run(&["beat", "backup"]);
    assert_eq!(ran.code, 2);
    let line = "checkers[0].type: a heartbeat reads the beats of a job from the `storage` of the checks, and there is none; add one";
    assert!(ran.stderr.contains(line), "{}", ran.stderr);
    let without = json!({ "checkers": [{ "type": "tcp", "endpoint_url": "127.0.0.1:1" }] });
    let ran = Folder::new(&without).run(&["beat", "backup"]);
    assert!(ran.stderr.contains("a report of a job needs a `storage` in the config file"), "{}", ran.stderr);
}

/// The status and the body of the response to a request.
fn request(address: SocketAddr, request: &str, body: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let length = body.len();
    let head =
        format!("{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    connection.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    // The server may close before it has read a long body.
    let _ = connection.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn a_job_reports_to_serve() {
    let folder = Folder::new(&config());
    let mut running = Running::start(&folder, &["-v", "serve", "--listen", "0"]);
    let line = running.line("status page at http://");
    let address = line.trim_start_matches("status page at http://").trim_end_matches('/').parse().unwrap();
    let post = |path: &str, body: &str| request(address, &format!("POST /beat/{path}"), body);
    assert_eq!(post(TOKEN, ""), (200, "ok\n".to_owned()));
    assert_eq!(reason(&folder), "");
    assert_eq!(post(&format!("{TOKEN}/fail"), "no \u{1b} space").0, 200);
    assert!(reason(&folder).ends_with(r" at eu: no \u{1b} space"), "{}", reason(&folder));
    assert_eq!(post(&format!("{TOKEN}/begin"), "").0, 200);
    assert_eq!(post(TOKEN, "done").0, 200);
    assert_eq!(reason(&folder), "");
    let before = beats(&folder).len();
    for wrong in ["0123456789abcdef-secreT", "0123456789abcdef", "", "x/fail", "..%2Fbackup"] {
        assert_eq!(post(wrong, "").0, 404, "{wrong}");
    }
    assert_eq!(post(&format!("{TOKEN}/late"), "").0, 404);
    assert_eq!(post(TOKEN, &"x".repeat(5000)).0, 413);
    // A link that a browser or a preview of a chat opens is no report.
    assert_eq!(request(address, &format!("GET /beat/{TOKEN}"), "").0, 405);
    assert_eq!(beats(&folder).len(), before);
    // The page is served as before.
    assert_eq!(request(address, "GET /healthz", "").0, 200);
    running.signal("TERM");
    assert_eq!(running.code(), Some(0));
    let log = running.diagnostics();
    assert!(!log.contains(TOKEN), "{log}");
}

#[test]
fn a_storage_that_is_away_is_a_503_and_no_verdict() {
    let folder = Folder::new(&config());
    let mut running = Running::start(&folder, &["serve", "--listen", "0"]);
    let line = running.line("status page at http://");
    let address = line.trim_start_matches("status page at http://").trim_end_matches('/').parse().unwrap();
    std::fs::write(folder.path("results"), "").unwrap();
    let (code, body) = request(address, &format!("POST /beat/{TOKEN}"), "");
    assert_eq!((code, body.as_str()), (503, "the report could not be stored; try again in a moment\n"));
    running.signal("TERM");
    assert_eq!(running.code(), Some(0));
    let ran = folder.run(&["--only", "Backup"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("cannot read the beats of the job"), "{}", ran.stdout);
}
