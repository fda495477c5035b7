use std::sync::Arc;

use checkup_core::archive::{Archive, NamedFiles};
use checkup_core::check_file::FileName;
use checkup_core::summary::Summary;
use checkup_core::{
    CheckResult, ConfigError, Maintenance, PageFile, PagePublisher, PageSource, Published, Report, Storage,
    StorageError, StorageMaintainer, StorageReader, Timestamp, async_trait,
};

use crate::Fs;
use crate::directory::Directory;
use crate::files::Files;

/// Keeps check files in a directory.
///
/// Storing and maintenance go on to their end when they are cancelled, so that nothing is left half done.
/// Cloning is cheap.
///
/// ```
/// use checkup_core::{CheckResult, Report, Storage, Timestamp};
/// use checkup_storage_fs::{Fs, FsStorage};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let dir = temporary.path();
/// let storage = FsStorage::new(Fs::new(dir))?;
/// storage.store(&Report::new(vec![CheckResult::new("API", "https://example.com")])).await?;
/// assert!(dir.join("index.json").exists());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FsStorage {
    archive: Arc<Archive<Files>>,
}

impl FsStorage {
    /// Storage with these settings. The directory is made by the first store.
    ///
    /// # Errors
    ///
    /// If `dir` is empty.
    pub fn new(settings: Fs) -> Result<Self, ConfigError> {
        if settings.dir.as_os_str().is_empty() {
            return Err(ConfigError::invalid(
                "dir",
                "expected a directory, found nothing; set it to where check files go",
            ));
        }
        let files = Files::new(Directory::new(settings.dir, settings.fsync), settings.check_expiry);
        // The system sees to it that no name is used twice.
        let archive =
            Archive::new(files).compact(settings.compact).summary_expiry(settings.summary_expiry).plain_names(true);
        Ok(Self { archive: Arc::new(archive) })
    }

    /// The files in the directory. Check files that are put or deleted here are put into and taken out of `index.json`.
    pub fn files(&self) -> Arc<dyn NamedFiles> {
        Arc::new(self.archive.files().clone())
    }
}

#[async_trait]
impl Storage for FsStorage {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        self.archive.store(report).await
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        Some(self)
    }

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        Some(self)
    }
}

#[async_trait]
impl StorageReader for FsStorage {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        self.archive.list(since).await
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        self.archive.fetch(name).await
    }

    async fn summary(&self) -> Result<Option<Summary>, StorageError> {
        self.archive.summary().await
    }
}

#[async_trait]
impl StorageMaintainer for FsStorage {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        let mut done = self.archive.maintain().await?;
        // What is removed is summarised first.
        if !done.unfinished {
            done.expired += self.archive.files().expire().await?;
        }
        Ok(done)
    }
}

#[async_trait]
impl PagePublisher for FsStorage {
    async fn publish(&self, file: &PageFile) -> Result<Published, StorageError> {
        self.archive.files().publish_page(file.clone()).await
    }

    fn page_source(&self) -> PageSource {
        PageSource::Index { url: "./".to_owned() }
    }
}
