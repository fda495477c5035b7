use std::sync::Arc;

use checkup_core::archive::{Archive, NamedFiles};
use checkup_core::check_file::FileName;
use checkup_core::summary::Summary;
use checkup_core::{
    CheckResult, ConfigError, Maintenance, PagePublisher, Report, Storage, StorageError, StorageMaintainer,
    StorageReader, Timestamp, async_trait,
};

use crate::S3;
use crate::connection::Connection;
use crate::files::Files;
use crate::target::{Target, environment};

/// Keeps check files in a bucket.
///
/// Nothing is connected to before it is used. Cloning is cheap, and clones share their connections.
///
/// ```
/// use checkup_core::{CheckResult, Report, Storage, Timestamp};
/// use checkup_storage_s3::{S3, S3Storage};
/// use checkup_testkit::S3Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // In a test; elsewhere `S3::new("status").region("eu-west-1")` will do.
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
    /// Storage with these settings.
    ///
    /// # Errors
    ///
    /// If the settings cannot work, with each key that is wrong.
    pub fn new(settings: S3) -> Result<Self, ConfigError> {
        let target = Target::new(&settings)?;
        let files = Files::new(Connection::new(target, Box::new(environment)));
        let archive = Archive::new(files)
            .check_expiry(settings.check_expiry)
            .summary_expiry(settings.summary_expiry)
            .compact(settings.compact);
        Ok(Self { archive: Arc::new(archive) })
    }

    #[cfg(feature = "provision")]
    pub(crate) fn target(&self) -> &Target {
        self.archive.files().target()
    }

    /// The files under the prefix.
    pub fn files(&self) -> Arc<dyn NamedFiles> {
        Arc::new(self.archive.files().clone())
    }

    pub(crate) fn objects(&self) -> &Files {
        self.archive.files()
    }
}

#[async_trait]
impl Storage for S3Storage {
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

    #[cfg(feature = "provision")]
    fn provisioner(&self) -> Option<&dyn checkup_core::StorageProvisioner> {
        Some(self)
    }
}

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

#[async_trait]
impl StorageMaintainer for S3Storage {
    async fn maintain(&self) -> Result<Maintenance, StorageError> {
        self.archive.maintain().await
    }
}
