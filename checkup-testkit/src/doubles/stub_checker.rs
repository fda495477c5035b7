use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{Checker, DEFAULT_TIMEOUT, Failure, Observation, async_trait};
use tokio::sync::watch;

/// A checker that follows a script and counts its attempts. Clones share the counts: give one to the check, keep the other.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Cause, Check, Checkup};
/// use checkup_testkit::{StubChecker, paused};
///
/// let stub = StubChecker::hangs();
/// let report = paused(async {
///     let checkup = Checkup::builder().check(Check::new("stub", stub.clone())).build()?;
///     Ok::<_, checkup_core::ConfigError>(checkup.check().await)
/// })?;
/// assert_eq!(report.results[0].attempts[0].cause, Some(Cause::Timeout));
/// assert_eq!((stub.attempts(), stub.cancelled()), (1, 1));
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
///
/// The last step is repeated:
///
/// ```
/// # use std::time::Duration;
/// # use checkup_core::{Check, Checkup};
/// # use checkup_testkit::{StubAttempt, StubChecker, paused};
/// let stub = StubChecker::sequence([StubAttempt::fails("starting"), StubAttempt::Healthy]);
/// let report = paused(async {
///     let checkup = Checkup::builder().check(Check::new("stub", stub.clone())).build()?;
///     Ok::<_, Box<dyn std::error::Error>>(checkup.wait_until_healthy(Duration::from_secs(60)).await?)
/// })?;
/// assert!(report.is_healthy());
/// assert_eq!(stub.attempts(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct StubChecker {
    script: Arc<[StubAttempt]>,
    endpoint: Arc<str>,
    default_timeout: Duration,
    counts: Arc<watch::Sender<Counts>>,
}

/// What a [`StubChecker`] does in one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StubAttempt {
    /// It succeeds immediately.
    Healthy,
    /// It succeeds after this time (of tokio's clock).
    Slow(Duration),
    /// It succeeds with this notice.
    Degraded(String),
    /// It fails.
    Fails(Failure),
    /// It panics.
    Panics,
    /// It never ends.
    Hangs,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    started: usize,
    finished: usize,
    cancelled: usize,
}

impl StubAttempt {
    /// It fails with this message, of cause [`Assertion`](checkup_core::Cause::Assertion).
    pub fn fails(message: impl Into<String>) -> Self {
        Self::Fails(Failure::assertion(message))
    }
}

impl StubChecker {
    /// Every attempt succeeds immediately.
    pub fn healthy() -> Self {
        Self::sequence([StubAttempt::Healthy])
    }

    /// Every attempt succeeds after this time.
    pub fn slow(duration: Duration) -> Self {
        Self::sequence([StubAttempt::Slow(duration)])
    }

    /// Every attempt succeeds with this notice.
    pub fn degraded(notice: impl Into<String>) -> Self {
        Self::sequence([StubAttempt::Degraded(notice.into())])
    }

    /// Every attempt fails with this message.
    pub fn fails(message: impl Into<String>) -> Self {
        Self::sequence([StubAttempt::fails(message)])
    }

    /// The first `times` attempts fail; the others succeed.
    pub fn fails_times(times: usize) -> Self {
        let failures = (1..=times).map(|number| StubAttempt::fails(format!("failure {number} of {times}")));
        Self::sequence(failures.chain([StubAttempt::Healthy]))
    }

    /// Every attempt panics.
    pub fn panics() -> Self {
        Self::sequence([StubAttempt::Panics])
    }

    /// No attempt ever ends.
    pub fn hangs() -> Self {
        Self::sequence([StubAttempt::Hangs])
    }

    /// The first attempt does the first step, and so on; the last step is repeated. Without steps, every attempt is
    /// healthy.
    pub fn sequence(steps: impl IntoIterator<Item = StubAttempt>) -> Self {
        Self {
            script: steps.into_iter().collect(),
            endpoint: "stub".into(),
            default_timeout: DEFAULT_TIMEOUT,
            counts: Arc::new(watch::Sender::new(Counts::default())),
        }
    }

    /// The endpoint that it reports. Default: `stub`.
    #[must_use]
    pub fn endpoint(mut self, endpoint: &str) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// Its [`default_timeout`](Checker::default_timeout). Default 10 seconds.
    #[must_use]
    pub fn default_timeout(mut self, timeout: Duration) -> Self {
        self.default_timeout = timeout;
        self
    }

