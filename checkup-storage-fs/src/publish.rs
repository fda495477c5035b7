use std::fs::{self, File};
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

use checkup_core::check_file::FileName;
use checkup_core::{StorageError, Timestamp};
use tempfile::NamedTempFile;

use crate::directory::Directory;
use crate::error::failed;

/// How many names are tried. Each is a nanosecond of its own: so many collisions are a fault, not bad luck.
const MAX_NAMES: usize = 10_000;

/// Publishes a check file under a name that nobody has, and leaves a marker for the index.
/// Then it is whole, and durable if the directory syncs.
pub(crate) fn publish(directory: &Directory, content: &[u8]) -> Result<FileName, StorageError> {
    publish_with(directory, content, next_moment)
}

fn publish_with(
    directory: &Directory,
    content: &[u8],
    mut moment: impl FnMut() -> Timestamp,
) -> Result<FileName, StorageError> {
    let in_directory = |error| failed("write a check file in", directory.path(), error);
    let mut file = directory.write_temporary(&[content]).map_err(in_directory)?;
    directory.sync_file(file.as_file()).map_err(in_directory)?;
    for _ in 0..MAX_NAMES {
        let name = FileName::at(moment());
        match publish_as(directory, file, &name) {
            Ok(()) => {
                directory.sync().map_err(|error| failed("sync", directory.path(), error))?;
                return Ok(name);
            }
            Err((error, unpublished)) if error.kind() == io::ErrorKind::AlreadyExists => file = unpublished,
            Err((error, _)) => return Err(failed("publish", &directory.check_file(&name), error)),
        }
    }
    Err(StorageError::new(format!("found no free name in {} in {MAX_NAMES} attempts", directory.path().display())))
}

/// Publishes under this name; gives the file back if that cannot be.
fn publish_as(directory: &Directory, file: NamedTempFile, name: &FileName) -> Result<(), (io::Error, NamedTempFile)> {
    let marker = directory.marker(name);
    // Before the file, so that whoever sees the file without an entry in the index sees the marker.
    if let Err(error) = File::create_new(&marker) {
        return Err((error, file));
    }
    file.persist_noclobber(directory.check_file(name)).map(drop).map_err(|refused| {
        // The marker is ours alone. If it stays, it marks somebody else's file, which does no harm.
        let _ = fs::remove_file(&marker);
        (refused.error, refused.file)
    })
}

/// The current time, and later than all before in this process, even when the clock goes backwards.
fn next_moment() -> Timestamp {
    static LAST: AtomicI64 = AtomicI64::new(i64::MIN);
    later_than(&LAST, Timestamp::now())
}

fn later_than(last: &AtomicI64, now: Timestamp) -> Timestamp {
    let next = |last: i64| now.unix_nanos().max(last.saturating_add(1));
    let update = last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
    let (Ok(last) | Err(last)) = update;
    Timestamp::from_unix_nanos(next(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_increase_while_the_clock_stands_still_or_goes_backwards() {
        let last = AtomicI64::new(0);
        let times = [5, 5, 3, 9].map(|now| later_than(&last, Timestamp::from_unix_nanos(now)).unix_nanos());
        assert_eq!(times, [5, 6, 7, 9]);
    }

    #[test]
    fn a_taken_name_is_left_alone_and_the_next_is_used() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::new(temporary.path().to_owned(), false);
        let mut first = 0..;
        let mut from_zero = || Timestamp::from_unix_nanos(first.next().unwrap());
        publish_with(&directory, b"[]\n", &mut from_zero).unwrap();
        // One name has a file, one a foreign file without a marker, one only the marker of somebody at work.
        fs::write(temporary.path().join("1-check.json"), "foreign").unwrap();
        File::create_new(directory.marker(&FileName::parse("2-check.json").unwrap())).unwrap();
        let mut second = 0..;
        let name = publish_with(&directory, b"[1]\n", || Timestamp::from_unix_nanos(second.next().unwrap())).unwrap();
        assert_eq!(name.as_str(), "3-check.json");
        assert_eq!(fs::read(temporary.path().join("0-check.json")).unwrap(), b"[]\n");
        assert_eq!(fs::read(temporary.path().join("1-check.json")).unwrap(), b"foreign");
        assert_eq!(fs::read(temporary.path().join("3-check.json")).unwrap(), b"[1]\n");
        assert!(!directory.marker(&FileName::parse("1-check.json").unwrap()).exists());
        let temporaries = fs::read_dir(directory.work())
            .unwrap()
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")));
        assert_eq!(temporaries.count(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_published_leaves_nothing() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::new(temporary.path().to_owned(), false);
        let error = publish_with(&directory, b"[]\n", || Timestamp::from_unix_nanos(7));
        assert!(error.is_ok());
        let error = publish_with(&directory, b"[]\n", || Timestamp::from_unix_nanos(7)).unwrap_err();
        assert!(error.to_string().contains("no free name"), "{error}");
        let left: Vec<_> = fs::read_dir(directory.work()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["7-check.json.pending"]);
    }
}
