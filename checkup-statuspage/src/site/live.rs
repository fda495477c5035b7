//! The current history in memory, updated in the background.

mod history;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkup_core::history::Rules;
use checkup_core::summary::Summary;
use checkup_core::{CheckResult, Monitor, Status, Storage, StorageError, StorageErrorKind, StorageReader};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::clock::Clock;
use crate::formats::metrics::Metrics;
use crate::view::hiding::Hiding;
use history::History;

/// The limit of a monitor's results that wait to be added. Later ones are found in the storage, if there is one.
const MAX_WAITING: usize = 100_000;

/// A state that is older than this is not shown; requests wait for a new one.
const MAX_OLD: Duration = Duration::from_secs(60);

/// How long a request waits for the first state, or for one that is not too old.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long the first state of a monitor waits for its storage: less than [`PATIENCE`].
const FIRST: Duration = Duration::from_secs(10);

/// How long metrics show a series after its last result.
const SHOWN: Duration = Duration::from_secs(24 * 3600);

/// Where the history comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Monitor(Arc<Monitor>),
    Storage(Arc<dyn Storage>),
}

impl Source {
    pub(crate) fn reader(&self) -> Option<&dyn StorageReader> {
        match self {
            Self::Monitor(monitor) => monitor.checkup().storage().and_then(|storage| storage.reader()),
            Self::Storage(storage) => storage.reader(),
        }
    }
}

/// The current history. `S` is the state that is made from it and shown.
#[derive(Debug)]
pub(crate) struct Live<S> {
    source: Source,
    /// The span of history that is read.
    span: Duration,
    refresh_after: Duration,
    clock: Clock,
    metrics: Metrics,
    /// What is hidden, and what incidents are derived with.
    hiding: Arc<Hiding>,
    rules: Rules,
    history: tokio::sync::Mutex<History>,
    /// The monitor's results that are not in the history yet.
    waiting: Mutex<Vec<CheckResult>>,
    shown: watch::Sender<Shown<S>>,
    is_refreshing: AtomicBool,
}

#[derive(Debug)]
struct Shown<S> {
    state: Option<Arc<S>>,
    made: Option<Instant>,
    /// When the latest refresh ended, and why it failed.
    tried: Option<Instant>,
    error: Option<Arc<StorageError>>,
}

