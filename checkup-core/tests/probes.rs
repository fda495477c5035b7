//! Probes of a monitor: status codes and bodies, before the first run, while draining, and after an outage.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use checkup_core::{Check, Checkup, Monitor, Observation, Probe, ProbeAnswer, Runs, Timestamp, check_fn};
use serde_json::{Value, json};

/// A check whose outcome the test sets: 0 is healthy, 1 degraded, anything else down.
fn switched(name: &str, state: &Arc<AtomicU8>) -> Check {
    let state = Arc::clone(state);
    check_fn(name, move || {
        let state = state.load(Ordering::SeqCst);
        async move {
            match state {
                0 => Ok(Observation::new()),
                1 => Ok(Observation::new().degraded("200 jobs wait")),
                _ => Err("connection\nrefused"),
            }
        }
    })
}

fn start(checks: impl IntoIterator<Item = Check>) -> (Monitor, Runs) {
    let checkup = Checkup::builder().checks(checks).build().unwrap();
    Monitor::builder(checkup).interval(Duration::from_secs(60)).start_and_subscribe().unwrap()
}

fn codes(monitor: &Monitor) -> [u16; 3] {
    [Probe::readiness(), Probe::liveness(), Probe::startup()].map(|probe| monitor.probe(&probe).status_code())
}

