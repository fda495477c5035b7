use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use checkup_core::archive::{NamedFiles, Put};
use checkup_core::{PagePublisher, StorageError, async_trait};
use object_store::path::Path;

use crate::compression;
use crate::connection::Connection;
use crate::target::Target;

mod asking;
mod deleting;
mod putting;
mod reading;

/// The longest name, in bytes: a key may have 1,024 with its prefix.
const MAX_NAME: usize = 500;

/// How many names a server lists, and how many files it deletes, in one request.
const PAGE: usize = 1000;

/// The named files under a prefix of a bucket. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connection: Connection,
    /// Whether the server was found to refuse the condition that a name is free.
    refuses_conditions: AtomicBool,
    /// Whether the server was found to refuse to delete many files at once.
    refuses_bulk: AtomicBool,
}

impl Files {
    pub(crate) fn new(connection: Connection) -> Self {
        let (refuses_conditions, refuses_bulk) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { connection, refuses_conditions, refuses_bulk }) }
    }

    pub(crate) fn target(&self) -> &Target {
        self.shared.connection.target()
    }

    /// The key of a file of the storage: nothing deeper.
    fn key(&self, name: &str) -> Result<Path, StorageError> {
        match name.contains('/') {
            true => Err(no_name(name)),
            false => self.deep_key(name),
        }
    }

    fn deep_key(&self, name: &str) -> Result<Path, StorageError> {
        if name.is_empty() || name.len() > MAX_NAME || name.contains('\\') || name.chars().any(char::is_control) {
            return Err(no_name(name));
        }
        // It refuses the parts `.` and `..`, and empty ones.
        Path::parse(format!("{}{name}", self.target().prefix)).map_err(|_| no_name(name))
    }
}

#[async_trait]
impl NamedFiles for Files {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        self.put_if_free(name, content).await
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        self.key(name)?;
        // What is derived may be large, and is read by pages.
        let (content, attributes) = compression::compress(content, self.attributes(name)).await;
        self.put_with(name, content, attributes).await
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        self.list_from(from, limit).await
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        self.key(name)?;
        self.get_content(name).await.map(Into::into)
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        self.delete_all(names).await
    }

    fn identity(&self) -> Option<String> {
        Some(self.target().identity())
    }

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        Some(self)
    }

    #[cfg(feature = "provision")]
    fn provisioner(&self) -> Option<&dyn checkup_core::StorageProvisioner> {
        Some(self)
    }
}

fn no_name(found: &str) -> StorageError {
    StorageError::new(format!("expected the name of a file, found {found:?}"))
}
