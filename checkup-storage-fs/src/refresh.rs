//! [`Refresh`]: brings `index.json` up to date after a store, for maintenance, or for a removal.

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

/// How long additions to the index are trusted before the directory is listed anew.
const TRUST: Duration = Duration::from_secs(3600);

/// How often the index is made anew because something was missing. Each time somebody else published an index or
/// a file, who then looks for what is missing too.
const MAX_ROUNDS: usize = 1000;

/// Brings the index up to date.
#[derive(Debug)]
pub(crate) struct Refresh<'a> {
    pub(crate) directory: &'a Directory,
    /// What is older has expired. A file with a name like a check file's that is not ours to remove then leaves the index only.
    pub(crate) hidden_before: Timestamp,
    /// What it is for.
    pub(crate) occasion: Occasion<'a>,
}

/// Why the index is refreshed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Occasion<'a> {
    /// This check file was published, and has a marker.
    Stored {
        name: &'a FileName,
        /// When the directory had last changed before that.
        changed_before: Option<Timestamp>,
    },
    /// The index must be right, whatever it was before.
    Maintenance,
    /// These check files are to be removed, and nobody may put them into the index again.
    Removing { names: &'a [FileName] },
}

impl Refresh<'_> {
    /// Brings the index up to date, and removes what is to be removed once the index lacks it.
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

    /// Whether nobody else has put our file into the index: who does removes its marker.
    fn is_needed(&self) -> bool {
        match self.occasion {
            Occasion::Stored { name, .. } => self.directory.marker(name).exists(),
            Occasion::Maintenance | Occasion::Removing { .. } => true,
        }
    }

    fn with_lock(&self, mut lock: Lock) -> Result<(), StorageError> {
        // Markers before the index and the directory: what loses its marker from here on is in both.
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
            // Before the lock is free: whoever has it next may list the directory.
            removed = self.remove().and(removed);
            // Should this process die before it is on record, then the record is not that of the index.
            let record = identity.zip(self.directory.changed());
            let record = record.map(|(index, changed)| Record { index, changed, listed });
            if let Err(error) = lock.set_record(record) {
                tracing::debug!(%error, "cannot keep a record of the index");
            }
            for name in pending.drain(..) {
                // If it stays, the file is put into the index once more, which changes nothing.
                let _ = fs::remove_file(self.directory.marker(&name));
            }
            if !lock.is_overdue() {
                break;
            }
            // Others may have gone on without the lock, and what they published may have been overwritten.
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

    /// Removes what is to be removed, and is not in the index that was just published.
    fn remove(&self) -> Result<(), StorageError> {
        match self.occasion {
            Occasion::Removing { names } => removal::remove(self.directory, names).map(drop),
            Occasion::Stored { .. } | Occasion::Maintenance => Ok(()),
        }
    }

    /// Whether the index of this record lacks nothing but the pending files.
    fn is_trusted(&self, record: &Record, pending: &[FileName]) -> bool {
        let (stored, changed_before) = match self.occasion {
            Occasion::Stored { name, changed_before } => (Some(name), changed_before),
            Occasion::Removing { .. } => (None, self.directory.changed()),
            Occasion::Maintenance => return false,
        };
        let Some(changed_before) = changed_before else { return false };
        // A change that is not on record comes from another writer, whose marker is here, or from a stranger.
        let is_explained = changed_before <= record.changed || pending.iter().any(|other| Some(other) != stored);
        let now = Timestamp::now();
        is_explained && record.listed <= now && now.since(record.listed) < TRUST
    }

    /// The index of the record with the pending files, and without those to be removed; and whether that is a change. `None` if
    /// it is not the index that is published, or if files are to be removed that are not its oldest.
    fn update(&self, record: Record, pending: &[FileName]) -> Option<(Index, bool)> {
        let mut index = Index::read(self.directory, record.index)?;
        let mut changed = index.insert(pending.to_vec())?;
        if let Occasion::Removing { names } = self.occasion {
            let names: HashSet<_> = names.iter().collect();
            changed |= index.drop_front(&names)?;
        }
        Some((index, changed))
    }

    /// The index of what is in the directory; whether that is not what is published; and when it was listed.
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

    /// Makes the index of what is in the directory until nothing is missing. The markers stay: somebody who holds
    /// the lock, and knows nothing of this, finds the files by them.
    fn without_lock(&self) -> Result<(), StorageError> {
        tracing::debug!(directory = %self.directory.path().display(), "no lock; the index is made without");
        let mut to_remove = matches!(self.occasion, Occasion::Removing { .. });
        for _ in 0..MAX_ROUNDS {
            let (index, changed, _) = self.make()?;
            if changed {
                index.publish(self.directory)?;
            } else if !to_remove {
                return Ok(());
            } else {
                // Once more after that: somebody may have listed the directory meanwhile.
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
