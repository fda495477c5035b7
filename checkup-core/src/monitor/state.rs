//! What a monitor knows: the latest result of every check, and which checks are running.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::dependencies::Dependencies;
use crate::{CheckResult, Notification, Report, Status};

#[derive(Debug)]
pub(super) struct State {
    dependencies: Dependencies,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    checks: Vec<CheckState>,
    /// The latest report, until a result changes it.
    report: Option<Arc<Report>>,
}

#[derive(Clone, Debug, Default)]
struct CheckState {
    running: bool,
    latest: Option<CheckResult>,
    /// The status that notifiers know of, and the number of the run that brought it.
    told: Option<(u64, Status)>,
}

impl State {
    pub(super) fn new(checks: usize, dependencies: Dependencies) -> Self {
        Self { dependencies, inner: Mutex::new(Inner { checks: vec![CheckState::default(); checks], report: None }) }
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
            let results: Vec<_> =
                (0..inner.checks.len()).filter_map(|place| inner.marked(place, &self.dependencies)).collect();
            if results.is_empty() {
                return None;
            }
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

    /// What notifiers are to be told of the run with this number; nothing of results that a later run has overtaken,
    /// and nothing of what is down because of another check: one cause is one alert.
    pub(super) fn changes(&self, number: u64, checks: &[usize], report: &Arc<Report>) -> Option<Notification> {
        let mut inner = self.lock();
        let mut before = Vec::with_capacity(checks.len());
        for (check, result) in checks.iter().zip(&report.results) {
            let told = &mut inner.checks[*check].told;
            match *told {
                _ if result.because_of.is_some() => before.push(Some(result.status)),
                Some((later, _)) if later > number => before.push(Some(result.status)),
                earlier => {
                    before.push(earlier.map(|(_, status)| status));
                    *told = Some((number, result.status));
                }
            }
        }
        drop(inner);
        Notification::between(|index| before.get(index).copied().flatten(), report)
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
        check.latest = Some(result.clone());
        inner.report = None;
    }
}
