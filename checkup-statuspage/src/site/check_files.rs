//! The check files and their index, as in the original Checkup.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use checkup_core::check_file::{self, FileName};
use checkup_core::{StorageError, StorageErrorKind, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::budget::Budget;
use super::live::Source;
use crate::formats::representation::{Cache, JSON, Representation};

/// How long the index is reused.
const INDEX_AGE: Duration = Duration::from_secs(5);

/// The limit of memory for check files and indexes in bytes: cached ones, and those that clients are still reading.
const MAX_BYTES: usize = 24 * 1024 * 1024;

/// The limit of check files that are prepared concurrently. Each takes a thread, and a multiple of its size in memory.
const MAX_PREPARING: usize = 1;

/// How long a file waits for others to be prepared, and for memory that they take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time limit for a file or the list of files, in addition to the limits of the storage.
const LIMIT: Duration = Duration::from_secs(30);

/// The check files of a storage. A file is prepared once for all concurrent requests.
#[derive(Debug)]
pub(crate) struct CheckFiles {
    source: Source,
    index: tokio::sync::Mutex<Option<Index>>,
    shared: Arc<Shared>,
}

#[derive(Clone, Debug)]
struct Index {
    made: Instant,
    /// Sorted.
    names: Arc<[FileName]>,
    content: Representation,
}

/// A file in one encoding.
type Key = (FileName, bool);
type Outcome = Result<Representation, Failure>;

/// Why a file cannot be sent.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no memory for it because clients are still reading others.
    Busy,
    Storage(Arc<StorageError>),
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Storage(Arc::new(error))
    }
}

#[derive(Debug)]
struct Shared {
    budget: Budget,
    slots: Semaphore,
    kept: Mutex<Kept>,
    preparing: Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>,
}

/// The recently requested files, the least recently requested first.
#[derive(Debug, Default)]
struct Kept(VecDeque<(Key, Representation)>);

impl CheckFiles {
    pub(crate) fn new(source: Source) -> Self {
        let shared = Shared {
            budget: Budget::new(MAX_BYTES),
            slots: Semaphore::new(MAX_PREPARING),
            kept: Mutex::default(),
            preparing: Mutex::default(),
        };
        Self { source, index: tokio::sync::Mutex::default(), shared: Arc::new(shared) }
    }

    /// The `index.json` of the original Checkup: the names of all check files with their times.
    pub(crate) async fn index(&self) -> Outcome {
        self.listed().await.map(|index| index.content)
    }

    /// A check file, which never changes.
    pub(crate) async fn get(&self, name: &FileName, gzip: bool) -> Outcome {
        let key = (name.clone(), gzip);
        if let Some(file) = self.shared.kept().get(&key) {
            return Ok(file);
        }
        let mut outcome = self.preparation(key);
        match timeout(LIMIT, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or_else(|| Err(too_slow().into())),
            // The preparation panicked.
            Ok(Err(_)) => Err(StorageError::new("the check file could not be prepared").into()),
            Err(_) => Err(too_slow().into()),
        }
    }

    /// A check file without its content, which is not read. An error if the file does not exist.
    pub(crate) async fn head(&self, name: &FileName) -> Outcome {
        let index = self.listed().await?;
        match index.names.binary_search(name) {
            Ok(_) => Ok(Representation::without_content(JSON, Cache::Immutable, &tag(name))),
            Err(_) => {
                let missing = StorageError::new(format!("{} does not exist", name.as_str().escape_debug()));
                Err(missing.with_kind(StorageErrorKind::NotFound).into())
            }
        }
    }

    /// The running preparation of a file, or else a new one.
    fn preparation(&self, key: Key) -> watch::Receiver<Option<Outcome>> {
        let mut preparing = self.shared.preparing();
        if let Some(outcome) = preparing.get(&key).filter(|outcome| outcome.has_changed().is_ok()) {
            return outcome.clone();
        }
        let (sender, receiver) = watch::channel(None);
        preparing.insert(key.clone(), receiver.clone());
        let (shared, source) = (Arc::clone(&self.shared), self.source.clone());
        // Not as part of the request, because a client that goes away would cancel it for the others.
        tokio::spawn(async move {
            let outcome = shared.prepare(source, &key).await;
            // Done before the result is sent, so that the next request finds the cached file or starts again.
            shared.preparing().remove(&key);
            sender.send_replace(Some(outcome));
        });
        receiver
    }

