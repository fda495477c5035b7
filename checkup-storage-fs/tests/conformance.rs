//! The file-system storage passes the conformance suites for storages and for named files, with and without fsync.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::path::PathBuf;

use checkup_storage_fs::{Fs, FsStorage};
use checkup_testkit::conformance::{NamedFilesFixture, StorageFixture};

fn fixture(settings: impl Fn(PathBuf) -> Fs + Clone + 'static) -> StorageFixture {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("checks");
    let no_dir = temporary.path().join("file");
    fs::write(&no_dir, "where a directory should be").unwrap();
    let (expiring_settings, expiring_dir) = (settings.clone(), dir.clone());
    let (failing_settings, putting_dir, looking_dir) = (settings.clone(), dir.clone(), dir.clone());
    StorageFixture::new(move || settings(dir.clone()))
        .expiring(move |age| expiring_settings(expiring_dir.clone()).check_expiry(age))
        .failing(move || failing_settings(no_dir.clone()))
        .files(
            move |name, content| {
                fs::create_dir_all(&putting_dir).unwrap();
                fs::write(putting_dir.join(name), content).unwrap();
            },
            move |name| looking_dir.join(name).exists(),
        )
        .keep(temporary)
}

/// The directory as named files.
fn files(settings: impl Fn(PathBuf) -> Fs + Clone + 'static) -> NamedFilesFixture {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("checks");
    let no_dir = temporary.path().join("file");
    fs::write(&no_dir, "where a directory should be").unwrap();
    let failing = settings.clone();
    NamedFilesFixture::new(move || FsStorage::new(settings(dir.clone())).unwrap().files())
        .failing(move || FsStorage::new(failing(no_dir.clone())).unwrap().files())
        .keep(temporary)
}

mod durable {
    use super::*;

    checkup_testkit::named_files_conformance!(|| files(Fs::new), without: [hanging, secret]);

    checkup_testkit::storage_conformance!(|| fixture(Fs::new), without: [hanging, secret]);
}

mod without_fsync {
    use super::*;

    checkup_testkit::named_files_conformance!(|| files(|dir| Fs::new(dir).fsync(false)), without: [hanging, secret]);

    checkup_testkit::storage_conformance!(|| fixture(|dir| Fs::new(dir).fsync(false)), without: [hanging, secret]);
}
