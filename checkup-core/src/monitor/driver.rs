//! The loop behind a monitor: starts runs when they are due, and waits for them at shutdown.

use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Run;
use super::schedule::{Group, Schedule};
use super::state::{Running, State};
use crate::{Checkup, NotifyError, Report};

/// How many runs may be in flight, including those waiting for a slow storage. Further runs are skipped.
const MAX_RUNS_IN_FLIGHT: usize = 64;

pub(super) struct Driver {
    checkup: Checkup,
    jitter: f64,
    groups: Vec<Group>,
    state: Arc<State>,
    subscribers: broadcast::Sender<Arc<Run>>,
    in_flight: JoinSet<()>,
    /// The number of the next run.
    number: u64,
}

impl Driver {
    pub(super) fn new(
        checkup: &Checkup,
        schedule: Schedule,
        state: Arc<State>,
        subscribers: broadcast::Sender<Arc<Run>>,
    ) -> Self {
        let intervals = checkup.checks().map(|check| check.policy().interval.unwrap_or(schedule.interval));
        let groups = Group::all(intervals, schedule.delay);
        let checkup = checkup.clone();
        Self { checkup, jitter: schedule.jitter, groups, state, subscribers, in_flight: JoinSet::new(), number: 0 }
    }

    /// Runs until `stop` is true or its sender is dropped, then waits for the runs in flight.
    pub(super) async fn drive(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow_and_update() {
            let due = self.groups.iter().map(|group| group.due).min();
            tokio::select! {
                changed = stop.changed() => if changed.is_err() { break },
                () = sleep_until_due(due) => self.start_due(),
                // Removes finished runs, which keeps the set from growing.
                Some(_) = self.in_flight.join_next() => {}
            }
        }
        tracing::debug!(in_flight = self.in_flight.len(), "monitor stops");
        while self.in_flight.join_next().await.is_some() {}
    }

    fn start_due(&mut self) {
        let now = Instant::now();
        for group in &mut self.groups {
            if group.due > now {
                continue;
            }
            group.advance(now, self.jitter);
            if self.in_flight.len() >= MAX_RUNS_IN_FLIGHT {
                tracing::warn!("run skipped: {MAX_RUNS_IN_FLIGHT} runs are still in flight; is the storage too slow?");
                continue;
            }
            let running = self.state.begin(&group.checks);
            if running.checks.len() < group.checks.len() {
                tracing::debug!(
                    skipped = group.checks.len() - running.checks.len(),
                    "checks skipped: their previous run is still in progress"
                );
            }
            if running.checks.is_empty() {
                continue;
            }
            let task =
                run(self.checkup.clone(), Arc::clone(&self.state), running, self.number, self.subscribers.clone());
            self.in_flight.spawn(task);
            self.number += 1;
        }
    }
}

/// One run of some of the checks: runs them, stores the report, notifies and publishes.
async fn run(
    checkup: Checkup,
    state: Arc<State>,
    running: Running,
    number: u64,
    subscribers: broadcast::Sender<Arc<Run>>,
) {
    let checks = checkup.at(&running.checks);
    let mut report = checks.check_each(|progress| running.finished(progress.index, progress.result)).await;
    state.mark(&running.checks, &mut report);
    let report = Arc::new(report);
    let calls =
        (0..checkup.notifiers().len()).map(|notifier| notify(&checkup, &state, notifier, number, &running, &report));
    // A storage outage must not delay notifications of an outage.
    let (stored, outcomes) = tokio::join!(store(&checkup, &report), join_all(calls));
    let notify_errors = outcomes.into_iter().flatten().collect();
    // An error only means that there are no subscribers.
    let _ = subscribers.send(Arc::new(Run { report, stored, notify_errors }));
}

/// Notifies of the changes. The next run retries a failed delivery.
async fn notify(
    checkup: &Checkup,
    state: &State,
    notifier: usize,
    number: u64,
    running: &Running,
    report: &Arc<Report>,
) -> Option<NotifyError> {
    let changes = state.take_changes(notifier, number, &running.checks, report);
    let error = checkup.notify_one(notifier, changes.notification.as_ref()?).await.err()?;
    state.undo_sent(notifier, number, &running.checks, &changes);
    Some(error)
}

async fn store(checkup: &Checkup, report: &Report) -> Option<Result<(), crate::StorageError>> {
    checkup.storage()?;
    let stored = checkup.store(report).await;
    if let Err(error) = &stored {
        tracing::warn!(error = error as &dyn std::error::Error, "report not stored");
    }
    Some(stored)
}

async fn sleep_until_due(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        // There are no checks, so no run is ever due.
        None => std::future::pending().await,
    }
}
