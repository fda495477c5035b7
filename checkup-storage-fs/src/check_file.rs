//! [`publish`]: makes a check file visible, complete and under a free name.

use std::fs;
#[cfg(test)]
use std::fs::File;
use std::io;

use checkup_core::StorageError;
use checkup_core::archive::Put;
use checkup_core::check_file::FileName;
use tempfile::NamedTempFile;

use crate::directory::{self, Directory};
use crate::error::failed;

/// Publishes a check file if its name is free, and leaves a marker for the index. The file is then complete, and
/// durable if the directory syncs.
///
/// A compacted file is always durable, even if another process has published it: its sources are deleted next, and a
/// power cut must not lose both.
pub(crate) fn publish(directory: &Directory, content: &[u8], name: &FileName) -> Result<Put, StorageError> {
    let in_directory = |error| failed("write a check file in", directory.path(), error);
    let durable = directory.is_durable() || name.is_compacted();
    let file = directory.write_temporary(&[content]).map_err(in_directory)?;
    if durable {
        file.as_file().sync_all().map_err(in_directory)?;
    }
    let put = match publish_as(directory, file, name) {
        Ok(()) => Put::Created,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Put::Exists,
        Err(error) => return Err(failed("publish", &directory.check_file(name), error)),
    };
    if durable && (put == Put::Created || name.is_compacted()) {
        directory.sync().map_err(|error| failed("sync", directory.path(), error))?;
    }
    Ok(put)
}

/// Publishes under this name, if it is free.
fn publish_as(directory: &Directory, file: NamedTempFile, name: &FileName) -> Result<(), io::Error> {
    let marker = directory.marker(name);
    // The marker comes before the file: readers that see a file without an entry in the index must see its marker.
    directory::create_empty(&marker)?;
    // Every process that publishes this name must create its marker first.
    directory::publish_claimed(file, &directory.check_file(name), |file, path| file.persist_noclobber(path))
        .inspect_err(|_| {
            // The marker belongs to this process. If it remains, it marks another process's file, which does no harm.
            let _ = fs::remove_file(&marker);
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> FileName {
        FileName::parse(text).unwrap()
    }

    #[test]
    fn a_taken_name_is_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::new(temporary.path().to_owned(), false);
        let publish = |content, text| publish(&directory, content, &name(text)).unwrap();
        assert_eq!(publish(b"[]\n", "0-check.json"), Put::Created);
        // One name has a file, one a foreign file without a marker, one only the marker of a process that is still
        // publishing.
        fs::write(temporary.path().join("1-check.json"), "foreign").unwrap();
        File::create_new(directory.marker(&name("2-check.json"))).unwrap();
        for taken in ["0-check.json", "1-check.json", "2-check.json"] {
            assert_eq!(publish(b"[1]\n", taken), Put::Exists, "{taken}");
        }
        assert_eq!(publish(b"[1]\n", "3-check.json"), Put::Created);
        assert_eq!(fs::read(temporary.path().join("0-check.json")).unwrap(), b"[]\n");
        assert_eq!(fs::read(temporary.path().join("1-check.json")).unwrap(), b"foreign");
        assert!(!temporary.path().join("2-check.json").exists());
        assert_eq!(fs::read(temporary.path().join("3-check.json")).unwrap(), b"[1]\n");
        // Nothing is left of what could not be published.
        let mut left: Vec<_> =
            fs::read_dir(directory.work()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["0-check.json.pending", "2-check.json.pending", "3-check.json.pending"]);
    }
}
