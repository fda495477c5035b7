//! [`Storage`]: stores reports, and optionally reads, maintains and publishes them.

mod error;
#[doc(hidden)]
pub mod plain_file;
mod provision;
mod publisher;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use error::{StorageError, StorageErrorKind};
pub use provision::{Provision, ProvisionChange, ProvisionStep, StorageProvisioner};
pub use publisher::{PageFile, PagePublisher, PageSource, Published};

use crate::archive::NamedFiles;
use crate::check_file::FileName;
use crate::summary::Summary;
use crate::{CheckResult, ConfigError, ErrorChain, Report, Timestamp};

/// Stores reports. Nothing more is required; reading, maintenance and the rest are optional capabilities that callers
/// ask for.
///
/// # Contract
///
/// For implementors:
/// - When [`store`](Self::store) returns `Ok`, the report is durable: it survives the death of the process.
/// - A stored report is never changed or replaced, by this process or another.
/// - Any number of tasks, processes and machines may store at the same time; all of their reports are kept.
/// - `store` may be cancelled (dropped) at any `.await`. The report is then stored completely or not at all.
/// - Storing the same report again may keep it twice: readers de-duplicate by name, endpoint, timestamp and location.
/// - Neither it nor its capabilities (reader, maintainer) block the thread: blocking work goes through
///   `tokio::task::spawn_blocking`.
/// - The storage bounds every wait on a network with a timeout.
/// - Errors contain no credentials.
///
/// For callers: after an error the report may or may not have been stored; storing it again is safe.
///
/// # Example
///
/// ```
/// use checkup_core::{Report, Storage, StorageError, async_trait};
///
/// /// Writes each run as a line of JSON to the log.
/// #[derive(Debug)]
/// struct Log;
///
/// #[async_trait]
/// impl Storage for Log {
///     async fn store(&self, report: &Report) -> Result<(), StorageError> {
///         let line = serde_json::to_string(report).map_err(|e| StorageError::new("cannot encode the report").with_source(e))?;
///         println!("{line}");
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// Stores the report of one run.
    ///
    /// # Errors
    ///
    /// If it could not be confirmed that the report was stored. Storing it again is safe.
    async fn store(&self, report: &Report) -> Result<(), StorageError>;

    /// What this stores into, without credentials: `s3://status/production`, `file:///var/lib/checkup`. Two storages
    /// with the same identity have the same check files. `None` if it has no name that outlives the process.
    fn identity(&self) -> Option<String> {
        None
    }

    /// Reads what was stored. `None` for a write-only storage.
    fn reader(&self) -> Option<&dyn StorageReader> {
        None
    }

    /// Applies retention and does other maintenance. `None` if this storage needs none.
    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        None
    }

    /// Creates what the storage needs before its first store. `None` if it needs nothing, or cannot create it.
    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        None
    }

    /// The files that the check files are kept in, if other files can be kept next to them, such as the beats of jobs. Default: `None`.
    fn files(&self) -> Option<&dyn NamedFiles> {
        None
    }

    /// Puts a status page next to the check files. `None` if readers of the check files could not read a page there.
    fn publisher(&self) -> Option<&dyn PagePublisher> {
        None
    }
}

/// Reads the check files of a storage.
///
/// # Contract
///
/// For implementors:
/// - [`list`](Self::list) returns every check file with a time of `since` or later in its name, oldest first, and
///   nothing that is not a check file.
/// - [`fetch`](Self::fetch) returns the results of a listed file. A broken file is an error for that file only.
///
/// For callers: a listed file may have been removed by the time it is fetched (retention). The error is then of kind
/// [`StorageErrorKind::NotFound`].
#[async_trait]
pub trait StorageReader: Send + Sync {
    /// The names of the check files from `since` on, oldest first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be listed.
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError>;

    /// The results in one check file.
    ///
    /// # Errors
    ///
    /// If the file no longer exists, cannot be read, or is not a check file.
    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError>;

    /// The summary that the storage keeps of its check files. `None` if it keeps none.
    /// [`history::read_summary`](crate::history::read_summary) adds what is missing from it, and also works without
    /// one.
    ///
    /// # Errors
    ///
    /// If the summary exists and cannot be read.
    async fn summary(&self) -> Result<Option<Summary>, StorageError> {
        Ok(None)
    }
}

