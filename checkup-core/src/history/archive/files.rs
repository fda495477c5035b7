//! [`NamedFiles`]: the files that an archive is kept in.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::naming;
use crate::{PagePublisher, StorageError, StorageProvisioner};

/// A place that holds named files: a directory, a bucket, a table. [`Archive`](super::Archive) makes a storage from it.
///
/// # Contract
///
/// For implementors:
/// - A name is 1 to 255 bytes of ASCII or other UTF-8, without `/`, `\` and control characters. Files with other names,
///   and entries that are not files (folders, links), need not be listed, and must be left alone.
/// - [`put_if_absent`](Self::put_if_absent) never replaces a file, even when many put the same name at once: one of
///   them creates it. When it returns `Ok`, the file is durable. A file is seen whole or not at all, even when the call
///   is cancelled (dropped at any `.await`), fails, or its process dies.
/// - Every call that begins after a put has returned lists the file and can get it.
/// - [`list`](Self::list) returns every file that exists during the whole call and is not before `from`, in the order
///   of the bytes of the names, up to `limit`. Files that appear or disappear during the call may or may not be listed.
///   [`list_before`](Self::list_before) returns those of them that are before `end`.
/// - It does not block the thread: blocking work goes through `tokio::task::spawn_blocking`.
/// - [`delete`](Self::delete) removes the given files and nothing else. A missing file is not an error.
/// - Any number of tasks, processes and machines may do all of this at the same time.
/// - The implementation bounds every wait on a network with a timeout, and the size of what one [`get`](Self::get)
///   reads.
/// - Errors contain no credentials.
///
/// For callers: after an error the request may have been carried out completely, in part or not at all. It is safe to
/// repeat it.
#[async_trait]
pub trait NamedFiles: fmt::Debug + Send + Sync + 'static {
    /// Creates a file with this content, if no file has this name.
    ///
    /// # Errors
    ///
    /// If it could not be confirmed that the file was stored.
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError>;

    /// Creates or replaces a file, in one step. It is for derived files. When it returns `Ok`, the new content is
    /// durable, because the files that it was derived from may then be removed: a summary outlives its check files.
    ///
    /// # Errors
    ///
    /// If it could not be confirmed that the file was stored.
    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError>;

    /// The names from `from` on, in the order of their bytes, at most `limit` of them. If there are fewer than `limit`,
    /// there are no more.
    ///
    /// # Errors
    ///
    /// If the files cannot be listed.
    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError>;

    /// The names from `from` on that are before `end`, in the order of their bytes, at most `limit` of them.
    ///
    /// Override it if the storage can stop at `end`, so that files after it cost nothing.
    ///
    /// # Errors
    ///
    /// If the files cannot be listed.
    async fn list_before(&self, from: &str, end: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        let mut names = self.list(from, limit).await?;
        names.retain(|name| name.as_str() < end);
        Ok(names)
    }

    /// The content of a file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::StorageErrorKind::NotFound) if it does not exist,
    /// [`Corrupt`](crate::StorageErrorKind::Corrupt) if it is larger than the limit for reading, or any other kind if
    /// it cannot be read.
    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError>;

    /// Removes files. A missing file is not an error.
    ///
    /// # Errors
    ///
    /// If a file may still exist; the others may have been removed.
    async fn delete(&self, names: &[&str]) -> Result<(), StorageError>;

    /// The names of the oldest check files, as [`list`](Self::list) returns them from `"0"` on. Retention asks for them
    /// after most stores, and then usually needs only the first. Names of files that no longer exist do no harm; nor
    /// does it if a file that was put out of order is missing for a while. Override this if the oldest names are known
    /// without a listing.
    ///
    /// # Errors
    ///
    /// If the files cannot be listed.
    async fn oldest(&self, limit: usize) -> Result<Vec<String>, StorageError> {
        self.list_before(naming::FIRST, naming::END, limit).await
    }

    /// Updates what these files derive from their own names, such as an index, and removes what killed processes left
    /// behind. Every maintenance begins with it. If the maintenance follows a store (`after_store`), it only does what
    /// that store could not do; otherwise it looks at everything. Default: does nothing.
    ///
    /// # Errors
    ///
    /// If something derived is still out of date.
    async fn tidy(&self, after_store: bool) -> Result<(), StorageError> {
        let _ = after_store;
        Ok(())
    }

    /// What these files are stored in, without credentials: see [`Storage::identity`](crate::Storage::identity).
    /// Default: `None`.
    fn identity(&self) -> Option<String> {
        None
    }

    /// Publishes a status page next to the files, if readers of the files can also read a page there. Default: `None`.
    fn publisher(&self) -> Option<&dyn PagePublisher> {
        None
    }

    /// Prepares the place for the first store, if it needs anything and can be prepared. Default: `None`.
    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        None
    }
}

/// The outcome of [`put_if_absent`](NamedFiles::put_if_absent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
#[allow(clippy::exhaustive_enums, reason = "there is no third outcome")]
pub enum Put {
    /// The file was created.
    Created,
    /// The name is taken: a file with this name was left as it is, or another process is creating it right now.
    Exists,
}

// A method that is added to the trait later must be forwarded too.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<T: NamedFiles + ?Sized> NamedFiles for Arc<T> {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        self.as_ref().put_if_absent(name, content).await
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        self.as_ref().put(name, content).await
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        self.as_ref().list(from, limit).await
    }

    async fn list_before(&self, from: &str, end: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        self.as_ref().list_before(from, end, limit).await
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        self.as_ref().get(name).await
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        self.as_ref().delete(names).await
    }

    async fn oldest(&self, limit: usize) -> Result<Vec<String>, StorageError> {
        self.as_ref().oldest(limit).await
    }

    async fn tidy(&self, after_store: bool) -> Result<(), StorageError> {
        self.as_ref().tidy(after_store).await
    }

    fn identity(&self) -> Option<String> {
        self.as_ref().identity()
    }

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        self.as_ref().publisher()
    }

    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        self.as_ref().provisioner()
    }
}
