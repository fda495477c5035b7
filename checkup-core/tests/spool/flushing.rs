//! Reports are kept, and stored later, in order.

use std::fs::File;
use std::time::Duration;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::{
    Attempt, Cause, Checkup, Maintenance, Spool, Status, Storage, StorageErrorKind, Timestamp, history,
};
use tokio::time::Instant;

use crate::fickle::{Fickle, Mood};
use crate::{chain, checkup, files, keep, report, reports, temporary, waiting};

#[tokio::test]
async fn a_report_that_cannot_be_stored_is_kept_and_reported() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    // Its parents are made too.
    let dir = temporary.path().join("a/b");
    let checkup = checkup(&storage, &dir);
    for expected in ["1 report waits", "2 reports wait"] {
        let error = checkup.store(&report("a")).await.unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::Spooled);
        let expected =
            format!("kept in the spool {} ({expected}): cannot reach the bucket: connection refused", dir.display());
        assert_eq!(chain(&error), expected);
    }
    assert_eq!((waiting(&checkup).await.reports, waiting(&checkup).await.broken), (2, 0));
    let bytes = reports(&dir).iter().map(|name| dir.join(name).metadata().unwrap().len()).sum::<u64>();
    assert_eq!(waiting(&checkup).await.bytes, bytes);
}

#[tokio::test]
async fn while_the_storage_works_nothing_is_in_the_folder() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Works));
    let dir = temporary.path().join("spool");
    let checkup = checkup(&storage, &dir);
    checkup.store(&report("a")).await.unwrap();
    assert_eq!(storage.stored(), ["a"]);
    assert!(!dir.exists());
    assert_eq!(waiting(&checkup).await.reports, 0);
}

#[tokio::test]
async fn waiting_reports_are_stored_in_order_before_new_ones() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let checkup = checkup(&storage, temporary.path());
    keep(&checkup, &["a", "b", "c"]).await;
    storage.calls();
    keep(&checkup, &["d", "e"]).await;
    // The three oldest and the new one are tried while the storage fails.
    assert_eq!(storage.calls(), 2 * 4);
    storage.set(Mood::Works);
    checkup.store(&report("f")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(files(temporary.path()), ["lock"]);
}