    /// How many attempts have begun.
    pub fn attempts(&self) -> usize {
        self.counts.borrow().started
    }

    /// How many attempts were dropped before they ended.
    pub fn cancelled(&self) -> usize {
        self.counts.borrow().cancelled
    }

    /// How many attempts have begun, and have neither ended nor been dropped.
    pub fn running(&self) -> usize {
        let counts = *self.counts.borrow();
        counts.started - counts.finished - counts.cancelled
    }

    /// Waits until this many attempts have begun in all.
    pub async fn wait_attempts(&self, count: usize) {
        // `self` owns the sender, so this cannot fail.
        let _ = self.counts.subscribe().wait_for(|counts| counts.started >= count).await;
    }
}

#[async_trait]
impl Checker for StubChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.endpoint)
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        let running = Running::start(&self.counts);
        let step = self.script.get(running.number).or(self.script.last()).unwrap_or(&StubAttempt::Healthy);
        let outcome = match step {
            StubAttempt::Healthy => Ok(Observation::new()),
            StubAttempt::Slow(duration) => {
                tokio::time::sleep(*duration).await;
                Ok(Observation::new())
            }
            StubAttempt::Degraded(notice) => Ok(Observation::new().degraded(notice)),
            StubAttempt::Fails(failure) => Err(failure.clone()),
            StubAttempt::Panics => {
                running.finish();
                panic!("the stub is scripted to panic")
            }
            StubAttempt::Hangs => std::future::pending().await,
        };
        running.finish();
        outcome
    }

    fn default_timeout(&self) -> Duration {
        self.default_timeout
    }
}

impl fmt::Debug for StubChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubChecker").field("script", &self.script).field("counts", &*self.counts.borrow()).finish()
    }
}

/// An attempt that has begun. Dropped before it is finished, it was cancelled.
struct Running<'a> {
    counts: &'a watch::Sender<Counts>,
    number: usize,
    finished: bool,
}

impl<'a> Running<'a> {
    fn start(counts: &'a watch::Sender<Counts>) -> Self {
        let mut number = 0;
        counts.send_modify(|counts| {
            number = counts.started;
            counts.started += 1;
        });
        Self { counts, number, finished: false }
    }

    fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.counts.send_modify(|counts| match self.finished {
            true => counts.finished += 1,
            false => counts.cancelled += 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::{Cause, Check, Checkup, Status};

    use super::*;
    use crate::paused;

    fn check(stub: &StubChecker, configure: impl FnOnce(Check) -> Check) -> checkup_core::CheckResult {
        let check = configure(Check::new("stub", stub.clone()));
        let checkup = Checkup::builder().check(check).build().unwrap();
        paused(async { checkup.check().await }).results.remove(0)
    }

    #[test]
    fn each_script_has_its_verdict() {
        for (stub, status) in [
            (StubChecker::healthy(), Status::Healthy),
            (StubChecker::slow(Duration::from_secs(3)), Status::Healthy),
            (StubChecker::degraded("old"), Status::Degraded),
            (StubChecker::fails("no"), Status::Down),
            (StubChecker::panics(), Status::Down),
            (StubChecker::hangs(), Status::Down),
            (StubChecker::sequence([]), Status::Healthy),
        ] {
            assert_eq!(check(&stub, |check| check).status, status, "{stub:?}");
            assert_eq!((stub.attempts(), stub.running()), (1, 0), "{stub:?}");
        }
    }

    #[test]
    fn the_paused_clock_gives_exact_times() {
        let result = check(&StubChecker::slow(Duration::from_secs(3)), |check| check);
        assert_eq!(result.attempts[0].rtt, Duration::from_secs(3));
        let result = check(&StubChecker::hangs().default_timeout(Duration::from_secs(2)), |check| check);
        assert_eq!((result.attempts[0].rtt, result.attempts[0].cause), (Duration::from_secs(2), Some(Cause::Timeout)));
    }

    #[test]
    fn retries_get_past_as_many_failures() {
        let stub = StubChecker::fails_times(2);
        assert_eq!(check(&stub, |check| check.retries(1)).reason().as_deref(), Some("failure 2 of 2"));
        assert_eq!(check(&stub, |check| check).status, Status::Healthy);
        assert_eq!((stub.attempts(), stub.cancelled()), (3, 0));
    }
}
