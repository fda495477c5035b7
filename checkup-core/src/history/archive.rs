//! The archive: a history of check files, kept in anything that holds named files.
//!
//! [`Archive`] makes a storage from any [`NamedFiles`] (a directory, a bucket, [memory](MemoryFiles)): it names the
//! check files, reads them, removes expired ones, and compacts many small files into a few large ones.
//! [`read`](crate::history::read) reads the results of any storage, each once.
//!
//! A history is a set of check files that never change. Any number of nodes write to it, without a lock or a leader.
//! Readers that read all files have the whole history.
//!
//! # Names
//!
//! `<nanoseconds>[-<location>][-<hash>]-check.json`: the time of the latest result, with 19 digits, so that names sort
//! as their times do, and a hash of the content. The name is derived from the report, so storing a report again yields
//! the same file. Compacted files are named `<nanoseconds>-compacted[-full]-<hash>-check.json`, with the time of their
//! latest source. The page and tool of the original Checkup read all of these as check files.
//!
//! # Compaction
//!
//! An hour or a day (in UTC) is closed twenty minutes after its end. The check files of a closed day become one file of
//! up to 4 MiB, or a few of them. So do those of each closed hour of the day that is still open. Files that arrive later
//! are merged by a later pass. The results are copied unchanged.
//!
//! # Maintenance
//!
//! [`maintain`](crate::StorageMaintainer::maintain) consists of independent steps: if one fails, the others are still
//! done, and the failure is reported in [`Maintenance::failures`]. It compacts at most 1,000 files at a time, and
//! [`Maintenance::unfinished`] says whether there is more to do. After a store it only looks for work that can have
//! become due since it last looked, with one list of at most 64 names, once an hour in each process. If that finds
//! files to compact, or if `maintain` does not follow a store, it looks at all names. It then updates
//! [`summary.json`](crate::summary).
//!
//! Expired check files are removed before that, so that they make room on a full disk, and again after it. Only files
//! whose results are in the summary are removed. The local clock counts only as far as the history confirms it, so a
//! clock that is ahead removes nothing.

mod clock;
mod compaction;
mod done;
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

pub use clock::Expiry;
pub use files::{NamedFiles, Put};
pub use memory::MemoryFiles;
pub use retention::{Retention, SUMMARY_EXPIRY};

use crate::check_file::{self, FileName};
use crate::summary::Summary;
use crate::text::escape;
use crate::{
    CheckResult, Maintenance, PagePublisher, Report, Storage, StorageError, StorageErrorKind, StorageMaintainer,
    StorageProvisioner, StorageReader, Timestamp,
};
use clock::Clock;
use compaction::Due;
use done::Done;
use expiry::Removable;
use listing::Listing;
use summarising::Summarising;

/// How many names are tried for a report. They are spread over a second, so this many collisions are a fault, not bad
/// luck.
const MAX_NAMES: u32 = 10_000;

/// How many names are listed per request when all of them are needed.
const PAGE: usize = 100_000;

/// How long the oldest known file is assumed to stay the oldest.
const TRUST: Duration = Duration::from_secs(3600);

/// Earlier than all times: it is not known when work becomes due.
const EVER: Timestamp = Timestamp::from_unix_nanos(i64::MIN);

/// How many broken files are remembered. Each pass reads the others again.
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

/// What is known about the files, which saves most maintenance runs from looking.
#[derive(Debug)]
struct State {
    /// How many stores have not been followed by maintenance yet. Maintenance that does not follow a store was
    /// requested, and looks at everything.
    stores: usize,
    /// When a file may have expired.
    expires: Timestamp,
    /// When there may be files to compact.
    closes: Timestamp,
    /// Whether the last pass left files to compact.
    unfinished: bool,
    /// Files that cannot be compacted, because their content is not that of a check file.
    broken: HashSet<FileName>,
}

impl<F: NamedFiles> Archive<F> {
    /// An archive in these files, with the default [`Retention`]: it keeps and compacts every check file.
    pub fn new(files: F) -> Self {
        let state = State { stores: 0, expires: EVER, closes: EVER, unfinished: false, broken: HashSet::new() };
        Self { files, retention: Retention::new(), plain_names: false, state: Mutex::new(state) }
    }

    /// Sets how long check files and daily statistics are kept, and whether check files are compacted.
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

