//! Reports that the storage never accepts.

use checkup_core::StorageErrorKind;

use crate::fickle::{Fickle, Mood};
use crate::{chain, checkup, files, keep, report, reports, temporary, waiting};

#[tokio::test]
async fn a_report_that_the_storage_refuses_is_set_aside_after_three_stores_and_never_in_the_way() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let dir = temporary.path();
    keep(&checkup(&storage, dir), &["large", "a", "b"]).await;
    let large = reports(dir).remove(0);
    let content = std::fs::read(dir.join(&large)).unwrap();
    storage.set(Mood::Refuses(&["large"]));
    // By processes that live for one store each.
    for (count, name) in ["c", "d", "e"].iter().enumerate() {
        assert_eq!(waiting(&checkup(&storage, dir)).await.broken, 0);
        let spool = checkup(&storage, dir);
        spool.storage().unwrap().store(&report(name)).await.unwrap();
        assert_eq!(storage.stored().concat(), &"abcde"[..3 + count]);
    }
    let aside = format!("{large}.refused");
    assert_eq!(files(dir), [&*aside, "lock"]);
    assert_eq!(std::fs::read(dir.join(&aside)).unwrap(), content);
    let checkup = checkup(&storage, dir);
    assert_eq!((waiting(&checkup).await.reports, waiting(&checkup).await.broken), (0, 1));
    assert_eq!(waiting(&checkup).await.bytes, content.len() as u64);
    // To have it tried again, its name is what it was.
    std::fs::rename(dir.join(&aside), dir.join(&large)).unwrap();
    storage.set(Mood::Works);
    checkup.store(&report("f")).await.unwrap();
    assert_eq!(storage.stored().concat(), "abcdelargef");
}

#[tokio::test]
async fn many_reports_that_the_storage_refuses_do_not_keep_it_from_taking_the_others() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Fails));
    let dir = temporary.path();
    let checkup = checkup(&storage, dir);
    keep(&checkup, &["v", "w", "x", "y", "z", "a"]).await;
    storage.set(Mood::Refuses(&["v", "w", "x", "y", "z"]));
    let maintainer = checkup.storage().unwrap().maintainer().unwrap();
    // Three failures one after the other may be an outage: a process that stores nothing itself cannot know.
    for _ in 0..5 {
        let error = maintainer.maintain().await.unwrap_err();
        assert!(
            chain(&error).ends_with(" and cannot be stored: cannot write: 413: it is too large"),
            "{}",
            chain(&error)
        );
    }
    assert_eq!((waiting(&checkup).await.reports, waiting(&checkup).await.broken), (6, 0));
    for name in ["1", "2", "3", "4", "5", "6"] {
        checkup.storage().unwrap().store(&report(name)).await.unwrap();
    }
    assert_eq!(storage.stored().concat(), "123a456");
    assert_eq!((waiting(&checkup).await.reports, waiting(&checkup).await.broken), (0, 5));
    assert_eq!(maintainer.maintain().await.unwrap().flushed, 0);
}

#[tokio::test]
async fn an_outage_sets_nothing_aside_however_long_it_is() {
    for outage in [Mood::Fails, Mood::Panics] {
        let (temporary, storage) = (temporary(), Fickle::new(outage));
        let checkup = checkup(&storage, temporary.path());
        keep(&checkup, &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]).await;
        assert_eq!((waiting(&checkup).await.reports, waiting(&checkup).await.broken), (10, 0));
        storage.set(Mood::Works);
        checkup.store(&report("a")).await.unwrap();
        assert_eq!(storage.stored().concat(), "0123456789a");
    }
}

#[tokio::test]
async fn a_new_report_that_is_refused_is_kept_behind_and_says_why() {
    let (temporary, storage) = (temporary(), Fickle::new(Mood::Refuses(&["large"])));
    let checkup = checkup(&storage, temporary.path());
    keep(&checkup, &["large"]).await;
    let error = checkup.store(&report("large")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Spooled);
    assert!(chain(&error).ends_with("(2 reports wait): cannot write: 413: it is too large"), "{}", chain(&error));
}
