//! The state of a monitor: the latest result of every check, and which checks are running.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::probe::Known;
use crate::checkup::Dependencies;
use crate::health::CheckHealth;
use crate::{Alert, AlertStep, CheckResult, Checkup, Notification, Report, Status, Timestamp};

#[derive(Debug)]
pub(super) struct State {
    dependencies: Dependencies,
    /// Whether readiness fails because the service is about to stop.
    is_draining: AtomicBool,
    inner: Mutex<Inner>,
}

/// The status that a notifier last sent for a check, and the number of the run with that status.
#[derive(Clone, Copy, Debug)]
struct Sent {
    number: u64,
    status: Status,
    /// When the check went bad, if it is.
    onset: Timestamp,
}

#[derive(Debug)]
struct Inner {
    /// The status of each check that each notifier last sent.
    sent: Vec<Vec<Option<Sent>>>,
    checks: Vec<CheckState>,
    /// The latest report, until a result changes it.
    report: Option<Arc<Report>>,
}

#[derive(Clone, Debug, Default)]
struct CheckState {
    running: bool,
    latest: Option<CheckResult>,
    /// Whether it was ever up.
    was_up: bool,
}

impl State {
    pub(super) fn new(checkup: &Checkup) -> Self {
        let checks = checkup.checks().len();
        let sent = vec![vec![None; checks]; checkup.notifiers().len()];
        let inner = Inner { sent, checks: vec![CheckState::default(); checks], report: None };
        let dependencies = checkup.dependencies().clone();
        Self { dependencies, is_draining: AtomicBool::new(false), inner: Mutex::new(inner) }
    }

