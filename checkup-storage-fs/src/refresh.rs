use std::fs;
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{StorageError, Timestamp};

use crate::directory::Directory;
use crate::index::{self, Index};
use crate::lock::{Lock, PATIENCE, Record, Waited};
use crate::retention;

/// How long additions to the index are trusted before the directory is listed anew.
const TRUST: Duration = Duration::from_secs(3600);

/// How often the index is made anew because something was missing. Each time somebody else published an index or
/// a file, who then looks for what is missing too.
const MAX_ROUNDS: usize = 1000;

/// Brings the index up to date, without the check files from before some time.
#[derive(Debug)]
pub(crate) struct Refresh<'a> {
    pub(crate) directory: &'a Directory,
    /// Check files from before this time have expired.
    pub(crate) cutoff: Timestamp,
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
}

impl Refresh<'_> {
    /// Brings the index up to date. Gives the check files that have expired: they are no longer in the index,
    /// and may be removed.
    pub(crate) fn run(&self) -> Result<Vec<FileName>, StorageError> {
        self.run_within(PATIENCE)
    }

    fn run_within(&self, patience: Duration) -> Result<Vec<FileName>, StorageError> {
        match Lock::wait(self.directory, patience, || self.is_needed()) {
            Waited::Held(lock) if self.is_needed() => self.with_lock(lock),
            Waited::Held(_) | Waited::Unwanted => Ok(Vec::new()),
            Waited::InVain => self.without_lock(),
        }
    }

    /// Whether nobody else has put our file into the index: who does removes its marker.
    fn is_needed(&self) -> bool {
        match self.occasion {
            Occasion::Stored { name, .. } => self.directory.marker(name).exists(),
            Occasion::Maintenance => true,
        }
    }

    fn with_lock(&self, mut lock: Lock) -> Result<Vec<FileName>, StorageError> {
        // Markers before the index and the directory: what loses its marker from here on is in both.
        let mut pending = self.directory.pending()?;
        let grown = lock
            .record()
            .filter(|record| self.is_trusted(record, &pending))
            .and_then(|record| Some((record, self.grow(record, &pending)?)));
        let (mut index, mut expired, mut changed, mut listed) = match grown {
            Some((record, (index, expired, changed))) => (index, expired, changed, record.listed),
            None => self.make()?,
        };
        for _ in 0..MAX_ROUNDS {
            let identity =
                if changed { Some(index.publish(self.directory)?) } else { index::published(self.directory) };
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
                return Ok(expired);
            }
            // Others may have gone on without the lock, and what they published may have been overwritten.
            pending = self.directory.pending()?;
            let more;
            (index, more, changed, listed) = self.make()?;
            if !changed {
                return Ok(more);
            }
            expired = more;
        }
        Ok(expired)
    }

    /// Whether the index of this record lacks nothing but the pending files.
    fn is_trusted(&self, record: &Record, pending: &[FileName]) -> bool {
        let Occasion::Stored { name, changed_before: Some(changed_before) } = self.occasion else { return false };
        // A change that nobody has put on record is one of other writers, whose markers are here, or a stranger's.
        let is_explained = changed_before <= record.changed || pending.iter().any(|other| other != name);
        let now = Timestamp::now();
        is_explained && record.listed <= now && now.since(record.listed) < TRUST
    }

    /// The index of the record with the pending files. `None` if it is not the one that is published.
    fn grow(&self, record: Record, pending: &[FileName]) -> Option<(Index, Vec<FileName>, bool)> {
        let mut index = Index::read(self.directory, record.index)?;
        let added = index.insert(pending.to_vec())?;
        let expired = index.drop_before(self.cutoff)?;
        let changed = added || !expired.is_empty();
        Some((index, expired, changed))
    }

    /// The index of what is in the directory; what has expired; whether that is not what is published; and when.
    fn make(&self) -> Result<(Index, Vec<FileName>, bool, Timestamp), StorageError> {
        let listed = Timestamp::now();
        let mut names = self.directory.list()?;
        let kept = names.split_off(names.partition_point(|name| name.timestamp() < self.cutoff));
        retention::sweep(self.directory);
        let index = Index::of(&kept);
        let changed = !index.is_published(self.directory);
        Ok((index, names, changed, listed))
    }

    /// Makes the index of what is in the directory until nothing is missing. The markers stay: somebody who holds
    /// the lock, and knows nothing of this, finds the files by them.
    fn without_lock(&self) -> Result<Vec<FileName>, StorageError> {
        tracing::debug!(directory = %self.directory.path().display(), "no lock; the index is made without");
        for _ in 0..MAX_ROUNDS {
            let (index, expired, changed, _) = self.make()?;
            if !changed {
                return Ok(expired);
            }
            index.publish(self.directory)?;
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::publish::publish;

    const FOR_EVER: Timestamp = Timestamp::from_unix_nanos(i64::MIN);

    struct Fixture {
        temporary: tempfile::TempDir,
        directory: Directory,
    }

    impl Fixture {
        fn new() -> Self {
            let temporary = tempfile::tempdir().unwrap();
            let directory = Directory::new(temporary.path().to_owned(), false);
            Self { temporary, directory }
        }

        fn path(&self) -> &Path {
            self.temporary.path()
        }

        fn refresh<'a>(&'a self, occasion: Occasion<'a>) -> Refresh<'a> {
            Refresh { directory: &self.directory, cutoff: FOR_EVER, occasion }
        }

        /// Publishes a check file and refreshes the index, as a store does.
        fn store(&self) -> FileName {
            let changed_before = self.directory.changed();
            let name = publish(&self.directory, b"[]\n").unwrap();
            self.refresh(Occasion::Stored { name: &name, changed_before }).run().unwrap();
            name
        }

        fn indexed(&self) -> Vec<String> {
            let text = fs::read_to_string(self.path().join("index.json")).unwrap();
            let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
            json.keys().cloned().collect()
        }

        fn listed(&self) -> Vec<String> {
            self.directory.list().unwrap().iter().map(ToString::to_string).collect()
        }

        fn record(&self) -> Option<Record> {
            match Lock::wait(&self.directory, PATIENCE, || true) {
                Waited::Held(mut lock) => lock.record(),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_store_adds_to_the_index_without_listing_the_directory() {
        let fixture = Fixture::new();
        fixture.store();
        let listed = fixture.record().unwrap().listed;
        for _ in 0..5 {
            fixture.store();
        }
        assert_eq!(fixture.record().unwrap().listed, listed);
        assert_eq!(fixture.indexed(), fixture.listed());
        assert_eq!(fixture.indexed().len(), 6);
        assert_eq!(fixture.directory.pending().unwrap(), []);
    }

    #[test]
    fn a_store_indexes_what_killed_processes_have_published() {
        let fixture = Fixture::new();
        fixture.store();
        publish(&fixture.directory, b"[]\n").unwrap();
        fixture.store();
        assert_eq!(fixture.indexed().len(), 3);
        // One that died before it published leaves a marker, which is nobody's to remove yet.
        let unpublished = FileName::parse("42-check.json").unwrap();
        fs::write(fixture.directory.marker(&unpublished), "").unwrap();
        fixture.store();
        assert_eq!(fixture.indexed(), fixture.listed());
        assert!(fixture.directory.marker(&unpublished).exists());
    }

    #[test]
    fn a_store_whose_file_somebody_else_has_indexed_does_nothing() {
        let fixture = Fixture::new();
        let changed_before = fixture.directory.changed();
        let name = publish(&fixture.directory, b"[]\n").unwrap();
        fixture.store();
        let before = index::published(&fixture.directory);
        fs::remove_file(fixture.path().join("index.json")).unwrap();
        fixture.refresh(Occasion::Stored { name: &name, changed_before }).run().unwrap();
        assert!(before.is_some());
        assert_eq!(index::published(&fixture.directory), None);
    }

    #[test]
    fn whatever_a_stranger_does_to_the_index_or_the_directory_the_next_store_puts_right() {
        let fixture = Fixture::new();
        let first = fixture.store();
        let index = fixture.path().join("index.json");
        let strange: [&dyn Fn(); 6] = [
            &|| fs::remove_file(&index).unwrap(),
            &|| fs::write(&index, "").unwrap(),
            &|| fs::write(&index, "{\"1-check.json\": 1}").unwrap(),
            &|| fs::remove_dir_all(fixture.directory.work()).unwrap(),
            &|| fs::write(fixture.directory.work().join("lock"), "nonsense").unwrap(),
            &|| fs::write(fixture.directory.work().join("lock"), vec![b'9'; 5000]).unwrap(),
        ];
        for (number, act) in strange.iter().enumerate() {
            act();
            fixture.store();
            assert_eq!(fixture.indexed(), fixture.listed(), "{number}");
        }
        // The directory's own time shows what was added and removed. It is set here, since the system's clock for
        // files may stand still for some milliseconds.
        fs::write(fixture.path().join("42-eu-check.json"), "[]\n").unwrap();
        fs::remove_file(fixture.directory.check_file(&first)).unwrap();
        let later = fixture.directory.changed().unwrap().saturating_add(Duration::from_secs(1));
        fs::File::open(fixture.path()).unwrap().set_modified(later.into()).unwrap();
        fixture.store();
        let mut listed = fixture.listed();
        listed.sort();
        assert_eq!(fixture.indexed(), listed);
    }

    #[test]
    fn without_the_lock_the_index_is_complete_and_the_markers_stay() {
        let fixture = Fixture::new();
        fixture.store();
        let Waited::Held(stuck) = Lock::wait(&fixture.directory, PATIENCE, || true) else { panic!("no lock") };
        let name = publish(&fixture.directory, b"[]\n").unwrap();
        let occasion = Occasion::Stored { name: &name, changed_before: None };
        fixture.refresh(occasion).run_within(Duration::ZERO).unwrap();
        assert_eq!(fixture.indexed(), fixture.listed());
        assert_eq!(fixture.directory.pending().unwrap(), [name]);
        drop(stuck);
        fixture.store();
        assert_eq!(fixture.indexed().len(), 3);
        assert_eq!(fixture.directory.pending().unwrap(), []);
    }

    #[test]
    fn expired_files_leave_the_index_when_it_grows_and_when_it_is_made() {
        let fixture = Fixture::new();
        let old = fixture.store();
        let name = publish(&fixture.directory, b"[]\n").unwrap();
        for occasion in
            [Occasion::Stored { name: &name, changed_before: fixture.directory.changed() }, Occasion::Maintenance]
        {
            let refresh = Refresh { cutoff: name.timestamp(), ..fixture.refresh(occasion) };
            assert_eq!(refresh.run().unwrap(), std::slice::from_ref(&old));
            assert_eq!(fixture.indexed(), [name.to_string()]);
        }
        assert!(fixture.directory.has(&old));
    }
}
