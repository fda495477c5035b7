//! Checks with real commands, through the engine.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use checkup_core::{Cause, Check, CheckResult, Checkup, Status};
use checkup_exec::{Exec, Raise};

/// Long enough that only a command that hangs exceeds it.
const PATIENCE: Duration = Duration::from_secs(20);

async fn run(exec: Exec) -> CheckResult {
    let checkup = Checkup::builder().check(Check::new("exec", exec).timeout(PATIENCE)).build().unwrap();
    checkup.check().await.results.remove(0)
}

fn sh(script: &str) -> Exec {
    Exec::new("sh").arguments(["-c", script])
}

/// The status, and the reason if it is not healthy.
async fn outcome(exec: Exec) -> (Status, String) {
    let result = run(exec).await;
    (result.status, result.reason().unwrap_or_default().into_owned())
}

fn healthy() -> (Status, String) {
    (Status::Healthy, String::new())
}

fn down(reason: &str) -> (Status, String) {
    (Status::Down, reason.to_owned())
}

fn degraded(reason: &str) -> (Status, String) {
    (Status::Degraded, reason.to_owned())
}

/// Writes a script. Another process does so: a file that this one has open for writing, and a child of another test therefore as well,
/// cannot be run.
fn script(folder: &Path, name: &str, content: &str, mode: &str) -> String {
    let path = folder.join(name).to_str().unwrap().to_owned();
    let write = "printf %s \"$1\" > \"$0\"; chmod \"$2\" \"$0\"";
    let written = std::process::Command::new("sh").args(["-c", write, &path, content, mode]).status().unwrap();
    assert!(written.success());
    path
}

#[tokio::test]
async fn the_exit_status_is_the_verdict() {
    let result = run(Exec::new("true")).await;
    assert_eq!((result.status, result.endpoint.as_str()), (Status::Healthy, "true"));
    assert_eq!(outcome(Exec::new("false")).await, down("exit status 1"));
    assert_eq!(outcome(sh("exit 7")).await, down("exit status 7"));
    assert_eq!(outcome(sh("kill -9 $$")).await, down("killed by signal 9"));
    assert_eq!(run(Exec::new("false")).await.attempts[0].cause, Some(Cause::Assertion));
}

#[tokio::test]
async fn the_last_line_says_why_a_command_failed() {
    assert_eq!(outcome(sh("echo one; echo two; exit 1")).await, down("exit status 1: two"));
    assert_eq!(outcome(sh("echo out; echo error >&2; echo; exit 2")).await, down("exit status 2: error"));
}

#[tokio::test]
async fn both_outputs_are_searched() {
    for script in ["echo it works", "echo it works >&2"] {
        assert_eq!(outcome(sh(script).must_contain("works")).await, healthy());
        assert_eq!(outcome(sh(script).must_not_contain("works")).await, down("output contains 'works'"));
        assert_eq!(outcome(sh(script).must_contain("fails")).await, down("output does not contain 'fails'"));
        assert_eq!(outcome(sh(script).must_contain("it").must_not_contain("fails")).await, healthy());
    }
    // As in upstream, the exit status comes first.
    assert_eq!(outcome(sh("echo works; exit 1").must_contain("fails")).await, down("exit status 1: works"));
}

#[tokio::test]
async fn a_warning_is_degraded() {
    assert_eq!(outcome(sh("exit 1").raise(Raise::Warn)).await, degraded("exit status 1"));
    assert_eq!(outcome(sh(":").must_contain("x").raise(Raise::Warn)).await, degraded("output does not contain 'x'"));
    assert_eq!(outcome(sh(":").raise(Raise::Warn)).await, healthy());
}

#[tokio::test]
async fn a_nagios_plugin_says_what_its_state_is() {
    let plugin = |code| sh(&format!("echo 'DISK: 5% free | /=95%;80;90'; echo more; exit {code}")).nagios(true);
    assert_eq!(outcome(plugin(0)).await, healthy());
    assert_eq!(outcome(plugin(1)).await, degraded("DISK: 5% free"));
    assert_eq!(outcome(plugin(2)).await, down("DISK: 5% free"));
    assert_eq!(outcome(plugin(3)).await, down("DISK: 5% free"));
    assert_eq!(run(plugin(3)).await.attempts[0].cause, Some(Cause::Other));
    assert_eq!(outcome(plugin(4)).await, down("exit status 4: more"));
    assert_eq!(outcome(sh("exit 2").nagios(true)).await, down("the plugin reports critical, without a text"));
    assert_eq!(
        outcome(sh("echo '| a=1'; exit 1").nagios(true)).await,
        degraded("the plugin reports warning, without a text")
    );
    // Without the option, 1 is a failure like any other.
    assert_eq!(outcome(plugin(1).nagios(false)).await, down("exit status 1: more"));
}

#[tokio::test]
async fn there_is_no_shell() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made by a shell");
    let argument = format!("$(touch '{0}'); `touch '{0}'` * ~ \"", file.display());
    let exec = Exec::new("printf").arguments(["%s|", argument.as_str(), ""]);
    assert_eq!(outcome(exec.must_contain(format!("{argument}||"))).await, healthy());
    assert!(!file.exists());
}

#[tokio::test]
async fn the_environment_is_chosen() {
    // Cargo sets this variable for tests.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let script = || sh("echo \"<$CARGO_MANIFEST_DIR><$OWN><${PATH:+path}>\"");
    assert_eq!(outcome(script().environment("OWN", "mine").must_contain("<><mine><path>")).await, healthy());
    let manifest = concat!("<", env!("CARGO_MANIFEST_DIR"), "><><path>");
    assert_eq!(outcome(script().inherit_environment(true).must_contain(manifest)).await, healthy());
    let own = script().inherit_environment(true).environment("CARGO_MANIFEST_DIR", "other");
    assert_eq!(outcome(own.must_contain("<other><>")).await, healthy());
}

#[tokio::test]
async fn a_command_runs_in_its_directory_without_input() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("here"), "").unwrap();
    assert_eq!(outcome(Exec::new("ls").directory(folder.path()).must_contain("here")).await, healthy());
    // It would otherwise wait for the terminal.
    assert_eq!(outcome(Exec::new("cat")).await, healthy());
}

#[tokio::test]
async fn a_command_that_cannot_be_started_is_down_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").display().to_string();
    let plain = script(folder.path(), "plain", "#!/bin/sh\n", "644");
    let no_program = script(folder.path(), "no-program", "hello\n", "755");
    let no_interpreter = script(folder.path(), "no-interpreter", "#!/no/such/interpreter\n", "755");
    let start = |exec: &str| format!("cannot run {exec}: ");
    for (exec, rest) in [
        (Exec::new(&missing), "there is no such command; check `command`"),
        (Exec::new("no-such-command-anywhere"), "there is no such command; check `command`"),
        (Exec::new(&no_interpreter), "there is no such command; check `command`, and the interpreter"),
        (Exec::new(&plain), "permission denied; make it executable"),
        (Exec::new(folder.path().to_str().unwrap()), "permission denied"),
        (Exec::new(&no_program), "it is not a program for this machine; a script begins with"),
        (Exec::new("true").directory(&missing), "there is no such command, or no such `directory`"),
    ] {
        let expected = format!("{}{rest}", start(&exec.command));
        let (status, reason) = outcome(exec).await;
        assert!(status == Status::Down && reason.starts_with(&expected), "{status}: {reason}");
    }
}