    /// Leaves the hash of the content out of the names, which are then those of the original Checkup, unless there is a
    /// location. Default: false.
    ///
    /// Only for files whose [`put_if_absent`](NamedFiles::put_if_absent) is certain to keep its contract. With the
    /// hash, no report is lost even if a server ignores the condition: it replaces a file with an identical one.
    #[must_use]
    pub fn plain_names(mut self, plain_names: bool) -> Self {
        self.plain_names = plain_names;
        self
    }

    /// The files that hold the archive.
    pub fn files(&self) -> &F {
        &self.files
    }

    /// Removes expired check files that the summary has, by the time that the history confirms.
    async fn expire(&self, now: Timestamp, thorough: bool) -> Result<Expired, StorageError> {
        let expiry = self.retention.check_expiry;
        if expiry.is_zero() || !thorough && now < self.state().expires {
            return Ok(Expired::default());
        }
        let by_the_clock = expiry::cutoff(now, expiry);
        let mut done = Expired::default();
        let oldest = match expiry::oldest(&self.files).await? {
            Ok(oldest) if oldest >= by_the_clock => Some(oldest),
            Err(false) => None,
            _ => {
                let trusted = Clock::look(&self.files, now).await?;
                let summary = summarising::load_first(&self.files).await?.unwrap_or_default();
                let removable = Removable {
                    cutoff: expiry::cutoff(trusted.trusted, expiry),
                    summary: &summary,
                    summary_cutoff: expiry::cutoff(trusted.trusted, self.retention.summary_expiry),
                };
                let expired = expiry::expire(&self.files, &removable).await?;
                done.count = expired.count;
                done.doubt = trusted.doubt().filter(|_| expired.oldest.is_some_and(|oldest| oldest < by_the_clock));
                done.kept = expired.first_kept.map(|first| (expired.kept, first));
                expired.oldest
            }
        };
        // Reports that are stored from now on expire later than the existing ones, unless the clock of their node is
        // behind.
        let next = match done.kept {
            Some(_) => now.saturating_add(TRUST),
            None => oldest.unwrap_or(now).saturating_add(expiry).saturating_add(Duration::from_nanos(1)),
        };
        self.state().expires = next.min(now.saturating_add(TRUST));
        Ok(done)
    }

    /// Compacts and summarises what is due. `summarise` means that expired check files wait for the summary.
    async fn compact_and_summarise(&self, now: Timestamp, thorough: bool, summarise: bool, done: &mut Done) {
        let (thorough, continued, broken) = {
            let state = self.state();
            let continued = state.unfinished;
            if !thorough && !continued && !summarise && now < state.closes {
                return;
            }
            (thorough || continued, continued, state.broken.clone())
        };
        let due = match self.retention.compact {
            _ if thorough => Ok(Due::Files),
            true => compaction::is_due(&self.files, now, &broken).await,
            false => Ok(Due::Summary),
        };
        let due = match done.check(LOOK, due) {
            Some(Due::Nothing) | None if summarise => Due::Summary,
            Some(due) => due,
            None => return,
        };
        let mut compacted = compaction::Compacted::default();
        if self.retention.compact && due == Due::Files && !done.is_silent {
            let passed = compaction::pass(&self.files, now, &broken, &mut compacted).await;
            done.check(COMPACT, passed);
            for error in compacted.unreadable.drain(..) {
                done.fail(COMPACT, error);
            }
        }
        let mut unfinished = compacted.unfinished;
        if due != Due::Nothing && !unfinished && !done.is_silent {
            let summarised = self.summarise(now, due == Due::Files && !continued, thorough || summarise).await;
            unfinished = done.check(SUMMARISE, summarised).unwrap_or(false);
        }
        let mut state = self.state();
        state.unfinished = unfinished;
        state.closes = naming::next_closing(now);
        for name in &compacted.broken {
            tracing::warn!(name = %escape(name.as_str()), "compaction skips a file that is not a check file");
        }
        let room = MAX_BROKEN.saturating_sub(state.broken.len());
        state.broken.extend(compacted.broken.into_iter().take(room));
        done.maintenance.compacted = compacted.merged;
        done.maintenance.unfinished = unfinished;
    }

    async fn summarise(&self, now: Timestamp, all: bool, thorough: bool) -> Result<bool, StorageError> {
        let trusted = Clock::look(&self.files, now).await?.trusted;
        let check_cutoff = expiry::cutoff(trusted, self.retention.check_expiry);
        // Days also expire by the time that the history confirms: otherwise a clock that is ahead would drop them from
        // the summary.
        let expiry = match self.retention.summary_expiry {
            Duration::ZERO => Duration::ZERO,
            expiry => expiry.saturating_add(now.since(trusted)),
        };
        Summarising { files: &self.files, now, expiry, check_cutoff, all, thorough }.run().await
    }

