//! The monitor under a paused clock: schedule, overlap, storage and notifier errors, shutdown.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkup_core::{
    AlertStep, Check, Checkup, Failure, Monitor, Notification, Notifier, NotifyError, Report, Status, Storage,
    StorageError, async_trait, check_fn,
};
use checkup_testkit::StubChecker;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Name, step, and the status that it went to or recovered from.
type Sent = (String, AlertStep, Status);

#[derive(Clone, Debug, Default)]
struct Recorder {
    reports: Arc<Mutex<Vec<Report>>>,
    sent: Arc<Mutex<Vec<Vec<Sent>>>>,
    fails: Arc<AtomicBool>,
    panics: Arc<AtomicBool>,
    takes: Duration,
}

impl Recorder {
    fn stored(&self) -> usize {
        self.reports.lock().unwrap().len()
    }
}

#[async_trait]
impl Storage for Recorder {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        sleep(self.takes).await;
        assert!(!self.panics.load(Ordering::SeqCst), "storage panic");
        if self.fails.load(Ordering::SeqCst) {
            return Err(StorageError::new("disk full"));
        }
        self.reports.lock().unwrap().push(report.clone());
        Ok(())
    }
}

#[async_trait]
impl Notifier for Recorder {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        let alerts = notification.alerts.iter();
        let alerts = alerts.map(|alert| (alert.name.clone(), alert.step, alert.status)).collect();
        self.sent.lock().unwrap().push(alerts);
        assert!(!self.panics.load(Ordering::SeqCst), "notifier panic");
        Ok(())
    }
}

/// A check that counts its runs, and how long each takes.
fn counting(name: &str, takes: Duration) -> (Check, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let check = check_fn(name, move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            sleep(takes).await;
            Ok::<_, Failure>(())
        }
    });
    (check, count)
}

