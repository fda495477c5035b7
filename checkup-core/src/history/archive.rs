//! The archive: a history of check files in whatever holds named files.
//!
//! [`Archive`] makes a storage of any [`NamedFiles`] (a directory, a bucket, [memory](MemoryFiles)): it names the check files,
//! reads them, removes what has expired, and compacts many small files into few. [`read`](crate::history::read) reads the results of any
//! storage, each once.
//!
//! A history is a set of check files, and nobody ever changes one. Any number of nodes write to it without a lock or a
//! leader; whoever reads it all has everything.
//!
//! # Names
//!
//! `<nanoseconds>[-<location>][-<hash>]-check.json`: the time of the latest result, with 19 digits, so that names order as their
//! times do, and a hash of the content. A report's name is thus its own: stored again, it is there once. Compacted files are
//! `<nanoseconds>-compacted[-full]-<hash>-check.json`, with the time of their latest source. Upstream's page and tool read all of
//! these as check files.
//!
//! # Compaction
//!
//! Twenty minutes after its end an hour, and then a day (both in UTC), counts as closed. The check files of a closed day
//! become one of up to 4 MiB, or a few; and so do those of each closed hour of the day that is still open. Files that arrive later
//! are merged with them by a later pass. The results are copied as they are.
//!
//! # Maintenance
//!
//! [`maintain`](crate::StorageMaintainer::maintain) compacts at most 1,000 files at a time, and says in
//! [`Maintenance::unfinished`] if there is more. After a store it looks only for what can have become due since it last looked:
//! with one list of at most 64 names, once an hour in a process. If that finds something to compact, or if `maintain` follows
//! no store, it looks at all of the names. Then it renews [`summary.json`](crate::summary), and last removes what has expired.

mod compaction;
mod expiry;
mod files;
mod listing;
mod memory;
mod naming;
mod retention;
mod summarising;

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

pub use files::{NamedFiles, Put};
pub use memory::MemoryFiles;
pub use retention::{Retention, SUMMARY_EXPIRY};

use crate::check_file::{self, FileName};
use crate::summary::Summary;
use crate::{
    CheckResult, Maintenance, PagePublisher, Report, Storage, StorageError, StorageErrorKind, StorageMaintainer,
    StorageProvisioner, StorageReader, Timestamp,
};
use compaction::Due;
use listing::Listing;
use summarising::Summarising;

/// How many names are tried. They spread over a second: so many collisions are a fault, not bad luck.
const MAX_NAMES: u32 = 10_000;

/// How many names are listed at once for somebody who wants them all.
const PAGE: usize = 100_000;

/// How long it is believed that nothing older came after the oldest file.
const TRUST: Duration = Duration::from_secs(3600);

/// Before all times: it is not known when there is something to do.
const EVER: Timestamp = Timestamp::from_unix_nanos(i64::MIN);

/// How many broken files are remembered; the others are read again by each pass.
const MAX_BROKEN: usize = 10_000;

/// A storage that keeps check files in any [`NamedFiles`].
///
/// ```
/// use std::time::Duration;
/// use checkup_core::archive::{Archive, MemoryFiles};
/// use checkup_core::{Checkup, Timestamp, check_fn, history};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let files = MemoryFiles::new();
/// let archive = || Archive::new(files.clone()).check_expiry(Duration::from_secs(90 * 24 * 3600));
/// let checkup = Checkup::builder()
///     .check(check_fn("queue", || async { Ok::<_, std::io::Error>(()) }))
///     .storage(archive())
///     .build()?;
/// checkup.check_and_store().await?;
///
/// let history = history::read(&archive(), Timestamp::from_unix_nanos(0)).await?;
/// assert_eq!(history.results[0].name, "queue");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Archive<F> {
    files: F,
    retention: Retention,
    plain_names: bool,
    state: Mutex<State>,
}

/// What is known of the files, so that not every maintenance must look.
#[derive(Debug)]
struct State {
    /// How many stores have not been followed by a maintenance. One that follows no store is asked for, and looks at all.
    stores: usize,
    /// When something may have expired.
    expires: Timestamp,
    /// When there may be something to compact.
    closes: Timestamp,
    /// Whether there is something to compact, because the last pass did not do it all.
    unfinished: bool,
    /// Files that cannot be compacted, because they are no check files inside.
    broken: HashSet<FileName>,
}

impl<F: NamedFiles> Archive<F> {
    /// An archive in these files, with the default [`Retention`]: it keeps everything, and compacts it.
    pub fn new(files: F) -> Self {
        let state = State { stores: 0, expires: EVER, closes: EVER, unfinished: false, broken: HashSet::new() };
        Self { files, retention: Retention::new(), plain_names: false, state: Mutex::new(state) }
    }

    /// How long check files and daily statistics are kept, and whether check files are compacted.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Sets [`Retention::check_expiry`].
    #[must_use]
    pub fn check_expiry(mut self, check_expiry: Duration) -> Self {
        self.retention.check_expiry = check_expiry;
        self
    }

    /// Sets [`Retention::summary_expiry`].
    #[must_use]
    pub fn summary_expiry(mut self, summary_expiry: Duration) -> Self {
        self.retention.summary_expiry = summary_expiry;
        self
    }

    /// Sets [`Retention::compact`].
    #[must_use]
    pub fn compact(mut self, compact: bool) -> Self {
        self.retention.compact = compact;
        self
    }

