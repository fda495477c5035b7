//! [`Refresh`]: updates `index.json` after a store, during maintenance, or for a removal.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{StorageError, Timestamp};

use crate::directory::Directory;
use crate::index::{self, Identity, Index};
use crate::lock::{Lock, PATIENCE, Record, Waited};
use crate::removal;

/// How long additions to the index are trusted before the directory is listed again.
const TRUST: Duration = Duration::from_secs(3600);

/// How often the index is rebuilt because something was missing. Each time, another process has published an index or a file, and
/// that process looks for what is missing too.
const MAX_ROUNDS: usize = 1000;

/// Updates the index.
#[derive(Debug)]
pub(crate) struct Refresh<'a> {
    pub(crate) directory: &'a Directory,
    /// Files from before this time have expired. One that looks like a check file, but must not be removed, only leaves the index.
    pub(crate) hidden_before: Timestamp,
    /// Why the index is updated.
    pub(crate) occasion: Occasion<'a>,
}

/// Why the index is updated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Occasion<'a> {
    /// This check file was published, and has a marker.
    Stored {
        name: &'a FileName,
        /// When the directory had last changed before the file was published.
        changed_before: Option<Timestamp>,
    },
    /// The index must be right, no matter what it was before.
    Maintenance,
    /// These check files are about to be removed, and must not get into the index again.
    Removing { names: &'a [FileName] },
}

impl Refresh<'_> {
    /// Updates the index, then removes the files that are to be removed, which are no longer in it.
    pub(crate) fn run(&self) -> Result<(), StorageError> {
        self.run_within(PATIENCE)
    }

    fn run_within(&self, patience: Duration) -> Result<(), StorageError> {
        match Lock::wait(self.directory, patience, || self.is_needed()) {
            Waited::Held(lock) if self.is_needed() => self.with_lock(lock),
            Waited::Held(_) | Waited::Unwanted => Ok(()),
            Waited::InVain => self.without_lock(),
        }
    }

    /// Whether our file is still missing from the index: a process that adds it removes its marker.
    fn is_needed(&self) -> bool {
        match self.occasion {
            Occasion::Stored { name, .. } => self.directory.marker(name).exists(),
            Occasion::Maintenance | Occasion::Removing { .. } => true,
        }
    }

    fn with_lock(&self, mut lock: Lock) -> Result<(), StorageError> {
        // Markers are read before the index and the directory: a file whose marker is removed from here on is in both.
        let mut pending = self.directory.pending()?;
        let updated = lock
            .record()
            .filter(|record| self.is_trusted(record, &pending))
            .and_then(|record| Some((record, self.update(record, &pending)?)));
        let (mut index, mut changed, mut listed) = match updated {
            Some((record, (index, changed))) => (index, changed, record.listed),
            None => self.make()?,
        };
        let mut removed = Ok(());
        for _ in 0..MAX_ROUNDS {
            let identity = if changed { Some(self.publish(&index)?) } else { index::published(self.directory) };
            // Before the lock is released: its next holder may list the directory.
            removed = self.remove().and(removed);
            // If this process dies before it writes the record, the old record does not match the index.
            let record = identity.zip(self.directory.changed());
            let record = record.map(|(index, changed)| Record { index, changed, listed });
            if let Err(error) = lock.set_record(record) {
                tracing::debug!(%error, "cannot keep a record of the index");
            }
            for name in pending.drain(..) {
                // If the marker stays, the file is added to the index again, which changes nothing.
                let _ = fs::remove_file(self.directory.marker(&name));
            }
            if !lock.is_overdue() {
                break;
            }
            // Other processes may have continued without the lock, and what they published may have been overwritten.
            pending = self.directory.pending()?;
            (index, changed, listed) = self.make()?;
            if !changed {
                break;
            }
        }
        removed
    }

    fn publish(&self, index: &Index) -> Result<Identity, StorageError> {
        self.publish_with(|| index.publish(self.directory))
    }

    /// Publishes the index with this function. On a full disk the files that are to be removed go first: until then there is no room
    /// for the index.
    fn publish_with<T>(&self, mut publish: impl FnMut() -> Result<T, StorageError>) -> Result<T, StorageError> {
        match publish() {
            Err(error) if matches!(self.occasion, Occasion::Removing { .. }) && is_full(&error) => {
                self.remove()?;
                publish()
            }
            published => published,
        }
    }

    /// Removes the files that are to be removed. They are not in the index that was just published.
    fn remove(&self) -> Result<(), StorageError> {
        match self.occasion {
            Occasion::Removing { names } => removal::remove(self.directory, names).map(drop),
            Occasion::Stored { .. } | Occasion::Maintenance => Ok(()),
        }
    }

    /// Whether the index of this record lacks only the pending files.
    fn is_trusted(&self, record: &Record, pending: &[FileName]) -> bool {
        let (stored, changed_before) = match self.occasion {
            Occasion::Stored { name, changed_before } => (Some(name), changed_before),
            Occasion::Removing { .. } => (None, self.directory.changed()),
            Occasion::Maintenance => return false,
        };
        let Some(changed_before) = changed_before else { return false };
        // An unrecorded change was made by another writer, whose marker exists, or by a different program.
        let is_explained = changed_before <= record.changed || pending.iter().any(|other| Some(other) != stored);
        let now = Timestamp::now();
        is_explained && record.listed <= now && now.since(record.listed) < TRUST
    }

    /// The index of the record with the pending files and without those to be removed, and whether that is a change.
    /// `None` if it is not the published index, or if the files to be removed are not its oldest.
    fn update(&self, record: Record, pending: &[FileName]) -> Option<(Index, bool)> {
        let mut index = Index::read(self.directory, record.index)?;
        let mut changed = index.insert(pending.to_vec())?;
        if let Occasion::Removing { names } = self.occasion {
            let names: HashSet<_> = names.iter().collect();
            changed |= index.drop_front(&names)?;
        }
        Some((index, changed))
    }

    /// The index of the files in the directory; whether it differs from the published one; and when the directory was
    /// listed.
    fn make(&self) -> Result<(Index, bool, Timestamp), StorageError> {
        let listed = Timestamp::now();
        let mut names = self.directory.list()?;
        if let Occasion::Removing { names: removing } = self.occasion {
            let removing: HashSet<_> = removing.iter().collect();
            names.retain(|name| !removing.contains(name));
        }
        names.retain(|name| name.timestamp() >= self.hidden_before || name.is_removable());
        removal::sweep(self.directory);
        let index = Index::of(&names);
        let changed = !index.is_published(self.directory);
        Ok((index, changed, listed))
    }

    /// Builds the index from the directory, and repeats that until nothing is missing. The markers remain, so that a process that
    /// holds the lock, and does not know about this index, finds the files.
    fn without_lock(&self) -> Result<(), StorageError> {
        tracing::debug!(directory = %self.directory.path().display(), "the lock is unavailable; updating the index without it");
        let mut to_remove = matches!(self.occasion, Occasion::Removing { .. });
        for _ in 0..MAX_ROUNDS {
            let (index, changed, _) = self.make()?;
            if changed {
                index.publish(self.directory)?;
            } else if !to_remove {
                return Ok(());
            } else {
                // Once more after the removal: another process may have listed the directory in the meantime.
                to_remove = false;
                self.remove()?;
            }
        }
        Ok(())
    }
}

fn is_full(error: &StorageError) -> bool {
    let cause = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
}

#[cfg(test)]
mod tests;
