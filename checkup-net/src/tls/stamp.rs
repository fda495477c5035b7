//! [`Stamps`]: the state of certificate files, to notice when they change.

use std::fs::Metadata;
use std::path::PathBuf;

use checkup_core::Failure;
use tokio::task;

use crate::TlsSettings;

/// The state of the settings' files at one moment. If two states are equal, the files have not changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Option<Stamp>>);

/// The metadata that changes when a file is written or replaced.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<std::time::SystemTime>,
    length: u64,
    /// On Unix: the device, the inode, and the time when the inode last changed.
    identity: (u64, u64, i64, i64),
}

impl Stamps {
    /// Takes the current state: one `stat` call for each file that the settings name.
    pub(super) async fn take(settings: &TlsSettings) -> Result<Self, Failure> {
        let files: Vec<_> = files(settings).cloned().collect();
        if files.is_empty() {
            return Ok(Self::default());
        }
        let take = move || Self(files.iter().map(|file| Stamp::of(&std::fs::metadata(file).ok()?)).collect());
        task::spawn_blocking(take).await.map_err(Failure::from_error)
    }
}

impl Stamp {
    /// `None` for pipes, since they cannot be read a second time.
    fn of(metadata: &Metadata) -> Option<Self> {
        metadata.is_file().then(|| Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            identity: identity(metadata),
        })
    }
}

/// The files that the configuration of these settings is made from.
pub(super) fn files(settings: &TlsSettings) -> impl Iterator<Item = &PathBuf> {
    let roots = [&settings.ca_file, &settings.extra_ca_file].into_iter().flatten().chain(&settings.more_ca_files);
    let client = [&settings.client_cert_file, &settings.client_key_file].into_iter().flatten();
    roots.filter(|_| !settings.skip_verify).chain(client)
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;

    (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64, i64, i64) {
    (0, 0, 0, 0)
}
