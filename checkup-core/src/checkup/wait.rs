//! Waiting until all checks are healthy.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::duration::GoDuration;
use crate::{Attempt, Cause, Check, CheckResult, Checkup, Report, Status};

/// The pause after the first run. Each further pause is twice as long, up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How to wait until every check is healthy.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Checkup, Wait, check_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let checkup = Checkup::builder().check(check_fn("cache", || async { Ok::<_, std::io::Error>(()) })).build()?;
/// let wait = Wait::up_to(Duration::from_secs(60)).interval(Duration::from_secs(1));
/// let report = checkup.wait(wait, |report| eprintln!("{}", report.status())).await?;
/// assert!(report.is_healthy());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// How long to wait.
    pub limit: Duration,
    /// The pause between runs; `None` for a pause that starts at 50 ms and doubles up to 2 s.
    pub interval: Option<Duration>,
}

/// Not all checks were healthy in time.
///
/// `Display` and `Debug` both show the reasons, because a test or a `main` function that returns the error prints it with `Debug`.
#[derive(Clone, thiserror::Error)]
#[error("not healthy within {}\n{report}", GoDuration(*limit))]
#[non_exhaustive]
pub struct NotHealthy {
    /// The time limit of the wait.
    pub limit: Duration,
    /// The report of the last run that ended. If no run ended, the report of the first, with checks still running as down.
    pub report: Report,
}

impl fmt::Debug for NotHealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Wait {
    /// Waits for at most this long.
    pub fn up_to(limit: Duration) -> Self {
        Self { limit, interval: None }
    }

    /// Sets a fixed pause between runs. Default: 50 ms, doubled after each run up to 2 s.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }
}

impl Checkup {
    /// Runs the checks repeatedly until all are healthy, and returns that report.
    ///
    /// The pause between runs starts at 50 ms and doubles up to 2 s; see [`wait`](Self::wait).
    ///
    /// # Errors
    ///
    /// [`NotHealthy`] with the last report if they are not all healthy within `limit`.
    pub async fn wait_until_healthy(&self, limit: Duration) -> Result<Report, NotHealthy> {
        self.wait(Wait::up_to(limit), |_| {}).await
    }

    /// Like [`wait_until_healthy`](Self::wait_until_healthy), and calls `on_run` with the report of each run that ended.
    ///
    /// # Errors
    ///
    /// [`NotHealthy`] with the last report if they are not all healthy within the limit.
    pub async fn wait(&self, wait: Wait, mut on_run: impl FnMut(&Report)) -> Result<Report, NotHealthy> {
        let limit = wait.limit;
        // `None` if the clock cannot represent the deadline.
        let deadline = Instant::now().checked_add(limit);
        let mut pause = wait.interval.unwrap_or(FIRST_PAUSE);
        let mut last = None;
        loop {
            let mut finished: Vec<Option<CheckResult>> = vec![None; self.checks().len()];
            let run = self.check_each(|progress| finished[progress.index] = Some(progress.result.clone()));
            let report = match deadline {
                Some(deadline) => timeout_at(deadline, run).await.ok(),
                None => Some(run.await),
            };
            let Some(report) = report else {
                let report = last.unwrap_or_else(|| cut_short(self, finished, limit));
                return Err(NotHealthy { limit, report });
            };
            on_run(&report);
            if report.is_healthy() {
                return Ok(report);
            }
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left < FIRST_PAUSE {
                return Err(NotHealthy { limit, report });
            }
            last = Some(report);
            // Pauses for half of the remaining time, to run again before the deadline.
            sleep(pause.min(left / 2)).await;
            if wait.interval.is_none() {
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
}

/// The report of a first run that the limit cut off. Checks without a result are down.
fn cut_short(checkup: &Checkup, finished: Vec<Option<CheckResult>>, limit: Duration) -> Report {
    let running = |check: &Check| {
        let mut result = CheckResult::new(check.name(), check.shown_endpoint());
        result.status = Status::Down;
        let error = format!("still running when the time of {} was over", GoDuration(limit));
        result.attempts = vec![Attempt::failure(limit, Cause::Timeout, error)];
        result
    };
    let results = finished.into_iter().zip(checkup.checks());
    let mut report = Report::new(results.map(|(result, check)| result.unwrap_or_else(|| running(check))).collect());
    report.elapsed = limit;
    report
}
