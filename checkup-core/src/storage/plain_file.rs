//! Opens files in folders that others can write to: only regular files, without following links or blocking on pipes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file.
///
/// # Errors
///
/// Those of [`OpenOptions::open`]; [`io::ErrorKind::InvalidInput`] for links, pipes, devices and folders.
pub fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // Opening a pipe would block until another process opens its other end.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let refused = |what| io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a regular file"));
    let file = match options.open(path) {
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Err(refused("a link")),
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Err(refused("a pipe or a device")),
        opened => opened?,
    };
    let kind = file.metadata()?.file_type();
    match kind.is_file() {
        true => Ok(file),
        false => Err(refused(if kind.is_dir() { "a folder" } else { "a pipe or a device" })),
    }
}

/// Reads a regular file; `None` if it is larger than `limit` bytes.
///
/// # Errors
///
/// Those of [`open`], or if the file cannot be read.
pub fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    open(OpenOptions::new().read(true), path)?.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    Ok((content.len() as u64 <= limit).then_some(content))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_opening_never_blocks() {
        let temporary = tempfile::tempdir().unwrap();
        let path = |name: &str| temporary.path().join(name);
        std::fs::write(path("file"), "content").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        std::os::unix::fs::symlink(path("made"), path("dangling")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        assert_eq!(read(&path("file"), 7).unwrap().unwrap(), b"content");
        assert_eq!(read(&path("file"), 6).unwrap(), None);
        for refused in [path("link"), path("dangling"), path("pipe"), temporary.path().to_owned(), "/dev/zero".into()] {
            let error = read(&refused, 7).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{}", refused.display());
            assert!(open(OpenOptions::new().write(true).create(true), &refused).is_err(), "{}", refused.display());
        }
        assert!(!path("made").exists());
        assert_eq!(read(&path("none"), 7).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
