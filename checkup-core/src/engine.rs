//! The engine: runs checks and decides the verdict on each.
//!
//! A run has as many workers as checks may run concurrently. Each worker takes the next check that no other worker has taken,
//! so a slow check delays only one worker. Dropping a run aborts its workers.

mod trace;

use std::any::Any;
use std::iter;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::checkup::{Checks, Dependencies};
use crate::duration::GoDuration;
use crate::{Attempt, Cause, Check, CheckResult, Checker, Failure, Observation, Report, Status, Timestamp};

/// The pause before trying again after trouble of the monitor itself. Each pause is twice as long as the one before, up
/// to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);

const MAX_PAUSE: Duration = Duration::from_secs(1);

/// What all checks of a run have in common.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// Limits how many checks run concurrently, over all runs of a checkup.
    pub(crate) limit: Arc<Semaphore>,
    /// That limit.
    pub(crate) concurrent_checks: usize,
    /// Replaces the timestamp of every result.
    pub(crate) timestamp: Option<Timestamp>,
    /// Which checks depend on which.
    pub(crate) dependencies: Dependencies,
    /// The location of this node.
    pub(crate) location: Option<Arc<str>>,
}

/// One finished check of a run that is still in progress.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// How many checks have finished, this one included.
    pub finished: usize,
    /// How many checks the run has.
    pub total: usize,
    /// The index of this check in the order of the checks.
    pub index: usize,
    /// Its result.
    pub result: &'a CheckResult,
}

/// Runs `checks`. The report is in the same order.
///
/// The workers write their results directly into the report's slots, so no task is woken for each result.
pub(crate) async fn run(context: &Context, checks: &Checks) -> Report {
    let run = Started::now(context, checks);
    let results = Arc::new(Mutex::new(vec![None; checks.len()]));
    // Dropping this future drops the set, which aborts the workers and their attempts.
    let mut tasks = JoinSet::new();
    for worker in Worker::all(context, checks) {
        let results = Arc::clone(&results);
        tasks.spawn(worker.work(move |index, result| {
            results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
        }));
    }
    while tasks.join_next().await.is_some() {}
    let results = mem::take(&mut *results.lock().unwrap_or_else(PoisonError::into_inner));
    run.report(context, checks, results)
}

