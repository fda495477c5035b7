//! The history as it is now, in memory, brought up to date in the background.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::summary::{self, Summary};
use checkup_core::{CheckResult, Monitor, Storage, StorageError, StorageErrorKind, StorageReader, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::metrics::Metrics;

/// How far back new check files are looked for. Those that come later are found when everything is read anew.
const LOOK_BACK: Duration = Duration::from_secs(2 * 3600);

/// How often everything is read anew: from the storage's summary if it keeps one.
const READ_ANEW: Duration = Duration::from_secs(600);

/// So many new files are not fetched one by one.
const MAX_ONE_BY_ONE: usize = 30;

/// How many of a monitor's results wait to be added; what comes after is found in the storage, if there is one.
const MAX_WAITING: usize = 100_000;

/// A state that is older than this is not shown while a new one is made, but waited for.
const MAX_OLD: Duration = Duration::from_secs(60);

/// How long somebody waits for the first state, or for one that is not too old.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a monitor's results are kept in detail where there is no storage.
const DETAIL: Duration = Duration::from_secs(26 * 3600);

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

/// The history as it is now. `S` is what is made of it to show.
#[derive(Debug)]
pub(crate) struct Live<S> {
    source: Source,
    timeframe: Duration,
    refresh_after: Duration,
    metrics: Metrics,
    history: tokio::sync::Mutex<History>,
    /// The monitor's results that the history has not.
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

#[derive(Debug, Default)]
struct History {
    summary: Summary,
    /// The check files of the latest hours that are in it.
    known: HashSet<FileName>,
    /// When everything was read, and how long that took.
    read: Option<(Instant, Duration)>,
}

impl<S: Send + Sync + 'static> Live<S> {
    pub(crate) fn new(source: Source, timeframe: Duration, refresh_after: Duration) -> Self {
        let shown = Shown { state: None, made: None, tried: None, error: None };
        Self {
            source,
            timeframe,
            refresh_after,
            metrics: Metrics::new(),
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

    /// Takes the results of one of the monitor's runs. The state shows them with its next refresh, which may be at once.
    pub(crate) fn take(&self, results: &[CheckResult]) {
        self.metrics.observe(results);
        let mut waiting = self.waiting();
        let room = MAX_WAITING.saturating_sub(waiting.len());
        waiting.extend(results.iter().take(room).cloned());
    }

    /// The next state is made at once.
    pub(crate) fn expire(&self) {
        self.shown.send_modify(|shown| shown.tried = None);
    }

    /// The state: the present one, unless it is too old, while a new one is made in the background.
    ///
    /// `make` makes a state; it may take a while, and gets the one before.
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

    /// Makes a new state in the background, unless that is going on.
    fn refresh(self: &Arc<Self>, make: impl FnOnce(Arc<Summary>, Option<Arc<S>>) -> S + Send + 'static) {
        if self.is_refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let live = Arc::clone(self);
        tokio::spawn(async move {
            // Also when something panics.
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
                        tracing::warn!(error = &error as &dyn std::error::Error, "the history cannot be read");
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
        if let Some(reader) = self.source.reader() {
            let found = history.update(reader, self.timeframe).await?;
            // A monitor's own results were counted when they came.
            if matches!(self.source, Source::Storage(_)) {
                self.metrics.observe(&found);
            }
        } else {
            history.summary.made = Timestamp::now();
        }
        let waiting = std::mem::take(&mut *self.waiting());
        history.summary.add(&waiting);
        if let Source::Monitor(monitor) = &self.source {
            // They may not be stored yet, or not at all.
            let latest = monitor.latest().map(|report| report.results.clone());
            history.summary.add(&latest.unwrap_or_default());
        }
        if self.source.reader().is_none() {
            history.summary.forget_before(Timestamp::now().saturating_sub(DETAIL));
        }
        let summary = Arc::new(history.summary.clone());
        drop(history);
        self.metrics.show_latest(&summary);
        let before = self.shown.borrow().state.clone();
        let made = tokio::task::spawn_blocking(move || make(summary, before)).await;
        made.map_err(|error| StorageError::new("the state cannot be made").with_source(error))
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<CheckResult>> {
        // Each change is one call on the list.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    /// Brings it up to date, and gives the results that were not known.
    async fn update(
        &mut self,
        reader: &dyn StorageReader,
        timeframe: Duration,
    ) -> Result<Vec<CheckResult>, StorageError> {
        let now = Timestamp::now();
        let mut names = reader.list(now.saturating_sub(LOOK_BACK)).await?;
        let is_due = self.read.is_none_or(|(when, took)| when.elapsed() >= READ_ANEW.max(took * 20));
        let unknown = names.iter().filter(|name| !self.known.contains(*name)).count();
        if is_due || unknown > MAX_ONE_BY_ONE {
            let begun = Instant::now();
            // What was listed before is in what is read after.
            self.summary = summary::read(reader, now.saturating_sub(timeframe)).await?;
            self.known = names.into_iter().collect();
            self.read = Some((Instant::now(), begun.elapsed()));
            return Ok(Vec::new());
        }
        let listed: HashSet<_> = names.iter().cloned().collect();
        self.known.retain(|name| listed.contains(name));
        names.retain(|name| !self.known.contains(name));
        let mut found = Vec::new();
        for name in names {
            match reader.fetch(&name).await {
                Ok(results) => {
                    self.summary.add(&results);
                    found.extend(results);
                }
                // It was compacted or has expired.
                Err(error) if error.kind() == StorageErrorKind::NotFound => continue,
                Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                    self.summary.unread.insert(name.as_str().to_owned());
                }
                // It is tried again by the next refresh.
                Err(error) => {
                    tracing::warn!(%name, error = &error as &dyn std::error::Error, "a check file cannot be read");
                    continue;
                }
            }
            self.known.insert(name);
        }
        self.summary.made = now;
        Ok(found)
    }
}

/// A refresh that goes on.
struct Refreshing<S>(Arc<Live<S>>);

impl<S> Drop for Refreshing<S> {
    fn drop(&mut self) {
        self.0.is_refreshing.store(false, Ordering::Release);
    }
}
