//! [`Spool`]: keeps reports while their storage is unreachable.

mod folder;
mod spooled;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{ConfigError, ConfigProblems, StorageError, validate_path};

pub(crate) use spooled::Spooled;

/// The default limit on the size of a spool: enough for a week with a run of some 20 checks every minute.
const DEFAULT_MAX_BYTES: u64 = 64 << 20;

/// A local folder that keeps reports while their storage is unreachable: `{"dir": "/var/lib/checkup/spool"}`.
///
/// A checkup with a spool puts it in front of its storage. If a store fails, or takes longer than 40 seconds, the
/// report is kept in the folder, and the error is of kind [`Spooled`](crate::StorageErrorKind::Spooled). Each store
/// first stores the reports that wait, oldest first, and so does [`maintain`](crate::StorageMaintainer::maintain).
/// While the storage fails, new reports queue behind them.
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
///     // The next store stores it, in this process or another.
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
/// A test can take the storage away and bring it back:
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
/// let error = checkup.check_and_store().await.expect_err("the storage is down");
/// assert_eq!(error.kind(), StorageErrorKind::Spooled);
///
/// storage.repair();
/// checkup.check_and_store().await?;
/// assert_eq!(storage.len(), 2);
/// # Ok(())
/// # }
/// ```
///
/// # Guarantees
///
/// - Reports in the folder survive the death of the process and a power cut. They are removed only once the storage has
///   them. If a process is killed in between, the report is stored again, and storages and readers treat it as the same
///   report.
/// - Any number of processes may share a folder if they have the same storage. One at a time stores the waiting
///   reports, and the others only add to them. A lock of the operating system ensures this; it is released when its
///   process ends.
/// - The size is limited. A full spool refuses new reports and never drops old ones: the refusal is an error that is
///   noticed, and a gap in the history might not be.
/// - A report that is unreadable is renamed to `….broken`, logged, and left to the operator. The others are still
///   stored.
/// - A report that the storage never accepts (too large for a proxy, for example) does not block the others. One that
///   fails in three stores that succeed for others is renamed to `….refused`, logged with its path and the error, and
///   left to the operator. To have it tried again, remove `.refused` from its name.
/// - The folder is created if it does not exist, for its owner only: results may contain the names of internal
///   endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Spool {
    /// The folder. It must be local, because it is needed while the network is down.
    pub dir: PathBuf,
    /// The limit on the total size of the reports in the folder, in bytes. Default: 67,108,864 (64 MiB). Each process
    /// that shares the folder may exceed it by one report.
    #[serde(default = "default_max_bytes", skip_serializing_if = "is_default_max_bytes")]
    #[cfg_attr(feature = "config", schemars(range(min = 1)))]
    pub max_bytes: u64,
}

/// The contents of a spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// How many reports wait to be stored.
    pub reports: usize,
    /// How many reports were set aside: they are unreadable, or the storage rejects them while it accepts others.
    pub broken: usize,
    /// The size of all of them, in bytes.
    pub bytes: u64,
}

impl Spool {
    /// A spool in this folder, limited to 64 MiB.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), max_bytes: DEFAULT_MAX_BYTES }
    }

    /// Sets the limit on the total size of the reports in the folder, in bytes. Default: 64 MiB.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// What waits in the folder now, from all processes.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read. A missing folder is empty.
    ///
    /// # Panics
    ///
    /// If called outside of a tokio runtime.
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
