//! [`Spool`]: where reports wait while their storage cannot be reached.

mod folder;
mod spooled;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{ConfigError, ConfigProblems, StorageError, validate_path};

pub(crate) use spooled::Spooled;

/// How large a spool may become unless set otherwise: a week of a run every minute with some 20 checks.
const DEFAULT_MAX_BYTES: u64 = 64 << 20;

/// A local folder in which reports wait while their storage cannot be reached: `{"dir": "/var/lib/checkup/spool"}`.
///
/// Given to a checkup, it stands before the checkup's storage. When a store fails, or takes longer than 40 seconds, the report
/// is kept in the folder, and the error is of kind [`Spooled`](crate::StorageErrorKind::Spooled). Each store first stores what
/// waits, oldest first, and so does [`maintain`](crate::StorageMaintainer::maintain); while the storage fails, a new report
/// goes behind what waits.
///
/// ```
/// use checkup_core::archive::{Archive, MemoryFiles};
/// use checkup_core::{Checkup, Spool, StorageErrorKind, check_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let dir = temporary.path().join("spool");
/// let checkup = Checkup::builder()
///     .check(check_fn("queue", || async { Ok::<_, std::io::Error>(()) }))
///     .storage(Archive::new(MemoryFiles::new()))
///     .spool(Spool::new(dir))
///     .build()?;
///
/// match checkup.check_and_store().await {
///     Ok(_) => {}
///     // It is stored later, by whoever stores next.
///     Err(error) if error.kind() == StorageErrorKind::Spooled => eprintln!("{error}"),
///     Err(error) => return Err(error.into()),
/// }
///
/// // For a metric, or a page about the node:
/// if let Some(spool) = checkup.spool() {
///     assert_eq!(spool.waiting().await?.reports, 0);
/// }
/// # Ok(())
/// # }
/// ```
///
/// In a test of a program, its storage can go away and come back:
///
/// ```
/// use checkup_core::{Checkup, Spool, StorageErrorKind, check_fn};
/// use checkup_testkit::MemoryStorage;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (storage, folder) = (MemoryStorage::new(), tempfile::tempdir()?);
/// let checkup = Checkup::builder()
///     .check(check_fn("queue", || async { Ok::<_, String>(()) }))
///     .storage(storage.clone())
///     .spool(Spool::new(folder.path()))
///     .build()?;
///
/// storage.break_down("the network is down");
/// let error = checkup.check_and_store().await.expect_err("the storage is away");
/// assert_eq!(error.kind(), StorageErrorKind::Spooled);
///
/// storage.repair();
/// checkup.check_and_store().await?;
/// assert_eq!(storage.len(), 2);
/// # Ok(())
/// # }
/// ```
///
/// # What is kept, and for how long
///
/// - What is in the folder survives the death of the process and a power cut. It is removed when the storage has it, and not
///   before: a process that is killed between the two leaves it to be stored again, which storages and readers take for once.
/// - Any number of processes may share a folder, if they have the same storage. One at a time stores what waits; the others
///   only add to it. A lock of the system's sees to that, which ends with its process.
/// - It has a bound. A full spool refuses what is new and drops nothing that is old: whatever was said to be kept is kept, and
///   the refusal is an error that somebody sees, where a hole in the history is not.
/// - A report that cannot be read any more is renamed to `….broken`, told in the log, and left to you. The rest goes on.
/// - Nor is a report in the way that the storage never takes (too large for a proxy, say). One that fails in three stores which
///   store others is renamed to `….refused`, told in the log with the path and the error, and left to you: to have it tried again,
///   take `.refused` off its name.
/// - The folder is made if it is missing, for its owner only: results may tell the names of internal endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Spool {
    /// The folder. It must be local: what waits for a network must not be behind one.
    pub dir: PathBuf,
    /// How many bytes all that waits may have. Default: 67,108,864 (64 MiB). Processes that share the folder may exceed
    /// it by a report each.
    #[serde(default = "default_max_bytes", skip_serializing_if = "is_default_max_bytes")]
    #[cfg_attr(feature = "config", schemars(range(min = 1)))]
    pub max_bytes: u64,
}

/// What is in a spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// How many reports wait to be stored.
    pub reports: usize,
    /// How many reports were set aside: they cannot be read, or the storage does not take them while it takes others.
    pub broken: usize,
    /// How many bytes all of them have.
    pub bytes: u64,
}

impl Spool {
    /// A spool in this folder, of at most 64 MiB.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), max_bytes: DEFAULT_MAX_BYTES }
    }

    /// How many bytes all that waits may have. Default: 64 MiB.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// What waits in the folder now, of all processes.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read. A folder that is missing has nothing in it.
    ///
    /// # Panics
    ///
    /// If it is called outside of a tokio runtime.
    pub async fn waiting(&self) -> Result<Waiting, StorageError> {
        folder::blocking(self, folder::Folder::waiting).await
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = ConfigProblems::new();
        if self.dir.as_os_str().is_empty() {
            let message = "expected a folder, found an empty text; set it to the folder where reports wait while the \
                           storage is unreachable";
            problems.push(ConfigError::invalid("dir", message));
        } else if let Err(error) = validate_path("dir", &self.dir) {
            problems.push(error);
        }
        if self.max_bytes == 0 {
            let message = "expected 1 or more, found 0; remove `spool` to have no spool";
            problems.push(ConfigError::invalid("max_bytes", message));
        }
        problems.into_result()
    }
}

fn default_max_bytes() -> u64 {
    DEFAULT_MAX_BYTES
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_default_max_bytes(max_bytes: &u64) -> bool {
    *max_bytes == DEFAULT_MAX_BYTES
}
