//! [`NamedFiles`]: what an archive keeps its files in.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::naming;
use crate::{PagePublisher, StorageError, StorageProvisioner};

/// What holds named files: a directory, a bucket, a table. [`Archive`](super::Archive) makes a storage of it.
///
/// # Contract
///
/// For whoever implements it:
/// - A name is 1 to 255 bytes of ASCII or other UTF-8 without `/`, `\` and control characters. Files of other names, and what
///   is no file (a folder, a link), need not be listed, and must be left alone.
/// - [`put_if_absent`](Self::put_if_absent) never replaces a file, also when many put the same name at once: one of them
///   creates it. When it returns `Ok`, the file is durable. A file is seen whole or not at all, also when the
///   call is cancelled (dropped at any `.await`), fails, or its process dies.
/// - What was put is listed, and can be got, by every call that begins after the put has returned.
/// - [`list`](Self::list) gives every file that is there during the whole call and is not before `from`, in the order of the
///   bytes of the names, up to `limit`. What comes or goes meanwhile is listed or not. [`list_before`](Self::list_before) gives
///   those of them that are before `end`.
/// - [`delete`](Self::delete) removes what it is told to and nothing else. A file that is not there is no error.
/// - Any number of tasks, processes and machines may do all of this at once.
/// - Every wait on a network is bounded by a timeout of its own, and so is what one [`get`](Self::get) reads.
/// - Errors hold no credentials.
///
/// For whoever calls it: after an error, what was asked for may be done, in part or not at all; it is safe to ask again.
#[async_trait]
pub trait NamedFiles: fmt::Debug + Send + Sync + 'static {
    /// Makes a file with this content, if there is none of this name.
    ///
    /// # Errors
    ///
    /// If the file may not be stored.
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError>;

    /// Makes or replaces a file, in one step. It is for what is derived from others. When it returns `Ok`, the new content is durable, since
    /// what it was derived from may then be removed: a summary outlasts its check files.
    ///
    /// # Errors
    ///
    /// If the file may not be stored.
    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError>;

    /// The names from `from` on, in the order of their bytes, and at most `limit` of them: less is all there are.
    ///
    /// # Errors
    ///
    /// If the files cannot be listed.
    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError>;

    /// The names from `from` on that are before `end`, in the order of their bytes, and at most `limit` of them.
    ///
    /// Override it if the storage can stop at `end`, so that other files after it cost nothing.
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
    /// [`NotFound`](crate::StorageErrorKind::NotFound) if it is not there, [`Corrupt`](crate::StorageErrorKind::Corrupt)
    /// if it is larger than what is read, or any other if it cannot be read.
    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError>;

    /// Removes files. Names that are not there are no error.
    ///
    /// # Errors
    ///
    /// If a file may still be there; the others may be gone.
    async fn delete(&self, names: &[&str]) -> Result<(), StorageError>;

    /// The names of the oldest check files, as [`list`](Self::list) gives them from `"0"` on. Retention looks at them after most
    /// stores, and then only the first matters. Names that no longer exist do no harm, and neither does it if a file that was
    /// put out of order is missing for a while: override this if the oldest names are known without a listing.
    ///
    /// # Errors
    ///
    /// If the files cannot be listed.
    async fn oldest(&self, limit: usize) -> Result<Vec<String>, StorageError> {
        self.list_before(naming::FIRST, naming::END, limit).await
    }

    /// Brings up to date what these files derive from their own names, such as an index, and removes what processes that
    /// were killed left behind. Every maintenance begins with it. One that follows a store (`after_store`) leaves it at what that
    /// store could not do; otherwise everything is looked at. Default: nothing to do.
    ///
    /// # Errors
    ///
    /// If something derived is still out of date.
    async fn tidy(&self, after_store: bool) -> Result<(), StorageError> {
        let _ = after_store;
        Ok(())
    }

    /// What these files are in, without credentials: see [`Storage::identity`](crate::Storage::identity). Default: `None`.
    fn identity(&self) -> Option<String> {
        None
    }

    /// What publishes a status page next to the files, if readers of the files can read a page too. Default: nothing.
    fn publisher(&self) -> Option<&dyn PagePublisher> {
        None
    }

    /// What prepares the place for the first store, if it needs anything and can be prepared. Default: nothing.
    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        None
    }
}

/// What came of putting a file if it is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
#[allow(clippy::exhaustive_enums, reason = "there is no third outcome")]
pub enum Put {
    /// The file was made.
    Created,
    /// The name is taken: a file of this name was left as it is, or somebody else is just making it.
    Exists,
}

// A method that the trait gains later must not be missed here.
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
