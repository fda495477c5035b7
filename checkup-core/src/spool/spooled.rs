use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use tokio::time::{Instant, timeout};

use super::Spool;
use super::folder::{Lock, blocking};
use crate::duration::Human;
use crate::{
    ErrorChain, Maintenance, MaintenanceFailure, PagePublisher, Report, Storage, StorageError, StorageErrorKind,
    StorageMaintainer, StorageProvisioner, StorageReader, check_file,
};

/// How long the storage may take for one report: longer than storages' own limits usually are, whose errors say more.
const STORE_LIMIT: Duration = Duration::from_secs(40);

/// How long a store may take with all that is flushed before. It leaves time to write to the disk within the minute after which
/// the engine gives a store up: then the report would be in neither.
const WHOLE_LIMIT: Duration = Duration::from_secs(50);

/// How long, and how many of the reports that wait, one store stores before its own.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);
const MAX_FLUSHED: usize = 1000;

/// After how many failures one after the other it is the storage that fails, and not a report that it does not take.
const MAX_FAILURES: usize = 3;

/// A step of the maintenance, in words that follow "cannot".
const FLUSH: &str = "store what waits in the spool";

/// A storage with a spool before it.
#[derive(Clone, Debug)]
pub(crate) struct Spooled {
    inner: Arc<dyn Storage>,
    spool: Spool,
}

/// How far the reports that waited were stored.
#[derive(Debug)]
struct Flushed {
    reports: usize,
    end: End,
    /// Those that failed since the last that was stored. If one is stored now, then the storage has refused these.
    suspects: Vec<Suspect>,
    /// Those that failed before another was stored.
    refused: Vec<Suspect>,
}

/// A report that waits and could not be stored.
#[derive(Debug)]
struct Suspect {
    name: String,
    why: String,
}

#[derive(Debug)]
enum End {
    /// None waits any more that could be stored.
    Done,
    /// Somebody else is at it.
    Busy,
    /// It took too long for once.
    Limit,
    /// The storage failed.
    Failed(StorageError),
}

impl Spooled {
    pub(crate) fn new(inner: Arc<dyn Storage>, spool: Spool) -> Self {
        Self { inner, spool }
    }

    async fn store_or_keep(&self, report: &Report) -> Result<(), StorageError> {
        let deadline = Instant::now() + WHOLE_LIMIT;
        let flushed = self.flush(deadline).await;
        let (mut error, was_tried) = match flushed.end {
            End::Done => match self.store_inner(report, deadline).await {
                Ok(()) => return Ok(()),
                Err(error) => (error, true),
            },
            // Not for want of time: it may be about the reports that were tried.
            End::Failed(error) if error.kind() != StorageErrorKind::Timeout => {
                match self.store_inner(report, deadline).await {
                    Ok(()) => {
                        self.refuse(flushed.suspects).await;
                        return Ok(());
                    }
                    Err(error) => (error, true),
                }
            }
            End::Failed(error) => (error, true),
            End::Busy => {
                let why = "the reports that wait are being stored right now, and this one goes behind them";
                (StorageError::new(why), false)
            }
            End::Limit => {
                let count = flushed.reports;
                let why = format!("this report goes behind those that wait, of which {count} were stored just now");
                (StorageError::new(why), false)
            }
        };
        let refusal = match self.keep(report).await {
            Ok(count) => return Err(self.kept(count, error)),
            Err(refusal) => refusal,
        };
        if !was_tried {
            // Out of order is better than not at all.
            match self.store_inner(report, deadline).await {
                Ok(()) => return Ok(()),
                Err(failure) => error = failure,
            }
        }
        Err(self.refused(&refusal, error))
    }

    /// Puts a report into the spool. How many wait now.
    async fn keep(&self, report: &Report) -> Result<usize, StorageError> {
        let content = check_file::encode(&report.results)?;
        blocking(&self.spool, move |folder| folder.add(&content)).await
    }

    fn kept(&self, count: usize, error: StorageError) -> StorageError {
        let (dir, wait) = (self.spool.dir.display(), if count == 1 { "report waits" } else { "reports wait" });
        StorageError::new(format!("kept in the spool {dir} ({count} {wait})"))
            .with_kind(StorageErrorKind::Spooled)
            .with_source(error)
    }

    fn refused(&self, refusal: &StorageError, error: StorageError) -> StorageError {
        let (dir, why) = (self.spool.dir.display(), ErrorChain(refusal));
        StorageError::new(format!("not stored, and not kept in the spool {dir} either ({why})"))
            .with_kind(error.kind())
            .with_source(error)
    }

