//! The engine, as callers see it: verdicts, limits, isolation, order, cancellation.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checkup_core::{Cause, Check, CheckResult, Checkup, Failure, Observation, Phase, Report, Status, check_fn};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

async fn run(checks: impl IntoIterator<Item = Check>) -> Report {
    Checkup::builder().checks(checks).build().unwrap().check().await
}

async fn run_one(check: Check) -> CheckResult {
    run([check]).await.results.remove(0)
}

fn healthy(name: &str) -> Check {
    check_fn(name, || async { Ok::<_, Failure>(()) })
}

fn taking(name: &str, time: Duration) -> Check {
    check_fn(name, move || async move {
        sleep(time).await;
        Ok::<_, Failure>(())
    })
}

/// A check that fails its first `failures` attempts.
fn recovering(failures: usize) -> Check {
    let calls = Arc::new(AtomicUsize::new(0));
    check_fn("recovering", move || {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        async move { if call < failures { Err(Failure::other(format!("failure {call}"))) } else { Ok(()) } }
    })
}

#[tokio::test(start_paused = true)]
async fn any_failed_attempt_makes_a_check_down() {
    let result = run_one(recovering(1).attempts(3)).await;
    assert_eq!(result.status, Status::Down);
    assert_eq!(result.attempts.len(), 3);
    assert_eq!(result.reason().unwrap(), "failure 0 (1 of 3 attempts failed)");
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_a_successful_retry_does_not_count() {
    let result = run_one(recovering(2).retries(2)).await;
    assert!(result.is_healthy());
    assert_eq!(result.attempts.len(), 1);
    assert_eq!(run_one(recovering(3).retries(2)).await.reason().unwrap(), "failure 2");
}

#[tokio::test(start_paused = true)]
async fn retries_wait_a_second_and_then_twice_as_long_up_to_the_timeout() {
    let elapsed = |check: Check| async move {
        let started = Instant::now();
        let result = run_one(check).await;
        (started.elapsed().as_secs(), result.attempts[0].retried, result.is_healthy())
    };
    assert_eq!(elapsed(recovering(0).retries(3)).await, (0, 0, true));
    assert_eq!(elapsed(recovering(3).retries(5)).await, (7, 3, true));
    assert_eq!(elapsed(recovering(9).retries(4).timeout(Duration::from_secs(3))).await, (9, 4, false));
    assert_eq!(elapsed(recovering(2).retries(2).retry_spacing(Duration::ZERO)).await, (0, 2, true));

    let report = Checkup::builder().check(recovering(1).retries(1)).build().unwrap().check().await;
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json[0]["times"][0]["retried"], 1);
    assert_eq!(serde_json::from_value::<checkup_core::CheckResult>(json[0].clone()).unwrap(), report.results[0]);
}