impl<S: Send + Sync + 'static> Live<S> {
    pub(crate) fn new(
        source: Source,
        span: Duration,
        refresh_after: Duration,
        clock: Clock,
        (hiding, rules): (Arc<Hiding>, Rules),
    ) -> Self {
        let shown = Shown { state: None, made: None, tried: None, error: None };
        Self {
            source,
            span,
            refresh_after,
            clock,
            metrics: Metrics::new(),
            hiding,
            rules,
            history: tokio::sync::Mutex::default(),
            waiting: Mutex::default(),
            shown: watch::Sender::new(shown),
            is_refreshing: AtomicBool::new(false),
        }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Adds the results of a run of the monitor. The next refresh of the state shows them.
    pub(crate) fn take(&self, results: &[CheckResult]) {
        // A result without a verdict says nothing about the check.
        let known: Vec<_> = results.iter().filter(|result| result.status != Status::Unknown).cloned().collect();
        self.metrics.observe(&self.hiding.results(&known), self.clock.now());
        let mut waiting = self.waiting();
        let room = MAX_WAITING.saturating_sub(waiting.len());
        waiting.extend(known.into_iter().take(room));
    }

    /// Makes the next request refresh the state.
    pub(crate) fn expire(&self) {
        self.shown.send_modify(|shown| shown.tried = None);
    }

    /// The current state, unless it is too old. If it is due, a new one is made in the background.
    ///
    /// `make` makes a state from the history and the previous state. It may take a while.
    pub(crate) async fn state(
        self: &Arc<Self>,
        make: impl FnOnce(Arc<Summary>, Option<Arc<S>>) -> S + Send + 'static,
    ) -> Result<Arc<S>, Arc<StorageError>> {
        let mut changes = self.shown.subscribe();
        let (state, is_due, before) = {
            let shown = changes.borrow_and_update();
            let is_old = shown.made.is_none_or(|made| made.elapsed() >= MAX_OLD);
            let is_due = shown.tried.is_none_or(|tried| tried.elapsed() >= self.refresh_after);
            if let (Some(error), false, None) = (&shown.error, is_due, &shown.state) {
                return Err(Arc::clone(error));
            }
            (shown.state.clone().filter(|_| !is_old || shown.error.is_some()), is_due, shown.tried)
        };
        if is_due {
            self.refresh(make);
        }
        if let Some(state) = state {
            return Ok(state);
        }
        let _ = timeout(PATIENCE, changes.wait_for(|shown| shown.tried.is_some() && shown.tried != before)).await;
        let shown = self.shown.borrow();
        match (&shown.state, &shown.error) {
            (Some(state), _) => Ok(Arc::clone(state)),
            (None, Some(error)) => Err(Arc::clone(error)),
            (None, None) => {
                let slow = StorageError::new("the history is still being read; try again in a moment");
                Err(Arc::new(slow.with_kind(StorageErrorKind::Timeout)))
            }
        }
    }

    /// Makes a new state in the background, unless one is being made.
    fn refresh(self: &Arc<Self>, make: impl FnOnce(Arc<Summary>, Option<Arc<S>>) -> S + Send + 'static) {
        if self.is_refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let live = Arc::clone(self);
        tokio::spawn(async move {
            // Reset even after a panic.
            let _guard = Refreshing(Arc::clone(&live));
            let outcome = live.refreshed(make).await;
            live.shown.send_modify(|shown| {
                shown.tried = Some(Instant::now());
                match outcome {
                    Ok(state) => {
                        shown.state = Some(Arc::new(state));
                        shown.made = shown.tried;
                        shown.error = None;
                    }
                    Err(error) => {
                        if error.kind() != StorageErrorKind::Interrupted {
                            tracing::warn!(error = &error as &dyn std::error::Error, "the history could not be read");
                        }
                        shown.error = Some(Arc::new(error));
                    }
                }
            });
        });
    }

    async fn refreshed(
        &self,
        make: impl FnOnce(Arc<Summary>, Option<Arc<S>>) -> S + Send + 'static,
    ) -> Result<S, StorageError> {
        let mut history = self.history.lock().await;
        match (&self.source, self.source.reader()) {
            (Source::Storage(_), Some(reader)) => {
                let found = history.update(reader, self.span, self.clock.now()).await?;
                self.metrics.observe(&self.hiding.results(&found), self.clock.now());
            }
            (Source::Monitor(_), Some(reader)) => self.update_or_go_on(&mut history, reader).await,
            (_, None) => history.summary.made = self.clock.now(),
        }
        let mut waiting = std::mem::take(&mut *self.waiting());
        if let Source::Monitor(monitor) = &self.source {
            let latest = monitor.latest().map(|report| report.results.clone()).unwrap_or_default();
            if self.shown.borrow().made.is_none() {
                // These results came before the site followed the monitor.
                waiting.extend(latest);
            } else {
                history.add(&latest);
            }
        }
        if self.source.reader().is_some() {
            history.add_own(waiting);
        } else {
            history.add(&waiting);
        }
        if self.source.reader().is_none() {
            history.forget(self.clock.now());
        }
        history.summary.note_incidents(self.clock.now());
        let mut summary = history.summary.clone();
        // Once for all that is derived.
        summary.complete_runs();
        self.hiding.summary(&mut summary, &self.rules, self.clock.now());
        let summary = Arc::new(summary);
        drop(history);
        let since = self.clock.now().saturating_sub(SHOWN);
        self.metrics.forget_before(since);
        self.metrics.show_latest(&summary, since, self.clock.now());
        let before = self.shown.borrow().state.clone();
        let made = tokio::task::spawn_blocking(move || make(summary, before)).await;
        made.map_err(|error| {
            // Only a runtime that shuts down cancels it.
            let kind = if error.is_cancelled() { StorageErrorKind::Interrupted } else { StorageErrorKind::Other };
            StorageError::new("the state could not be made").with_kind(kind).with_source(error)
        })
    }

    /// Shows what a monitor has seen even if its storage cannot be read. The storage may be what has failed.
    async fn update_or_go_on(&self, history: &mut History, reader: &dyn StorageReader) {
        let is_first = self.shown.borrow().made.is_none();
        let update = history.update(reader, self.span, self.clock.now());
        // A monitor's own results were counted when they arrived.
        let outcome = if is_first {
            timeout(FIRST, update)
                .await
                .unwrap_or_else(|_| Err(StorageError::new("the storage did not answer in time")))
        } else {
            update.await
        };
        if let Err(error) = outcome
            && error.kind() != StorageErrorKind::Interrupted
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the history could not be read; the page shows the last known history and the monitor's own results"
            );
            history.summary.made = self.clock.now();
            history.forget(self.clock.now());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<CheckResult>> {
        // Each change is a single call on the list.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running refresh.
struct Refreshing<S>(Arc<Live<S>>);

impl<S> Drop for Refreshing<S> {
    fn drop(&mut self) {
        self.0.is_refreshing.store(false, Ordering::Release);
    }
}
