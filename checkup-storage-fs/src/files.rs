//! [`Files`]: the named files of a directory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use checkup_core::archive::{NamedFiles, Put};
use checkup_core::check_file::FileName;
use checkup_core::{PagePublisher, StorageError, StorageErrorKind, Timestamp, async_trait, plain_file};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::check_file;
use crate::directory::{Directory, entries};
use crate::error::failed;
use crate::index::{self, Index};
use crate::refresh::{Occasion, Refresh};
use crate::removal;

/// The largest file that is read: 64 MiB, several hundred thousand results.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The named files of a directory, with the index that is derived from them. An operation that is cancelled still runs
/// to its end in the background. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    directory: Directory,
    check_expiry: Duration,
    /// Whether a store could not refresh the index.
    is_index_stale: AtomicBool,
    /// Only one file is read at a time: reading more in parallel hardly makes a disk faster, and each reading thread
    /// keeps its own memory.
    reading: Semaphore,
}

impl Files {
    pub(crate) fn new(directory: Directory, check_expiry: Duration) -> Self {
        let (is_index_stale, reading) = (AtomicBool::new(false), Semaphore::new(1));
        Self { shared: Arc::new(Shared { directory, check_expiry, is_index_stale, reading }) }
    }

    /// Runs `work` on a thread where it may block.
    pub(crate) async fn in_directory<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Directory) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.blocking(move |shared| work(&shared.directory)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let shared = Arc::clone(&self.shared);
        let done = spawn_blocking(move || work(&shared)).await;
        done.unwrap_or_else(|error| {
            // Only a runtime that shuts down cancels it.
            let kind = if error.is_cancelled() { StorageErrorKind::Interrupted } else { StorageErrorKind::Other };
            Err(StorageError::new("the file operation was interrupted").with_kind(kind).with_source(error))
        })
    }
}

#[async_trait]
impl NamedFiles for Files {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let (name, content) = (name.to_owned(), content.to_owned());
        self.blocking(move |shared| shared.put_if_absent(&name, &content)).await
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        let (name, content) = (name.to_owned(), content.to_owned());
        self.blocking(move |shared| shared.put(&name, &content)).await
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        let from = from.to_owned();
        self.blocking(move |shared| shared.list(&from, limit)).await
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        let name = name.to_owned();
        // The semaphore is never closed. If it were, reading concurrently would do no harm.
        let _permit = self.shared.reading.acquire().await.ok();
        self.blocking(move |shared| shared.get(&name)).await
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        self.blocking(move |shared| shared.delete(&names)).await
    }

    async fn oldest(&self, limit: usize) -> Result<Vec<String>, StorageError> {
        self.blocking(move |shared| shared.oldest(limit)).await
    }

    async fn tidy(&self, after_store: bool) -> Result<(), StorageError> {
        if after_store && !self.shared.is_index_stale.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.blocking(Shared::tidy).await
    }

    fn identity(&self) -> Option<String> {
        let path = std::path::absolute(self.shared.directory.path()).ok()?;
        Some(format!("file://{}", path.display()))
    }

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        Some(self)
    }
}

impl Shared {
    fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let path = self.directory.file(name)?;
        let Some(check_file) = FileName::parse(name) else {
            return self.directory.create(&path, content).map_err(|error| failed("publish", &path, error));
        };
        let changed_before = self.directory.changed();
        if check_file::publish(&self.directory, content, &check_file)? == Put::Exists {
            return Ok(Put::Exists);
        }
        if let Err(error) = self.refresh(Occasion::Stored { name: &check_file, changed_before }) {
            // The report is stored, so this does not fail the store. The index lacks it until the next store or
            // maintenance, which reports the problem.
            self.is_index_stale.store(true, Ordering::Relaxed);
            tracing::warn!(error = &error as &dyn std::error::Error, "index.json is not up to date");
        }
        Ok(Put::Created)
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        let path = self.directory.file(name)?;
        let write = || -> io::Result<()> {
            let file = self.directory.write_temporary(&[content])?;
            if self.directory.is_durable() {
                file.as_file().sync_all()?;
            }
            file.persist(&path)?;
            if self.directory.is_durable() { self.directory.sync() } else { Ok(()) }
        };
        write().map_err(|error| failed("replace", &path, error))
    }

    fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        let mut names = Vec::new();
        entries(self.directory.path(), |entry, name| {
            // Nearly every file system returns the type with the name, so this is not a call for each file.
            if name >= from && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                names.push(name.to_owned());
                if names.len() >= limit.saturating_mul(2).max(1024) {
                    names.select_nth_unstable(limit);
                    names.truncate(limit);
                }
            }
        })?;
        names.sort_unstable();
        names.truncate(limit);
        Ok(names)
    }

    fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        let path = self.directory.file(name)?;
        let fail = |error| failed("read", &path, error);
        let corrupt =
            |why: &str| StorageError::new(format!("{} {why}", path.display())).with_kind(StorageErrorKind::Corrupt);
        match plain_file::read(&path, MAX_FILE_BYTES) {
            Ok(Some(content)) => Ok(content),
            Ok(None) => Err(corrupt("is larger than 64 MiB, the limit for reading")),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(corrupt("is not a regular file")),
            Err(error) => Err(fail(error)),
        }
    }

    fn delete(&self, names: &[String]) -> Result<(), StorageError> {
        let mut check_files = Vec::new();
        for name in names {
            let path = self.directory.file(name)?;
            match FileName::parse(name) {
                Some(name) => check_files.push(name),
                None => removal::remove_file(&path)?,
            }
        }
        if check_files.is_empty() || !self.directory.exists() {
            return Ok(());
        }
        // This also removes them, once they are not in the index.
        self.refresh(Occasion::Removing { names: &check_files })
    }

    /// The oldest check files, from the index if this program wrote it: stores keep it complete, so retention need not
    /// list the directory after each.
    fn oldest(&self, limit: usize) -> Result<Vec<String>, StorageError> {
        let indexed = index::published(&self.directory).and_then(|found| Index::read(&self.directory, found));
        match indexed.and_then(|index| index.first(limit)) {
            Some(names) => Ok(names.iter().map(ToString::to_string).collect()),
            None => self.list("0", limit),
        }
    }

    fn tidy(&self) -> Result<(), StorageError> {
        if self.directory.exists() {
            self.refresh(Occasion::Maintenance)?;
        }
        self.is_index_stale.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn refresh(&self, occasion: Occasion<'_>) -> Result<(), StorageError> {
        let hidden_before = match self.check_expiry {
            Duration::ZERO => Timestamp::from_unix_nanos(i64::MIN),
            check_expiry => Timestamp::now().saturating_sub(check_expiry),
        };
        Refresh { directory: &self.directory, hidden_before, occasion }.run()
    }
}