    /// Stores what waits, oldest first, until nothing does, the storage fails, or it has been enough for once. A report that the
    /// storage refuses is not in the way of the others.
    async fn flush(&self, deadline: Instant) -> Flushed {
        let mut flushed = Flushed { reports: 0, end: End::Done, suspects: Vec::new(), refused: Vec::new() };
        if self.waiting(&HashSet::new()).await.is_empty() {
            return flushed;
        }
        let Some(_lock) = self.lock().await else {
            flushed.end = End::Busy;
            return flushed;
        };
        flushed.end = self.flush_each(&mut flushed, deadline).await;
        let refused = std::mem::take(&mut flushed.refused);
        if self.refuse(refused).await && self.waiting(&HashSet::new()).await.is_empty() {
            flushed.end = End::Done;
        }
        if flushed.reports > 0 {
            tracing::info!(reports = flushed.reports, dir = %self.spool.dir.display(), "stored what waited in the spool");
        }
        if let End::Done = flushed.end {
            // Once in an outage is often enough.
            let _ = blocking(&self.spool, |folder| folder.sweep()).await;
        }
        flushed
    }

    async fn flush_each(&self, flushed: &mut Flushed, deadline: Instant) -> End {
        let enough = Instant::now() + FLUSH_LIMIT;
        // Those that are done with, for this time or if the folder cannot be changed any more: they are there again in each
        // listing.
        let mut done = HashSet::new();
        let mut failure = None;
        loop {
            let names = self.waiting(&done).await;
            if names.is_empty() {
                return failure.map_or(End::Done, End::Failed);
            }
            for name in names {
                if flushed.reports >= MAX_FLUSHED || Instant::now() >= enough {
                    return failure.filter(|_| !flushed.suspects.is_empty()).map_or(End::Limit, End::Failed);
                }
                match self.flush_one(&name, deadline).await {
                    Ok(false) => {}
                    Ok(true) => {
                        flushed.reports += 1;
                        flushed.refused.append(&mut flushed.suspects);
                    }
                    // No answer in time says nothing about the report, and the next would take as long.
                    Err(error) if error.kind() == StorageErrorKind::Timeout => return End::Failed(error),
                    Err(error) => {
                        flushed.suspects.push(Suspect { name: name.clone(), why: ErrorChain(&error).to_string() });
                        if flushed.suspects.len() >= MAX_FAILURES {
                            return End::Failed(error);
                        }
                        failure = Some(error);
                    }
                }
                done.insert(name);
            }
        }
    }

    /// Counts that the storage refused these reports, while it took others. Whether one was set aside, which is told in the log.
    async fn refuse(&self, reports: Vec<Suspect>) -> bool {
        let mut is_aside = false;
        for Suspect { name, why } in reports {
            let owned = name.clone();
            match blocking(&self.spool, move |folder| folder.refuse(&owned)).await {
                Ok(None) => tracing::debug!(name, why, "left in the spool: the storage took others, and not this"),
                Ok(Some(path)) => {
                    is_aside = true;
                    let path = path.display();
                    tracing::error!(%path, why, "set aside in the spool (`.refused`): the storage took others, and not this");
                }
                Err(error) => self.warn("left in the spool: it cannot be renamed", &name, &error),
            }
        }
        is_aside
    }

    /// Stores one report that waits, and removes it. `false` if it is not there or cannot be read, which is told in the log.
    async fn flush_one(&self, name: &str, deadline: Instant) -> Result<bool, StorageError> {
        let owned = name.to_owned();
        let content = match blocking(&self.spool, move |folder| folder.read(&owned)).await {
            Ok(Some(content)) => content,
            Ok(None) => return Ok(false),
            Err(error) => {
                self.warn("left in the spool: it cannot be read", name, &error);
                return Ok(false);
            }
        };
        let owned = name.to_owned();
        match check_file::decode(&content) {
            Ok(results) => {
                self.store_inner(&Report::new(results), deadline).await?;
                if let Err(error) = blocking(&self.spool, move |folder| folder.remove(&owned)).await {
                    self.warn("stored, and not removed from the spool: it will be stored again", name, &error);
                }
                Ok(true)
            }
            Err(error) => {
                self.warn("set aside in the spool (`.broken`): it is no report", name, &error);
                if let Err(error) = blocking(&self.spool, move |folder| folder.set_aside(&owned)).await {
                    self.warn("left in the spool: it cannot be set aside", name, &error);
                }
                Ok(false)
            }
        }
    }