    /// Leaves the hash of the content out of the names: they are upstream's, unless there is a location. Default: false.
    ///
    /// It is for files whose [`put_if_absent`](NamedFiles::put_if_absent) is sure to hold its contract. With the hash, no report is
    /// lost even where a server ignores the condition: it replaces a file by its equal.
    #[must_use]
    pub fn plain_names(mut self, plain_names: bool) -> Self {
        self.plain_names = plain_names;
        self
    }

    /// What the check files are in.
    pub fn files(&self) -> &F {
        &self.files
    }

    async fn expire(&self, now: Timestamp, thorough: bool) -> Result<usize, StorageError> {
        if self.retention.check_expiry.is_zero() || !thorough && now < self.state().expires {
            return Ok(0);
        }
        let cutoff = now.saturating_sub(self.retention.check_expiry);
        let done = expiry::expire(&self.files, cutoff).await?;
        // Whatever is stored from now on expires later than what is there, unless its node's clock is behind.
        let next = done
            .oldest
            .unwrap_or(now)
            .saturating_add(self.retention.check_expiry)
            .saturating_add(Duration::from_nanos(1));
        self.state().expires = next.min(now.saturating_add(TRUST));
        Ok(done.count)
    }

    /// Compacts and summarises what is due.
    async fn tidy(&self, now: Timestamp, thorough: bool) -> Result<Maintenance, StorageError> {
        let (thorough, continued, broken) = {
            let state = self.state();
            let continued = state.unfinished;
            if !thorough && !continued && now < state.closes {
                return Ok(Maintenance::default());
            }
            (thorough || continued, continued, state.broken.clone())
        };
        let due = match self.retention.compact {
            _ if thorough => Due::Files,
            true => compaction::is_due(&self.files, now, &broken).await?,
            false => Due::Summary,
        };
        let mut done = compaction::Compacted::default();
        if self.retention.compact && due == Due::Files {
            done = compaction::pass(&self.files, now, &broken).await?;
        }
        if due != Due::Nothing && !done.unfinished {
            let check_cutoff = match self.retention.check_expiry {
                Duration::ZERO => Timestamp::from_unix_nanos(i64::MIN),
                check_expiry => now.saturating_sub(check_expiry),
            };
            // What a pass did not get to is after what it did.
            let (expiry, all) = (self.retention.summary_expiry, due == Due::Files && !continued);
            let summarising = Summarising { files: &self.files, now, expiry, check_cutoff, all, thorough };
            done.unfinished = summarising.run().await?;
        }
        let mut state = self.state();
        state.unfinished = done.unfinished;
        state.closes = naming::next_closing(now);
        for name in &done.broken {
            tracing::warn!(%name, "left alone by compaction: it is not a check file");
        }
        let room = MAX_BROKEN.saturating_sub(state.broken.len());
        state.broken.extend(done.broken.into_iter().take(room));
        Ok(Maintenance { compacted: done.merged, unfinished: done.unfinished, ..Maintenance::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; and if it did, the worst is that one more listing is made.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the file is there with this content, now or since before.
async fn is_put<F: NamedFiles>(files: &F, name: &FileName, content: &[u8]) -> Result<bool, StorageError> {
    if files.put_if_absent(name.as_str(), content).await? == Put::Created {
        return Ok(true);
    }
    // It was put before and the answer was lost, or somebody puts the same; or another file has the name. If it is not there, it
    // is not there yet, or has been compacted; then another name is as good.
    match files.get(name.as_str()).await {
        Ok(other) => Ok(other == content),
        Err(error) if matches!(error.kind(), StorageErrorKind::NotFound | StorageErrorKind::Corrupt) => Ok(false),
        Err(error) => Err(error),
    }
}

// A method that the trait gains later must not fall back to its default here.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<F: NamedFiles> Storage for Archive<F> {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        let content = check_file::encode(&report.results)?;
        for attempt in 0..MAX_NAMES {
            let name = naming::stored(&report.results, &content, !self.plain_names, attempt);
            if is_put(&self.files, &name, &content).await? {
                self.state().stores += 1;
                return Ok(());
            }
        }
        Err(StorageError::new(format!("found no free name for a check file in {MAX_NAMES} attempts")))
    }

    fn identity(&self) -> Option<String> {
        self.files.identity()
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        Some(self)
    }

    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        self.files.provisioner()
    }

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        self.files.publisher()
    }
}

#[async_trait]
impl<F: NamedFiles> StorageReader for Archive<F> {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        let mut listing = Listing::new(&self.files, naming::from(since), PAGE);
        let mut names = Vec::new();
        while let Some(name) = listing.next().await? {
            // Names with fewer digits are not where their time is.
            if name.timestamp() >= since {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        let content = self.files.get(name.as_str()).await?;
        check_file::decode(&content).map_err(|error| {
            StorageError::new(format!("{name} is not a check file")).with_kind(error.kind()).with_source(error)
        })
    }

    async fn summary(&self) -> Result<Option<Summary>, StorageError> {
        summarising::load(&self.files).await
    }
}

#[async_trait]
impl<F: NamedFiles> StorageMaintainer for Archive<F> {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        let now = Timestamp::now();
        let thorough = {
            let mut state = self.state();
            let stores = state.stores;
            state.stores = stores.saturating_sub(1);
            stores == 0
        };
        self.files.tidy(!thorough).await?;
        let mut done = self.tidy(now, thorough).await?;
        // What is removed is summarised first.
        if !done.unfinished {
            done.expired = self.expire(now, thorough).await?;
        }
        Ok(done)
    }
}