fn json(answer: &ProbeAnswer) -> Value {
    serde_json::from_str(&answer.health_json()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn before_the_first_run_only_liveness_passes() {
    let state = Arc::default();
    let check = switched("database", &state).tag("readiness").tag("liveness").tag("startup");
    let (monitor, mut runs) = start([check]);
    assert_eq!(codes(&monitor), [503, 200, 503]);
    let answer = monitor.probe(&Probe::readiness());
    assert!(!answer.passes());
    assert_eq!(answer.text(), "database: not checked yet\n");
    assert_eq!(json(&answer)["status"], "fail");
    assert_eq!(json(&answer)["checks"]["database:responseTime"][0]["output"], "not checked yet");
    assert_eq!(json(&monitor.probe(&Probe::liveness()))["status"], "warn");
    runs.next().await.unwrap();
    assert_eq!(codes(&monitor), [200, 200, 200]);
    assert_eq!(monitor.probe(&Probe::readiness()).text(), "database: healthy\n");
}

#[tokio::test(start_paused = true)]
async fn start_up_passes_forever_once_each_check_was_up() {
    let [one, other] = [2, 2].map(|state| Arc::new(AtomicU8::new(state)));
    let checks = [switched("one", &one), switched("other", &other)];
    let (monitor, mut runs) = start(checks.map(|check| check.tag("startup").tag("readiness").tag("liveness")));
    // One after the other comes up, and is down again before both are.
    for (states, expected) in
        [([2, 2], [503, 503, 503]), ([0, 2], [503, 503, 503]), ([2, 1], [503, 503, 200]), ([2, 2], [503, 503, 200])]
    {
        one.store(states[0], Ordering::SeqCst);
        other.store(states[1], Ordering::SeqCst);
        runs.next().await.unwrap();
        assert_eq!(codes(&monitor), expected, "{states:?}");
    }
    assert_eq!(
        monitor.probe(&Probe::startup()).text(),
        "one: down: connection refused\nother: down: connection refused\n"
    );
}

#[tokio::test(start_paused = true)]
async fn degraded_serves_unless_it_is_mapped_to_another_code() {
    let state = Arc::new(AtomicU8::new(1));
    let (monitor, mut runs) = start([switched("queue", &state).tag("readiness")]);
    runs.next().await.unwrap();
    let answer = monitor.probe(&Probe::readiness());
    assert_eq!((answer.status_code(), answer.text()), (200, "queue: degraded: 200 jobs wait\n".to_owned()));
    assert_eq!(json(&answer)["status"], "warn");
    // By the draft, a status code for a failure goes with "fail".
    for (code, passes, status) in [(218, true, "warn"), (429, false, "fail"), (503, false, "fail")] {
        let answer = monitor.probe(&Probe::readiness().degraded_status(code));
        assert_eq!((answer.status_code(), answer.passes(), &json(&answer)["status"]), (code, passes, &json!(status)));
    }
    state.store(2, Ordering::SeqCst);
    runs.next().await.unwrap();
    assert_eq!(monitor.probe(&Probe::readiness().degraded_status(218)).status_code(), 503);
}

#[test]
#[should_panic(expected = "expected a status code from 200 to 599, found 100")]
fn a_status_code_that_is_no_final_answer_is_refused() {
    let _ = Probe::readiness().degraded_status(100);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_no_check_has_fails_but_for_liveness() {
    let (monitor, mut runs) = start([switched("cache", &Arc::default()).tag("internal")]);
    runs.next().await.unwrap();
    assert_eq!(codes(&monitor), [503, 200, 503]);
    let answer = monitor.probe(&Probe::readiness());
    assert_eq!(answer.text(), "no check has the tag `readiness`\n");
    assert_eq!(json(&answer), json!({ "status": "fail", "output": "no check has the tag `readiness`" }));
    for probe in [Probe::readiness(), Probe::liveness(), Probe::startup()] {
        assert_eq!(monitor.probe(&probe.clone().tag("internal")).status_code(), 200, "{probe:?}");
        assert_eq!(monitor.probe(&probe.clone().all_checks()).text(), "cache: healthy\n", "{probe:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn draining_fails_readiness_only_and_checks_go_on() {
    let check = switched("database", &Arc::default()).tag("readiness").tag("liveness").tag("startup");
    let (monitor, mut runs) = start([check]);
    runs.next().await.unwrap();
    let begun = tokio::time::Instant::now();
    {
        let drain = monitor.drain(Duration::from_secs(10));
        tokio::pin!(drain);
        tokio::select! {
            biased;
            () = drain.as_mut() => panic!("it waits for load balancers"),
            () = tokio::task::yield_now() => {}
        }
        assert!(monitor.is_draining());
        assert_eq!(codes(&monitor), [503, 200, 200]);
        let answer = monitor.probe(&Probe::readiness());
        assert_eq!(answer.text(), "draining\ndatabase: healthy\n");
        assert_eq!((&json(&answer)["status"], &json(&answer)["output"]), (&json!("fail"), &json!("draining")));
        drain.await;
    }
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
    assert_eq!(codes(&monitor), [503, 200, 200]);
    assert!(runs.next().await.is_some(), "checks go on");
    monitor.shutdown().await;
    assert_eq!(codes(&monitor), [503, 200, 200]);
}

#[tokio::test]
async fn an_outdated_result_is_not_ready() {
    let check = switched("database", &Arc::default()).tag("readiness").tag("liveness").tag("startup");
    let long_ago = Timestamp::now().saturating_sub(Duration::from_secs(3600));
    let checkup = Checkup::builder().check(check).timestamp(long_ago).build().unwrap();
    let (monitor, mut runs) = Monitor::builder(checkup).start_and_subscribe().unwrap();
    runs.next().await.unwrap();
    assert_eq!(codes(&monitor), [503, 200, 200]);
    assert_eq!(monitor.probe(&Probe::readiness()).text(), "database: stale\n");
}

#[tokio::test(start_paused = true)]
async fn the_body_is_json_only_for_those_who_ask_for_it() {
    let (monitor, mut runs) = start([switched("cache", &Arc::default()).tag("readiness")]);
    runs.next().await.unwrap();
    let answer = monitor.probe(&Probe::readiness());
    for (accept, expected) in [
        (None, "text/plain; charset=utf-8"),
        (Some("*/*"), "text/plain; charset=utf-8"),
        (Some("text/html, application/xhtml+xml"), "text/plain; charset=utf-8"),
        (Some("Application/Health+JSON; q=0.9"), ProbeAnswer::HEALTH_JSON),
        (Some("text/plain;q=0.5, application/json"), ProbeAnswer::HEALTH_JSON),
    ] {
        assert_eq!(answer.body_for(accept).0, expected, "{accept:?}");
    }
}
