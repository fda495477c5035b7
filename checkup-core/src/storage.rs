//! [`Storage`]: where reports are kept.

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

use crate::check_file::FileName;
use crate::summary::Summary;
use crate::{CheckResult, ConfigError, ErrorChain, Report, Timestamp};

/// Keeps reports. Storing is all that a write-only sink needs; more is a capability that callers ask for.
///
/// # Contract
///
/// For whoever implements it:
/// - When [`store`](Self::store) returns `Ok`, the report is durable: it survives the death of the process.
/// - A report that was stored is never changed or replaced, by this process or another.
/// - Any number of tasks, processes and machines may store at once; all of their reports are kept.
/// - `store` may be cancelled (dropped) at any `.await`; then the report is there whole, or not at all.
/// - Storing the same report again may keep it twice: readers de-duplicate by name, endpoint, timestamp and location.
/// - Every wait on a network is bounded by a timeout of the storage's own.
/// - Errors hold no credentials.
///
/// For whoever calls it: an error says that the report may not be stored; it is safe to store it again.
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
    /// Stores one run's report.
    ///
    /// # Errors
    ///
    /// If the report may not be stored. Storing it again is safe.
    async fn store(&self, report: &Report) -> Result<(), StorageError>;

    /// What this stores into, without credentials: `s3://status/production`, `file:///var/lib/checkup`. Two storages with the same
    /// identity hold the same check files. `None` if it has no name that outlasts the process.
    fn identity(&self) -> Option<String> {
        None
    }

    /// Reading what was stored, if this storage can.
    fn reader(&self) -> Option<&dyn StorageReader> {
        None
    }

    /// Retention and whatever else keeps the storage in shape, if this storage needs it.
    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        None
    }

    /// Making what the storage needs before its first store, if it needs anything and can.
    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        None
    }

    /// Putting the status page beside the check files, if whoever reads those here can read a page too.
    fn publisher(&self) -> Option<&dyn PagePublisher> {
        None
    }
}

/// Reads the check files of a storage.
///
/// # Contract
///
/// For whoever implements it:
/// - [`list`](Self::list) gives every check file whose name's time is `since` or later, oldest first, and nothing
///   that is not a check file.
/// - [`fetch`](Self::fetch) gives the results of a listed file. One broken file costs an error of its own, and
///   no other file.
///
/// For whoever calls it: a listed file may be gone when it is fetched (retention), which is
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
    /// If the file is gone, cannot be read, or is not a check file.
    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError>;

    /// The summary that the storage keeps of its check files, if it does. [`history::read_summary`](crate::history::read_summary) brings it up
    /// to date, and does without.
    ///
    /// # Errors
    ///
    /// If there is one and it cannot be read.
    async fn summary(&self) -> Result<Option<Summary>, StorageError> {
        Ok(None)
    }
}

/// Keeps a storage in shape. The engine calls it after every successful store, also in one-shot runs.
///
/// # Contract
///
/// For whoever implements it:
/// - It removes only what has expired by the storage's settings, and check files whose results are all in another
///   (compaction); and only check files.
/// - It does a bounded piece of work: it follows a store. What is left is for the next.
/// - It may run in many processes at once, and may be cancelled at any `.await`; nothing that is not
///   expired is lost by either.
#[async_trait]
pub trait StorageMaintainer: Send + Sync {
    /// Does what is due now. A step that fails does not keep the others from being done, and is in [`Maintenance::failures`].
    ///
    /// # Errors
    ///
    /// If nothing was done because a step failed. What was stored is not affected.
    async fn maintain(&self) -> Result<Maintenance, StorageError>;
}

/// What one maintenance did, and what it could not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintenance {
    /// How many expired check files were removed.
    pub expired: usize,
    /// How many check files were compacted: merged into larger ones, and removed.
    pub compacted: usize,
    /// How many reports were stored that had waited in the [`Spool`](crate::Spool).
    pub flushed: usize,
    /// Whether there is more to do now: another maintenance continues with it.
    pub unfinished: bool,
    /// The steps that failed. They are independent: the other steps were done.
    pub failures: Vec<MaintenanceFailure>,
}

impl Maintenance {
    /// Maintenance that removed this many expired check files.
    pub fn expired(count: usize) -> Self {
        Self { expired: count, ..Self::default() }
    }

    /// Whether it did nothing, apart from what failed.
    pub fn is_idle(&self) -> bool {
        self.expired + self.compacted + self.flushed == 0 && !self.unfinished
    }
}

/// A step of [`Maintenance`] that failed. Displays as what was to be done, and why it was not.
///
/// ```
/// use checkup_core::{MaintenanceFailure, StorageError};
///
/// let failure = MaintenanceFailure::new("remove what has expired", &StorageError::new("the bucket is read-only"));
/// assert_eq!(failure.to_string(), "cannot remove what has expired: the bucket is read-only");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MaintenanceFailure {
    /// What was to be done, such as `compact check files`.
    pub step: String,
    /// What kind of error it was.
    pub kind: StorageErrorKind,
    /// Why it was not done: the error with its sources.
    pub message: String,
}

impl MaintenanceFailure {
    /// The failure of a step, in words that follow "cannot".
    pub fn new(step: impl Into<String>, error: &StorageError) -> Self {
        Self { step: step.into(), kind: error.kind(), message: ErrorChain(error).to_string() }
    }
}

impl fmt::Display for MaintenanceFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.step, self.message)
    }
}

/// What a checkup can store to: any [`Storage`], or settings that become one.
pub trait IntoStorage {
    /// The storage with these settings. It does no I/O: a storage that cannot be reached shows when it is used.
    ///
    /// # Errors
    ///
    /// If the settings cannot work, with the key and the remedy.
    fn into_storage(self) -> Result<Arc<dyn Storage>, ConfigError>;
}

impl<T: Storage> IntoStorage for T {
    fn into_storage(self) -> Result<Arc<dyn Storage>, ConfigError> {
        Ok(Arc::new(self))
    }
}

// A method that the trait gains later must not fall back to its default here.
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

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        self.as_ref().publisher()
    }
}