    async fn listed(&self) -> Result<Index, Failure> {
        // Concurrent requests wait for the same index.
        let mut index = timeout(LIMIT, self.index.lock()).await.map_err(|_| too_slow())?;
        if let Some(index) = index.as_ref().filter(|index| index.made.elapsed() < INDEX_AGE) {
            return Ok(index.clone());
        }
        let reader = self.source.reader().ok_or_else(not_readable)?;
        let all = reader.list(Timestamp::from_unix_nanos(0));
        let mut names = timeout(LIMIT, all).await.map_err(|_| too_slow())??;
        names.sort_unstable();
        let names: Arc<[FileName]> = names.into();
        let own = Arc::clone(&names);
        let made = tokio::task::spawn_blocking(move || {
            let entries: BTreeMap<_, _> =
                own.iter().map(|name| (name.as_str(), name.timestamp().unix_nanos())).collect();
            // It can always be written as JSON: it has only strings and numbers.
            Representation::new(JSON, Cache::Revalidate, serde_json::to_vec(&entries).unwrap_or_default())
        });
        let made =
            made.await.map_err(|error| StorageError::new("the index could not be written").with_source(error))?;
        let Some(content) = made.held(|content| self.shared.budget.try_hold(content)) else {
            // Clients are still reading older ones. The last one is sent again if there is one.
            let Some(last) = index.as_mut() else { return Err(Failure::Busy) };
            last.made = Instant::now();
            return Ok(last.clone());
        };
        let made = Index { made: Instant::now(), names, content };
        *index = Some(made.clone());
        Ok(made)
    }
}

impl Shared {
    async fn prepare(&self, source: Source, key: &Key) -> Outcome {
        let limit = Instant::now() + PATIENCE;
        let slot = timeout(PATIENCE, self.slots.acquire()).await.map_err(|_| Failure::Busy)?;
        let (name, gzip) = key.clone();
        let runtime = Handle::current();
        // Reading and decoding are done on a separate thread, since checks are timed on the runtime's threads.
        let work = tokio::task::spawn_blocking(move || {
            let reader = source.reader().ok_or_else(not_readable)?;
            let results = runtime.block_on(async { timeout(LIMIT, reader.fetch(&name)).await });
            let content = check_file::encode(&results.map_err(|_| too_slow())??)?;
            Ok(Representation::in_one_encoding(JSON, Cache::Immutable, &tag(&name), content, gzip))
        });
        let file: Result<_, StorageError> =
            work.await.map_err(|error| StorageError::new("the check file could not be prepared").with_source(error))?;
        let file = file?;
        let held = loop {
            let held_now = file.held(|content| self.budget.try_hold(content));
            // The least recently requested files make room, unless clients are still reading them.
            if held_now.is_none() && !self.kept().forget_one() {
                let content = file.sent_content();
                let room = self.budget.hold(&content, limit.saturating_duration_since(Instant::now())).await;
                break file.held(|_| room.clone()).ok_or(Failure::Busy)?;
            }
            if let Some(held) = held_now {
                break held;
            }
        };
        drop(slot);
        self.kept().keep(key.clone(), &held);
        Ok(held)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // After a panic, at worst a file is read again.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn preparing(&self) -> MutexGuard<'_, HashMap<Key, watch::Receiver<Option<Outcome>>>> {
        self.preparing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn get(&mut self, key: &Key) -> Option<Representation> {
        let place = self.0.iter().position(|(kept, _)| kept == key)?;
        let entry = self.0.remove(place)?;
        let file = entry.1.clone();
        self.0.push_back(entry);
        Some(file)
    }

    fn keep(&mut self, key: Key, file: &Representation) {
        self.0.retain(|(kept, _)| *kept != key);
        self.0.push_back((key, file.clone()));
    }

    /// Forgets a file. Returns whether there was one.
    fn forget_one(&mut self) -> bool {
        self.0.pop_front().is_some()
    }
}

/// Files never change, so a tag made from the name is as good as one made from the content.
fn tag(name: &FileName) -> String {
    Representation::tag_of(&Bytes::copy_from_slice(name.as_str().as_bytes()))
}

fn not_readable() -> StorageError {
    StorageError::new("this storage cannot be read").with_kind(StorageErrorKind::NotFound)
}

fn too_slow() -> StorageError {
    StorageError::new("the storage did not answer in time").with_kind(StorageErrorKind::Timeout)
}