fn monitor(checks: impl IntoIterator<Item = Check>, recorder: &Recorder) -> Monitor {
    let checkup =
        Checkup::builder().checks(checks).storage(recorder.clone()).notifier(recorder.clone()).build().unwrap();
    Monitor::builder(checkup).interval(10 * SECOND).start().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_run_is_immediate_and_the_next_is_after_the_interval() {
    let (check, count) = counting("a", Duration::ZERO);
    let monitor = monitor([check], &Recorder::default());
    sleep(SECOND).await;
    assert_eq!(count.load(Ordering::SeqCst), 1);
    sleep(30 * SECOND).await;
    assert_eq!(count.load(Ordering::SeqCst), 4);
    monitor.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn checks_have_their_own_intervals_and_latest_has_all_results() {
    let (slow, slow_count) = counting("slow", Duration::ZERO);
    let (fast, fast_count) = counting("fast", Duration::ZERO);
    let monitor = monitor([slow, fast.interval(2 * SECOND)], &Recorder::default());
    assert!(monitor.latest().is_none());
    sleep(21 * SECOND).await;
    assert_eq!((slow_count.load(Ordering::SeqCst), fast_count.load(Ordering::SeqCst)), (3, 11));
    let latest = monitor.latest().unwrap();
    assert_eq!(latest.results.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["slow", "fast"]);
    monitor.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_check_never_overlaps_with_itself_and_holds_up_no_other() {
    let (long, long_count) = counting("long", 25 * SECOND);
    let (short, short_count) = counting("short", Duration::ZERO);
    let recorder = Recorder::default();
    let monitor = monitor([long.timeout(60 * SECOND), short], &recorder);
    sleep(31 * SECOND).await;
    assert_eq!(long_count.load(Ordering::SeqCst), 2, "at 0 and 30, skipped at 10 and 20");
    assert_eq!(short_count.load(Ordering::SeqCst), 4);
    monitor.shutdown().await;
    let results = recorder.reports.lock().unwrap().iter().map(|r| r.results.len()).sum::<usize>();
    assert_eq!(results, 6, "every result of every run is stored");
}

#[tokio::test(start_paused = true)]
async fn shutdown_finishes_running_checks_and_stores_their_results() {
    let (check, count) = counting("a", 3 * SECOND);
    let recorder = Recorder { takes: 2 * SECOND, ..Recorder::default() };
    let monitor = monitor([check], &recorder);
    sleep(SECOND).await;
    let start = Instant::now();
    monitor.shutdown().await;
    assert_eq!(start.elapsed(), 4 * SECOND, "2 s of the check and 2 s of the store");
    assert_eq!((recorder.stored(), count.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_shared_monitor_shuts_down_for_all_callers_and_keeps_its_latest_report() {
    let (check, count) = counting("a", 3 * SECOND);
    let monitor = Arc::new(monitor([check], &Recorder::default()));
    sleep(SECOND).await;
    let start = Instant::now();
    let shared = Arc::clone(&monitor);
    let other = tokio::spawn(async move { shared.shutdown().await });
    monitor.shutdown().await;
    other.await.unwrap();
    assert_eq!(start.elapsed(), 2 * SECOND);
    monitor.shutdown().await;
    sleep(60 * SECOND).await;
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(monitor.latest().is_some_and(|report| report.is_healthy()));
}

#[tokio::test(start_paused = true)]
async fn the_latest_of_some_waits_until_each_of_them_has_a_result() {
    let (fast, _) = counting("fast", Duration::ZERO);
    let (slow, _) = counting("slow", 3 * SECOND);
    let other = check_fn("other", || async { Err::<(), _>("no") });
    let checks = [fast.tag("ready"), other, slow.tag("ready")];
    let monitor = monitor(checks, &Recorder::default());
    let of = |tag: &'static str| monitor.latest_of(|check| check.has_tag(tag));
    sleep(SECOND).await;
    assert_eq!(of("ready"), None, "one of the two still runs");
    sleep(3 * SECOND).await;
    let ready = of("ready").unwrap();
    assert_eq!(ready.results.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["fast", "slow"]);
    assert!(ready.is_healthy(), "the other does not count");
    assert_eq!(of("redy"), None, "a tag that nothing has is never ready");
    monitor.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_latest_of_some_names_a_cause_that_is_not_among_them() {
    let database = check_fn("database", || async { Err::<(), _>("refused") });
    let api = check_fn("api", || async { Err::<(), _>("no rows") }).depends_on("database").tag("ready");
    let monitor = monitor([database, api], &Recorder::default());
    sleep(SECOND).await;
    let ready = monitor.latest_of(|check| check.has_tag("ready")).unwrap();
    assert_eq!(ready.results.len(), 1);
    assert_eq!(ready.results[0].because_of.as_deref(), Some("database"));
    monitor.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn dropping_lets_running_checks_finish_and_starts_no_new_run() {
    let (check, count) = counting("a", 3 * SECOND);
    let recorder = Recorder::default();
    let monitor = monitor([check], &recorder);
    sleep(SECOND).await;
    drop(monitor);
    sleep(60 * SECOND).await;
    assert_eq!((recorder.stored(), count.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn errors_and_panics_of_storage_and_notifiers_do_not_stop_it() {
    let (check, count) = counting("a", Duration::ZERO);
    let failing = check_fn("failing", || async { Err::<(), _>("no") });
    let recorder = Recorder::default();
    recorder.fails.store(true, Ordering::SeqCst);
    let monitor = monitor([check, failing], &recorder);
    let mut runs = monitor.subscribe();
    let run = runs.next().await.unwrap();
    assert_eq!(run.stored.as_ref().unwrap().as_ref().unwrap_err().to_string(), "disk full");
    recorder.panics.store(true, Ordering::SeqCst);
    let run = runs.next().await.unwrap();
    assert_eq!(run.stored.as_ref().unwrap().as_ref().unwrap_err().to_string(), "the storage panicked in its store");
    recorder.panics.store(false, Ordering::SeqCst);
    recorder.fails.store(false, Ordering::SeqCst);
    let run = runs.next().await.unwrap();
    assert!(run.stored.as_ref().unwrap().is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 3);
    monitor.shutdown().await;
    assert!(runs.next().await.is_none(), "the subscription ends with the monitor");
}

#[tokio::test(start_paused = true)]
async fn notifiers_are_called_for_changes_only_including_recoveries() {
    let up = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&up);
    let flapping = check_fn("flapping", move || {
        let up = state.load(Ordering::SeqCst);
        async move { if up { Ok(()) } else { Err("down") } }
    });
    let broken = check_fn("broken", || async { Err::<(), _>("always") });
    let recorder = Recorder::default();
    let monitor = monitor([flapping, broken], &recorder);
    sleep(15 * SECOND).await;
    up.store(false, Ordering::SeqCst);
    sleep(20 * SECOND).await;
    up.store(true, Ordering::SeqCst);
    sleep(20 * SECOND).await;
    monitor.shutdown().await;
    let sent = |name: &str, step| vec![(name.to_owned(), step, Status::Down)];
    assert_eq!(
        *recorder.sent.lock().unwrap(),
        [sent("broken", AlertStep::Down), sent("flapping", AlertStep::Down), sent("flapping", AlertStep::Up)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_hangs_bounds_the_runs_in_flight() {
    let (check, count) = counting("a", Duration::ZERO);
    let recorder = Recorder { takes: 10_000 * SECOND, ..Recorder::default() };
    let checkup = Checkup::builder().check(check).storage(recorder).build().unwrap();
    let monitor = Monitor::builder(checkup).interval(SECOND / 10).start().unwrap();
    sleep(59 * SECOND).await;
    assert_eq!(count.load(Ordering::SeqCst), 64);
    monitor.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn invalid_intervals_and_jitter_are_refused() {
    let checkup = Checkup::builder().build().unwrap();
    assert!(Monitor::builder(checkup.clone()).interval(Duration::ZERO).start().is_err());
    for jitter in [-0.1, 1.1, f64::NAN] {
        assert!(Monitor::builder(checkup.clone()).jitter(jitter).start().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn one_cause_is_one_alert_even_across_runs() {
    let up = Arc::new(AtomicBool::new(true));
    let (database, api) = (Arc::clone(&up), Arc::clone(&up));
    let fails_with = |up: Arc<AtomicBool>| {
        move || {
            let up = up.load(Ordering::SeqCst);
            async move { if up { Ok(()) } else { Err("refused") } }
        }
    };
    let database = check_fn("database", fails_with(database)).interval(7 * SECOND);
    let api = check_fn("api", fails_with(api)).depends_on("database");
    let recorder = Recorder::default();
    let monitor = monitor([api, database], &recorder);
    sleep(12 * SECOND).await;
    up.store(false, Ordering::SeqCst);
    sleep(20 * SECOND).await;
    let latest = monitor.latest().unwrap();
    assert_eq!(latest.get("api").unwrap().reason().unwrap(), "down because of database: refused");
    up.store(true, Ordering::SeqCst);
    sleep(20 * SECOND).await;
    monitor.shutdown().await;
    let database = |step| vec![("database".to_owned(), step, Status::Down)];
    assert_eq!(*recorder.sent.lock().unwrap(), [database(AlertStep::Down), database(AlertStep::Up)]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_notification_is_retried_by_the_next_run() {
    let failing = check_fn("failing", || async { Err::<(), _>("no") });
    let (broken, working) = (Recorder::default(), Recorder::default());
    broken.panics.store(true, Ordering::SeqCst);
    let builder = Checkup::builder().check(failing).notifier(broken.clone()).notifier(working.clone());
    let monitor = Monitor::builder(builder.build().unwrap()).interval(10 * SECOND).start().unwrap();
    let mut runs = monitor.subscribe();
    let errors = |run: &checkup_core::Run| run.notify_errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(errors(&runs.next().await.unwrap()), ["notifiers[0] panicked"]);
    broken.panics.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(errors(&runs.next().await.unwrap()).is_empty());
    }
    monitor.shutdown().await;
    let down = || vec![("failing".to_owned(), AlertStep::Down, Status::Down)];
    assert_eq!(*broken.sent.lock().unwrap(), [down(), down()], "once in vain, and once more");
    assert_eq!(*working.sent.lock().unwrap(), [down()]);
}

#[tokio::test(start_paused = true)]
async fn there_is_no_latest_report_before_every_check_has_a_result() {
    let (fast, slow) = (counting("fast", Duration::ZERO).0, counting("slow", 2 * SECOND).0);
    let monitor = monitor([fast, slow], &Recorder::default());
    sleep(SECOND).await;
    assert!(monitor.latest().is_none());
    sleep(2 * SECOND).await;
    assert_eq!(monitor.latest().unwrap().results.len(), 2);
    monitor.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_first_run_waits_for_the_delay() {
    let checkup = Checkup::builder().check(Check::new("stub", StubChecker::healthy())).build().unwrap();
    let started = Instant::now();
    let builder = Monitor::builder(checkup).interval(Duration::from_secs(60)).delay(Duration::from_secs(300));
    let (monitor, mut runs) = builder.start_and_subscribe().unwrap();
    runs.next().await.unwrap();
    assert_eq!(started.elapsed(), Duration::from_secs(300));
    runs.next().await.unwrap();
    assert_eq!(started.elapsed(), Duration::from_secs(360));
    monitor.shutdown().await;
}

#[test]
fn a_monitor_that_starts_outside_of_a_runtime_blames_its_caller() {
    let checkup = Checkup::builder().build().unwrap();
    // The hook sees the panics of other tests as well.
    let panics = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&panics);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        seen.lock().unwrap().push(panic.to_string());
        before(panic);
    }));
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| Monitor::builder(checkup).start()));
    assert!(outcome.is_err());
    let panics = panics.lock().unwrap();
    let is_blamed = |panic: &String| panic.contains(file!()) && panic.contains("runs in a tokio runtime");
    assert!(panics.iter().any(is_blamed), "{panics:?}");
}
