//! Files that count what is asked of them, and that can hang, break down or hold hostile content.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use checkup_core::archive::{MemoryFiles, NamedFiles, Put};
use checkup_core::{StorageError, async_trait};

#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    pub(crate) files: MemoryFiles,
    /// How many lists were asked for.
    pub(crate) lists: Arc<AtomicUsize>,
    /// How many requests wait for an answer.
    pub(crate) open: Arc<AtomicUsize>,
    /// Whether everything fails.
    pub(crate) is_down: Arc<AtomicBool>,
    /// Whether files cannot be removed.
    pub(crate) is_undeletable: Arc<AtomicBool>,
    hangs: bool,
}

impl Watched {
    pub(crate) fn over(files: MemoryFiles) -> Self {
        Self { files, ..Self::default() }
    }

    pub(crate) fn hanging(self) -> Self {
        Self { hangs: true, ..self }
    }

    async fn answer(&self) -> Result<&MemoryFiles, StorageError> {
        struct Open<'a>(&'a AtomicUsize);

        impl Drop for Open<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }

        self.open.fetch_add(1, Ordering::SeqCst);
        let _open = Open(&self.open);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(StorageError::new("the bucket is away")),
            false => Ok(&self.files),
        }
    }
}

#[async_trait]
impl NamedFiles for Watched {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        self.answer().await?.put_if_absent(name, content).await
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        self.answer().await?.put(name, content).await
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        self.answer().await?.list(from, limit).await
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        self.answer().await?.get(name).await
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        match self.is_undeletable.load(Ordering::SeqCst) {
            true => Err(StorageError::new("access denied")),
            false => self.answer().await?.delete(names).await,
        }
    }
}
