use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{NamedFiles, Put};
use crate::{StorageError, StorageErrorKind};

/// Named files in memory, for tests and for programs that keep no history. They last as long as the process.
///
/// Clones share the files, as two nodes share a bucket.
///
/// ```
/// use checkup_core::archive::{MemoryFiles, NamedFiles, Put};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let files = MemoryFiles::new();
/// assert_eq!(files.put_if_absent("a", b"1").await?, Put::Created);
/// assert_eq!(files.put_if_absent("a", b"2").await?, Put::Exists);
/// assert_eq!(files.clone().get("a").await?, b"1");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl MemoryFiles {
    /// Creates an empty set of files.
    pub fn new() -> Self {
        Self::default()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // Each change is a single call on the map, so nothing is ever half done.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl NamedFiles for MemoryFiles {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        match self.files().entry(name.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(content.to_owned());
                Ok(Put::Created)
            }
            Entry::Occupied(_) => Ok(Put::Exists),
        }
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        self.files().insert(name.to_owned(), content.to_owned());
        Ok(())
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        Ok(self.files().range(from.to_owned()..).take(limit).map(|(name, _)| name.clone()).collect())
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        let content = self.files().get(name).cloned();
        content.ok_or_else(|| StorageError::new(format!("{name} does not exist")).with_kind(StorageErrorKind::NotFound))
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        let mut files = self.files();
        for name in names {
            files.remove(*name);
        }
        Ok(())
    }
}
