use std::fs::{self, File};
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkup_core::check_file::{self, FileName};
use checkup_core::{
    CheckResult, ConfigError, Maintenance, Report, Storage, StorageError, StorageErrorKind, StorageMaintainer,
    StorageReader, Timestamp, async_trait,
};
use tokio::task::spawn_blocking;

use crate::Fs;
use crate::directory::Directory;
use crate::error::failed;
use crate::publish::publish;
use crate::refresh::{Occasion, Refresh};
use crate::retention;

/// The largest check file that is read: 64 MiB, some hundred thousand results.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// How many expired check files are remembered from a store to the next maintenance. What is above it is found
/// when the directory is next listed.
const MAX_DUE: usize = 100_000;

/// Keeps check files in a directory.
///
/// Storing and maintenance go on to their end when they are cancelled, so that nothing is left half done.
/// Cloning is cheap.
///
/// ```
/// use checkup_core::{CheckResult, Report, Storage, Timestamp};
/// use checkup_storage_fs::{Fs, FsStorage};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let dir = temporary.path();
/// let storage = FsStorage::new(Fs::new(dir))?;
/// storage.store(&Report::new(vec![CheckResult::new("API", "https://example.com")])).await?;
/// assert!(dir.join("index.json").exists());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FsStorage {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: Directory,
    check_expiry: Duration,
    due: Mutex<Due>,
}

/// What stores left for maintenance, so that it need not look for it again.
#[derive(Debug, Default)]
struct Due {
    /// How many stores refreshed the index and have not been followed by a maintenance.
    stores: usize,
    /// The expired check files that they took out of the index.
    expired: Vec<FileName>,
}

impl FsStorage {
    /// Storage with these settings. The directory is made by the first store.
    ///
    /// # Errors
    ///
    /// If `dir` is empty.
    pub fn new(settings: Fs) -> Result<Self, ConfigError> {
        if settings.dir.as_os_str().is_empty() {
            return Err(ConfigError::invalid(
                "dir",
                "expected a directory, found nothing; set it to where check files go",
            ));
        }
        let directory = Directory::new(settings.dir, settings.fsync);
        Ok(Self { inner: Arc::new(Inner { directory, check_expiry: settings.check_expiry, due: Mutex::default() }) })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let inner = Arc::clone(&self.inner);
        let done = spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|error| Err(StorageError::new("the work on the files did not end").source(error)))
    }
}

#[async_trait]
impl Storage for FsStorage {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        let content = check_file::encode(&report.results)?;
        self.blocking(move |inner| inner.store(&content)).await
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        Some(self)
    }
}

#[async_trait]
impl StorageReader for FsStorage {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        self.blocking(move |inner| {
            let mut names = inner.directory.list()?;
            Ok(names.split_off(names.partition_point(|name| name.timestamp() < since)))
        })
        .await
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        let name = name.clone();
        self.blocking(move |inner| inner.fetch(&name)).await
    }
}

#[async_trait]
impl StorageMaintainer for FsStorage {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        self.blocking(|inner| inner.maintain().map(Maintenance::expired)).await
    }
}

impl Inner {
    fn store(&self, content: &[u8]) -> Result<(), StorageError> {
        let changed_before = self.directory.changed();
        let name = publish(&self.directory, content)?;
        match self.refresh(Occasion::Stored { name: &name, changed_before }) {
            Ok(expired) => {
                let mut due = self.due();
                due.stores += 1;
                let room = MAX_DUE.saturating_sub(due.expired.len());
                due.expired.extend(expired.into_iter().take(room));
            }
            // The report is stored, so that this is no error of the store. The index lacks it until the next store
            // or maintenance; the latter reports what is wrong.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "index.json is not up to date"),
        }
        Ok(())
    }

    fn maintain(&self) -> Result<usize, StorageError> {
        let expired = {
            let mut due = self.due();
            let followed_a_store = due.stores > 0;
            due.stores = due.stores.saturating_sub(1);
            followed_a_store.then(|| std::mem::take(&mut due.expired))
        };
        match expired {
            Some(expired) => retention::remove(&self.directory, &expired),
            None if !self.directory.exists() => Ok(0),
            None => retention::remove(&self.directory, &self.refresh(Occasion::Maintenance)?),
        }
    }

    fn refresh(&self, occasion: Occasion<'_>) -> Result<Vec<FileName>, StorageError> {
        let cutoff = match self.check_expiry {
            Duration::ZERO => Timestamp::from_unix_nanos(i64::MIN),
            check_expiry => Timestamp::now().saturating_sub(check_expiry),
        };
        Refresh { directory: &self.directory, cutoff, occasion }.run()
    }

    fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        let path = self.directory.check_file(name);
        let fail = |error| failed("read", &path, error);
        let corrupt =
            |why: &str| StorageError::new(format!("{} {why}", path.display())).with_kind(StorageErrorKind::Corrupt);
        if !fs::symlink_metadata(&path).map_err(fail)?.is_file() {
            return Err(corrupt("is not a file"));
        }
        let mut content = Vec::new();
        let file = File::open(&path).map_err(fail)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content).map_err(fail)?;
        if content.len() as u64 > MAX_FILE_BYTES {
            return Err(corrupt("is larger than a check file may be (64 MiB)"));
        }
        check_file::decode(&content).map_err(|error| corrupt("is not a check file").source(error))
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        // Nothing panics while it is held; and if it did, the worst is that the directory is listed once more.
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
