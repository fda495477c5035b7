//! The folder of a spool and its files. All functions block.

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

/// How the names of reports end: those that wait, those that are unreadable, and those that the storage rejects.
const REPORT: &str = ".json";
const BROKEN: &str = ".broken";
const REFUSED: &str = ".refused";

/// A report is set aside when the storage refuses it this many times while it accepts others. The refusals before that
/// are counted in the name, as `.1` and `.2`, because many processes live for one store only.
const MAX_REFUSALS: u32 = 3;

/// How the name of a file begins while it is being written.
const TEMPORARY: &str = "new-";

/// How many digits the time in a name has.
const TIME_DIGITS: usize = 19;

/// At least this many bytes of a report are read: the size of the largest check file.
const MAX_READ: u64 = 64 << 20;

/// From this age on, a file is no longer being written.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The folder of a spool.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    max_bytes: u64,
}

/// The right to store the waiting reports. It ends when this is dropped or the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Option<File>,
}

/// Runs `work` on a thread where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    spool: &Spool,
    work: impl FnOnce(&Folder) -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let folder = Folder { dir: spool.dir.clone(), max_bytes: spool.max_bytes };
    let done = tokio::task::spawn_blocking(move || work(&folder)).await;
    // An error means that the runtime is shutting down.
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

    /// Keeps a report behind all others that wait, complete and durable. Returns how many wait now.
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
        // It goes behind the last report even if the clock was set back.
        let time = Timestamp::now().unix_nanos().max(last.saturating_add(1)).max(0);
        let name = format!("{time:019}-{:016x}{REPORT}", unique());
        self.write(&name, content).map_err(|error| self.failed("write in", error))?;
        Ok(waiting.reports + 1)
    }

    /// The content of a report; `None` if it no longer exists.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match plain_file::read(&self.dir.join(name), MAX_READ.max(self.max_bytes)) {
            Ok(Some(content)) => Ok(Some(content)),
            Ok(None) => {
                Err(self.failed("read in", io::Error::other(format!("{name} is larger than the limit of the spool"))))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read in", error)),
        }
    }

    /// Removes a stored report. This need not be durable: a report that reappears is stored again, as the same report.
    pub(super) fn remove(&self, name: &str) -> Result<(), StorageError> {
        match fs::remove_file(self.dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("remove a report in", error)),
            _ => Ok(()),
        }
    }

    /// Sets a report aside that cannot be decoded.
    pub(super) fn set_aside(&self, name: &str) -> Result<(), StorageError> {
        self.rename(name, &format!("{name}{BROKEN}")).map(|_| ())
    }

    /// Counts that the storage refused a report while it accepted others. Returns the new path if the report was set
    /// aside because this was once too often.
    pub(super) fn refuse(&self, name: &str) -> Result<Option<PathBuf>, StorageError> {
        let Some((original, refusals)) = parse(name) else { return Ok(None) };
        if refusals + 1 < MAX_REFUSALS {
            self.rename(name, &format!("{original}.{}{REPORT}", refusals + 1))?;
            return Ok(None);
        }
        let aside = format!("{original}{REPORT}{REFUSED}");
        Ok(self.rename(name, &aside)?.then(|| self.dir.join(aside)))
    }

    /// The lock, or `None` if another process holds it.
    ///
    /// Where the file system has no locks or has become read-only, it does without: storing a report twice has the same
    /// effect as once.
    pub(super) fn lock(&self) -> Result<Option<Lock>, StorageError> {
        let opened = plain_file::open(options().create(true).truncate(false), &self.dir.join("lock"));
        match opened.map(|file| (file.try_lock(), file)) {
            Ok((Ok(()), file)) => Ok(Some(Lock { _file: Some(file) })),
            Ok((Err(TryLockError::WouldBlock), _)) => Ok(None),
            Ok((Err(TryLockError::Error(_)), _)) | Err(_) => Ok(Some(Lock { _file: None })),
        }
    }

    /// Removes the unfinished files of killed processes. None of them was reported as kept.
    pub(super) fn sweep(&self) -> Result<(), StorageError> {
        let Some(limit) = SystemTime::now().checked_sub(ABANDONED) else { return Ok(()) };
        self.each(|entry, name| {
            let modified = || entry.metadata().and_then(|metadata| metadata.modified());
            let is_old = || modified().is_ok_and(|modified| modified < limit);
            if name.starts_with(TEMPORARY) && is_old() {
                // Another process may have removed it already. If it cannot be removed, it does no harm.
                let _ = fs::remove_file(entry.path());
            }
        })
    }

    /// What waits, and the time in the name of the last report.
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
            // A file that was removed in the meantime has no size.
            waiting.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        })?;
        Ok((waiting, last))
    }

    /// Calls `each` for every entry with a name in UTF-8. A missing folder has no entries.
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

    /// Creates a file that appears completely or not at all, and is on the disk when this returns.
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
            // No other process uses this name.
            fs::rename(&temporary, self.dir.join(name))
        };
        if let Err(error) = publish() {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        sync(&self.dir)
    }

    /// Creates the folder and its missing parents, for their owner only.
    fn make(&self) -> io::Result<()> {
        let missing: Vec<_> = self.dir.ancestors().take_while(|path| !path.exists()).collect();
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir)?;
        // A file is only durable if its folder is durable as well.
        for made in missing {
            let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty());
            sync(parent.unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }

    /// `false` if it no longer exists.
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

/// The original name of a report without its extension, and how often the report was refused.
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

/// A number that is unique in all processes: two names with the same time must still differ.
fn unique() -> u64 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // The standard library takes its hash keys from the system's source of random numbers.
    KEYS.get_or_init(RandomState::new).hash_one((std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

#[cfg(unix)]
fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Only Unix can sync a folder; elsewhere the file system's journal does it.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
