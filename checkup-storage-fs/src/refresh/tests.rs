//! The index is complete after each store, whatever other processes do, and files leave it before they are removed.

use std::path::Path;

use checkup_core::archive::Put;

use super::*;
use crate::check_file;
use crate::error::failed;

/// Publishes a check file under a name that is free.
fn publish(directory: &Directory, content: &[u8]) -> Result<FileName, StorageError> {
    loop {
        let name = FileName::at(Timestamp::now());
        if check_file::publish(directory, content, &name)? == Put::Created {
            return Ok(name);
        }
    }
}

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
        Refresh { directory: &self.directory, hidden_before: Timestamp::default(), occasion }
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
    // A process that died before it published leaves a marker, which stays for now.
    let unpublished = FileName::parse("42-check.json").unwrap();
    fs::write(fixture.directory.marker(&unpublished), "").unwrap();
    fixture.store();
    assert_eq!(fixture.indexed(), fixture.listed());
    assert!(fixture.directory.marker(&unpublished).exists());
}

#[test]
fn a_store_whose_file_another_process_has_indexed_does_nothing() {
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
fn the_next_store_repairs_foreign_changes_to_the_index_and_the_directory() {
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
    // The directory's time of change shows additions and removals. The test sets it, because the system's clock for files may not
    // advance for some milliseconds.
    fs::write(fixture.path().join("42-eu-check.json"), "[]\n").unwrap();
    fs::remove_file(fixture.directory.check_file(&first)).unwrap();
    let later = fixture.directory.changed().unwrap().saturating_add(Duration::from_secs(1));
    fs::File::open(fixture.path()).unwrap().set_modified(later.into()).unwrap();
    fixture.store();
    // A name with fewer digits is sorted by its time or by its bytes. Either way it is in the index once.
    let (mut indexed, mut listed) = (fixture.indexed(), fixture.listed());
    indexed.sort();
    listed.sort();
    assert_eq!(indexed, listed);
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
fn the_index_is_complete_even_if_no_writer_gets_the_lock() {
    let fixture = Fixture::new();
    fixture.store();
    let Waited::Held(_stuck) = Lock::wait(&fixture.directory, PATIENCE, || true) else { panic!("no lock") };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let name = publish(&fixture.directory, b"[]\n").unwrap();
                    let occasion = Occasion::Stored { name: &name, changed_before: None };
                    fixture.refresh(occasion).run_within(Duration::ZERO).unwrap();
                }
            });
        }
    });
    assert_eq!(fixture.indexed(), fixture.listed());
    assert_eq!(fixture.indexed().len(), 81);
}

#[test]
fn the_oldest_files_leave_the_index_without_a_listing() {
    let fixture = Fixture::new();
    let names: Vec<_> = (0..4).map(|_| fixture.store()).collect();
    let listed = fixture.record().unwrap().listed;
    fixture.refresh(Occasion::Removing { names: &names[..2] }).run().unwrap();
    assert_eq!(fixture.record().unwrap().listed, listed);
    assert_eq!(fixture.indexed(), fixture.listed());
    assert_eq!(fixture.indexed().len(), 2);
    // Files in the middle require a listing.
    let last = fixture.store();
    fixture.refresh(Occasion::Removing { names: std::slice::from_ref(&names[3]) }).run().unwrap();
    assert_ne!(fixture.record().unwrap().listed, listed);
    assert_eq!(fixture.indexed(), [names[2].to_string(), last.to_string()]);
}

#[test]
fn removed_files_leave_the_index_first_and_the_next_store_lists_nothing() {
    let fixture = Fixture::new();
    let names: Vec<_> = (0..4).map(|_| fixture.store()).collect();
    fixture.refresh(Occasion::Removing { names: &names[1..3] }).run().unwrap();
    let kept = [names[0].to_string(), names[3].to_string()];
    assert_eq!(fixture.indexed(), kept);
    assert_eq!(fixture.listed(), kept);
    let listed = fixture.record().unwrap().listed;
    fixture.store();
    assert_eq!(fixture.record().unwrap().listed, listed);
    assert_eq!(fixture.indexed(), fixture.listed());
}

#[test]
fn files_that_cannot_leave_the_index_are_not_removed() {
    let fixture = Fixture::new();
    let name = fixture.store();
    fs::remove_file(fixture.path().join("index.json")).unwrap();
    fs::create_dir(fixture.path().join("index.json")).unwrap();
    fixture.refresh(Occasion::Removing { names: std::slice::from_ref(&name) }).run().unwrap_err();
    assert!(fixture.directory.has(&name));
}

#[test]
fn without_the_lock_files_are_removed_too() {
    let fixture = Fixture::new();
    let (gone, kept) = (fixture.store(), fixture.store());
    let Waited::Held(stuck) = Lock::wait(&fixture.directory, PATIENCE, || true) else { panic!("no lock") };
    let refresh = fixture.refresh(Occasion::Removing { names: std::slice::from_ref(&gone) });
    refresh.run_within(Duration::ZERO).unwrap();
    assert_eq!(fixture.indexed(), [kept.to_string()]);
    assert_eq!(fixture.listed(), [kept.to_string()]);
    drop(stuck);
}

#[test]
fn on_a_full_disk_expired_files_are_removed_before_the_index_is_written() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::PermissionDenied] {
        let fixture = Fixture::new();
        let names = [fixture.store(), fixture.store()];
        let expired = fixture.path().join(names[0].as_str());
        let refresh = fixture.refresh(Occasion::Removing { names: &names[..1] });
        // Nothing can be written while the expired file takes up the space.
        let mut writes = 0;
        let published = refresh.publish_with(|| {
            writes += 1;
            if expired.exists() { Err(failed("write", &fixture.directory.index(), kind.into())) } else { Ok(()) }
        });
        if kind == io::ErrorKind::PermissionDenied {
            // Removing files does not help, so they stay until the index lacks them.
            assert!(published.is_err() && expired.exists());
            assert_eq!((writes, fixture.listed().len()), (1, 2));
        } else {
            published.unwrap();
            assert_eq!((writes, fixture.listed()), (2, vec![names[1].to_string()]));
        }
    }
}

#[test]
fn on_a_full_disk_a_store_removes_nothing() {
    let fixture = Fixture::new();
    let name = fixture.store();
    let refresh = fixture.refresh(Occasion::Stored { name: &name, changed_before: None });
    let full = || Err::<(), _>(failed("write", &fixture.directory.index(), io::ErrorKind::StorageFull.into()));
    assert!(refresh.publish_with(full).is_err());
    assert_eq!(fixture.listed(), [name.to_string()]);
}
