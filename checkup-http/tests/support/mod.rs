//! Runs checks through the engine, as every program does.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::time::Duration;

use checkup_core::{Cause, Check, CheckResult, Checkup, Status};
use checkup_http::Http;

/// Longer than anything in these tests takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs one check and returns its result.
pub(crate) async fn run(check: Check) -> CheckResult {
    let checkup = Checkup::builder().check(check).build().unwrap();
    let run = tokio::time::timeout(PATIENCE, checkup.check());
    run.await.expect("the engine ends every check").results.remove(0)
}

/// Runs one check with these settings and returns its result.
pub(crate) async fn check(http: Http) -> CheckResult {
    run(Check::new("test", http).timeout(Duration::from_secs(20))).await
}

/// Asserts that the check is healthy.
pub(crate) async fn up(http: Http) {
    let result = check(http).await;
    assert_eq!(result.status, Status::Healthy, "{result:?}");
}

/// Asserts that the check is down, and returns why.
pub(crate) async fn down(http: Http) -> (Cause, String) {
    why(check(http).await)
}

/// Asserts that the check is down with a timeout of 400 ms, and returns why.
pub(crate) async fn down_in_time(http: Http) -> (Cause, String) {
    why(run(Check::new("test", http).timeout(Duration::from_millis(400))).await)
}

fn why(result: CheckResult) -> (Cause, String) {
    assert_eq!(result.status, Status::Down, "{result:?}");
    let attempt = result.attempts[0].clone();
    (attempt.cause.unwrap(), attempt.error.unwrap().into())
}
