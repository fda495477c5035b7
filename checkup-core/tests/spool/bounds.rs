//! The limits of a spool, and what it refuses.

use std::fs;

use checkup_core::{Checkup, Spool, StorageErrorKind};

use crate::fickle::{Fickle, Mood};
use crate::{chain, checkup, keep, report, temporary, waiting, with_spool};

#[tokio::test]
async fn a_full_spool_refuses_new_reports_and_keeps_old_ones() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    keep(&checkup(&storage, temporary.path()), &["a", "b"]).await;
    let bytes = waiting(&checkup(&storage, temporary.path())).await.bytes;
    let each = bytes / 2;
    let small = with_spool(&storage, Spool::new(temporary.path()).max_bytes(bytes + each - 1));
    let error = small.store(&report("c")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Other);
    let expected = format!(
        "not stored, and not kept in the spool {} either (it is full: {each} more bytes would exceed `max_bytes`, {} \
         ({bytes} bytes wait in 2 reports, 0 broken); see why they cannot be stored, or raise it): cannot reach the \
         bucket: connection refused",
        temporary.path().display(),
        bytes + each - 1
    );
    assert_eq!(chain(&error), expected);
    // One byte more is enough.
    keep(&with_spool(&storage, Spool::new(temporary.path()).max_bytes(bytes + each)), &["d"]).await;
    storage.set(Mood::Works);
    small.store(&report("e")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b", "d", "e"]);
}

#[tokio::test]
async fn a_full_spool_that_another_process_flushes_is_bypassed() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    keep(&checkup(&storage, temporary.path()), &["a"]).await;
    let full = with_spool(&storage, Spool::new(temporary.path()).max_bytes(1));
    let lock = fs::File::create(temporary.path().join("lock")).unwrap();
    lock.try_lock().unwrap();
    let text = chain(&full.store(&report("b")).await.unwrap_err());
    assert!(text.starts_with("not stored, ") && text.ends_with(": connection refused"), "{text}");
    // It would be lost, and the storage can have it.
    storage.set(Mood::Works);
    full.store(&report("c")).await.unwrap();
    assert_eq!(storage.stored(), ["c"]);
    drop(lock);
    full.store(&report("d")).await.unwrap();
    assert_eq!(storage.stored(), ["c", "a", "d"]);
}

#[tokio::test]
async fn a_spool_that_cannot_be_written_is_reported_with_why_it_was_needed() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let dir = temporary.path().join("file");
    fs::write(&dir, "").unwrap();
    let checkup = checkup(&storage, &dir);
    let text = chain(&checkup.store(&report("a")).await.unwrap_err());
    let begin = format!("not stored, and not kept in the spool {0} either (cannot list the spool {0}: ", dir.display());
    assert!(text.starts_with(&begin), "{text}");
    assert!(text.ends_with(": cannot reach the bucket: connection refused"), "{text}");
    // While the storage works, the spool is not needed.
    storage.set(Mood::Works);
    checkup.store(&report("b")).await.unwrap();
    assert_eq!(storage.stored(), ["b"]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_and_its_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let dir = temporary.path().join("spool");
    keep(&checkup(&storage, &dir), &["a", "b"]).await;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for entry in fs::read_dir(&dir).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn invalid_settings_are_reported_together_with_their_places() {
    let problems = |spool: Spool| {
        let error = Checkup::builder().spool(spool).build().unwrap_err();
        error.problems().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for (dir, expected) in [
        ("", "spool.dir: expected a folder, found an empty text; "),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ", "spool.dir: expected a path, found the content of a PEM file; "),
    ] {
        let problems = problems(Spool::new(dir).max_bytes(0));
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with(expected) && !problems[0].contains("MIIEvQ"), "{problems:?}");
        assert!(problems[1].starts_with("spool.max_bytes: expected 1 or more, found 0; "), "{problems:?}");
    }
}

#[test]
fn without_a_storage_there_is_no_spool() {
    assert_eq!(Checkup::builder().spool(Spool::new("x")).build().unwrap().spool(), None);
    assert_eq!(Checkup::builder().build().unwrap().with_default_spool(Spool::new("x")).spool(), None);
}

#[tokio::test]
async fn a_default_spool_is_for_those_that_have_none() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let (one, other) = (temporary.path().join("one"), temporary.path().join("other"));
    let with_its_own = checkup(&storage, &one).with_default_spool(Spool::new(&other));
    assert_eq!(with_its_own.spool(), Some(&Spool::new(&one)));
    let without = Checkup::builder().storage(storage.clone()).build().unwrap();
    let with_default = without.with_default_spool(Spool::new(&other));
    assert_eq!(with_default.spool(), Some(&Spool::new(&other)));
    keep(&with_default, &["a"]).await;
    assert_eq!(waiting(&with_default).await.reports, 1);
}
