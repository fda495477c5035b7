//! [`S3Storage`]: an archive in a bucket.

use std::sync::Arc;

use checkup_core::archive::{Archive, NamedFiles};
use checkup_core::check_file::FileName;
use checkup_core::summary::Summary;
use checkup_core::{
    CheckResult, ConfigError, IntoStorage, Maintenance, PagePublisher, Report, Storage, StorageError,
    StorageMaintainer, StorageProvisioner, StorageReader, Timestamp, async_trait,
};

use crate::config::S3;
use crate::connection::Connection;
use crate::files::Files;
use crate::target::{Target, environment};

impl IntoStorage for S3 {
    fn into_storage(self) -> Result<Arc<dyn Storage>, ConfigError> {
        Ok(Arc::new(S3Storage::new(self)?))
    }
}

/// Keeps check files in a bucket.
///
/// It connects when it is first used. Cloning is cheap, and clones share their connections.
///
/// ```
/// use checkup_core::{CheckResult, Report, Storage, Timestamp};
/// use checkup_storage_s3::{S3, S3Storage};
/// use checkup_testkit::S3Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A server for tests; on Amazon, `S3::new("status").region("eu-west-1")` is enough.
/// let server = S3Server::start();
/// server.create_bucket("status");
/// let settings = S3::new("status").endpoint(server.endpoint()).access_key(server.access_key_id(), server.secret_access_key());
///
/// let storage = S3Storage::new(settings)?;
/// storage.store(&Report::new(vec![CheckResult::new("API", "https://example.com")])).await?;
/// let reader = storage.reader().ok_or("buckets can be read")?;
/// assert_eq!(reader.list(Timestamp::from_unix_nanos(0)).await?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct S3Storage {
    archive: Arc<Archive<Files>>,
}

impl S3Storage {
    /// Creates a storage with these settings.
    ///
    /// # Errors
    ///
    /// If settings are invalid. The error lists every problem.
    pub fn new(settings: S3) -> Result<Self, ConfigError> {
        let target = Target::new(&settings)?;
        let files = Files::new(Connection::new(target, Box::new(environment)));
        Ok(Self { archive: Arc::new(Archive::new(files).retention(settings.retention)) })
    }

    /// The files under the prefix.
    pub fn files(&self) -> Arc<dyn NamedFiles> {
        Arc::new(self.archive.files().clone())
    }
}

// A method that is added to the trait must be forwarded here too.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Storage for S3Storage {
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

// Callers with this concrete type can use its capabilities directly.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl StorageReader for S3Storage {
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
impl StorageMaintainer for S3Storage {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        self.archive.maintain().await
    }
}
