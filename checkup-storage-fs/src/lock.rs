//! [`Lock`]: lets one process at a time change the index, and keeps what the last one knew.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::thread;
use std::time::{Duration, Instant};

use checkup_core::Timestamp;
use checkup_core::plain_file;

use crate::directory::Directory;
use crate::index::Identity;

/// How long a process waits for the lock. A process that holds it longer has been stopped, or its disk hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The lock on the index. It is released when this is dropped or the process dies. The locked file contains the
/// [`Record`].
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    since: Instant,
}

/// What the last holder of the lock knew when it released it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The index that it published.
    pub(crate) index: Identity,
    /// When the directory had last changed.
    pub(crate) changed: Timestamp,
    /// When the directory was last listed for the index.
    pub(crate) listed: Timestamp,
}

/// The outcome of waiting for the lock.
#[derive(Debug)]
pub(crate) enum Waited {
    /// The lock.
    Held(Lock),
    /// The lock is no longer wanted.
    Unwanted,
    /// The lock is unavailable: the file system has no locks, or another process holds it for too long.
    InVain,
}

impl Lock {
    /// Waits for the lock, for at most `patience`, and only while `wanted` returns true.
    pub(crate) fn wait(directory: &Directory, patience: Duration, wanted: impl Fn() -> bool) -> Waited {
        let path = directory.work().join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
        // A link is not followed: the record would overwrite its target.
        let Ok(file) = plain_file::open(&mut options, &path) else {
            return Waited::InVain;
        };
        let start = Instant::now();
        let mut pause = Duration::from_micros(250);
        loop {
            match file.try_lock() {
                Ok(()) => return Waited::Held(Self { file, since: Instant::now() }),
                Err(TryLockError::WouldBlock) if !wanted() => return Waited::Unwanted,
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {}
                Err(_) => return Waited::InVain,
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    /// Whether it has been held for so long that other processes may have continued without it.
    pub(crate) fn is_overdue(&self) -> bool {
        self.since.elapsed() >= PATIENCE / 2
    }

    /// What the last holder left; `None` if it left nothing reliable.
    pub(crate) fn record(&mut self) -> Option<Record> {
        let mut text = String::new();
        self.file.seek(SeekFrom::Start(0)).ok()?;
        (&self.file).take(1024).read_to_string(&mut text).ok()?;
        let numbers: Vec<i64> = text.split(' ').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
        let &[length, modified, changed, listed] = numbers.as_slice() else { return None };
        Some(Record {
            index: Identity { length: length.try_into().ok()?, modified: Timestamp::from_unix_nanos(modified) },
            changed: Timestamp::from_unix_nanos(changed),
            listed: Timestamp::from_unix_nanos(listed),
        })
    }

    /// Leaves a record for the next holder; `None` means that nothing is reliable.
    pub(crate) fn set_record(&mut self, record: Option<Record>) -> io::Result<()> {
        let Some(record) = record else { return self.file.set_len(0) };
        let Record { index, changed, listed } = record;
        let [modified, changed, listed] = [index.modified, changed, listed].map(Timestamp::unix_nanos);
        // The record has a fixed length and is written in one call, so a killed process leaves the old one or the new
        // one.
        let text = format!("{:020} {modified:020} {changed:020} {listed:020}\n", index.length);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, Directory) {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::new(temporary.path().to_owned(), false);
        std::fs::create_dir(directory.work()).unwrap();
        (temporary, directory)
    }

    fn held(directory: &Directory) -> Lock {
        match Lock::wait(directory, Duration::ZERO, || true) {
            Waited::Held(lock) => lock,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_process_at_a_time_holds_it() {
        let (_temporary, directory) = directory();
        let first = held(&directory);
        assert!(matches!(Lock::wait(&directory, Duration::ZERO, || true), Waited::InVain));
        assert!(matches!(Lock::wait(&directory, PATIENCE, || false), Waited::Unwanted));
        drop(first);
        held(&directory);
    }

    #[test]
    fn the_next_holder_reads_the_record() {
        let (_temporary, directory) = directory();
        let moment = Timestamp::from_unix_nanos;
        let record =
            Record { index: Identity { length: 5, modified: moment(-6) }, changed: moment(7), listed: moment(8) };
        let mut lock = held(&directory);
        assert_eq!(lock.record(), None);
        lock.set_record(Some(Record { listed: moment(i64::MAX), ..record })).unwrap();
        lock.set_record(Some(record)).unwrap();
        drop(lock);
        let mut lock = held(&directory);
        assert_eq!(lock.record(), Some(record));
        lock.set_record(None).unwrap();
        assert_eq!(lock.record(), None);
    }

    #[test]
    fn without_a_folder_there_is_no_lock() {
        let directory = Directory::new("no/such/directory".into(), false);
        assert!(matches!(Lock::wait(&directory, PATIENCE, || true), Waited::InVain));
    }
}
