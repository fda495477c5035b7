//! [`Files`]: the named files under a prefix of a bucket.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use checkup_core::archive::{NamedFiles, Put};
use checkup_core::check_file::FileName;
use checkup_core::{PagePublisher, StorageError, async_trait};
use object_store::path::Path;

use crate::connection::Connection;
use crate::target::Target;
use crate::{compression, index};

mod asking;
mod deleting;
mod putting;
mod reading;

/// The longest name in bytes. A key, which includes the prefix, has at most 1,024.
const MAX_NAME: usize = 500;

/// How many names a server lists, and how many files it deletes, in one request.
const PAGE: usize = 1000;

/// The named files under a prefix of a bucket. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    shared: Arc<Shared>,
    /// Whether these are the files of the page, which may have another prefix.
    is_page: bool,
}

#[derive(Debug)]
struct Shared {
    connection: Connection,
    /// Whether the server has refused the condition that a name is free.
    refuses_conditions: AtomicBool,
    /// Whether the server has refused to delete many files with one request.
    refuses_bulk: AtomicBool,
}

impl Files {
    pub(crate) fn new(connection: Connection) -> Self {
        let (refuses_conditions, refuses_bulk) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { connection, refuses_conditions, refuses_bulk }), is_page: false }
    }

    /// The files of the page.
    pub(crate) fn of_page(&self) -> Self {
        Self { is_page: true, ..self.clone() }
    }

    fn prefix(&self) -> &str {
        let Target { prefix, page_prefix, .. } = self.target();
        page_prefix.as_deref().filter(|_| self.is_page).unwrap_or(prefix)
    }

    pub(crate) fn target(&self) -> &Target {
        self.shared.connection.target()
    }

    /// Renews the index after a change to the check files, if there is one.
    async fn renew_index<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        if self.target().index && names.into_iter().any(|name| FileName::parse(name).is_some()) {
            index::renew(self, self.target().timeout).await;
        }
    }

    /// The key of a file directly under the prefix.
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
        // This refuses empty parts, `.` and `..`.
        Path::parse(format!("{}{name}", self.prefix())).map_err(|_| no_name(name))
    }
}

#[async_trait]
impl NamedFiles for Files {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let put = self.put_if_free(name, content).await?;
        if put == Put::Created {
            self.renew_index([name]).await;
        }
        Ok(put)
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        self.key(name)?;
        // Derived files may be large, and are read by pages.
        let (content, attributes) = compression::compress(content, self.attributes(name)).await;
        self.put_with(name, content, attributes).await
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        self.list_range(from, None, limit).await
    }

    async fn list_before(&self, from: &str, end: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        self.list_range(from, Some(end), limit).await
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        self.key(name)?;
        self.get_content(name).await.map(Into::into)
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        self.delete_all(names).await?;
        self.renew_index(names.iter().copied()).await;
        Ok(())
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