    /// Warns about check files from the future, which are otherwise ignored.
    async fn warn_of_the_future(&self, now: Timestamp) -> Result<(), StorageError> {
        let names = self.files.list(&naming::from(now.saturating_add(naming::GRACE)), FUTURE).await?;
        let names = names.iter().take_while(|name| name.as_str() < naming::END);
        if let Some(name) = names.filter_map(|name| FileName::parse(name)).find(FileName::is_removable) {
            tracing::warn!(
                name = %escape(name.as_str()), time = %name.timestamp(),
                "there is a check file from the future: the clock of this node is behind, or that of another was ahead"
            );
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held. Even if it did, the result would only be one more listing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the file exists with this content, now or from before.
async fn is_put<F: NamedFiles>(files: &F, name: &FileName, content: &[u8]) -> Result<bool, StorageError> {
    if files.put_if_absent(name.as_str(), content).await? == Put::Created {
        return Ok(true);
    }
    // It was put before and the response was lost, another process puts the same content, or another file has the name.
    // If the file does not exist, it does not exist yet or has been compacted; then another name is just as good.
    match files.get(name.as_str()).await {
        Ok(other) => Ok(other == content),
        Err(error) if matches!(error.kind(), StorageErrorKind::NotFound | StorageErrorKind::Corrupt) => Ok(false),
        Err(error) => Err(error),
    }
}

// A method that is added to the trait later must be forwarded too.
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

    fn files(&self) -> Option<&dyn NamedFiles> {
        Some(&self.files)
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
            // The position of a name with fewer digits does not match its time.
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
        let mut done = Done::default();
        done.check(TIDY, self.files.tidy(!thorough).await);
        // First remove the files that the summary already covers: on a full disk this makes room for the rest.
        let is_continued = self.state().unfinished;
        let before = match is_continued {
            true => Expired { is_unknown: true, ..Expired::default() },
            false => self.expire_once(now, thorough, &mut done).await,
        };
        let waits = before.kept.is_some() || before.is_unknown;
        if !done.is_silent {
            self.compact_and_summarise(now, thorough, waits, &mut done).await;
        }
        let mut last = before;
        // Then remove the files that the new summary covers.
        if waits && !done.is_silent && !done.maintenance.unfinished {
            last = self.expire_once(now, true, &mut done).await;
        }
        if let Some((kept, first)) = last.kept.filter(|_| !done.maintenance.unfinished) {
            let first = escape(first.as_str()).into_owned();
            let (files, are) = match kept {
                1 => ("1 check file has".to_owned(), "is"),
                _ => (format!("{kept} check files have"), "are"),
            };
            done.fail(
                EXPIRE,
                StorageError::new(format!("{files} expired and {are} not in the summary; the first is {first}")),
            );
        }
        if let Some(error) = last.error {
            done.fail(EXPIRE, error);
        }
        if let Some(doubt) = last.doubt {
            done.fail(EXPIRE, StorageError::new(doubt));
        }
        if thorough && !done.is_silent {
            let warned = self.warn_of_the_future(now).await;
            done.check(LOOK, warned);
        }
        done.into_result()
    }
}

// The steps. They follow the word "cannot".
const TIDY: &str = "update derived files";
const LOOK: &str = "look for due work";
const COMPACT: &str = "compact check files";
const SUMMARISE: &str = "summarise the history";
const EXPIRE: &str = "remove expired check files";

/// How many names are listed to find a check file from the future.
const FUTURE: usize = 64;

/// The outcome of an attempt to remove expired check files.
#[derive(Debug, Default)]
struct Expired {
    count: usize,
    /// How many expired check files stay because the summary does not have them, and the first of them.
    kept: Option<(usize, FileName)>,
    /// Why the local clock is not trusted, if files would have expired by it.
    doubt: Option<String>,
    /// Why it is unknown what has expired, and whether a new summary may change that.
    error: Option<StorageError>,
    is_unknown: bool,
}

impl<F: NamedFiles> Archive<F> {
    async fn expire_once(&self, now: Timestamp, thorough: bool, done: &mut Done) -> Expired {
        match self.expire(now, thorough).await {
            Ok(expiry) => {
                done.maintenance.expired += expiry.count;
                expiry
            }
            Err(error) => {
                done.is_silent |= error.kind() == StorageErrorKind::Timeout;
                Expired { error: Some(error), is_unknown: true, ..Expired::default() }
            }
        }
    }
}
