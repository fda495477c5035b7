//! [`failed`]: the error of a failed operation on a path.

use std::io;
use std::path::Path;

use checkup_core::{StorageError, StorageErrorKind};

/// The error of a failed operation on a path: what was tried, where, and what to do about it. Its source is the
/// system's error.
pub(crate) fn failed(action: &str, path: &Path, error: io::Error) -> StorageError {
    use io::ErrorKind as Kind;
    // `EPERM` is not about file permissions: the error for those is `EACCES`.
    #[cfg(unix)]
    let is_impossible = error.raw_os_error() == Some(libc::EPERM);
    #[cfg(not(unix))]
    let is_impossible = false;
    let remedy = match error.kind() {
        _ if is_impossible => {
            ": the file system does not support it, or a file is immutable (`lsattr`); set a `dir` on another file system"
        }
        Kind::PermissionDenied => ": give the user that runs this write access, or set another `dir`",
        Kind::StorageFull | Kind::QuotaExceeded => {
            ": free some space there, or keep less of the history with `check_expiry`"
        }
        Kind::NotADirectory => ": a part of the path is a file; set `dir` to a directory, or to an unused path",
        Kind::AlreadyExists => ": something else has that name; remove it, or set another `dir`",
        Kind::IsADirectory => ": a directory has that name; remove it, or set another `dir`",
        Kind::ReadOnlyFilesystem => ": the file system is read-only; mount it writable, or set another `dir`",
        Kind::Unsupported => ": this file system lacks an operation that check files need; set a `dir` on another one",
        _ => "",
    };
    let kind = match error.kind() {
        Kind::NotFound => StorageErrorKind::NotFound,
        _ => StorageErrorKind::Other,
    };
    StorageError::new(format!("cannot {action} {}{remedy}", path.display())).with_kind(kind).with_source(error)
}
