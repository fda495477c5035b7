//! Reports whose storage cannot be reached.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Folder, Running, server};

/// A storage in a folder that cannot be made while `a-file` is a file.
fn config(url: &str) -> Value {
    json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": url }],
        "storage": { "type": "fs", "dir": "a-file/results" },
    })
}

fn unreachable(config: &Value) -> Folder {
    Folder::new(config).file("a-file", "")
}

fn fix(folder: &Folder) {
    fs::remove_file(folder.path("a-file")).unwrap();
}

/// How many check files are stored.
fn stored(folder: &Folder) -> usize {
    let Ok(entries) = fs::read_dir(folder.path("a-file/results")) else { return 0 };
    entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with("-check.json")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_stored_is_spooled_and_reported_and_exits_with_4() {
    let server = server();
    let folder = unreachable(&config(&server.url("/")));
    for waiting in ["1 report waits", "2 reports wait"] {
        let ran = folder.run(&["--store"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
        let spool = folder.path("state/checkup/spool").display().to_string();
        assert!(
            ran.stderr.starts_with(&format!("checkup: the report is not stored yet: kept in the spool {spool}/")),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains(&format!(" ({waiting}): ")), "{}", ran.stderr);
        // It also says why.
        assert!(ran.stderr.contains("a-file"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
    // The same holds for a message, which is not posted yet.
    let ran = folder.run(&["message", "hello", "--quiet"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
    assert!(ran.stderr.contains("(3 reports wait)"), "{}", ran.stderr);

    fix(&folder);
    // A run that stores prints nothing.
    assert_eq!(folder.run(&["--store"]).parts(), (0, "", ""));
    assert_eq!(stored(&folder), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_store_says_that_what_waited_is_stored() {
    let server = server();
    let folder = unreachable(&config(&server.url("/")));
    assert_eq!(folder.run(&["message", "one"]).code, 4);
    fix(&folder);
    let expected = "checkup: 1 report that waited in the spool is now stored\n";
    {
        let ran = folder.run(&["message", "two"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, expected));
        assert!(ran.stdout.starts_with("Message ") && ran.stdout.ends_with(" posted\n"), "{ran:?}");
    }
    {
        let ran = folder.run(&["message", "three"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        assert!(ran.stdout.starts_with("Message ") && ran.stdout.ends_with(" posted\n"), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spools_reports_and_says_when_they_are_stored() {
    let server = server();
    let folder = unreachable(&config(&server.url("/")));
    let mut running = Running::start(&folder, &["every", "20ms"]);
    let line = running.diagnostic("");
    assert!(line.starts_with("checkup: the report is not stored yet: kept in the spool "), "{line}");
    fix(&folder);
    running.diagnostic(" that waited in the spool ");
    running.signal("TERM");
    assert_eq!(running.code(), Some(0));

    let folder = unreachable(&config(&server.url("/")));
    let mut running = Running::start(&folder, &["every", "hour"]);
    running.diagnostic("the report is not stored yet");
    running.signal("TERM");
    assert!(running.diagnostics().ends_with("checkup: the last report is not stored yet: it is in the spool\n"));
    assert_eq!(running.code(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn maintain_stores_what_waits_and_notes_what_waits_elsewhere() {
    let server = server();
    let folder = unreachable(&config(&server.url("/")));
    assert_eq!(folder.run(&["--store"]).code, 4);
    assert_eq!(folder.run(&["--store"]).code, 4);
    let ran = folder.run(&["maintain"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));

    fix(&folder);
    let mut other = config(&server.url("/"));
    other["storage"]["check_expiry"] = json!("10d");
    let folder = folder.file("other.json", &other.to_string());
    let ran = folder.run(&["maintain", "-c", "other.json"]);
    assert_eq!(ran.code, 0);
    let note = "checkup: note: 2 reports of another config file are in the spool ";
    assert!(ran.stderr.starts_with(note), "{}", ran.stderr);
    let dir = ran.stderr[note.len()..].split(';').next().unwrap();
    assert!(ran.stderr.contains(&format!("`spool: {{dir: {dir}}}`")), "{}", ran.stderr);
    let ran = folder.run(&["maintain"]);
    assert_eq!(ran.parts(), (0, "2 reports from the spool stored\n", ""));
    assert_eq!(stored(&folder), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn maintain_notes_what_is_set_aside() {
    let server = server();
    let mut config = config(&server.url("/"));
    config["spool"] = json!({ "dir": "waiting" });
    let folder = Folder::new(&config);
    assert_eq!(folder.run(&["--store"]).code, 0);
    let folder = folder.file(&format!("waiting/{:019}-{:016x}.json.refused", 1, 2), "[]");
    let is_noted =
        |ran: &str| ran.starts_with("checkup: note: 1 report was set aside in waiting: files ending in `.broken` ");
    let ran = folder.run(&["maintain"]);
    assert!(ran.code == 0 && is_noted(&ran.stderr), "{}", ran.stderr);
    assert_eq!(folder.run(&["maintain", "--quiet"]).parts(), (0, "", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_note_says_stores_what_waits_of_a_file_that_is_gone() {
    let server = server();
    let folder = unreachable(&config(&server.url("/")));
    assert_eq!(folder.run(&["--store"]).code, 4);
    fix(&folder);
    let dir = fs::read_dir(folder.path("state/checkup/spool")).unwrap().next().unwrap().unwrap().path();
    let mut moved = config(&server.url("/"));
    moved["spool"] = json!({ "dir": dir });
    let folder = folder.file("moved.json", &moved.to_string());
    let ran = folder.run(&["maintain", "-c", "moved.json"]);
    assert_eq!(ran.parts(), (0, "1 report from the spool stored\n", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_wait_because_of_a_mistake_in_the_config_are_stored_when_it_is_fixed() {
    let server = server();
    let mut config = config(&server.url("/"));
    let folder = unreachable(&config);
    assert_eq!(folder.run(&["--store"]).code, 4);
    config["storage"]["dir"] = json!("results");
    let folder = folder.file("checkup.json", &config.to_string());
    assert_eq!(folder.run(&["--store"]).parts(), (0, "", ""));
    assert_eq!(folder.stored().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_config_says_where_or_that_nothing_is_kept() {
    let server = server();
    let mut config = config(&server.url("/"));
    config["spool"] = json!({ "dir": "waiting" });
    let folder = unreachable(&config);
    let ran = folder.run(&["--store"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("kept in the spool waiting (1 report waits)"), "{}", ran.stderr);
    assert!(folder.path("waiting").is_dir() && !folder.path("state").exists());

    config["spool"] = json!(false);
    let folder = unreachable(&config);
    let ran = folder.run(&["--store"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.starts_with("checkup: could not confirm that the report was stored: "), "{}", ran.stderr);
    assert!(!folder.path("state").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_in_the_folder_of_state_while_all_is_well() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/")));
    assert_eq!(folder.run(&["--store"]).parts(), (0, "", ""));
    assert!(!folder.path("state").exists());
}
