//! Retention: expired check files are removed, and nothing else.

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles};
use checkup_core::{Maintenance, Report, Storage, StorageMaintainer, Timestamp};

use crate::{DAY, HOUR, MINUTE, day, everything, maintain, names, put, result};

async fn expire(files: &MemoryFiles) -> Maintenance {
    let archive = Archive::new(files.clone()).check_expiry(DAY).compact(false);
    loop {
        let done = archive.maintain().await.unwrap();
        // What is removed is summarised first, some of it at a time.
        if !done.unfinished {
            return done;
        }
        assert_eq!(done.expired, 0);
    }
}

#[tokio::test]
async fn expired_check_files_of_many_pages_are_removed_and_nothing_else() {
    let files = MemoryFiles::new();
    let now = Timestamp::now();
    for minute in 0..2500 {
        put(&files, "old", now.saturating_sub(DAY + MINUTE * (minute + 1))).await;
    }
    let mut kept = Vec::new();
    for minute in (0..1500).rev() {
        let ago = MINUTE * minute / 2;
        kept.push(put(&files, "young", now.saturating_sub(ago)).await);
    }
    let others = [
        "!",
        "0",
        "1.json",
        "1473318000000000001.json",
        "1473318000000000001-check.json.bak",
        "2024-01-01-check.json",
        "9-check.jsonx",
        "index.json",
        "zebra-check.json",
        "~",
    ];
    for name in others {
        files.put(name, b"[]").await.unwrap();
    }
    assert_eq!(expire(&files).await.expired, 2500);
    let read = everything(&files).await;
    assert!(kept.iter().all(|kept| read.contains(kept)));
    let left = names(&files).await;
    assert_eq!(left.len(), kept.len() + others.len());
    assert!(others.iter().all(|name| left.iter().any(|left| left == name)));
    assert_eq!(expire(&files).await, Maintenance::default());
}

#[tokio::test]
async fn one_archive_removes_what_expires_while_it_lives() {
    let files = MemoryFiles::new();
    let archive = Archive::new(files.clone()).check_expiry(HOUR);
    for _ in 0..3 {
        let time = Timestamp::now().saturating_sub(HOUR - MINUTE / 600);
        put(&files, "soon", time).await;
        archive.store(&Report::new(vec![result("new", Timestamp::now())])).await.unwrap();
        assert_eq!(archive.maintain().await.unwrap().expired, 0);
        while Timestamp::now().since(time) <= HOUR {
            tokio::task::yield_now().await;
        }
        assert_eq!(archive.maintain().await.unwrap().expired, 1);
    }
    assert_eq!(everything(&files).await.len(), 3);
}

#[tokio::test]
async fn compacted_files_expire_by_their_latest_result() {
    let files = MemoryFiles::new();
    let (early, late) = (day(1).saturating_sub(HOUR * 20), day(1).saturating_sub(HOUR));
    let stored = vec![put(&files, "early", early).await, put(&files, "late", late).await];
    assert_eq!(maintain(&files).await, 2);
    let keep = |time| Archive::new(files.clone()).check_expiry(Timestamp::now().since(time) + MINUTE);
    let cut = |time| Archive::new(files.clone()).check_expiry(Timestamp::now().since(time) - MINUTE);
    assert_eq!(cut(early).maintain().await.unwrap().expired, 0);
    assert_eq!(keep(late).maintain().await.unwrap().expired, 0);
    assert_eq!(everything(&files).await, stored);
    assert_eq!(cut(late).maintain().await.unwrap().expired, 1);
    assert_eq!(everything(&files).await, []);
}
