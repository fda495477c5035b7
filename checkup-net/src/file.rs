//! [`read_file`]: reads a file that the settings name, such as a certificate file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use checkup_core::{Cause, Failure};

/// More than any bundle of root certificates needs.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Reads a file that the settings name. Blocks the thread.
///
/// # Errors
///
/// If the file cannot be read or is larger than 16 MiB: a failure with the path, the reason, and what to do. Its cause is
/// [`Cause::Monitor`] if the monitor has too many open files or no memory, since that says nothing about the target.
pub fn read_file(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = || {
        let mut content = Vec::new();
        File::open(file)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
        Ok(content)
    };
    let content = read().map_err(|error| failure(file, error))?;
    if content.len() as u64 > MAX_FILE_BYTES {
        let message = format!("cannot read {}: it is larger than 16 MiB; is it the right file?", file.display());
        return Err(Failure::other(message));
    }
    Ok(content)
}

fn failure(file: &Path, error: io::Error) -> Failure {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::IsADirectory => "it is a directory",
        _ => {
            let failure = Failure::from(error);
            // Only the monitor's own trouble gets a cause here, since a file is not the target.
            let cause = if failure.cause() == Cause::Monitor { Cause::Monitor } else { Cause::Other };
            return Failure::new(cause, failure.message()).context(format_args!("cannot read {}", file.display()));
        }
    };
    Failure::other(format!("cannot read {}: {reason}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_and_a_directory_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing.pem");
        let failure = read_file(&missing).unwrap_err();
        assert_eq!(failure, Failure::other(format!("cannot read {}: there is no such file", missing.display())));
        assert_eq!(read_file(dir.path()).unwrap_err().cause(), Cause::Other);
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(MAX_FILE_BYTES).unwrap();
        assert_eq!(read_file(file.path()).unwrap().len() as u64, MAX_FILE_BYTES);
        file.as_file().set_len(MAX_FILE_BYTES + 1).unwrap();
        let failure = read_file(file.path()).unwrap_err();
        assert!(failure.message().contains("larger than 16 MiB"), "{failure}");
    }

    #[cfg(unix)]
    #[test]
    fn too_many_open_files_is_the_monitors_own_trouble() {
        const ENFILE: i32 = 23;
        const EMFILE: i32 = 24;
        for code in [ENFILE, EMFILE] {
            let failure = failure(Path::new("ca.pem"), io::Error::from_raw_os_error(code));
            assert_eq!(failure.cause(), Cause::Monitor, "{failure}");
            assert!(failure.message().starts_with("cannot read ca.pem: "), "{failure}");
        }
        let failure = failure(Path::new("ca.pem"), io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(failure.cause(), Cause::Other);
    }
}