#[tokio::test(start_paused = true)]
async fn the_median_must_be_strictly_above_the_threshold() {
    assert!(run_one(taking("x", 50 * MS).threshold_rtt(50 * MS)).await.is_healthy());
    let slow = run_one(taking("x", 51 * MS).threshold_rtt(50 * MS)).await;
    assert_eq!(slow.status, Status::Degraded);
    assert_eq!(slow.notice.as_deref(), Some("median round trip time exceeded threshold (50ms)"));
    assert_eq!(slow.threshold_rtt, 50 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_notice_degrades_and_joins_that_of_the_threshold() {
    let check = || {
        check_fn("x", || async {
            sleep(10 * MS).await;
            Ok::<_, Failure>(Observation::new().degraded("certificate expiring soon (1h0m0s)"))
        })
    };
    let result = run_one(check()).await;
    assert_eq!(
        (result.status, result.notice.as_deref()),
        (Status::Degraded, Some("certificate expiring soon (1h0m0s)"))
    );
    let result = run_one(check().threshold_rtt(MS)).await;
    assert_eq!(
        result.notice.as_deref(),
        Some("certificate expiring soon (1h0m0s); median round trip time exceeded threshold (1ms)")
    );
}

#[tokio::test(start_paused = true)]
async fn a_checker_may_measure_for_itself() {
    let check = check_fn("x", || async {
        sleep(90 * MS).await;
        Ok::<_, Failure>(Observation::new().rtt(3 * MS))
    });
    assert_eq!(run_one(check).await.attempts[0].rtt, 3 * MS);
}

#[tokio::test(start_paused = true)]
async fn spacing_is_only_between_attempts_even_after_failures() {
    let start = Instant::now();
    run_one(recovering(1).attempts(3).attempt_spacing(100 * MS)).await;
    assert_eq!(start.elapsed(), 200 * MS);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_a_timeout_even_if_none_is_set() {
    let start = Instant::now();
    let hang = || check_fn("hang", || async { std::future::pending::<Result<(), Failure>>().await });
    let result = run_one(hang()).await;
    assert_eq!(start.elapsed(), checkup_core::DEFAULT_TIMEOUT);
    assert_eq!(result.attempts[0].cause, Some(Cause::Timeout));
    assert_eq!(result.reason().unwrap(), "timed out after 10s");
    let result = run_one(hang().timeout(20 * MS)).await;
    assert_eq!(result.reason().unwrap(), "timed out after 20ms");
}

#[tokio::test(start_paused = true)]
async fn phases_are_timed_and_a_timeout_names_the_phase() {
    let check = |hangs: bool| {
        check_fn("phases", move || async move {
            Phase::Dns.begin();
            sleep(2 * MS).await;
            Phase::Connect.begin();
            sleep(3 * MS).await;
            Phase::end();
            sleep(5 * MS).await;
            Phase::Tls.begin();
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok::<_, Failure>(())
        })
        .timeout(50 * MS)
    };
    let result = run_one(check(false)).await;
    let phases = result.phases().unwrap();
    let known = [(Phase::Dns, 2 * MS), (Phase::Connect, 3 * MS), (Phase::Tls, Duration::ZERO)];
    assert_eq!(phases.iter().collect::<Vec<_>>(), known);
    let result = run_one(check(true)).await;
    assert_eq!(result.reason().unwrap(), "timed out after 50ms in the TLS handshake");
    assert_eq!(result.phases().unwrap().get(Phase::Tls), Some(40 * MS));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_down_result_and_affects_no_other_check() {
    let panics = check_fn("panics", || async { if true { panic!("boom {}", 7) } else { Ok::<_, Failure>(()) } });
    let report = run([healthy("a"), panics, healthy("b")]).await;
    assert_eq!(report.results.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["a", "panics", "b"]);
    assert_eq!(report.count(Status::Healthy), 2);
    let panicked = report.get("panics").unwrap();
    assert_eq!(panicked.attempts[0].cause, Some(Cause::Panic));
    assert_eq!(panicked.reason().unwrap(), "the checker panicked: boom 7");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_endpoint_is_a_down_result_too() {
    #[derive(Debug)]
    struct Bad;
    #[checkup_core::async_trait]
    impl checkup_core::Checker for Bad {
        fn endpoint(&self) -> std::borrow::Cow<'_, str> {
            panic!("no endpoint")
        }
        async fn attempt(&self) -> Result<Observation, Failure> {
            Ok(Observation::new())
        }
    }
    let report = run([Check::new("bad", Bad), healthy("good")]).await;
    assert_eq!(report.get("bad").unwrap().reason().unwrap(), "the checker panicked: no endpoint");
    assert!(report.get("good").unwrap().is_healthy());
}

#[tokio::test(start_paused = true)]
async fn results_are_in_the_order_of_the_checks_and_progress_in_the_order_of_time() {
    let checks = [taking("slow", 30 * MS), taking("fast", 10 * MS), taking("middle", 20 * MS)];
    let checkup = Checkup::builder().checks(checks).build().unwrap();
    let mut seen = Vec::new();
    let report = checkup
        .check_each(|progress| {
            seen.push((progress.finished, progress.total, progress.index, progress.result.name.clone()))
        })
        .await;
    assert_eq!(report.results.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["slow", "fast", "middle"]);
    let expected = [(1, 3, 1, "fast"), (2, 3, 2, "middle"), (3, 3, 0, "slow")];
    assert_eq!(seen, expected.map(|(finished, total, index, name)| (finished, total, index, name.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn no_more_checks_run_at_once_than_allowed_even_in_two_runs() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let check = |index: usize| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        check_fn(format!("check {index}"), move || {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(10 * MS).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Failure>(())
            }
        })
    };
    let checkup = Checkup::builder().checks((0..40).map(check)).concurrent_checks(4).build().unwrap();
    let start = Instant::now();
    let (one, two) = tokio::join!(checkup.check(), checkup.check());
    assert_eq!((one.results.len(), two.results.len()), (40, 40));
    assert_eq!(most.load(Ordering::SeqCst), 4);
    assert_eq!(start.elapsed(), 200 * MS);
}

#[tokio::test(start_paused = true)]
async fn dropping_a_run_drops_its_attempts() {
    struct OnDrop(Arc<AtomicUsize>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&dropped);
    let check = check_fn("hang", move || {
        let guard = OnDrop(Arc::clone(&counter));
        async move {
            let _guard = guard;
            std::future::pending::<Result<(), Failure>>().await
        }
    });
    let checkup = Checkup::builder().check(check).build().unwrap();
    assert!(tokio::time::timeout(5 * MS, checkup.check()).await.is_err());
    // The workers are aborted by the drop; they end when the runtime next runs them.
    while dropped.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_timestamp_and_location_are_in_every_result() {
    let moment = "2016-09-08T07:00:00Z".parse().unwrap();
    let checkup =
        Checkup::builder().check(healthy("a")).check(healthy("b")).timestamp(moment).location("eu").build().unwrap();
    let report = checkup.check().await;
    assert_eq!(report.started, moment);
    assert!(report.results.iter().all(|r| r.timestamp == moment && r.location.as_deref() == Some("eu")));

    let moved = checkup.with_location("us");
    assert_eq!((moved.location(), checkup.location()), (Some("us"), Some("eu")));
    assert!(moved.check().await.results.iter().all(|result| result.location.as_deref() == Some("us")));
    assert_eq!(moved.with_location("").check().await.results[0].location, None);
}

#[tokio::test(start_paused = true)]
async fn invalid_settings_are_reported_together_when_building() {
    let error = Checkup::builder()
        .check(healthy("a").interval(Duration::ZERO))
        .check(healthy("b"))
        .check(healthy("c").interval(Duration::ZERO))
        .concurrent_checks(1_000_000)
        .build()
        .unwrap_err();
    let places: Vec<_> = error.problems().iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["checkers[0].interval", "checkers[2].interval", "concurrent_checks"]);
}
