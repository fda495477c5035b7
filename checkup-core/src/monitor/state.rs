//! What a monitor knows: the latest result of every check, and which checks are running.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::checkup::Dependencies;
use crate::{CheckResult, Checkup, Notification, Report, Status};

#[derive(Debug)]
pub(super) struct State {
    dependencies: Dependencies,
    inner: Mutex<Inner>,
}

/// The status of a check that a notifier knows of, and the number of the run that brought it.
#[derive(Clone, Copy, Debug)]
struct Told {
    number: u64,
    status: Status,
}

#[derive(Debug)]
struct Inner {
    /// What each notifier knows of each check.
    told: Vec<Vec<Option<Told>>>,
    checks: Vec<CheckState>,
    /// The latest report, until a result changes it.
    report: Option<Arc<Report>>,
}

#[derive(Clone, Debug, Default)]
struct CheckState {
    running: bool,
    latest: Option<CheckResult>,
}

impl State {
    pub(super) fn new(checkup: &Checkup) -> Self {
        let checks = checkup.checks().len();
        let told = vec![vec![None; checks]; checkup.notifiers().len()];
        let inner = Inner { told, checks: vec![CheckState::default(); checks], report: None };
        Self { dependencies: checkup.dependencies().clone(), inner: Mutex::new(inner) }
    }

    /// Marks those of `checks` as running that are not running already, and gives them.
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

    /// The latest results of the checks at `places`; `None` if one of them has none, or there are no places.
    pub(super) fn latest_at(&self, places: &[usize]) -> Option<Report> {
        let inner = self.lock();
        let results: Option<Vec<_>> = places.iter().map(|place| inner.marked(*place, &self.dependencies)).collect();
        results.filter(|results| !results.is_empty()).map(Report::new)
    }

    /// Marks the results of a run that are down because of a check that may have run in another.
    pub(super) fn mark(&self, checks: &[usize], report: &mut Report) {
        let inner = self.lock();
        let latest = |place: usize| inner.checks[place].latest.as_ref();
        for (place, result) in checks.iter().zip(&mut report.results) {
            result.because_of = self.dependencies.cause(*place, &latest).map(|cause| cause.name.clone());
        }
    }

    /// What a notifier is to be told of the run with this number; nothing of results that a later run has overtaken,
    /// and nothing of what is down because of another check: one cause is one alert.
    ///
    /// It counts as told from now on, so that a run in the meantime does not tell it again; see [`untell`](Self::untell).
    pub(super) fn tell(&self, notifier: usize, number: u64, checks: &[usize], report: &Arc<Report>) -> Telling {
        let mut inner = self.lock();
        let told = &mut inner.told[notifier];
        let mut before = Vec::with_capacity(checks.len());
        for (check, result) in checks.iter().zip(&report.results) {
            match told[*check] {
                Some(Told { number: later, .. }) if later > number => before.push(Some(result.status)),
                _ if result.because_of.is_some() || result.status == Status::Unknown => {
                    before.push(Some(result.status))
                }
                earlier => {
                    before.push(earlier.map(|told| told.status));
                    told[*check] = Some(Told { number, status: result.status });
                }
            }
        }
        drop(inner);
        let notification = Notification::between(|index| before.get(index).copied().flatten(), report);
        Telling { notification, before }
    }

    /// Takes back what was not delivered, unless a later run has told it: the next run tells it again.
    pub(super) fn untell(&self, notifier: usize, number: u64, checks: &[usize], telling: &Telling) {
        let mut inner = self.lock();
        for (check, before) in checks.iter().zip(&telling.before) {
            let told = &mut inner.told[notifier][*check];
            if told.is_some_and(|told| told.number == number) {
                *told = before.map(|status| Told { number, status });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock; if it did, the state would still be whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The latest result of the check at a place, with the check that it is down because of, if there is one.
    fn marked(&self, place: usize, dependencies: &Dependencies) -> Option<CheckResult> {
        let latest = |place: usize| self.checks[place].latest.as_ref();
        let because_of = dependencies.cause(place, &latest).map(|cause| cause.name.clone());
        latest(place).map(|result| CheckResult { because_of, ..result.clone() })
    }
}

/// What a notifier is told of one run.
#[derive(Debug)]
pub(super) struct Telling {
    /// `None` if nothing changed.
    pub(super) notification: Option<Notification>,
    /// For each check of the run the status that the notifier knew.
    before: Vec<Option<Status>>,
}

/// Checks that run now.
#[derive(Debug)]
pub(super) struct Running {
    state: Arc<State>,
    pub(super) checks: Vec<usize>,
}

impl Running {
    /// One of them has ended.
    pub(super) fn finished(&self, index: usize, result: &CheckResult) {
        let mut inner = self.state.lock();
        let check = &mut inner.checks[self.checks[index]];
        check.running = false;
        // A result without a verdict does not replace one that has one.
        if result.status != Status::Unknown || check.latest.is_none() {
            check.latest = Some(result.clone());
        }
        inner.report = None;
    }
}
