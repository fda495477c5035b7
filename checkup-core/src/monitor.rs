//! [`Monitor`]: runs checks in the background, repeatedly.

mod driver;
mod probe;
mod schedule;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

use crate::duration::GoDuration;
use crate::{Check, Checkup, ConfigError, NotifyError, Report, StorageError, Timestamp};
use driver::Driver;
pub use probe::{Probe, ProbeAnswer};
use schedule::Schedule;
use state::State;

/// The default time from run to run.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// How many runs a subscriber may be behind before it misses the oldest.
const SUBSCRIPTION_CAPACITY: usize = 64;

/// Runs a [`Checkup`]'s checks in the background, each at its interval, stores the reports and notifies of changes.
///
/// - Checks with the same interval run together and produce one report. The first run starts immediately, or after a
///   [delay](MonitorBuilder::delay).
/// - A check never overlaps with itself: while a run is in progress, the next one is skipped. Ticks that
///   were missed (because the machine was suspended, say) are skipped and not caught up on.
/// - An error in the storage or a notifier never stops it.
/// - Dropping it stops the schedule and lets running checks finish in the background;
///   [`shutdown`](Self::shutdown) waits for that.
///
/// In a service:
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Checkup, Monitor, check_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let checkup = Checkup::builder().check(check_fn("cache", || async { Ok::<_, std::io::Error>(()) })).build()?;
/// let builder = Monitor::builder(checkup).interval(Duration::from_secs(30)).jitter(0.1);
/// let (monitor, mut runs) = builder.start_and_subscribe()?;
///
/// if let Some(run) = runs.next().await {
///     assert!(run.report.is_healthy());
/// }
/// // From the latest results, without checking anything. A degraded check is slow and still serves.
/// assert!(monitor.latest().is_some_and(|report| report.is_up()));
/// // For the handlers of `/readyz` and `/livez`, see `probe`.
///
/// monitor.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Monitor {
    checkup: Checkup,
    interval: Duration,
    state: Arc<State>,
    runs: broadcast::WeakSender<Arc<Run>>,
    stop: watch::Sender<bool>,
}

/// One finished run of a [`Monitor`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Run {
    /// The report of the checks that ran.
    pub report: Arc<Report>,
    /// Whether the report was stored; `None` if there is no storage.
    pub stored: Option<Result<(), StorageError>>,
    /// Which notifiers failed.
    pub notify_errors: Vec<NotifyError>,
}

impl Monitor {
    /// Returns a builder for a monitor of this checkup.
    pub fn builder(checkup: Checkup) -> MonitorBuilder {
        MonitorBuilder { checkup, interval: DEFAULT_INTERVAL, delay: Duration::ZERO, jitter: 0.0 }
    }

    /// The checkup that it runs.
    pub fn checkup(&self) -> &Checkup {
        &self.checkup
    }

    /// The time from run to run of checks that do not set an interval.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// The latest result of every check, in the order of the checks. Never checks anything.
    ///
    /// `None` until every check has a result: a service is not ready just because the fast half of its checks have finished.
    pub fn latest(&self) -> Option<Arc<Report>> {
        self.state.latest()
    }

