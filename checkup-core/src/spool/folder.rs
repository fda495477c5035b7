//! The folder of a spool and its files. All of this blocks.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::{Spool, Waiting};
use crate::storage::plain_file;
use crate::{StorageError, Timestamp};

/// What the name of a report ends with, and one that was set aside: because it cannot be read, or the storage does not take it.
const REPORT: &str = ".json";
const BROKEN: &str = ".broken";
const REFUSED: &str = ".refused";

/// How often the storage must refuse a report, while it takes others, for it to be set aside. All but the last are in its name,
/// as `.1` and `.2`: processes often live for one store only.
const MAX_REFUSALS: u32 = 3;

/// What the name of a file begins with that is being written.
const TEMPORARY: &str = "new-";

/// How many digits the time in a name has.
const TIME_DIGITS: usize = 19;

/// How much is read of a report at least: the largest check file.
const MAX_READ: u64 = 64 << 20;

/// The age of a file that is no longer being written.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The folder of a spool.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    max_bytes: u64,
}

/// The right to store what waits. It ends when this is dropped, and with the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Option<File>,
}

/// Does the work in a folder where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    spool: &Spool,
    work: impl FnOnce(&Folder) -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let folder = Folder { dir: spool.dir.clone(), max_bytes: spool.max_bytes };
    let done = tokio::task::spawn_blocking(move || work(&folder)).await;
    // An error says that the runtime ends.
    done.unwrap_or_else(|error| Err(StorageError::new("the spool was interrupted").with_source(error)))
}

impl Folder {
    /// The names of the reports that wait, oldest first.
    pub(super) fn reports(&self) -> Result<Vec<String>, StorageError> {
        let mut names = Vec::new();
        self.each(|_, name| names.extend(is_report(name).then(|| name.to_owned())))?;
        names.sort_unstable();
        Ok(names)
    }

    pub(super) fn waiting(&self) -> Result<Waiting, StorageError> {
        self.survey().map(|(waiting, _)| waiting)
    }

    /// Keeps a report behind all that wait, whole and durable. How many wait now.
    pub(super) fn add(&self, content: &[u8]) -> Result<usize, StorageError> {
        let (waiting, last) = self.survey()?;
        let length = content.len() as u64;
        if waiting.bytes.saturating_add(length) > self.max_bytes {
            return Err(StorageError::new(format!(
                "it is full: {length} more bytes would exceed `max_bytes`, {} ({} bytes wait in {} reports, {} broken); \
                 see why they cannot be stored, or raise it",
                self.max_bytes, waiting.bytes, waiting.reports, waiting.broken
            )));
        }
        // Behind the last also if the clock went backwards.
        let time = Timestamp::now().unix_nanos().max(last.saturating_add(1)).max(0);
        let name = format!("{time:019}-{:016x}{REPORT}", unique());
        self.write(&name, content).map_err(|error| self.failed("write in", error))?;
        Ok(waiting.reports + 1)
    }