#[tokio::test]
async fn another_process_stores_what_waits_after_a_restart() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    keep(&checkup(&storage, temporary.path()), &["a", "b"]).await;
    storage.set(Mood::Works);
    checkup(&storage, temporary.path()).store(&report("c")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_flush_that_fails_midway_continues_there() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let checkup = checkup(&storage, temporary.path());
    keep(&checkup, &["a", "b", "c"]).await;
    storage.set(Mood::FailsAfter(2));
    keep(&checkup, &["d"]).await;
    assert_eq!(waiting(&checkup).await.reports, 2);
    storage.set(Mood::Works);
    checkup.store(&report("e")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn the_order_is_kept_when_the_clock_goes_back() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let dir = temporary.path();
    let checkup = checkup(&storage, dir);
    keep(&checkup, &["a"]).await;
    let name = reports(dir).remove(0);
    // As if it had been kept in the year 2248.
    std::fs::rename(dir.join(&name), dir.join(format!("8{}", &name[1..]))).unwrap();
    keep(&checkup, &["b", "c"]).await;
    storage.set(Mood::Works);
    checkup.store(&report("d")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_storage_is_given_a_bounded_time_and_the_order_is_kept() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let checkup = checkup(&storage, temporary.path());
    let names: Vec<_> = (0..8).map(|number| number.to_string()).collect();
    keep(&checkup, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    storage.set(Mood::Slow(Duration::from_secs(3)));
    let start = Instant::now();
    let error = checkup.store(&report("8")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Spooled);
    let expected = "(5 reports wait): this report queues behind the waiting ones, of which 4 were just stored";
    assert!(chain(&error).ends_with(expected), "{}", chain(&error));
    assert_eq!(start.elapsed().as_secs(), 12);
    let maintainer = checkup.storage().unwrap().maintainer().unwrap();
    let done = maintainer.maintain().await.unwrap();
    assert_eq!((done.flushed, done.unfinished), (4, true));
    let done = maintainer.maintain().await.unwrap();
    assert_eq!((done.flushed, done.unfinished), (1, false));
    assert_eq!(maintainer.maintain().await.unwrap(), Maintenance::default());
    assert_eq!(storage.stored().concat(), "012345678");
}

#[tokio::test]
async fn a_thousand_reports_are_flushed_at_once_and_no_more() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let checkup = checkup(&storage, temporary.path());
    keep(&checkup, &["0"]).await;
    let first = reports(temporary.path()).remove(0);
    let content = std::fs::read(temporary.path().join(&first)).unwrap();
    for number in 1..=1000 {
        let name = format!("{:019}{}", 1_000_000_000_000_000_000_i64 + number, &first[19..]);
        std::fs::write(temporary.path().join(name), &content).unwrap();
    }
    storage.set(Mood::Works);
    let maintainer = checkup.storage().unwrap().maintainer().unwrap();
    let done = maintainer.maintain().await.unwrap();
    assert_eq!((done.flushed, done.unfinished), (1000, true));
    assert_eq!(maintainer.maintain().await.unwrap().flushed, 1);
}

#[tokio::test]
async fn maintenance_flushes_and_reports_what_is_in_the_way() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let checkup = checkup(&storage, temporary.path());
    keep(&checkup, &["a", "b"]).await;
    let maintainer = checkup.storage().unwrap().maintainer().unwrap();
    let error = maintainer.maintain().await.unwrap_err();
    let expected = format!(
        "2 reports wait in the spool {} and cannot be stored: cannot reach the bucket: connection refused",
        temporary.path().display()
    );
    assert_eq!(chain(&error), expected);
    storage.set(Mood::Works);
    assert_eq!(maintainer.maintain().await.unwrap().flushed, 2);
    assert_eq!(storage.stored(), ["a", "b"]);
}

#[tokio::test]
async fn while_another_process_flushes_the_others_only_add() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let checkup = checkup(&storage, temporary.path());
    keep(&checkup, &["a"]).await;
    storage.set(Mood::Works);
    let lock = File::options().write(true).create(true).truncate(false).open(temporary.path().join("lock")).unwrap();
    lock.try_lock().unwrap();
    storage.calls();
    let error = checkup.store(&report("b")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Spooled);
    let expected = "the waiting reports are being stored right now, and this one queues behind them";
    assert!(chain(&error).ends_with(&format!("(2 reports wait): {expected}")), "{}", chain(&error));
    let maintainer = checkup.storage().unwrap().maintainer().unwrap();
    assert_eq!(maintainer.maintain().await.unwrap(), Maintenance::default());
    assert_eq!(storage.calls(), 0);
    // As when its process dies.
    drop(lock);
    checkup.store(&report("c")).await.unwrap();
    assert_eq!(storage.stored(), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_is_stored_and_flushed_again_is_one_check_file() {
    let (temporary, files) = (temporary(), MemoryFiles::new());
    let mut report = report("a");
    report.results[0].status = Status::Down;
    report.results[0].attempts = vec![Attempt::failure(Duration::from_nanos(1), Cause::Tls, "bad <certificate> ü\n")];
    report.results[0].notice = Some("".into());
    report.results[0].location = Some("eu".into());
    let archive = || Archive::new(files.clone());
    archive().store(&report).await.unwrap();
    // The storage had it, and its answer was lost.
    let storage = Fickle::new(Mood::LosesAnswers);
    let losing = checkup(&storage, temporary.path());
    losing.store(&report).await.unwrap_err();
    let kept = reports(temporary.path()).remove(0);
    let content = std::fs::read(temporary.path().join(&kept)).unwrap();
    for _ in 0..2 {
        let works = Checkup::builder().storage(archive()).spool(Spool::new(temporary.path())).build().unwrap();
        works.storage().unwrap().maintainer().unwrap().maintain().await.unwrap();
        assert_eq!(waiting(&works).await.reports, 0);
        // Killed between the storing and the removal.
        std::fs::write(temporary.path().join(&kept), &content).unwrap();
    }
    assert_eq!(files.list("0", 10).await.unwrap().len(), 1);
    let history = history::read(&archive(), Timestamp::from_unix_nanos(0)).await.unwrap();
    assert_eq!(history.results.len(), 1);
}
