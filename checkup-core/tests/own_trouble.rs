//! The monitor's own trouble, such as too many open files, is no verdict on what it checks.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use checkup_core::{AlertStep, Cause, Check, Checkup, Failure, Monitor, Report, Status, check_fn};
use checkup_testkit::{MemoryStorage, RecordingNotifier};

const MS: Duration = Duration::from_millis(1);

/// A check that the monitor cannot make the first `troubles` times. After that, its result is `outcome`.
fn troubled(troubles: u32, outcome: Result<(), Failure>) -> Check {
    let tries = Arc::new(AtomicU32::new(0));
    check_fn("db", move || {
        let (tries, outcome) = (Arc::clone(&tries), outcome.clone());
        async move {
            if tries.fetch_add(1, Ordering::Relaxed) < troubles {
                return Err(Failure::new(Cause::Monitor, "too many open files"));
            }
            outcome
        }
    })
}

async fn run(check: Check) -> Report {
    Checkup::builder().check(check).build().unwrap().check().await
}

#[tokio::test(start_paused = true)]
async fn trouble_that_passes_leaves_no_trace() {
    let report = run(troubled(5, Ok(()))).await;
    let result = &report.results[0];
    assert_eq!((result.status, result.attempts.len()), (Status::Healthy, 1), "{result:?}");
    assert_eq!(result.attempts[0].rtt, Duration::ZERO, "the pauses are not the target's time");

    let report = run(troubled(1, Err(Failure::new(Cause::Refused, "connection refused")))).await;
    assert_eq!(report.results[0].status, Status::Down);
    assert_eq!(report.results[0].reason().as_deref(), Some("connection refused"));
}

#[tokio::test(start_paused = true)]
async fn trouble_that_stays_is_no_verdict() {
    let start = tokio::time::Instant::now();
    let report = run(troubled(u32::MAX, Ok(())).timeout(500 * MS)).await;
    assert!(start.elapsed() <= 500 * MS, "{:?}", start.elapsed());
    let result = &report.results[0];
    assert_eq!((result.status, result.attempts[0].cause), (Status::Unknown, Some(Cause::Monitor)));
    assert_eq!(result.reason().as_deref(), Some("too many open files"));
    assert!(!report.is_healthy());
    assert_eq!((report.status(), report.unhealthy().count()), (Status::Unknown, 1));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_had_less_time_is_not_blamed_for_a_timeout() {
    let tries = Arc::new(AtomicU32::new(0));
    let check: Check = check_fn("slow", move || {
        let first = tries.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                tokio::time::sleep(400 * MS).await;
                return Err(Failure::new(Cause::Monitor, "too many open files"));
            }
            tokio::time::sleep(300 * MS).await;
            Ok(())
        }
    });
    assert_eq!(run(check.timeout(500 * MS)).await.results[0].status, Status::Unknown);
}

#[tokio::test(start_paused = true)]
async fn the_attempts_that_could_be_made_decide() {
    // The first attempt never gets through, the second does.
    let check = troubled(5, Ok(())).timeout(100 * MS).attempts(2.try_into().unwrap());
    let report = run(check).await;
    assert_eq!((report.results[0].status, report.results[0].attempts.len()), (Status::Healthy, 1), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_result_without_a_verdict_is_not_stored() {
    let storage = MemoryStorage::new();
    let checks = [troubled(u32::MAX, Ok(())), check_fn("queue", || async { Ok::<_, Failure>(()) })];
    let checkup = Checkup::builder().checks(checks).storage(storage.clone()).build().unwrap();
    let report = checkup.check_and_store().await.unwrap();
    assert_eq!(report.results.len(), 2);
    assert_eq!(storage.results(), report.results[1..]);

    let alone = Checkup::builder().check(troubled(u32::MAX, Ok(()))).storage(storage.clone()).build().unwrap();
    alone.check_and_store().await.unwrap();
    assert_eq!(storage.len(), 1, "a report without verdicts is not a check file");
}

#[tokio::test(start_paused = true)]
async fn a_monitor_keeps_the_last_verdict_and_notifies_of_no_change() {
    // First down, then impossible to try, then healthy.
    let tries = Arc::new(AtomicU32::new(0));
    let check = check_fn("db", move || {
        let run = tries.fetch_add(1, Ordering::Relaxed);
        async move {
            match run {
                0 => Err(Failure::new(Cause::Refused, "connection refused")),
                // More tries than fit into the timeout.
                1..4 => Err(Failure::new(Cause::Monitor, "too many open files")),
                _ => Ok(()),
            }
        }
    });
    let notifier = RecordingNotifier::new();
    let checkup = Checkup::builder().check(check.timeout(100 * MS)).notifier(notifier.clone()).build().unwrap();
    let monitor = Monitor::builder(checkup).interval(Duration::from_secs(10)).start().unwrap();
    let mut runs = monitor.subscribe();
    let mut statuses = Vec::new();
    for latest in [Status::Down, Status::Down, Status::Healthy] {
        statuses.push(runs.next().await.unwrap().report.status());
        assert_eq!(monitor.latest().unwrap().status(), latest, "{statuses:?}");
    }
    assert_eq!(statuses, [Status::Down, Status::Unknown, Status::Healthy]);
    let notifications = notifier.notifications();
    let steps: Vec<_> =
        notifications.iter().flat_map(|notification| &notification.alerts).map(|alert| alert.step).collect();
    assert_eq!(steps, [AlertStep::Down, AlertStep::Up]);
}
