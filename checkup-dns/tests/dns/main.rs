//! DNS checks, through the engine, against servers on loopback.

#![allow(clippy::unwrap_used, reason = "tests")]

#[cfg(feature = "config")]
mod config_file;
mod datagram_server;
mod dnssec;
mod encrypted;
mod hostile;
mod https_server;
mod queries;
mod stream;
mod zone_server;

use std::time::Duration;

use checkup_core::{Attempt, Cause, Check, CheckResult, Checkup, Status};
use checkup_dns::Dns;

/// Longer than any check here takes, unless its server hangs.
const AMPLE: Duration = Duration::from_secs(20);

/// Short, for servers that hang.
const SHORT: Duration = Duration::from_millis(300);

/// Runs one check with these settings and returns its result.
async fn check_within(timeout: Duration, dns: Dns) -> CheckResult {
    let check = Check::new("dns", dns).timeout(timeout);
    let checkup = Checkup::builder().check(check).build().expect("the settings are valid");
    checkup.check().await.results.remove(0)
}

async fn check(dns: Dns) -> CheckResult {
    check_within(AMPLE, dns).await
}

#[track_caller]
fn assert_healthy(result: &CheckResult) {
    assert_eq!(result.status, Status::Healthy, "{:?}", result.reason());
}

/// Returns the only attempt, which must have failed, with its text.
#[track_caller]
fn failure(result: &CheckResult) -> (Cause, &str) {
    assert_eq!(result.status, Status::Down, "{result:?}");
    match &result.attempts[..] {
        [Attempt { cause: Some(cause), error: Some(error), .. }] => (*cause, error),
        other => panic!("expected one failed attempt, found {other:?}"),
    }
}

#[track_caller]
fn assert_down(result: &CheckResult, cause: Cause, message: &str) {
    assert_eq!(failure(result), (cause, message));
}
