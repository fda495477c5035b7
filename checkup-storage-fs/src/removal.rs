//! Removes files: check files that are no longer in the index, and what processes that were killed left behind.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{StorageError, Timestamp};

use crate::directory::{Directory, entries, modified};
use crate::error::failed;

/// How old a file in the work directory is when nobody is writing it any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes these check files. One that cannot be removed does not keep the others.
pub(crate) fn remove(directory: &Directory, names: &[FileName]) -> Result<(), StorageError> {
    let mut outcome = Ok(());
    for name in names {
        // `and` takes a value, so that every file is tried, and keeps the first error.
        outcome = outcome.and(remove_file(&directory.check_file(name)));
    }
    outcome
}

/// Removes a file. A file that does not exist is no error, and what is not a file (a link, a directory) is left alone.
pub(crate) fn remove_file(path: &Path) -> Result<(), StorageError> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

/// Removes what killed processes left in the work directory, by its name and its age.
pub(crate) fn sweep(directory: &Directory) {
    let abandoned_before = Timestamp::now().saturating_sub(ABANDONED);
    let swept = entries(directory.work(), |entry, name| {
        let is_old = || entry.metadata().ok().as_ref().and_then(modified).is_some_and(|time| time < abandoned_before);
        if Directory::is_leftover(name) && is_old() {
            // Somebody else may have removed it; and if it cannot be removed, it does no harm.
            let _ = fs::remove_file(entry.path());
        }
    });
    if let Err(error) = swept {
        tracing::debug!(error = &error as &dyn std::error::Error, "cannot sweep");
    }
}
