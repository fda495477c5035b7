//! Commands: what they get, how they fail, and that nothing of them is left.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{IntoNotifier, NotifyErrorKind};
use checkup_notify::Exec;
use checkup_testkit::conformance::NotifierFixture;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::vendor::SECRET;
use crate::{samples, snapshot};

/// An executable script in a folder.
fn script(folder: &Path, name: &str, lines: &str) -> Exec {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Exec::new(path.to_str().unwrap()).argument(folder.to_str().unwrap()).timeout(Duration::from_secs(50))
}

/// Stores its input in a new file, completely or not at all.
const STORE: &str = "cat > \"$1/$$.part\" && mv \"$1/$$.part\" \"$1/$$.json\"";

/// The inputs of all commands that have ended.
fn stored(folder: &Path) -> Vec<Value> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let inputs = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    inputs.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

mod conformance {
    use super::*;

    fn factory() -> NotifierFixture {
        let folder = Arc::new(TempDir::new().unwrap());
        let (working, reading) = (Arc::clone(&folder), Arc::clone(&folder));
        let (failing, hanging) = (Arc::clone(&folder), Arc::clone(&folder));
        script(folder.path(), "store", STORE);
        script(folder.path(), "fail", "cat >&2; exit 1");
        script(folder.path(), "hang", "sleep 600");
        let exec = |folder: &TempDir, name: &str| {
            Exec::new(folder.path().join(name).to_str().unwrap())
                .argument(folder.path().to_str().unwrap())
                .argument(SECRET)
        };
        NotifierFixture::new(
            move || exec(&working, "store").timeout(Duration::from_secs(50)),
            move || stored(reading.path()).iter().map(ToString::to_string).collect(),
        )
        .failing(move || exec(&failing, "fail"))
        .hanging(move || exec(&hanging, "hang"))
        // It is JSON: it was parsed.
        .escaping(|delivery| assert!(!delivery.contains(['\n', '\r'])))
        .secret(SECRET)
        .keep(folder)
    }

    checkup_testkit::notifier_conformance!(factory);
}

#[tokio::test]
async fn a_command_gets_the_document_and_the_most_important_values() {
    let folder = TempDir::new().unwrap();
    let exec = script(folder.path(), "show", &format!("{STORE}; env | grep ^CHECKUP_ | sort > \"$1/env\""));
    exec.into_notifier().unwrap().notify(&samples::down()).await.unwrap();
    let input = snapshot::pretty(&stored(folder.path())[0]);
    let environment = fs::read_to_string(folder.path().join("env")).unwrap();
    snapshot::assert_matches("exec-down", &format!("{environment}\n{input}"));
}

#[tokio::test]
async fn hostile_texts_are_neither_interpreted_nor_too_long_for_the_system() {
    let folder = TempDir::new().unwrap();
    let exec =
        script(folder.path(), "hostile", &format!("{STORE}; printf %s \"$CHECKUP_NAME\" | wc -l > \"$1/lines\""));
    let notifier = exec.into_notifier().unwrap();
    for notification in samples::all_hostile() {
        notifier.notify(&notification).await.unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("lines")).unwrap().trim(), "0");
    }
}

#[tokio::test]
async fn arguments_are_not_interpreted_by_a_shell() {
    let folder = TempDir::new().unwrap();
    let exec = script(folder.path(), "args", "printf '%s' \"$2\" > \"$1/argument\"").argument("$(touch x); `id` * \"");
    exec.into_notifier().unwrap().notify(&samples::down()).await.unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("argument")).unwrap(), "$(touch x); `id` * \"");
}