    /// The latest results of the checks that `keep` keeps, in the order of the checks. Never checks anything.
    ///
    /// `None` until each of them has a result, and if `keep` keeps no check: a service must not count as ready because no check
    /// has the requested tag.
    ///
    /// ```
    /// use checkup_core::{Checkup, Monitor, check_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let checkup = Checkup::builder()
    ///     .check(check_fn("cache", || async { Ok::<_, std::io::Error>(()) }).tag("readiness"))
    ///     .check(check_fn("newsletter", || async { Err::<(), _>("17 bounces") }))
    ///     .build()?;
    /// let monitor = Monitor::builder(checkup).start()?;
    /// monitor.subscribe().next().await;
    ///
    /// let readiness = monitor.latest_of(|check| check.has_tag("readiness"));
    /// assert!(readiness.is_some_and(|report| report.is_up()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn latest_of(&self, mut keep: impl FnMut(&Check) -> bool) -> Option<Report> {
        let kept = self.checkup.checks().enumerate().filter(|(_, check)| keep(check));
        let places: Vec<_> = kept.map(|(place, _)| place).collect();
        self.state.latest_at(&places)
    }

    /// Answers a probe from the latest results, with a status code and a body. Never checks anything.
    ///
    /// For any web framework; the crate `checkup-axum` has the handlers for axum.
    ///
    /// ```
    /// use checkup_core::{Checkup, Monitor, Probe, check_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cache = check_fn("cache", || async { Ok::<_, std::io::Error>(()) }).tag("readiness");
    /// let (monitor, mut runs) = Monitor::builder(Checkup::builder().check(cache).build()?).start_and_subscribe()?;
    ///
    /// let answer = monitor.probe(&Probe::readiness());
    /// assert_eq!((answer.status_code(), answer.text()), (503, "cache: not checked yet\n".to_owned()));
    /// runs.next().await;
    /// let answer = monitor.probe(&Probe::readiness());
    /// assert_eq!((answer.status_code(), answer.text()), (200, "cache: healthy\n".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn probe(&self, probe: &Probe) -> ProbeAnswer {
        let checks = self.checkup.checks().enumerate().filter(|(_, check)| probe.covers(check));
        let checks = checks.map(|(place, check)| {
            let interval = check.policy().interval.unwrap_or(self.interval);
            self.state.known(place, check.name(), interval)
        });
        probe.answer(checks.collect(), self.is_draining(), Timestamp::now())
    }

    /// Takes the service out of the load balancer before it closes its listener: from now on, readiness probes fail. Returns after
    /// `pause`, in which load balancers notice.
    ///
    /// Call it when the service is asked to stop, then close the listener, then call [`shutdown`](Self::shutdown). Without it,
    /// Kubernetes still sends requests to a listener that is already closed: it removes the endpoint of a terminating pod at the same
    /// time as it sends SIGTERM, and not before. A pause that suits a readiness probe with `periodSeconds: 5` and
    /// `failureThreshold: 1` is 10 seconds; it must be shorter than the pod's `terminationGracePeriodSeconds`.
    ///
    /// Liveness and start-up probes, the checks, storage and notifiers are not affected. Dropping the future ends the wait, and
    /// readiness still fails.
    ///
    /// ```no_run
    /// # use std::future::Future;
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use checkup_core::Monitor;
    /// # async fn sigterm() {}
    /// # async fn serve(until: impl Future<Output = ()> + Send + 'static) {}
    /// # async fn example(monitor: Arc<Monitor>) {
    /// let draining = Arc::clone(&monitor);
    /// // For example `axum::serve(…).with_graceful_shutdown(…)`.
    /// serve(async move {
    ///     sigterm().await;
    ///     draining.drain(Duration::from_secs(10)).await;
    /// })
    /// .await;
    /// monitor.shutdown().await;
    /// # }
    /// ```
    pub async fn drain(&self, pause: Duration) {
        self.state.drain();
        tracing::info!(pause = %GoDuration(pause), "draining: readiness probes fail from now on");
        sleep(pause).await;
    }

    /// Whether [`drain`](Self::drain) was called, and readiness fails.
    pub fn is_draining(&self) -> bool {
        self.state.is_draining()
    }

    /// Subscribes to every run that ends from now on. To include the first run, use
    /// [`MonitorBuilder::start_and_subscribe`].
    pub fn subscribe(&self) -> Runs {
        // Once the driver has ended there is no sender, so the subscription ends immediately.
        let receiver = self.runs.upgrade().map(|sender| sender.subscribe());
        Runs { receiver }
    }

    /// Stops the schedule, and returns when every run in flight has ended and its report has been handed to the storage.
    ///
    /// This takes at most as long as a run (attempts, retries, their timeouts and spacing) plus the time limits of storage and
    /// notifiers. Dropping the future does not cancel runs in flight. Afterwards, [`latest`](Self::latest) still returns the
    /// latest report, for handlers that share the monitor. Further calls wait for the same shutdown.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        // The driver keeps the receiver until no run is in flight.
        self.stop.closed().await;
    }
}

/// A subscription to a [`Monitor`]'s runs.
pub struct Runs {
    receiver: Option<broadcast::Receiver<Arc<Run>>>,
}

impl Runs {
    /// The next run; `None` when the monitor has stopped. A subscriber that is more than 64 runs behind
    /// misses the oldest. Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<Run>> {
        loop {
            match self.receiver.as_mut()?.recv().await {
                Ok(run) => return Some(run),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "a subscriber of the monitor is too slow and missed runs");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").finish_non_exhaustive()
    }
}

/// Builds a [`Monitor`].
#[derive(Clone, Debug)]
pub struct MonitorBuilder {
    checkup: Checkup,
    interval: Duration,
    delay: Duration,
    jitter: f64,
}

impl MonitorBuilder {
    /// The time from run to run of checks that do not set an interval, more than zero. Default one minute.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The time before the first run, for a service that needs a moment before its checks can pass. Until then readiness and start-up
    /// probes fail, and nothing is stored or notified. Default: zero.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Delays every run except the first by a random fraction of its interval, up to `jitter`, to keep nodes from checking
    /// at the same moment. From 0 to 1. Default: 0.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// Starts the monitor on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// If the interval is zero, or the jitter is not from 0 to 1.
    ///
    /// # Panics
    ///
    /// If called outside a tokio runtime.
    #[track_caller]
    pub fn start(self) -> Result<Monitor, ConfigError> {
        self.start_and_subscribe().map(|(monitor, _)| monitor)
    }

    /// Starts the monitor with a subscription that receives every run, including the first.
    ///
    /// # Errors
    ///
    /// Same as [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// Same as [`start`](Self::start).
    #[track_caller]
    pub fn start_and_subscribe(self) -> Result<(Monitor, Runs), ConfigError> {
        if self.interval.is_zero() {
            return Err(ConfigError::invalid("interval", "expected more than 0"));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(ConfigError::invalid("jitter", format!("expected from 0 to 1, found {}", self.jitter)));
        }
        // `tokio::spawn` would panic as well, but at a line of this crate.
        let Ok(runtime) = Handle::try_current() else {
            panic!(
                "a monitor runs in a tokio runtime: start it inside one, such as in an async function below `#[tokio::main]`"
            )
        };
        let state = Arc::new(State::new(&self.checkup));
        let (runs, receiver) = broadcast::channel(SUBSCRIPTION_CAPACITY);
        let (stop, stopped) = watch::channel(false);
        let weak = runs.downgrade();
        let schedule = Schedule { interval: self.interval, delay: self.delay, jitter: self.jitter };
        let driver = Driver::new(&self.checkup, schedule, Arc::clone(&state), runs);
        runtime.spawn(driver.drive(stopped));
        let monitor = Monitor { checkup: self.checkup, interval: self.interval, state, runs: weak, stop };
        Ok((monitor, Runs { receiver: Some(receiver) }))
    }
}