/// Runs `checks` and calls `on_result` for each as it finishes. Dependencies between checks are only applied to the
/// report, which is in the order of the checks.
pub(crate) async fn run_each(context: &Context, checks: &Checks, mut on_result: impl FnMut(Progress<'_>)) -> Report {
    let run = Started::now(context, checks);
    let total = checks.len();
    // Bounded by the number of checks; all of their results are kept anyway.
    let (sender, mut receiver) = mpsc::unbounded_channel();
    // Dropping this future drops the set, which aborts the workers and their attempts.
    let mut tasks = JoinSet::new();
    for worker in Worker::all(context, checks) {
        let sender = sender.clone();
        tasks.spawn(worker.work(move |index, result| {
            // An error means that this future was dropped, and the worker is about to be aborted.
            let _ = sender.send((index, result));
        }));
    }
    drop(sender);

    let mut results: Vec<Option<CheckResult>> = vec![None; total];
    let mut finished = 0;
    while let Some((index, result)) = receiver.recv().await {
        finished += 1;
        on_result(Progress { finished, total, index, result: &result });
        results[index] = Some(result);
    }
    run.report(context, checks, results)
}

/// When a run started.
struct Started {
    timestamp: Timestamp,
    clock: Instant,
}

impl Started {
    fn now(context: &Context, checks: &Checks) -> Self {
        tracing::debug!(checks = checks.len(), "run started");
        Self { timestamp: context.timestamp.unwrap_or_else(Timestamp::now), clock: Instant::now() }
    }

    fn report(self, context: &Context, checks: &Checks, results: Vec<Option<CheckResult>>) -> Report {
        // Every result exists unless the runtime stopped the workers. Such a check did not run, which is not healthy.
        let mut results: Vec<_> = results
            .into_iter()
            .zip(checks.iter())
            .map(|(result, check)| {
                result.unwrap_or_else(|| broken(context, check, "the runtime stopped before the check ended"))
            })
            .collect();
        context.dependencies.mark(&mut results);
        let report = Report { results, started: self.timestamp, elapsed: self.clock.elapsed() };
        tracing::debug!(
            checks = checks.len(),
            status = %report.status(),
            elapsed = %GoDuration(report.elapsed),
            "run finished"
        );
        report
    }
}

/// Runs checks, one after another.
struct Worker {
    context: Context,
    checks: Checks,
    /// The first check that no worker has taken.
    next: Arc<AtomicUsize>,
}

impl Worker {
    /// As many workers as checks may run concurrently.
    fn all(context: &Context, checks: &Checks) -> impl Iterator<Item = Self> {
        let next = Arc::new(AtomicUsize::new(0));
        let worker = move || Self { context: context.clone(), checks: checks.clone(), next: Arc::clone(&next) };
        iter::repeat_with(worker).take(context.concurrent_checks.min(checks.len()))
    }

    async fn work(self, on_result: impl Fn(usize, CheckResult)) {
        loop {
            // An error would mean that the semaphore is closed, which never happens.
            let Ok(_permit) = self.context.limit.acquire().await else { return };
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(check) = self.checks.get(index) else { return };
            let result = AssertUnwindSafe(run_check(&self.context, check)).catch_unwind().await;
            // Panics in attempts are already caught; this catches those outside of them, in `endpoint` for example.
            let result = result.unwrap_or_else(|panic| broken(&self.context, check, &panic_message(panic.as_ref())));
            on_result(index, result);
        }
    }
}

async fn run_check(context: &Context, check: &Check) -> CheckResult {
    let mut result = CheckResult::new(check.name(), check.shown_endpoint());
    prepare(context, check, &mut result);
    let checker = match check.checker() {
        Ok(checker) => checker.as_ref(),
        Err(error) => return down(result, Cause::Other, &format!("the check cannot run: {error}")),
    };
    let policy = check.policy();
    let limit = policy.timeout.unwrap_or_else(|| checker.default_timeout());
    let attempts = policy.attempts.get();
    let mut notice = None;
    result.attempts.reserve_exact(attempts.min(1024) as usize);
    for number in 0..attempts {
        if number > 0 {
            sleep(policy.attempt_spacing).await;
        }
        let (mut attempt, mut seen) = attempt_once(checker, limit).await;
        // A target that refuses a connection often does so for seconds: a retry without a pause would be useless.
        let mut pause = policy.retry_spacing.min(limit);
        for retried in 1..=policy.retries {
            if attempt.is_success() {
                break;
            }
            tracing::debug!(check = %result.name, error = attempt.error, "attempt failed, retrying");
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(limit);
            (attempt, seen) = attempt_once(checker, limit).await;
            attempt.retried = retried;
        }
        notice = notice.or(seen);
        result.attempts.push(attempt);
    }
    conclude(&mut result, notice);
    result
}

fn prepare(context: &Context, check: &Check, result: &mut CheckResult) {
    if let Some(timestamp) = context.timestamp {
        result.timestamp = timestamp;
    }
    result.location = context.location.clone();
    result.threshold_rtt = check.policy().threshold_rtt;
}

/// Makes one attempt within `limit`, and returns it with its notice, if any. While the monitor itself has trouble, it
/// pauses and tries again.
async fn attempt_once(checker: &dyn Checker, limit: Duration) -> (Attempt, Option<String>) {
    let deadline = Instant::now().checked_add(limit);
    let first = try_once(checker, deadline, limit).await;
    // Boxed because it is rare, and would otherwise enlarge the future of every check.
    if is_own_trouble(&first.0) { Box::pin(try_again(checker, deadline, limit, first)).await } else { first }
}

/// Tries until the monitor no longer has trouble, or the time is up.
async fn try_again(
    checker: &dyn Checker,
    deadline: Option<Instant>,
    limit: Duration,
    first: (Attempt, Option<String>),
) -> (Attempt, Option<String>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let next = Instant::now() + pause;
        if deadline.is_some_and(|deadline| next >= deadline) {
            return first;
        }
        sleep_until(next).await;
        let tried = try_once(checker, deadline, limit).await;
        // The target did not have the whole time, so a timeout is not its fault.
        let is_over =
            tried.0.cause == Some(Cause::Timeout) && deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_over {
            return first;
        }
        if !is_own_trouble(&tried.0) {
            return tried;
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

fn is_own_trouble(attempt: &Attempt) -> bool {
    attempt.cause == Some(Cause::Monitor)
}

/// Tries once. Cancels the try at the deadline, which is the end of `limit`, and catches a panic.
async fn try_once(checker: &dyn Checker, deadline: Option<Instant>, limit: Duration) -> (Attempt, Option<String>) {
    let start = Instant::now();
    let mut attempt = pin!(trace::scope(AssertUnwindSafe(checker.attempt()).catch_unwind()));
    let outcome = match deadline {
        Some(deadline) => timeout_at(deadline, attempt.as_mut()).await,
        // The deadline is out of the clock's range only for limits of centuries.
        None => Ok(attempt.as_mut().await),
    };
    let elapsed = start.elapsed();
    let trace = attempt.take_value().unwrap_or_default().into_inner();

    let failure = match outcome {
        Ok(Ok(Ok(Observation { rtt, notice, facts }))) => {
            let phases = trace.finish();
            tracing::trace!(endpoint = %checker.endpoint(), rtt = ?rtt.unwrap_or(elapsed), "attempt succeeded");
            return (
                Attempt { rtt: rtt.unwrap_or(elapsed), error: None, cause: None, phases, facts, retried: 0 },
                notice,
            );
        }
        Ok(Ok(Err(failure))) => failure,
        Ok(Err(panic)) => Failure::new(Cause::Panic, panic_message(panic.as_ref())),
        Err(_) => Failure::new(Cause::Timeout, format!("timed out after {}{}", GoDuration(limit), trace.activity())),
    };
    let (cause, error) = failure.into_parts();
    tracing::debug!(endpoint = %checker.endpoint(), %cause, error, "attempt failed");
    (
        Attempt {
            rtt: elapsed,
            error: Some(error.into()),
            cause: Some(cause),
            phases: trace.finish(),
            facts: None,
            retried: 0,
        },
        None,
    )
}

/// Decides the verdict, by the rules of the original Checkup. Attempts that the monitor could not make do not count; if
/// it could make none, there is no verdict.
fn conclude(result: &mut CheckResult, notice: Option<String>) {
    if result.attempts.iter().any(is_own_trouble) {
        tracing::error!(check = %result.name, reason = result.failures().next().and_then(|attempt| attempt.error.as_deref()), "the monitor itself has trouble");
        if result.attempts.iter().all(is_own_trouble) {
            result.status = Status::Unknown;
            return;
        }
        result.attempts.retain(|attempt| !is_own_trouble(attempt));
    }
    if result.failures().next().is_some() {
        result.status = Status::Down;
        // The notice of a successful attempt is not the reason why the check is down.
        tracing::warn!(check = %result.name, reason = result.reason().as_deref(), "check is down");
        return;
    }
    let slow = !result.threshold_rtt.is_zero() && result.stats().median > result.threshold_rtt;
    let slow =
        slow.then(|| format!("median round trip time exceeded threshold ({})", GoDuration(result.threshold_rtt)));
    result.notice = match (notice, slow) {
        (Some(notice), Some(slow)) => Some(format!("{notice}; {slow}").into()),
        (notice, slow) => notice.or(slow).map(Into::into),
    };
    if result.notice.is_some() {
        result.status = Status::Degraded;
        tracing::warn!(check = %result.name, reason = result.notice, "check is degraded");
    }
}

/// The result of a check that broke outside of its attempts. Calls no method of the checker.
fn broken(context: &Context, check: &Check, reason: &str) -> CheckResult {
    let mut result = CheckResult::new(check.given_name(), "");
    prepare(context, check, &mut result);
    down(result, Cause::Panic, reason)
}

fn down(mut result: CheckResult, cause: Cause, reason: &str) -> CheckResult {
    result.attempts = vec![Attempt::failure(Duration::ZERO, cause, reason)];
    conclude(&mut result, None);
    result
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the checker panicked: {}", text.unwrap_or("(no message)"))
}
