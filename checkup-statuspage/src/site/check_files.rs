//! The check files and their index, as upstream serves them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkup_core::check_file::{self, FileName};
use checkup_core::{StorageError, StorageErrorKind, StorageReader, Timestamp};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::formats::representation::JSON;
use crate::formats::representation::{Cache, Representation};

/// How long the index is believed.
const INDEX_AGE: Duration = Duration::from_secs(5);

/// How many bytes of check files are kept in memory.
const MAX_KEPT: usize = 32 * 1024 * 1024;

/// How many check files are read from the storage at once.
const MAX_READING: usize = 8;

/// How long a file, or the list of all, may take, whatever limits the storage has.
const LIMIT: Duration = Duration::from_secs(30);

/// The check files of a storage, those that were asked for lately in memory.
#[derive(Debug)]
pub(crate) struct CheckFiles {
    index: tokio::sync::Mutex<Option<(Instant, Representation)>>,
    kept: Mutex<Kept>,
    reading: Semaphore,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<FileName, Arc<Representation>>,
    order: VecDeque<FileName>,
    bytes: usize,
}

impl CheckFiles {
    pub(crate) fn new() -> Self {
        Self { index: tokio::sync::Mutex::default(), kept: Mutex::default(), reading: Semaphore::new(MAX_READING) }
    }

    /// Upstream's `index.json`: the names of all check files, each with its time.
    pub(crate) async fn index(&self, reader: &dyn StorageReader) -> Result<Representation, StorageError> {
        // Whoever comes while it is made waits for it, instead of making another.
        let mut index = timeout(LIMIT, self.index.lock()).await.map_err(|_| too_slow())?;
        if let Some((_, index)) = index.as_ref().filter(|(made, _)| made.elapsed() < INDEX_AGE) {
            return Ok(index.clone());
        }
        let all = reader.list(Timestamp::from_unix_nanos(0));
        let names = timeout(LIMIT, all).await.map_err(|_| too_slow())??;
        let entries: BTreeMap<_, _> = names.iter().map(|name| (name.as_str(), name.timestamp().unix_nanos())).collect();
        let text = serde_json::to_string(&entries)
            .map_err(|error| StorageError::new("cannot write the index").with_source(error))?;
        let made = tokio::task::spawn_blocking(move || Representation::new(JSON, Cache::Revalidate, text)).await;
        let made = made.map_err(|error| StorageError::new("cannot write the index").with_source(error))?;
        *index = Some((Instant::now(), made.clone()));
        Ok(made)
    }

    /// A check file, which never changes.
    pub(crate) async fn get(
        &self,
        reader: &dyn StorageReader,
        name: &FileName,
    ) -> Result<Arc<Representation>, StorageError> {
        if let Some(file) = self.kept().files.get(name) {
            return Ok(Arc::clone(file));
        }
        let read = async {
            // It is never closed.
            let _permit = self.reading.acquire().await;
            reader.fetch(name).await
        };
        let results = timeout(LIMIT, read).await.map_err(|_| too_slow())??;
        let content = check_file::encode(&results)?;
        let made = tokio::task::spawn_blocking(move || Representation::new(JSON, Cache::Immutable, content)).await;
        let made = Arc::new(made.map_err(|error| StorageError::new("cannot write the file").with_source(error))?);
        self.kept().keep(name.clone(), &made);
        Ok(made)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // If something panicked in it, the worst is that a file is read again.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Keeps a file, and forgets the oldest that have no room then.
    fn keep(&mut self, name: FileName, file: &Arc<Representation>) {
        if self.files.insert(name.clone(), Arc::clone(file)).is_none() {
            self.bytes += file.size();
            self.order.push_back(name);
        }
        while self.bytes > MAX_KEPT {
            let Some(oldest) = self.order.pop_front() else { break };
            self.bytes -= self.files.remove(&oldest).map_or(0, |file| file.size());
        }
    }
}

fn too_slow() -> StorageError {
    StorageError::new("the storage did not answer in time").with_kind(StorageErrorKind::Timeout)
}
