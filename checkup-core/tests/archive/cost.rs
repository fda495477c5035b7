//! How many requests stores and maintenance make.

use checkup_core::archive::{Archive, MemoryFiles};
use checkup_core::{Maintenance, Report, Storage, StorageMaintainer, Timestamp};

use crate::faults::Stopping;
use crate::{DAY, HOUR, MINUTE, day, everything, maintain, names, put, result};

/// Stores and maintains as the engine does. Returns what was done and how many requests it took.
async fn run(archive: &Archive<Stopping>) -> (Maintenance, usize) {
    archive.store(&Report::new(vec![result("new", Timestamp::now())])).await.unwrap();
    (archive.maintain().await.unwrap(), archive.files().count())
}

/// A history that was compacted: three days, and what the open hour has.
async fn compacted() -> MemoryFiles {
    let files = MemoryFiles::new();
    for number in 0..9 {
        put(&files, "a", day(1 + number % 3).saturating_add(HOUR * number)).await;
        put(&files, "b", Timestamp::now().saturating_sub(MINUTE * number)).await;
    }
    maintain(&files).await;
    assert_eq!(names(&files).await.len(), 3 + 9);
    files
}

#[tokio::test]
async fn a_run_in_the_steady_state_is_one_put_and_looks_for_what_is_due_once_an_hour() {
    let files = compacted().await;
    let archive = Archive::new(Stopping::never(&files)).check_expiry(DAY * 50);
    // A put; a short list for retention, and one for compaction. An hour may close in the middle of the test.
    assert_eq!(run(&archive).await, (Maintenance::default(), 3));
    let mut requests = 0;
    for _ in 0..20 {
        requests += run(&archive).await.1;
    }
    assert!(requests <= 20 + 3, "{requests}");
}

#[tokio::test]
async fn a_one_shot_run_finds_due_work_even_with_one_name_a_day_and_merges_late_files() {
    let files = compacted().await;
    put(&files, "late", day(3)).await;
    // Late in a day that is not the last is no reason to look at all names after a run …
    assert_eq!(run(&Archive::new(Stopping::never(&files))).await, (Maintenance::default(), 2));
    put(&files, "late", day(1)).await;
    // … but is included when there is another reason.
    let (done, _) = run(&Archive::new(Stopping::never(&files))).await;
    assert_eq!((done.compacted, done.unfinished), (4, false));
    assert_eq!(run(&Archive::new(Stopping::never(&files))).await, (Maintenance::default(), 2));
    assert_eq!(everything(&files).await.len(), 9 + 9 + 2 + 3);
}

#[tokio::test]
async fn more_large_files_than_a_short_list_shows_hide_nothing() {
    let files = compacted().await;
    for number in 0..100 {
        put(&files, &format!("compacted-full-{number:016x}"), day(1).saturating_add(MINUTE * number)).await;
    }
    put(&files, "late", day(1).saturating_add(HOUR * 5)).await;
    let (done, _) = run(&Archive::new(Stopping::never(&files))).await;
    assert_eq!(done.compacted, 2);
}

#[tokio::test]
async fn an_unfinished_pass_is_continued_after_the_next_store() {
    let files = MemoryFiles::new();
    for number in 0..2500 {
        put(&files, "a", day(3).saturating_add(MINUTE / 3 * number)).await;
    }
    let archive = Archive::new(Stopping::never(&files));
    assert!(archive.maintain().await.unwrap().unfinished);
    let mut runs = 0;
    while run(&archive).await.0.unfinished {
        runs += 1;
        assert!(runs < 10);
    }
    assert_eq!(names(&files).await.len(), 1 + runs + 1);
}

#[tokio::test]
async fn a_long_history_is_summarised_in_pieces_that_list_no_more_than_they_need() {
    let files = MemoryFiles::new();
    for number in 0..12_000 {
        put(&files, "a", day(13).saturating_add(MINUTE * 3 / 2 * number)).await;
    }
    let archive = Archive::new(Stopping::never(&files)).compact(false);
    archive.store(&Report::new(vec![result("new", Timestamp::now())])).await.unwrap();
    let (mut passes, mut requests) = (0, archive.files().count());
    while archive.maintain().await.unwrap().unfinished {
        passes += 1;
        // As after another store.
        archive.store(&Report::new(vec![result("new", Timestamp::now())])).await.unwrap();
        let lists = archive.files().count();
        // A get for each of at most two days' files, one of them listed again; and the summary, twice.
        assert!(lists < 2 * 960 + 10, "{lists}");
        requests += lists;
    }
    assert!(passes >= 10, "{passes}");
    assert!(requests < 12_000 * 5 / 4, "{requests}");
}
