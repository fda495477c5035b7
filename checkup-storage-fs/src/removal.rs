//! Removes check files that are no longer in the index, and what killed processes left behind.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{StorageError, Timestamp};

use crate::directory::{Directory, entries, modified};
use crate::error::failed;

/// From this age on, a file in the work directory is no longer being written.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes these check files. If one cannot be removed, the others still are.
pub(crate) fn remove(directory: &Directory, names: &[FileName]) -> Result<(), StorageError> {
    let mut outcome = Ok(());
    for name in names {
        // `and` evaluates its argument, so every file is tried, and the first error is kept.
        outcome = outcome.and(remove_file(&directory.check_file(name)));
    }
    outcome
}

/// Removes a file. A missing file is not an error, and entries that are not files (links, directories) are left alone.
pub(crate) fn remove_file(path: &Path) -> Result<(), StorageError> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

/// Removes what killed processes left in the work directory, recognised by name and age.
pub(crate) fn sweep(directory: &Directory) {
    let abandoned_before = Timestamp::now().saturating_sub(ABANDONED);
    let swept = entries(directory.work(), |entry, name| {
        let is_old = || entry.metadata().ok().as_ref().and_then(modified).is_some_and(|time| time < abandoned_before);
        if Directory::is_leftover(name) && is_old() {
            // Another process may have removed it already. If it cannot be removed, it does no harm.
            let _ = fs::remove_file(entry.path());
        }
    });
    if let Err(error) = swept {
        tracing::debug!(error = &error as &dyn std::error::Error, "cannot sweep");
    }
}
