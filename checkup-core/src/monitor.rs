//! [`Monitor`]: runs checks in the background, again and again.

mod driver;
mod schedule;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};

use crate::{Check, Checkup, ConfigError, NotifyError, Report, StorageError};
use driver::Driver;
use state::State;

/// The time from run to run unless set otherwise.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// How many runs a subscriber may be behind before it misses the oldest.
const SUBSCRIPTION_CAPACITY: usize = 64;

/// Runs a [`Checkup`]'s checks in the background, each at its interval, stores the reports and tells of changes.
///
/// - Checks with the same interval run together, and make one report. The first run is at once.
/// - A check never overlaps with itself: while one of its runs goes on, its next is skipped. Ticks that
///   were missed (a suspended machine) are skipped, not made up for.
/// - An error of the storage or of a notifier never stops it.
/// - Dropping it stops the schedule and lets what is in flight end in the background;
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
/// // A handler of `/readyz` answers from the latest report, without checking anything itself.
/// if let Some(run) = runs.next().await {
///     assert!(run.report.is_healthy());
/// }
/// let ready = monitor.latest().is_some_and(|report| report.is_healthy());
/// assert!(ready);
/// // Or from some of the checks only: see `latest_of`.
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
    /// Begins a monitor of a checkup.
    pub fn builder(checkup: Checkup) -> MonitorBuilder {
        MonitorBuilder { checkup, interval: DEFAULT_INTERVAL, jitter: 0.0 }
    }

    /// The checkup that it runs.
    pub fn checkup(&self) -> &Checkup {
        &self.checkup
    }

    /// The time from run to run of checks that have no interval of their own.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// The latest result of every check, in the order of the checks. Never checks anything.
    ///
    /// `None` until every check has a result: a service is not ready because the fast half of its checks has ended.
    pub fn latest(&self) -> Option<Arc<Report>> {
        self.state.latest()
    }

    /// The latest results of the checks that `keep` keeps, in the order of the checks. Never checks anything.
    ///
    /// `None` until each of them has a result, and if it keeps none: a service is not ready because nothing has the tag
    /// that is asked for.
    ///
    /// ```
    /// use checkup_core::{Checkup, Monitor, Status, check_fn};
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
    /// // What is degraded is slow, and still up.
    /// assert!(readiness.is_some_and(|report| report.status() < Status::Down));
    /// # Ok(())
    /// # }
    /// ```
    pub fn latest_of(&self, mut keep: impl FnMut(&Check) -> bool) -> Option<Report> {
        let kept = self.checkup.checks().enumerate().filter(|(_, check)| keep(check));
        let places: Vec<_> = kept.map(|(place, _)| place).collect();
        self.state.latest_at(&places)
    }

    /// Every run that ends from now on. To miss none, not even the first:
    /// [`MonitorBuilder::start_and_subscribe`].
    pub fn subscribe(&self) -> Runs {
        // After the driver has ended there is no sender: the subscription ends at once.
        let receiver = self.runs.upgrade().map(|sender| sender.subscribe());
        Runs { receiver }
    }

    /// Stops the schedule, and returns when every run that is in flight has ended and is stored.
    ///
    /// That takes at most as long as a run takes (attempts, retries, their timeouts and spacing), and the limits of
    /// storage and notifiers. Dropping the
    /// future does not cancel what is in flight. [`latest`](Self::latest) stays as it is then, for handlers that
    /// share the monitor and still answer. Calling it again waits for the same end.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        // The driver holds the receiver until nothing is in flight.
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
                    tracing::warn!(missed, "a subscriber of the monitor is too slow, runs were missed");
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
    jitter: f64,
}

impl MonitorBuilder {
    /// The time from run to run of checks that have no interval of their own, more than zero. Default one minute.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Delays every run but the first by a random share of its interval, from zero up to this one: so that many
    /// nodes do not check at the same moment. From 0 to 1; default 0.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// Starts it, on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// If the interval is zero, or the jitter is not from 0 to 1.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<Monitor, ConfigError> {
        self.start_and_subscribe().map(|(monitor, _)| monitor)
    }

    /// Starts it with a subscription that has every run from the first on.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_and_subscribe(self) -> Result<(Monitor, Runs), ConfigError> {
        if self.interval.is_zero() {
            return Err(ConfigError::invalid("interval", "expected more than 0"));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(ConfigError::invalid("jitter", format!("expected from 0 to 1, found {}", self.jitter)));
        }
        let state = Arc::new(State::new(&self.checkup));
        let (runs, receiver) = broadcast::channel(SUBSCRIPTION_CAPACITY);
        let (stop, stopped) = watch::channel(false);
        let weak = runs.downgrade();
        let driver = Driver::new(&self.checkup, self.interval, self.jitter, Arc::clone(&state), runs);
        tokio::spawn(driver.drive(stopped));
        let monitor = Monitor { checkup: self.checkup, interval: self.interval, state, runs: weak, stop };
        Ok((monitor, Runs { receiver: Some(receiver) }))
    }
}
