use std::fs::{self, File};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkup_core::archive::{NamedFiles, Put};
use checkup_core::check_file::FileName;
use checkup_core::{PageFile, Published, StorageError, StorageErrorKind, Timestamp, async_trait};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::directory::{Directory, entries};
use crate::error::failed;
use crate::page;
use crate::publish::publish;
use crate::refresh::{Occasion, Refresh};
use crate::retention;

/// The largest file that is read: 64 MiB, some hundred thousand results.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// How many expired check files are remembered from a store to the next maintenance. What is above it is found
/// when the directory is next listed.
const MAX_DUE: usize = 100_000;

/// The named files of a directory, with the index that is derived from them. What was begun goes on to its end when it
/// is cancelled. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    directory: Directory,
    check_expiry: Duration,
    due: Mutex<Due>,
    /// One file is read at a time: a disk is hardly faster with more, and each thread that reads keeps memory of its own.
    reading: Semaphore,
}

/// What stores left for maintenance, so that it need not look for it again.
#[derive(Debug, Default)]
struct Due {
    /// How many stores refreshed the index and have not been followed by a maintenance.
    stores: usize,
    /// The expired check files that they took out of the index.
    expired: Vec<FileName>,
}

impl Files {
    pub(crate) fn new(directory: Directory, check_expiry: Duration) -> Self {
        let (due, reading) = (Mutex::default(), Semaphore::new(1));
        Self { shared: Arc::new(Shared { directory, check_expiry, due, reading }) }
    }

    /// Removes what has expired, and counts it. The index knows what that is, so that the directory need not be listed
    /// after each store.
    pub(crate) async fn expire(&self) -> Result<usize, StorageError> {
        self.blocking(Shared::expire).await
    }

    /// Makes or replaces a file of the status page.
    pub(crate) async fn publish_page(&self, file: PageFile) -> Result<Published, StorageError> {
        self.blocking(move |shared| page::publish(&shared.directory, &file)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let shared = Arc::clone(&self.shared);
        let done = spawn_blocking(move || work(&shared)).await;
        done.unwrap_or_else(|error| Err(StorageError::new("the work on the files did not end").with_source(error)))
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
        // It is never closed; and if it were, reading at once would do no harm.
        let _permit = self.shared.reading.acquire().await.ok();
        self.blocking(move |shared| shared.get(&name)).await
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        self.blocking(move |shared| shared.delete(&names)).await
    }
}

impl Shared {
    fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let path = self.directory.file(name)?;
        let Some(check_file) = FileName::parse(name) else {
            return self.directory.create(&path, content).map_err(|error| failed("publish", &path, error));
        };
        let changed_before = self.directory.changed();
        if publish(&self.directory, content, &check_file)? == Put::Exists {
            return Ok(Put::Exists);
        }
        match self.refresh(Occasion::Stored { name: &check_file, changed_before }) {
            Ok(expired) => self.remember(expired, 1),
            // The report is stored, so that this is no error of the store. The index lacks it until the next store
            // or maintenance; the latter reports what is wrong.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "index.json is not up to date"),
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
            // The type comes with the name on nearly every file system, so that this is no call for each file.
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
        if !fs::symlink_metadata(&path).map_err(fail)?.is_file() {
            return Err(corrupt("is not a file"));
        }
        let mut content = Vec::new();
        let file = File::open(&path).map_err(fail)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content).map_err(fail)?;
        if content.len() as u64 > MAX_FILE_BYTES {
            return Err(corrupt("is larger than a file may be that is read (64 MiB)"));
        }
        Ok(content)
    }

    fn delete(&self, names: &[String]) -> Result<(), StorageError> {
        let mut check_files = Vec::new();
        for name in names {
            let path = self.directory.file(name)?;
            match FileName::parse(name) {
                Some(name) => check_files.push(name),
                None => drop(retention::remove_file(&path)?),
            }
        }
        if check_files.is_empty() || !self.directory.exists() {
            return Ok(());
        }
        // Removes them too, once they are not in the index.
        let expired = self.refresh(Occasion::Removing { names: &check_files })?;
        self.remember(expired, 0);
        Ok(())
    }

    fn expire(&self) -> Result<usize, StorageError> {
        let expired = {
            let mut due = self.due();
            let followed_a_store = due.stores > 0;
            due.stores = due.stores.saturating_sub(1);
            followed_a_store.then(|| std::mem::take(&mut due.expired))
        };
        match expired {
            Some(expired) => retention::remove_expired(&self.directory, &expired),
            None if !self.directory.exists() => Ok(0),
            None => retention::remove_expired(&self.directory, &self.refresh(Occasion::Maintenance)?),
        }
    }

    fn refresh(&self, occasion: Occasion<'_>) -> Result<Vec<FileName>, StorageError> {
        let cutoff = match self.check_expiry {
            Duration::ZERO => Timestamp::from_unix_nanos(i64::MIN),
            check_expiry => Timestamp::now().saturating_sub(check_expiry),
        };
        Refresh { directory: &self.directory, cutoff, occasion }.run()
    }

    /// Leaves what has expired for the next maintenance.
    fn remember(&self, expired: Vec<FileName>, stores: usize) {
        let mut due = self.due();
        due.stores += stores;
        let room = MAX_DUE.saturating_sub(due.expired.len());
        due.expired.extend(expired.into_iter().take(room));
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        // Nothing panics while it is held; and if it did, the worst is that the directory is listed once more.
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
