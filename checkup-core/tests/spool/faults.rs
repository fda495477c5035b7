//! Storages that hang and panic, callers that go away, files that break.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use checkup_core::StorageErrorKind;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fickle::{Fickle, Mood};
use crate::{chain, checkup, files, keep, report, reports, temporary, waiting};

#[tokio::test(start_paused = true)]
async fn a_storage_that_hangs_leaves_time_to_keep_the_report() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Hangs));
    let checkup = checkup(&storage, temporary.path());
    for reports in ["1 report waits", "2 reports wait"] {
        let start = Instant::now();
        let error = checkup.store(&report("a")).await.unwrap_err();
        assert_eq!(start.elapsed().as_secs(), 40);
        assert_eq!(error.kind(), StorageErrorKind::Spooled);
        let expected = format!("({reports}): the storage did not answer within 40s");
        assert!(chain(&error).ends_with(&expected), "{}", chain(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_is_slow_in_the_flush_too_leaves_time_as_well() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let checkup = checkup(&storage, temporary.path());
    keep(&checkup, &["a"]).await;
    // The slowest that it can be without an error: the report itself has what is left.
    storage.set(Mood::Slow(Duration::from_millis(39_000)));
    let start = Instant::now();
    let error = checkup.store(&report("b")).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 50);
    assert_eq!(error.kind(), StorageErrorKind::Spooled);
    assert!(chain(&error).ends_with("(1 report waits): the storage did not answer within 11s"), "{}", chain(&error));
    // Half as slow, and both are stored.
    storage.set(Mood::Slow(Duration::from_millis(19_000)));
    checkup.store(&report("c")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_report_is_kept_if_the_storage_panics() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Panics));
    let checkup = checkup(&storage, temporary.path());
    let error = checkup.store(&report("a")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Spooled);
    assert!(chain(&error).ends_with(": the storage panicked in its store"), "{}", chain(&error));
    storage.set(Mood::Works);
    checkup.store(&report("b")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b"]);
}

#[tokio::test]
async fn a_cancelled_store_continues() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let checkup = checkup(&storage, temporary.path());
    keep(&checkup, &["a", "b"]).await;
    storage.set(Mood::Works);
    let report = report("c");
    let mut store = Box::pin(checkup.store(&report));
    poll_fn(|context| {
        assert!(store.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(store);
    storage.wait_stored(3).await;
    assert_eq!(storage.stored(), ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stores_at_once_are_all_kept_and_stored_once() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let names: Vec<_> = (0..40).map(|number| format!("{number:02}")).collect();
    let store_all = async || {
        let mut stores = JoinSet::new();
        for name in &names {
            let (checkup, report) = (checkup(&storage, temporary.path()), report(name));
            stores.spawn(async move { checkup.store(&report).await });
        }
        stores.join_all().await
    };
    for error in store_all().await {
        assert_eq!(error.unwrap_err().kind(), StorageErrorKind::Spooled);
    }
    assert_eq!(reports(temporary.path()).len(), 40);
    storage.set(Mood::Works);
    // One of them flushes; what others add meanwhile waits for the next.
    store_all().await;
    let checkup = checkup(&storage, temporary.path());
    checkup.storage().unwrap().maintainer().unwrap().maintain().await.unwrap();
    let mut stored = storage.stored();
    stored.sort();
    let mut expected = [names.clone(), names].concat();
    expected.sort();
    assert_eq!(stored, expected);
    assert_eq!(files(temporary.path()), ["lock"]);
}

#[tokio::test]
async fn a_file_that_is_no_report_is_set_aside_and_the_rest_goes_on() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let dir = temporary.path();
    let checkup = checkup(&storage, dir);
    keep(&checkup, &["a", "b", "c"]).await;
    let names = reports(dir);
    std::fs::write(dir.join(&names[1]), "[{\"title\":").unwrap();
    // Neither a folder nor what others put there is in the way.
    std::fs::remove_file(dir.join(&names[2])).unwrap();
    std::fs::create_dir(dir.join(&names[2])).unwrap();
    std::fs::write(dir.join("notes.json"), "mine").unwrap();
    storage.set(Mood::Works);
    checkup.store(&report("d")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "d"]);
    let broken = format!("{}.broken", names[1]);
    assert_eq!(files(dir), [&*broken, &*names[2], "lock", "notes.json"]);
    assert_eq!((waiting(&checkup).await.reports, waiting(&checkup).await.broken), (1, 1));
    checkup.store(&report("e")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "d", "e"]);
}

#[tokio::test]
async fn unfinished_files_of_killed_processes_are_removed_after_an_hour() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let dir = temporary.path();
    let checkup = checkup(&storage, dir);
    keep(&checkup, &["a"]).await;
    let name = reports(dir).remove(0);
    let (old, young) = (format!("new-{name}"), format!("new-0{}", &name[1..]));
    for half in [&old, &young] {
        std::fs::write(dir.join(half), "[{\"ti").unwrap();
    }
    let file = std::fs::File::options().write(true).open(dir.join(&old)).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3700)).unwrap();
    storage.set(Mood::Works);
    checkup.store(&report("b")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b"]);
    assert_eq!(files(dir), ["lock".to_owned(), young]);
}
