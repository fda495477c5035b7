use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkup_core::archive::Expiry;
use checkup_core::check_file::{self, FileName};
use checkup_core::{
    CheckResult, Maintenance, Report, Storage, StorageError, StorageErrorKind, StorageMaintainer, StorageReader,
    Timestamp, async_trait,
};

/// A storage in memory, with all capabilities. Clones share the check files.
///
/// ```
/// use checkup_core::{Checkup, Storage, check_fn};
/// use checkup_testkit::MemoryStorage;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let storage = MemoryStorage::new();
/// let checkup = Checkup::builder()
///     .check(check_fn("queue", || async { Ok::<_, String>(()) }))
///     .storage(storage.clone())
///     .build()?;
/// checkup.check_and_store().await?;
/// assert_eq!(storage.results()[0].name, "queue");
///
/// storage.break_down("the disk is full");
/// let error = checkup.check_and_store().await.expect_err("the storage is down");
/// assert_eq!(error.to_string(), "the disk is full");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    shared: Arc<Mutex<Shared>>,
    check_expiry: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    /// Encoded as in files, so that information which does not survive writing is lost here as well.
    files: BTreeMap<FileName, Vec<u8>>,
    outage: Option<String>,
}

impl MemoryStorage {
    /// An empty storage that keeps everything forever.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same check files through an instance that removes those older than this when it is maintained; zero for
    /// none.
    #[must_use]
    pub fn check_expiry(mut self, check_expiry: Duration) -> Self {
        self.check_expiry = check_expiry;
        self
    }

    /// All results of all check files that can be read, oldest file first.
    pub fn results(&self) -> Vec<CheckResult> {
        self.shared().files.values().filter_map(|content| check_file::decode(content).ok()).flatten().collect()
    }

    /// How many check files there are.
    pub fn len(&self) -> usize {
        self.shared().files.len()
    }

    /// Whether there are no check files.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds or replaces a check file in ways that `store` cannot: an old one, or a broken one.
    pub fn put(&self, name: FileName, content: impl Into<Vec<u8>>) {
        self.shared().files.insert(name, content.into());
    }

    /// From now on, everything fails with this message, through all clones.
    pub fn break_down(&self, message: impl Into<String>) {
        self.shared().outage = Some(message.into());
    }

    /// Ends the effect of [`break_down`](Self::break_down).
    pub fn repair(&self) {
        self.shared().outage = None;
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // No holder of the lock leaves the contents half changed.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> Result<MutexGuard<'_, Shared>, StorageError> {
        let shared = self.shared();
        match &shared.outage {
            Some(message) => Err(StorageError::new(message)),
            None => Ok(shared),
        }
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        let content = check_file::encode(&report.results)?;
        let mut shared = self.working()?;
        let mut moment = Timestamp::now();
        while shared.files.contains_key(&FileName::at(moment)) {
            moment = moment.saturating_add(Duration::from_nanos(1));
        }
        shared.files.insert(FileName::at(moment), content);
        Ok(())
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        Some(self)
    }
}

#[async_trait]
impl StorageReader for MemoryStorage {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        Ok(self.working()?.files.keys().filter(|name| name.timestamp() >= since).cloned().collect())
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        let shared = self.working()?;
        let missing = || StorageError::new(format!("there is no {name}")).with_kind(StorageErrorKind::NotFound);
        check_file::decode(shared.files.get(name).ok_or_else(missing)?)
    }
}

#[async_trait]
impl StorageMaintainer for MemoryStorage {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        let mut shared = self.working()?;
        if self.check_expiry.is_zero() {
            return Ok(Maintenance::default());
        }
        let expiry = Expiry::of(shared.files.keys().cloned(), self.check_expiry, Timestamp::now());
        for name in &expiry.expired {
            shared.files.remove(name);
        }
        let mut done = Maintenance::expired(expiry.expired.len());
        done.failures.extend(expiry.doubt);
        Ok(done)
    }
}
