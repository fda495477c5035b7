//! Commands: what they get, how they fail, and that nothing of them is left.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{IntoNotifier, NotifyErrorKind};
use checkup_notify::Exec;
use checkup_testkit::conformance::NotifierFixture;
use serde_json::Value;
use tempfile::TempDir;

use crate::vendor::SECRET;
use crate::{samples, snapshot};

/// An executable script in a folder.
fn script(folder: &Path, name: &str, lines: &str) -> Exec {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Exec::new(path.to_str().unwrap()).argument(folder.to_str().unwrap()).timeout(Duration::from_secs(50))
}

/// Stores its input under a name of its own, whole or not at all.
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
    let input = serde_json::to_string_pretty(&stored(folder.path())[0]).unwrap();
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
    assert!(error.to_string().ends_with(r"fail: exit code 3: no \u{1b}[31mconnection"), "{error}");
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_a_permanent_error() {
    let error = Exec::new("/not/there").into_notifier().unwrap().notify(&samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Permanent);
    assert!(error.to_string().starts_with("/not/there: cannot run it: "), "{error}");
}

#[tokio::test]
async fn a_command_that_does_not_read_its_input_is_delivered() {
    let notification = samples::all_hostile().pop().unwrap();
    Exec::new("true").into_notifier().unwrap().notify(&notification).await.unwrap();
}

#[tokio::test]
async fn a_process_that_a_command_leaves_behind_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    // It keeps the pipe of standard error, and ends when the folder is gone.
    let exec = script(folder.path(), "leave", "(while [ -d \"$1\" ]; do sleep 0.1; done) & exit 0");
    exec.into_notifier().unwrap().notify(&samples::down()).await.unwrap();
}

#[tokio::test]
async fn at_the_timeout_all_processes_of_a_command_are_killed() {
    let folder = TempDir::new().unwrap();
    let lines = "sleep 600 & echo $! > \"$1/child.part\"; mv \"$1/child.part\" \"$1/child\"; echo waiting >&2; wait";
    let exec = script(folder.path(), "hang", lines).timeout(Duration::from_secs(3));
    let error = exec.into_notifier().unwrap().notify(&samples::down()).await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Temporary);
    assert!(error.to_string().contains("killed after 3s"), "{error}");
    ends(folder.path()).await;
}

#[tokio::test]
async fn a_cancelled_call_kills_all_processes_of_its_command() {
    let folder = TempDir::new().unwrap();
    let lines = "sleep 600 & echo $! > \"$1/child.part\"; mv \"$1/child.part\" \"$1/child\"; wait";
    let notifier = script(folder.path(), "hang", lines).into_notifier().unwrap();
    let notification = samples::down();
    let child = folder.path().join("child");
    tokio::select! {
        outcome = notifier.notify(&notification) => panic!("the command hangs: {outcome:?}"),
        () = exists(&child) => {}
    }
    ends(folder.path()).await;
}

/// Waits until a file exists.
async fn exists(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the process whose number is in the file `child` has ended.
async fn ends(folder: &Path) {
    exists(&folder.join("child")).await;
    let number = fs::read_to_string(folder.join("child")).unwrap().trim().to_owned();
    let is_running = || {
        let state = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        state.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
    };
    while is_running() {
        tokio::time::sleep(Duration::from_millis(10)).await;
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