    pub(super) fn drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::SeqCst)
    }

    /// Marks the `checks` that are not running yet as running, and returns them.
    pub(super) fn begin(self: &Arc<Self>, checks: &[usize]) -> Running {
        let mut inner = self.lock();
        let free: Vec<_> = checks.iter().copied().filter(|check| !inner.checks[*check].running).collect();
        for check in &free {
            inner.checks[*check].running = true;
        }
        Running { state: Arc::clone(self), checks: free }
    }

    pub(super) fn latest(&self) -> Option<Arc<Report>> {
        let mut inner = self.lock();
        if inner.report.is_none() {
            let results = (0..inner.checks.len()).map(|place| inner.marked(place, &self.dependencies));
            let results: Vec<_> = results.collect::<Option<_>>()?;
            inner.report = Some(Arc::new(Report::new(results)));
        }
        inner.report.clone()
    }

    /// The latest results of the checks at `places`; `None` if one of them has no result, or `places` is empty.
    pub(super) fn latest_at(&self, places: &[usize]) -> Option<Report> {
        let inner = self.lock();
        let results: Option<Vec<_>> = places.iter().map(|place| inner.marked(*place, &self.dependencies)).collect();
        results.filter(|results| !results.is_empty()).map(Report::new)
    }

    /// What is known of the check at a place, for a probe.
    pub(super) fn known(&self, place: usize, name: Cow<'_, str>, interval: Duration) -> Known {
        let inner = self.lock();
        let check = &inner.checks[place];
        let health = match &check.latest {
            Some(latest) => CheckHealth { interval: Some(interval), ..CheckHealth::of_result(latest) },
            None => {
                let (name, latest) = (name.into_owned(), Vec::new());
                CheckHealth { name, status: Status::Unknown, reason: None, latest, interval: None }
            }
        };
        Known { health, was_up: check.was_up }
    }

    /// Marks the results that are down because of another check, including checks that ran in another run.
    pub(super) fn mark(&self, checks: &[usize], report: &mut Report) {
        let inner = self.lock();
        let latest = |place: usize| inner.checks[place].latest.as_ref();
        for (place, result) in checks.iter().zip(&mut report.results) {
            result.because_of = self.dependencies.cause(*place, &latest).map(|cause| cause.name.as_str().into());
        }
    }

    /// The changes that a notifier should send for the run with this number. It leaves out results that a later run has
    /// overtaken, and checks that are down because of another check: one cause is one alert.
    ///
    /// They count as sent from now on, which keeps a concurrent run from sending them again; see [`undo_sent`](Self::undo_sent).
    pub(super) fn take_changes(
        &self,
        notifier: usize,
        number: u64,
        checks: &[usize],
        report: &Arc<Report>,
    ) -> UnsentChanges {
        let mut inner = self.lock();
        let sent = &mut inner.sent[notifier];
        let (mut before, mut alerts) = (Vec::with_capacity(checks.len()), Vec::new());
        for (check, result) in checks.iter().zip(&report.results) {
            let earlier = sent[*check];
            before.push(earlier);
            let is_overtaken = earlier.is_some_and(|sent| sent.number > number);
            if is_overtaken || result.because_of.is_some() || result.status == Status::Unknown {
                continue;
            }
            let was = earlier.map_or(Status::Healthy, |sent| sent.status);
            let onset = earlier.filter(|_| was != Status::Healthy).map_or(result.timestamp, |sent| sent.onset);
            if was != result.status {
                alerts.push(alert(result, was, onset));
            }
            sent[*check] = Some(Sent { number, status: result.status, onset });
        }
        drop(inner);
        UnsentChanges { notification: (!alerts.is_empty()).then(|| Notification::new(alerts)), before }
    }

    /// Undoes this for a failed delivery, unless a later run has sent the change: the next run then sends it again.
    pub(super) fn undo_sent(&self, notifier: usize, number: u64, checks: &[usize], changes: &UnsentChanges) {
        let mut inner = self.lock();
        for (check, before) in checks.iter().zip(&changes.before) {
            let sent = &mut inner.sent[notifier][*check];
            if sent.is_some_and(|sent| sent.number == number) {
                *sent = before.map(|sent| Sent { number, ..sent });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock; even if it did, the state would be consistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The latest result of the check at a place, with the check that it is down because of, if there is one.
    fn marked(&self, place: usize, dependencies: &Dependencies) -> Option<CheckResult> {
        let latest = |place: usize| self.checks[place].latest.as_ref();
        let because_of = dependencies.cause(place, &latest).map(|cause| cause.name.as_str().into());
        latest(place).map(|result| CheckResult { because_of, ..result.clone() })
    }
}

/// What a notifier sends about one run.
#[derive(Debug)]
pub(super) struct UnsentChanges {
    /// `None` if nothing changed.
    pub(super) notification: Option<Notification>,
    /// What the notifier had last sent for each check of the run.
    before: Vec<Option<Sent>>,
}

/// The alert of a check whose status changed.
fn alert(result: &CheckResult, was: Status, onset: Timestamp) -> Alert {
    let step = if result.status == Status::Healthy { AlertStep::Up } else { AlertStep::Down };
    let mut alert = Alert::new(step, &*result.name, &*result.endpoint, onset);
    alert.status = if step == AlertStep::Up { was } else { result.status };
    alert.reason = result.reason().map(|reason| reason.to_string());
    alert.at = result.timestamp;
    alert.ended = (step == AlertStep::Up).then_some(result.timestamp);
    alert.locations = vec![result.location.as_deref().map(ToOwned::to_owned)];
    alert.of_locations = 1;
    alert
}

/// The checks that are running now.
#[derive(Debug)]
pub(super) struct Running {
    state: Arc<State>,
    pub(super) checks: Vec<usize>,
}

impl Running {
    /// Records that one of them has ended.
    pub(super) fn finished(&self, index: usize, result: &CheckResult) {
        let mut inner = self.state.lock();
        let check = &mut inner.checks[self.checks[index]];
        check.running = false;
        check.was_up |= result.status.is_up();
        // A result without a verdict does not replace a result with a verdict.
        if result.status != Status::Unknown || check.latest.is_none() {
            check.latest = Some(result.clone());
        }
        inner.report = None;
    }
}
