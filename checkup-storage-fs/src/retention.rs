use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{StorageError, Timestamp};

use crate::directory::{Directory, entries, modified};
use crate::error::failed;
use crate::lock::{Lock, PATIENCE, Waited};

/// How old a file in the work directory is when nobody is writing it any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes these expired check files, which are no longer in the index, and counts them.
///
/// What somebody else has removed meanwhile is not counted, and what is no file (a link, a directory) is left alone.
pub(crate) fn remove_expired(directory: &Directory, expired: &[FileName]) -> Result<usize, StorageError> {
    // Others may be somebody's own files with names like ours.
    let expired: Vec<_> = expired.iter().filter(|name| name.is_removable()).cloned().collect();
    let removed = remove(directory, &expired);
    if removed.as_ref().map_or(true, |count| *count > 0) {
        acknowledge(directory);
    }
    removed
}

/// Removes these check files, and counts them.
pub(crate) fn remove(directory: &Directory, names: &[FileName]) -> Result<usize, StorageError> {
    let mut removed = 0;
    let mut failure = None;
    for name in names {
        match remove_file(&directory.check_file(name)) {
            Ok(is_removed) => removed += usize::from(is_removed),
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(removed), Err)
}

/// Removes a file, and tells whether it was there.
pub(crate) fn remove_file(path: &Path) -> Result<bool, StorageError> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(false);
    }
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("remove", path, error)),
    }
}

/// Says that the directory's last change was ours, so that the next store need not look for what changed it.
fn acknowledge(directory: &Directory) {
    let Waited::Held(mut lock) = Lock::wait(directory, PATIENCE, || true) else { return };
    if let (Some(mut record), Some(changed)) = (lock.record(), directory.changed()) {
        record.changed = changed;
        // Otherwise the next store lists the directory, which is slower and as right.
        let _ = lock.set_record(Some(record));
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