#[tokio::test]
async fn an_exit_code_is_an_error_with_the_last_line_of_standard_error() {
    let folder = TempDir::new().unwrap();
    let exec = script(folder.path(), "fail", "echo first >&2; printf 'no \\033[31mconnection\\n' >&2; exit 3");
    let error = exec.into_notifier().unwrap().notify(&samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Temporary);
    assert!(error.to_string().ends_with(r"fail: exit status 3: no \u{1b}[31mconnection"), "{error}");
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_a_permanent_error() {
    let error = Exec::new("/not/there").into_notifier().unwrap().notify(&samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Permanent);
    assert!(error.to_string().starts_with("/not/there: cannot run /not/there: there is no such command"), "{error}");
}

#[tokio::test]
async fn a_command_that_does_not_read_its_input_is_delivered() {
    let notification = samples::all_hostile().pop().unwrap();
    Exec::new("true").into_notifier().unwrap().notify(&notification).await.unwrap();
}

#[tokio::test]
async fn a_command_that_prints_much_fails_with_its_last_line() {
    let folder = TempDir::new().unwrap();
    let exec = script(folder.path(), "loud", "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo; echo last >&2; exit 1");
    let error = exec.into_notifier().unwrap().notify(&samples::down()).await.unwrap_err().to_string();
    // All in one line; only the end of it was kept.
    assert!(error.contains("exit status 1: xxx") && error.len() < 1000, "{error}");
}

#[tokio::test]
async fn secrets_are_neither_passed_on_nor_shown() {
    let folder = TempDir::new().unwrap();
    let exec = script(folder.path(), "leak", "echo \"$TOKEN $CARGO_MANIFEST_DIR.\" >&2; exit 1");
    let notifier = exec.environment("TOKEN", SECRET).into_notifier().unwrap();
    let error = notifier.notify(&samples::down()).await.unwrap_err().to_string();
    // Cargo sets the other variable for tests, and it is not harmless.
    assert!(error.ends_with("exit status 1: [redacted] ."), "{error}");
}

#[tokio::test]
async fn a_process_that_a_command_leaves_behind_is_neither_waited_for_nor_left() {
    let folder = TempDir::new().unwrap();
    let alive = Alive::new(folder.path());
    let exec = script(folder.path(), "leave", "exec 3> \"$1/alive\"; echo >&3; sleep 600 & exit 0");
    exec.into_notifier().unwrap().notify(&samples::down()).await.unwrap();
    alive.ended.await.unwrap();
}

#[tokio::test]
async fn at_the_timeout_all_processes_of_a_command_are_killed() {
    let folder = TempDir::new().unwrap();
    let alive = Alive::new(folder.path());
    let exec = script(folder.path(), "hang", HANG).timeout(Duration::from_secs(3));
    let error = exec.into_notifier().unwrap().notify(&samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Temporary);
    assert!(error.to_string().ends_with("hang: killed after 3s; let it do less, or raise `timeout`"), "{error}");
    alive.ended.await.unwrap();
}

#[tokio::test]
async fn a_cancelled_call_kills_all_processes_of_its_command() {
    let folder = TempDir::new().unwrap();
    let alive = Alive::new(folder.path());
    let notifier = script(folder.path(), "hang", HANG).into_notifier().unwrap();
    let notification = samples::down();
    tokio::select! {
        outcome = notifier.notify(&notification) => panic!("the command hangs: {outcome:?}"),
        started = alive.started => started.unwrap(),
    }
    alive.ended.await.unwrap();
}

/// Starts a child and waits for it. Both hold the pipe `alive` open.
const HANG: &str = "exec 3> \"$1/alive\"; sleep 600 & echo >&3; wait";

/// A named pipe, which says when the processes that hold it open have started, and when all of them have ended.
struct Alive {
    started: oneshot::Receiver<()>,
    ended: oneshot::Receiver<()>,
}

impl Alive {
    fn new(folder: &Path) -> Self {
        let path = folder.join("alive");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let ((start, started), (end, ended)) = (oneshot::channel(), oneshot::channel());
        // Opening blocks until a process opens the other end, and reading to the end until none has it open.
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(fs::File::open(path).unwrap());
            pipe.read_line(&mut String::new()).unwrap();
            let _ = start.send(());
            pipe.read_to_end(&mut Vec::new()).unwrap();
            let _ = end.send(());
        });
        Self { started, ended }
    }
}

#[test]
fn invalid_settings_are_reported_together() {
    let exec = Exec::new(" ").argument("a\0b").timeout(Duration::from_secs(60));
    checkup_testkit::conformance::all_problems_are_reported(
        exec.into_notifier(),
        &["command", "arguments[0]", "timeout"],
    );
}
