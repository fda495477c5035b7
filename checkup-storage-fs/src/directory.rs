//! [`Directory`]: the paths in the directory, and how files are written there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use checkup_core::archive::Put;
use checkup_core::check_file::FileName;
use checkup_core::{StorageError, Timestamp};
use tempfile::{NamedTempFile, PersistError};

use crate::error::failed;

/// How the name of a marker ends: the check file of this name is, or will be, published and must get into the index.
const MARKER: &str = ".pending";

/// How the name of a file begins and ends while it is being written.
const TEMPORARY: (&str, &str) = ("new-", ".tmp");

/// How the name of a claim ends: the file of this name is being created. The ending is also that of unfinished files,
/// so that a claim is removed if its process was killed.
const CLAIM: &str = ".claim.tmp";

/// The directory of a storage.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    work: PathBuf,
    fsync: bool,
}

impl Directory {
    pub(crate) fn new(path: PathBuf, fsync: bool) -> Self {
        let work = path.join(".checkup");
        Self { path, work, fsync }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder for files that are not published yet, for markers and for the lock. It is inside the directory,
    /// because renaming needs a single file system, and separate from the check files, because it is listed often.
    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.path.join("index.json")
    }

    /// The path of the file with a name that a caller gave.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf, StorageError> {
        let is_plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0']);
        if !is_plain || self.path.join(name) == self.work {
            return Err(StorageError::new(format!("expected the name of a file, found {name:?}")));
        }
        Ok(self.path.join(name))
    }

    pub(crate) fn check_file(&self, name: &FileName) -> PathBuf {
        self.path.join(name.as_str())
    }

    pub(crate) fn marker(&self, name: &FileName) -> PathBuf {
        self.work.join(format!("{name}{MARKER}"))
    }

    /// Whether a check file of this name exists. Links and directories do not count.
    pub(crate) fn has(&self, name: &FileName) -> bool {
        fs::symlink_metadata(self.check_file(name)).is_ok_and(|metadata| metadata.is_file())
    }

    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// When an entry of the directory was last added, removed or renamed; `None` if unknown.
    pub(crate) fn changed(&self) -> Option<Timestamp> {
        modified(&fs::metadata(&self.path).ok()?)
    }

    /// The names of all check files, oldest first. Empty if the directory does not exist: a store creates it.
    pub(crate) fn list(&self) -> Result<Vec<FileName>, StorageError> {
        let mut names = Vec::new();
        entries(&self.path, |entry, name| {
            // Nearly every file system returns the type with the name, so this is not a call for each file.
            let name = FileName::parse(name).filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file()));
            names.extend(name);
        })?;
        names.sort_unstable();
        Ok(names)
    }

    /// The published check files with a marker.
    pub(crate) fn pending(&self) -> Result<Vec<FileName>, StorageError> {
        let mut names = Vec::new();
        entries(&self.work, |_, name| names.extend(name.strip_suffix(MARKER).and_then(FileName::parse)))?;
        names.retain(|name| self.has(name));
        Ok(names)
    }

    /// Whether a killed process can have left this name in the work directory.
    pub(crate) fn is_leftover(name: &str) -> bool {
        name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1)
            || name.strip_suffix(MARKER).is_some_and(|name| FileName::parse(name).is_some())
    }

    /// Creates a temporary file with this content, which everyone may read as far as the umask allows. Creates the
    /// directory if it does not exist.
    pub(crate) fn write_temporary(&self, content: &[&[u8]]) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
        // The default mode is for the owner only, but a web server must be able to read the files.
        #[cfg(unix)]
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        #[cfg(unix)]
        builder.permissions(permissions);
        let mut file = match builder.tempfile_in(&self.work) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make()?;
                builder.tempfile_in(&self.work)?
            }
            made => made?,
        };
        for part in content {
            io::Write::write_all(file.as_file_mut(), part)?;
        }
        Ok(file)
    }

    /// Whether published files must be on the disk.
    pub(crate) fn is_durable(&self) -> bool {
        self.fsync
    }

    /// Waits until the names in the directory are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync_directory(&self.path)
    }

    /// Creates a file that is not a check file, if the name is free.
    pub(crate) fn create(&self, path: &Path, content: &[u8]) -> io::Result<Put> {
        let file = self.write_temporary(&[content])?;
        if self.fsync {
            file.as_file().sync_all()?;
        }
        // Other processes that create this file claim it in the same way.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let claim = self.work.join(format!("{}{name}{CLAIM}", TEMPORARY.0));
        let published = match create_empty(&claim) {
            Ok(()) => publish_claimed(file, path, |file, path| file.persist_noclobber(path)),
            Err(error) => Err(error),
        };
        if !published.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists && !path.exists()) {
            let _ = fs::remove_file(&claim);
        }
        match published {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Put::Exists),
            published => published?,
        }
        if self.fsync {
            self.sync()?;
        }
        Ok(Put::Created)
    }

    /// Creates the directory, its parents, and the work directory.
    fn make(&self) -> io::Result<()> {
        let missing: Vec<_> = self.work.ancestors().take_while(|path| !path.exists()).collect();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
        builder.create(&self.work)?;
        // A file is only durable if its directory is durable as well.
        for made in missing.iter().filter(|_| self.fsync) {
            let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty());
            sync_directory(parent.unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }
}

