//! Waiting until all checks are healthy, on a paused clock.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::time::Duration;

use checkup_core::{Check, CheckResult, Checkup, NotHealthy, Report, Wait};
use checkup_testkit::StubChecker;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// The outcome of the wait, its duration, and the number of runs that ended.
async fn wait(checks: impl IntoIterator<Item = Check>, wait: Wait) -> (Result<Report, NotHealthy>, Duration, u32) {
    let checkup = Checkup::builder().checks(checks).build().unwrap();
    let (begin, mut runs) = (Instant::now(), 0);
    let outcome = checkup.wait(wait, |_| runs += 1).await;
    (outcome, begin.elapsed(), runs)
}

fn failing() -> Check {
    Check::new("failing", StubChecker::fails("not yet"))
}

#[tokio::test(start_paused = true)]
async fn checks_that_are_healthy_immediately_are_not_waited_for() {
    let (outcome, elapsed, runs) = wait([Check::new("a", StubChecker::healthy())], Wait::up_to(MINUTE)).await;
    assert!(outcome.unwrap().is_healthy());
    assert_eq!((elapsed, runs), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_first_healthy_report() {
    let (outcome, elapsed, runs) = wait([Check::new("a", StubChecker::fails_times(3))], Wait::up_to(MINUTE)).await;
    outcome.unwrap().assert_healthy();
    assert_eq!((elapsed, runs), (Duration::from_millis(350), 4), "50 + 100 + 200 ms of pauses");
}

#[tokio::test(start_paused = true)]
async fn the_pause_doubles_up_to_two_seconds_unless_it_is_given() {
    let (outcome, elapsed, runs) = wait([failing()], Wait::up_to(MINUTE)).await;
    assert!(outcome.unwrap_err().to_string().starts_with("not healthy within 1m0s\ndown      failing"));
    assert!(elapsed > MINUTE - Duration::from_millis(50) && elapsed <= MINUTE, "{elapsed:?}");
    // 7 runs in 3.15 s, then one every 2 s, and a few at the end.
    assert!((34..=42).contains(&runs), "{runs}");
    let (_, _, runs) = wait([failing()], Wait::up_to(MINUTE).interval(Duration::from_secs(20))).await;
    assert!((3..=14).contains(&runs), "{runs}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_beyond_the_clocks_range_is_unlimited() {
    let (outcome, ..) = wait([Check::new("a", StubChecker::healthy())], Wait::up_to(Duration::MAX)).await;
    assert!(outcome.unwrap().is_healthy());
}

#[tokio::test(start_paused = true)]
async fn checks_still_running_at_the_limit_are_down_with_that_reason() {
    let limit = Duration::from_secs(5);
    let hanging = Check::new("hanging", StubChecker::hangs()).timeout(MINUTE);
    let (outcome, elapsed, runs) = wait([hanging, Check::new("a", StubChecker::healthy())], Wait::up_to(limit)).await;
    assert_eq!((elapsed, runs), (limit, 0));
    let report = outcome.unwrap_err().report;
    let reasons: Vec<_> = report.results.iter().map(CheckResult::reason).collect();
    assert_eq!(reasons[0].as_deref(), Some("still running when the time of 5s was over"));
    assert_eq!(reasons[1], None);
}