    /// The content of a report; `None` if it is gone.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match plain_file::read(&self.dir.join(name), MAX_READ.max(self.max_bytes)) {
            Ok(Some(content)) => Ok(Some(content)),
            Ok(None) => {
                Err(self.failed("read in", io::Error::other(format!("{name} is larger than the spool may be"))))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read in", error)),
        }
    }

    /// Removes a report that is stored. That need not be durable: what comes back is stored again, as the same.
    pub(super) fn remove(&self, name: &str) -> Result<(), StorageError> {
        match fs::remove_file(self.dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("remove a report in", error)),
            _ => Ok(()),
        }
    }

    /// Puts a report out of the way that cannot be understood.
    pub(super) fn set_aside(&self, name: &str) -> Result<(), StorageError> {
        self.rename(name, &format!("{name}{BROKEN}")).map(|_| ())
    }

    /// Counts that the storage refused a report while it took others. The path that it has when that was once too often, and it
    /// is out of the way.
    pub(super) fn refuse(&self, name: &str) -> Result<Option<PathBuf>, StorageError> {
        let Some((original, refusals)) = parse(name) else { return Ok(None) };
        if refusals + 1 < MAX_REFUSALS {
            self.rename(name, &format!("{original}.{}{REPORT}", refusals + 1))?;
            return Ok(None);
        }
        let aside = format!("{original}{REPORT}{REFUSED}");
        Ok(self.rename(name, &aside)?.then(|| self.dir.join(aside)))
    }

    /// The lock, or `None` if somebody has it.
    ///
    /// On a file system that has none, or cannot be written any more, it goes without: to store twice is as to store once.
    pub(super) fn lock(&self) -> Result<Option<Lock>, StorageError> {
        let opened = plain_file::open(options().create(true).truncate(false), &self.dir.join("lock"));
        match opened.map(|file| (file.try_lock(), file)) {
            Ok((Ok(()), file)) => Ok(Some(Lock { _file: Some(file) })),
            Ok((Err(TryLockError::WouldBlock), _)) => Ok(None),
            Ok((Err(TryLockError::Error(_)), _)) | Err(_) => Ok(Some(Lock { _file: None })),
        }
    }

    /// Removes what killed processes were writing. Nobody was told that it is kept.
    pub(super) fn sweep(&self) -> Result<(), StorageError> {
        let Some(limit) = SystemTime::now().checked_sub(ABANDONED) else { return Ok(()) };
        self.each(|entry, name| {
            let modified = || entry.metadata().and_then(|metadata| metadata.modified());
            let is_old = || modified().is_ok_and(|modified| modified < limit);
            if name.starts_with(TEMPORARY) && is_old() {
                // Somebody else may have removed it; and if it cannot be removed, it does no harm.
                let _ = fs::remove_file(entry.path());
            }
        })
    }

    /// What waits, and the time in the name of the last.
    fn survey(&self) -> Result<(Waiting, i64), StorageError> {
        let (mut waiting, mut last) = (Waiting::default(), i64::MIN);
        self.each(|entry, name| {
            let original = name.strip_suffix(BROKEN).or_else(|| name.strip_suffix(REFUSED));
            if !is_report(original.unwrap_or(name)) {
                return;
            }
            match original {
                Some(_) => waiting.broken += 1,
                None => waiting.reports += 1,
            }
            last = last.max(name[..TIME_DIGITS].parse().unwrap_or(i64::MIN));
            // What is gone meanwhile has no bytes.
            waiting.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        })?;
        Ok((waiting, last))
    }

    /// Calls `each` for every entry with a name in UTF-8. There are none where there is no folder.
    fn each(&self, mut each: impl FnMut(&fs::DirEntry, &str)) -> Result<(), StorageError> {
        let mut list = || -> io::Result<()> {
            for entry in fs::read_dir(&self.dir)? {
                let entry = entry?;
                if let Some(name) = entry.file_name().to_str() {
                    each(&entry, name);
                }
            }
            Ok(())
        };
        match list() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("list", error)),
            _ => Ok(()),
        }
    }

    /// Makes a file that is seen whole or not at all, and is on the disk when this returns.
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.dir.join(format!("{TEMPORARY}{name}"));
        let mut file = match options().create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make()?;
                options().create_new(true).open(&temporary)?
            }
            opened => opened?,
        };
        let mut publish = || {
            file.write_all(content)?;
            file.sync_all()?;
            // Nobody else has the name.
            fs::rename(&temporary, self.dir.join(name))
        };
        if let Err(error) = publish() {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        sync(&self.dir)
    }

    /// Makes the folder and its missing parents, for their owner only.
    fn make(&self) -> io::Result<()> {
        let missing: Vec<_> = self.dir.ancestors().take_while(|path| !path.exists()).collect();
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir)?;
        // A file is not durable while the folder that it is in is not.
        for made in missing {
            let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty());
            sync(parent.unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }

    /// `false` if it is gone.
    fn rename(&self, from: &str, to: &str) -> Result<bool, StorageError> {
        match fs::rename(self.dir.join(from), self.dir.join(to)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("rename in", error)),
        }
    }

    fn failed(&self, what: &str, error: io::Error) -> StorageError {
        StorageError::new(format!("cannot {what} the spool {}", self.dir.display())).with_source(error)
    }
}

fn is_report(name: &str) -> bool {
    parse(name).is_some()
}

/// What the name of a report was when it was new, without its end, and how often the report was refused.
fn parse(name: &str) -> Option<(&str, u32)> {
    let is_number = |part: &str, length, radix| part.len() == length && part.chars().all(|c| c.is_digit(radix));
    let name = name.strip_suffix(REPORT)?;
    let (original, refusals) = match name.split_once('.') {
        Some((original, refusals)) if is_number(refusals, 1, 10) => (original, refusals.parse().ok()?),
        Some(_) => return None,
        None => (name, 0),
    };
    let (time, unique) = original.split_once('-')?;
    let is_report = is_number(time, TIME_DIGITS, 10) && time.parse::<i64>().is_ok() && is_number(unique, 16, 16);
    is_report.then_some((original, refusals))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A number that nobody else gets, in this process or another: with one time, two names must still differ.
fn unique() -> u64 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // The standard library's hash keys come from the system's source of random numbers.
    KEYS.get_or_init(RandomState::new).hash_one((std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

#[cfg(unix)]
fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Only Unix has a way to sync a folder; elsewhere the file system's journal does it.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