/// Creates a new empty file that no other user can write to.
pub(crate) fn create_empty(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options.open(path).map(drop)
}

/// Renames a file to its name, if the name is free and only this process creates it. Where the file system can neither
/// rename without replacing nor link (vfat, some network and FUSE file systems), it first looks whether the name is
/// taken.
pub(crate) fn publish_claimed(
    file: NamedTempFile,
    path: &Path,
    persist: impl FnOnce(NamedTempFile, &Path) -> Result<File, PersistError>,
) -> io::Result<()> {
    let refused = match persist(file, path) {
        Ok(_) => return Ok(()),
        Err(refused) if is_unsupported(&refused.error) => refused,
        Err(refused) => return Err(refused.error),
    };
    match fs::symlink_metadata(path) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            refused.file.persist(path).map(drop).map_err(Into::into)
        }
        Err(error) => Err(error),
    }
}

/// Whether the file system lacks this operation. For links, `EPERM` means that; `EACCES` is about permissions.
fn is_unsupported(error: &io::Error) -> bool {
    #[cfg(unix)]
    if let Some(code) = error.raw_os_error() {
        return [libc::EPERM, libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP, libc::EMLINK].contains(&code);
    }
    error.kind() == io::ErrorKind::Unsupported
}

/// Calls `each` for every entry with a name in UTF-8. A missing directory has no entries.
pub(crate) fn entries(path: &Path, mut each: impl FnMut(&fs::DirEntry, &str)) -> Result<(), StorageError> {
    let fail = |error| failed("list", path, error);
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(fail)?,
    };
    for entry in entries {
        let entry = entry.map_err(fail)?;
        if let Some(name) = entry.file_name().to_str() {
            each(&entry, name);
        }
    }
    Ok(())
}

/// When a file was last written, or a directory changed.
pub(crate) fn modified(metadata: &fs::Metadata) -> Option<Timestamp> {
    metadata.modified().ok().map(Timestamp::from)
}

#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Only Unix can sync a directory; elsewhere the file system's journal does it.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn files_are_published_even_without_links_and_exclusive_renames() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::new(temporary.path().to_owned(), false);
        let refuse = |code| move |file, _: &Path| Err(PersistError { error: io::Error::from_raw_os_error(code), file });
        for code in [libc::EPERM, libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP] {
            let path = temporary.path().join(code.to_string());
            let publish =
                |content: &[u8]| publish_claimed(directory.write_temporary(&[content]).unwrap(), &path, refuse(code));
            publish(b"first").unwrap();
            assert_eq!(publish(b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&path).unwrap(), b"first");
        }
        // Missing permissions are not worked around.
        let path = temporary.path().join("denied");
        let denied = publish_claimed(directory.write_temporary(&[b"x"]).unwrap(), &path, refuse(libc::EACCES));
        assert_eq!(denied.unwrap_err().raw_os_error(), Some(libc::EACCES));
        assert!(!path.exists());
    }
}
