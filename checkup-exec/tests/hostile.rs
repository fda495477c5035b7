//! Hostile commands: every check ends within its timeout, in bounded memory, with a reason, and leaves no process behind.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

mod processes;

use std::time::Duration;

use checkup_core::{Check, CheckResult, Checkup, Status};
use checkup_exec::{Exec, Raise};
use processes::running;

/// The timeout of commands that hang, long enough to start them on a busy machine.
const LIMIT: Duration = Duration::from_secs(2);

/// The timeout of commands that end.
const PATIENCE: Duration = Duration::from_secs(20);

const STILL_RUNNING: &str = "timed out after 2s: the command was still running";

async fn run(exec: Exec, limit: Duration) -> CheckResult {
    let checkup = Checkup::builder().check(Check::new("hostile", exec).timeout(limit)).build().unwrap();
    // Far longer than any of these checks takes, so that one that hangs fails the test instead of hanging it.
    let report = tokio::time::timeout(Duration::from_secs(60), checkup.check()).await.expect("the check ends");
    report.results.into_iter().next().unwrap()
}

async fn reason(exec: Exec, limit: Duration) -> String {
    run(exec, limit).await.reason().unwrap_or_default().into_owned()
}

fn sh(script: &str) -> Exec {
    Exec::new("sh").arguments(["-c", script])
}

/// A text for the arguments of the processes of one test.
fn mark(name: &str) -> String {
    format!("hostile-{name}-{}", std::process::id())
}

/// Waits until no process has this mark.
async fn gone(mark: &str) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while running(mark) > 0 {
        assert!(tokio::time::Instant::now() < deadline, "processes are left behind");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_command_that_never_ends_is_killed() {
    let mark = mark("endless");
    assert_eq!(reason(sh(&format!("sleep 1000; : {mark}")), LIMIT).await, STILL_RUNNING);
    gone(&mark).await;
}

#[tokio::test]
async fn signals_that_a_command_ignores_do_not_save_it() {
    let mark = mark("stubborn");
    let script = format!("trap '' HUP INT QUIT TERM; while :; do sleep 1; done; : {mark}");
    assert_eq!(reason(sh(&script), LIMIT).await, STILL_RUNNING);
    gone(&mark).await;
}

#[tokio::test]
async fn grandchildren_are_killed_at_the_timeout() {
    let mark = mark("family");
    let script =
        format!("sh -c 'sh -c \"sleep 1000; : {mark}\"; : {mark}' & sh -c 'sleep 1000; : {mark}' & wait; : {mark}");
    assert_eq!(reason(sh(&script), LIMIT).await, STILL_RUNNING);
    gone(&mark).await;
}

#[tokio::test]
async fn a_grandchild_that_holds_the_pipes_neither_delays_the_result_nor_survives() {
    let mark = mark("background");
    let result = run(sh(&format!("sh -c 'sleep 1000; : {mark}' & echo done")).must_contain("done"), PATIENCE).await;
    assert_eq!(result.status, Status::Healthy, "{result:?}");
    gone(&mark).await;
}

#[tokio::test]
async fn a_process_that_leaves_the_group_does_not_delay_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let (file, mark) = (folder.path().join("pid"), mark("daemon"));
    // It holds the pipes, and is no longer in the group when the command ends.
    let daemon = format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 1000; : {mark}", file.display());
    let script = format!("setsid sh -c '{daemon}' & while [ ! -s {} ]; do :; done; echo done", file.display());
    let result = run(sh(&script).must_contain("done"), PATIENCE).await;
    assert_eq!(result.status, Status::Healthy, "{result:?}");
    assert!(running(&mark) > 0, "the daemon has left the group");
    let pid = std::fs::read_to_string(&file).unwrap();
    let killed = std::process::Command::new("kill").args(["-9", "--", &format!("-{}", pid.trim())]).status().unwrap();
    assert!(killed.success());
    gone(&mark).await;
}

#[tokio::test]
async fn an_endless_output_is_cut_off_and_the_command_killed() {
    for redirect in ["", ">&2"] {
        let mark = mark("loud");
        let result = run(sh(&format!("yes {mark} {redirect}; :")).max_output_bytes(100_000), PATIENCE).await;
        assert_eq!(
            result.reason().unwrap(),
            "the command printed more than 100000 bytes; let it print less, or raise `max_output_bytes`"
        );
        gone(&mark).await;
    }
}

#[tokio::test]
async fn an_output_up_to_the_limit_is_read_whole() {
    let script = "head -c 99999 /dev/zero | tr '\\0' x; printf y";
    let result = run(sh(script).max_output_bytes(100_000).must_contain("xy"), PATIENCE).await;
    assert_eq!(result.status, Status::Healthy, "{result:?}");
    let reason = reason(sh(&format!("{script}; printf z")).max_output_bytes(100_000), PATIENCE).await;
    assert!(reason.starts_with("the command printed more than 100000 bytes"), "{reason}");
}

#[tokio::test]
async fn a_command_that_closes_its_outputs_is_waited_for() {
    assert_eq!(reason(sh("exec >&- 2>&-; exit 3"), PATIENCE).await, "exit status 3");
    let mark = mark("closed");
    assert_eq!(reason(sh(&format!("exec >&- 2>&-; sleep 1000; : {mark}")), LIMIT).await, STILL_RUNNING);
    gone(&mark).await;
}

#[tokio::test]
async fn what_is_printed_cannot_mislead_and_is_shortened() {
    let reason_of = |script| reason(sh(script), PATIENCE);
    assert_eq!(reason_of(r"printf '\033[31m\r\377\000\n' >&2; exit 1").await, r"exit status 1: \u{1b}[31m\r�\u{0}");
    let long = reason_of("head -c 100000 /dev/zero | tr '\\0' x; exit 1").await;
    assert!(long.starts_with("exit status 1: xxx") && long.chars().count() < 400, "{} characters", long.len());
}

#[tokio::test]
async fn secrets_from_the_environment_are_not_quoted() {
    let exec = sh("printf '%s\\n' \"$KEY\" >&2; exit 1").environment("KEY", "-----BEGIN KEY-----\nhunter2");
    assert_eq!(reason(exec.clone(), PATIENCE).await, "exit status 1: [redacted]");
    assert_eq!(reason(exec.clone().raise(Raise::Warn), PATIENCE).await, "exit status 1: [redacted]");
}

#[tokio::test]
async fn a_timeout_is_down_even_if_failures_are_warnings() {
    let mark = mark("warning");
    let result = run(sh(&format!("sleep 1000; : {mark}")).raise(Raise::Warn), LIMIT).await;
    assert_eq!(result.status, Status::Down, "{result:?}");
    gone(&mark).await;
}

#[tokio::test]
async fn many_commands_that_hang_do_not_delay_each_other() {
    let mark = mark("many");
    let checks =
        (0..50).map(|i| Check::new(format!("hanging {i}"), sh(&format!("sleep 1000; : {mark}"))).timeout(LIMIT));
    let report = Checkup::builder().checks(checks).concurrent_checks(50).build().unwrap().check().await;
    assert_eq!(report.unhealthy().count(), 50);
    gone(&mark).await;
}
