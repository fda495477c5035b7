//! [`FsStorage`]: an archive in a directory.

use std::sync::Arc;

use checkup_core::archive::{Archive, NamedFiles};
use checkup_core::check_file::FileName;
use checkup_core::summary::Summary;
use checkup_core::{
    CheckResult, ConfigError, IntoStorage, Maintenance, PagePublisher, Report, Storage, StorageError,
    StorageMaintainer, StorageProvisioner, StorageReader, Timestamp, async_trait, validate_path,
};

use crate::Fs;
use crate::directory::Directory;
use crate::files::Files;

impl IntoStorage for Fs {
    fn into_storage(self) -> Result<Arc<dyn Storage>, ConfigError> {
        Ok(Arc::new(FsStorage::new(self)?))
    }
}

/// Keeps check files in a directory.
///
/// A store or maintenance that is cancelled still runs to its end in the background, so nothing is left half done. Cloning is cheap.
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
    /// Storage with these settings. The first store creates the directory.
    ///
    /// # Errors
    ///
    /// If `dir` is empty, or cannot be a path (a file's content, for example).
    pub fn new(settings: Fs) -> Result<Self, ConfigError> {
        if settings.dir.as_os_str().is_empty() {
            let problem = "expected a directory, found an empty text; set it to the directory for check files";
            return Err(ConfigError::invalid("dir", problem));
        }
        validate_path("dir", &settings.dir)?;
        let files = Files::new(Directory::new(settings.dir, settings.fsync), settings.retention.check_expiry);
        // The file system guarantees that no name is used twice.
        let archive = Archive::new(files).retention(settings.retention).plain_names(true);
        Ok(Self { archive: Arc::new(archive) })
    }

    /// The files in the directory. Check files that are put or deleted through it enter or leave `index.json` too.
    pub fn files(&self) -> Arc<dyn NamedFiles> {
        Arc::new(self.archive.files().clone())
    }
}

// A method that is added to the trait later must be forwarded too.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Storage for FsStorage {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        self.archive.store(report).await
    }

    fn identity(&self) -> Option<String> {
        self.archive.identity()
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        self.archive.reader()
    }

    fn maintainer(&self) -> Option<&dyn StorageMaintainer> {
        self.archive.maintainer()
    }

    fn provisioner(&self) -> Option<&dyn StorageProvisioner> {
        self.archive.provisioner()
    }

    fn files(&self) -> Option<&dyn NamedFiles> {
        Some(self.archive.files())
    }

    fn publisher(&self) -> Option<&dyn PagePublisher> {
        self.archive.publisher()
    }
}

// For callers with this concrete type, so that they need not ask for the capabilities.
#[deny(clippy::missing_trait_methods)]
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

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl StorageMaintainer for FsStorage {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        self.archive.maintain().await
    }
}