/// Maintains a storage. The engine calls it after every successful store, including one-shot runs.
///
/// # Contract
///
/// For implementors:
/// - It removes only check files: those that have expired according to the storage's settings, and those whose results
///   are all in another check file (compaction).
/// - A clock that is ahead removes nothing: the history that is stored counts as well as the local clock. For storages
///   without an [`Archive`](crate::archive::Archive), [`Expiry`](crate::archive::Expiry) says what has expired.
/// - Each call does a limited amount of work, because it follows a store. The next call does the rest.
/// - It may run in many processes at the same time, and may be cancelled at any `.await`. Neither loses anything that
///   has not expired.
#[async_trait]
pub trait StorageMaintainer: Send + Sync {
    /// Does what is due now. The steps are independent: a step that fails is reported in [`Maintenance::failures`], and
    /// the others are still done.
    ///
    /// # Errors
    ///
    /// If a step failed and nothing else was done. Stored reports are not affected.
    async fn maintain(&self) -> Result<Maintenance, StorageError>;
}

/// What a maintenance did, and which steps failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintenance {
    /// How many expired check files were removed.
    pub expired: usize,
    /// How many check files were compacted: merged into larger ones, then removed.
    pub compacted: usize,
    /// How many reports from the [`Spool`](crate::Spool) were stored.
    pub flushed: usize,
    /// Whether more work is due now: the next maintenance continues with it.
    pub unfinished: bool,
    /// The steps that failed. The steps are independent, so the others were done.
    pub failures: Vec<MaintenanceFailure>,
}

impl Maintenance {
    /// A maintenance that removed this many expired check files.
    pub fn expired(count: usize) -> Self {
        Self { expired: count, ..Self::default() }
    }

    /// Whether nothing was done, apart from steps that failed.
    pub fn is_idle(&self) -> bool {
        self.expired + self.compacted + self.flushed == 0 && !self.unfinished
    }
}

/// A step of [`Maintenance`] that failed. Displays as what should have been done and why it was not.
///
/// ```
/// use checkup_core::{MaintenanceFailure, StorageError};
///
/// let failure = MaintenanceFailure::new("remove expired check files", &StorageError::new("the bucket is read-only"));
/// assert_eq!(failure.to_string(), "cannot remove expired check files: the bucket is read-only");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MaintenanceFailure {
    /// What should have been done, such as `compact check files`.
    pub step: String,
    /// The kind of the error.
    pub kind: StorageErrorKind,
    /// Why it was not done: the error and its sources.
    pub message: String,
}

impl MaintenanceFailure {
    /// A failed step. `step` follows the word "cannot".
    pub fn new(step: impl Into<String>, error: &StorageError) -> Self {
        Self { step: step.into(), kind: error.kind(), message: ErrorChain(error).to_string() }
    }
}

impl fmt::Display for MaintenanceFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.step, self.message)
    }
}

/// Anything that a checkup can store to: any [`Storage`], or settings that a storage can be made from.
pub trait IntoStorage {
    /// Makes the storage. This does no I/O: an unreachable storage is noticed when it is used.
    ///
    /// # Errors
    ///
    /// If the settings are invalid, with the key and the remedy.
    fn into_storage(self) -> Result<Arc<dyn Storage>, ConfigError>;
}

impl<T: Storage> IntoStorage for T {
    fn into_storage(self) -> Result<Arc<dyn Storage>, ConfigError> {
        Ok(Arc::new(self))
    }
}

// A method that is added to the trait later must be forwarded too.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Storage for Arc<dyn Storage> {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        self.as_ref().store(report).await
    }

    fn identity(&self) -> Option<String> {
        self.as_ref().identity()
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        self.as_ref().reader()
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        self.as_ref().maintainer()
    }

    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        self.as_ref().provisioner()
    }

    fn files(&self) -> Option<&dyn NamedFiles> {
        self.as_ref().files()
    }

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        self.as_ref().publisher()
    }
}