    /// The names of the reports that wait, oldest first, without those that are done with.
    async fn waiting(&self, done: &HashSet<String>) -> Vec<String> {
        let mut names = blocking(&self.spool, |folder| folder.reports()).await.unwrap_or_else(|error| {
            // The storage may work all the same; and if not, the error of keeping tells it.
            tracing::warn!(error = &error as &dyn std::error::Error, "what waits is not stored");
            Vec::new()
        });
        names.retain(|name| !done.contains(name));
        names
    }

    async fn waiting_error(&self, error: StorageError) -> StorageError {
        let dir = self.spool.dir.display();
        let reports = self.waiting(&HashSet::new()).await.len();
        let (waits, noun) = if reports == 1 { ("waits", "report") } else { ("wait", "reports") };
        StorageError::new(format!("{reports} {noun} {waits} in the spool {dir} and cannot be stored"))
            .with_kind(error.kind())
            .with_source(error)
    }

    async fn lock(&self) -> Option<Lock> {
        // Where there is no lock to be had, it goes without.
        blocking(&self.spool, |folder| folder.lock()).await.unwrap_or(None)
    }

    /// Stores in the storage itself, within the limits. A storage that panics is one that fails.
    async fn store_inner(&self, report: &Report, deadline: Instant) -> Result<(), StorageError> {
        // Called inside, so that a panic before the future is made is caught too.
        let store = AssertUnwindSafe(async { self.inner.store(report).await }).catch_unwind();
        let limit = STORE_LIMIT.min(deadline.saturating_duration_since(Instant::now()));
        match timeout(limit, store).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StorageError::new("the storage panicked in its store")),
            Err(_) => Err(StorageError::new(format!("the storage did not answer within {}", Human::rounded(limit)))
                .with_kind(StorageErrorKind::Timeout)),
        }
    }

    fn warn(&self, what: &str, name: &str, error: &StorageError) {
        tracing::warn!(name, dir = %self.spool.dir.display(), error = error as &dyn std::error::Error, "{what}");
    }
}

// A method that the trait gains later must not be missed here.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Storage for Spooled {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        // In a task of its own, which goes on when this is cancelled: then too, the report is stored or kept.
        let (spooled, report) = (self.clone(), report.clone());
        let task = tokio::spawn(async move { spooled.store_or_keep(&report).await });
        // An error says that the runtime ends.
        task.await.unwrap_or_else(|error| Err(StorageError::new("the store was interrupted").with_source(error)))
    }

    fn identity(&self) -> Option<String> {
        self.inner.identity()
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        self.inner.reader()
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        Some(self)
    }

    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        self.inner.provisioner()
    }

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        self.inner.publisher()
    }
}

#[async_trait]
impl StorageMaintainer for Spooled {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        let spooled = self.clone();
        let flushed = tokio::spawn(async move { spooled.flush(Instant::now() + WHOLE_LIMIT).await }).await;
        let flushed = flushed.map_err(|error| StorageError::new("the flush was interrupted").with_source(error))?;
        // The steps are independent: what cannot be stored does not keep a full storage from making room.
        let inner = match self.inner.maintainer() {
            Some(maintainer) => maintainer.maintain().await,
            None => Ok(Maintenance::default()),
        };
        let is_limited = matches!(flushed.end, End::Limit);
        let waiting = match flushed.end {
            End::Failed(error) => Some(self.waiting_error(error).await),
            _ => None,
        };
        let mut done = match (inner, waiting) {
            (Ok(done), None) => done,
            (Ok(done), Some(waiting)) if done.is_idle() && done.failures.is_empty() && flushed.reports == 0 => {
                return Err(waiting);
            }
            (Ok(mut done), Some(waiting)) => {
                done.failures.push(MaintenanceFailure::new(FLUSH, &waiting));
                done
            }
            (Err(error), None) if flushed.reports == 0 => return Err(error),
            (Err(error), waiting) => {
                let mut done = Maintenance::default();
                done.failures.push(MaintenanceFailure::new("maintain the storage", &error));
                done.failures.extend(waiting.map(|waiting| MaintenanceFailure::new(FLUSH, &waiting)));
                done
            }
        };
        done.flushed += flushed.reports;
        done.unfinished |= is_limited;
        Ok(done)
    }
}
