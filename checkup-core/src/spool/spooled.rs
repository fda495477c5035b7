use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use tokio::time::{Instant, timeout};

use super::Spool;
use super::folder::{Lock, blocking};
use crate::archive::NamedFiles;
use crate::duration::GoDuration;
use crate::{
    ErrorChain, Maintenance, MaintenanceFailure, PagePublisher, Report, Storage, StorageError, StorageErrorKind,
    StorageMaintainer, StorageProvisioner, StorageReader, check_file,
};

/// How long the storage may take for one report. The storage's own timeouts are usually shorter, and their errors say
/// more.
const STORE_LIMIT: Duration = Duration::from_secs(40);

/// How long a store may take, including the flush before it. The engine abandons a store after a minute, and the report
/// would then be neither stored nor kept; this leaves time to write it to the disk.
const WHOLE_LIMIT: Duration = Duration::from_secs(50);

/// For how long, and at most how many reports, one store flushes before its own.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);
const MAX_FLUSHED: usize = 1000;

/// After this many consecutive failures, the storage is considered down, and the reports are not considered refused.
const MAX_FAILURES: usize = 3;

/// A step of the maintenance. It follows the word "cannot".
const FLUSH: &str = "store the reports in the spool";

/// A storage with a spool in front of it.
#[derive(Clone, Debug)]
pub(crate) struct Spooled {
    inner: Arc<dyn Storage>,
    spool: Spool,
}

/// How far the waiting reports were stored.
#[derive(Debug)]
struct Flushed {
    reports: usize,
    end: End,
    /// The reports that failed since the last success. If another report is stored now, the storage has refused these.
    suspects: Vec<Suspect>,
    /// The reports that failed before another one was stored.
    refused: Vec<Suspect>,
}

/// A waiting report that could not be stored.
#[derive(Debug)]
struct Suspect {
    name: String,
    why: String,
}

#[derive(Debug)]
enum End {
    /// No report that can be stored waits any longer.
    Done,
    /// Another process is flushing.
    Busy,
    /// The limit for one flush was reached.
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
            // The failure was not a timeout, so it may be caused by the reports that were tried.
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
                let why = "the waiting reports are being stored right now, and this one queues behind them";
                (StorageError::new(why), false)
            }
            End::Limit => {
                let count = flushed.reports;
                let why = format!("this report queues behind the waiting ones, of which {count} were just stored");
                (StorageError::new(why), false)
            }
        };
        let refusal = match self.keep(report).await {
            Ok(count) => return Err(self.kept(count, error)),
            Err(refusal) => refusal,
        };
        if !was_tried {
            // Storing it out of order is better than losing it.
            match self.store_inner(report, deadline).await {
                Ok(()) => return Ok(()),
                Err(failure) => error = failure,
            }
        }
        Err(self.refused(&refusal, error))
    }

    /// Puts a report into the spool. Returns how many wait now.
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

    /// Stores the waiting reports, oldest first, until none is left, the storage fails, or the limit for one flush is
    /// reached. A report that the storage refuses does not block the others.
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
            tracing::info!(reports = flushed.reports, dir = %self.spool.dir.display(), "stored the reports that waited in the spool");
        }
        if let End::Done = flushed.end {
            // During an outage, one message is enough.
            let _ = blocking(&self.spool, |folder| folder.sweep()).await;
        }
        flushed
    }

    async fn flush_each(&self, flushed: &mut Flushed, deadline: Instant) -> End {
        let enough = Instant::now() + FLUSH_LIMIT;
        // The reports that this flush has dealt with. If they cannot be removed from the folder, they appear in each
        // listing again.
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
                    // A timeout says nothing about the report, and the next one would take as long.
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

    /// Counts that the storage refused these reports while it accepted others. Returns whether one was set aside, and
    /// logs it.
    async fn refuse(&self, reports: Vec<Suspect>) -> bool {
        let mut is_aside = false;
        for Suspect { name, why } in reports {
            let owned = name.clone();
            match blocking(&self.spool, move |folder| folder.refuse(&owned)).await {
                Ok(None) => tracing::debug!(
                    name,
                    why,
                    "left in the spool: the storage accepted other reports, but not this one"
                ),
                Ok(Some(path)) => {
                    is_aside = true;
                    let path = path.display();
                    tracing::error!(%path, why, "set aside in the spool (`.refused`): the storage accepted other reports, but not this one");
                }
                Err(error) => self.warn("left in the spool: it cannot be renamed", &name, &error),
            }
        }
        is_aside
    }

    /// Stores a waiting report and removes it. `false` if it does not exist or cannot be read, which is logged.
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
                    self.warn("stored, but not removed from the spool: it will be stored again", name, &error);
                }
                Ok(true)
            }
            Err(error) => {
                self.warn("set aside in the spool (`.broken`): it is not a report", name, &error);
                if let Err(error) = blocking(&self.spool, move |folder| folder.set_aside(&owned)).await {
                    self.warn("left in the spool: it cannot be set aside", name, &error);
                }
                Ok(false)
            }
        }
    }

    /// The names of the waiting reports, oldest first, without those that were dealt with.
    async fn waiting(&self, done: &HashSet<String>) -> Vec<String> {
        let mut names = blocking(&self.spool, |folder| folder.reports()).await.unwrap_or_else(|error| {
            // The storage may still work. If it does not, keeping the report fails with the same error.
            tracing::warn!(error = &error as &dyn std::error::Error, "the waiting reports are not stored");
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
        // Without a lock, it flushes anyway.
        blocking(&self.spool, |folder| folder.lock()).await.unwrap_or(None)
    }

    /// Stores in the inner storage, within the limits. A panic of the storage is a failure.
    async fn store_inner(&self, report: &Report, deadline: Instant) -> Result<(), StorageError> {
        // Called inside the future, so that a panic before it is made is caught too.
        let store = AssertUnwindSafe(async { self.inner.store(report).await }).catch_unwind();
        let limit = STORE_LIMIT.min(deadline.saturating_duration_since(Instant::now()));
        match timeout(limit, store).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StorageError::new("the storage panicked in its store")),
            Err(_) => {
                Err(StorageError::new(format!("the storage did not answer within {}", GoDuration::rounded(limit)))
                    .with_kind(StorageErrorKind::Timeout))
            }
        }
    }

    fn warn(&self, what: &str, name: &str, error: &StorageError) {
        tracing::warn!(name, dir = %self.spool.dir.display(), error = error as &dyn std::error::Error, "{what}");
    }
}

// A method that is added to the trait later must be forwarded too.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Storage for Spooled {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        // In a separate task, which continues if this is cancelled: the report is then still stored or kept.
        let (spooled, report) = (self.clone(), report.clone());
        let task = tokio::spawn(async move { spooled.store_or_keep(&report).await });
        // An error means that the runtime is shutting down.
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

    fn files(&self) -> Option<&dyn NamedFiles> {
        self.inner.files()
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
        // The steps are independent: reports that cannot be stored do not keep a full storage from making room.
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
