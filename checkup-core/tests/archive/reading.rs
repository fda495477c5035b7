//! Names, lists, and results that are read once.

use std::sync::Mutex;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles, Put};
use checkup_core::check_file::FileName;
use checkup_core::history;
use checkup_core::{
    CheckResult, Checkup, Report, Storage, StorageError, StorageErrorKind, StorageReader, Timestamp, async_trait,
    check_fn,
};

use crate::{EPOCH, HOUR, day, everything, maintain, names, put, result, sorted};

#[tokio::test]
async fn reports_are_read_back_oldest_first() {
    let files = MemoryFiles::new();
    let checkup = Checkup::builder()
        .check(check_fn("works", || async { Ok::<_, String>(()) }))
        .storage(Archive::new(files.clone()))
        .build()
        .unwrap();
    let mut stored = Vec::new();
    for _ in 0..5 {
        stored.extend(checkup.check_and_store().await.unwrap().results);
    }
    assert_eq!(history::read(&Archive::new(files), EPOCH).await.unwrap().results, stored);
}

#[tokio::test]
async fn names_are_unique_ordered_and_tell_the_location() {
    let files = MemoryFiles::new();
    let (node, plain) = (Archive::new(files.clone()), Archive::new(files.clone()).plain_names(true));
    let now = Timestamp::now();
    for index in 0..100_u8 {
        let mut report = Report::new(vec![result(&format!("{}", index / 2), now)]);
        report.results[0].location = Some("eu west".into());
        node.store(&report).await.unwrap();
        report.results[0].endpoint.push_str(if index % 2 == 0 { "even" } else { "odd" });
        plain.store(&report).await.unwrap();
    }
    let names = names(&files).await;
    // Every second report of the first is the one before.
    assert_eq!(names.len(), 50 + 100);
    let plain = names.iter().filter(|name| &name[19..] == "-eu_west-check.json").count();
    assert_eq!(plain, 100);
    assert!(names.iter().all(|name| name[19..].starts_with("-eu_west-")));
    let times: Vec<_> = names.iter().map(|name| FileName::parse(name).unwrap().timestamp()).collect();
    assert!(times.is_sorted() && times[0] == now);
}

#[tokio::test]
async fn a_report_that_is_stored_again_exists_once() {
    for plain in [false, true] {
        let files = MemoryFiles::new();
        let report = Report::new(vec![result("a", Timestamp::now())]);
        for _ in 0..3 {
            // As another process would, that flushes the same spool.
            Archive::new(files.clone()).plain_names(plain).store(&report).await.unwrap();
        }
        assert_eq!(names(&files).await.len(), 1);
    }
}

#[tokio::test]
async fn a_message_that_is_attached_later_is_read_with_its_result() {
    let files = MemoryFiles::new();
    let archive = Archive::new(files.clone());
    let before = result("a", Timestamp::now());
    let mut attached = before.clone();
    attached.message = Some("we know".into());
    for result in [&before, &attached, &before] {
        archive.store(&Report::new(vec![result.clone()])).await.unwrap();
    }
    assert_eq!(everything(&files).await, [attached]);
}

#[tokio::test]
async fn a_name_that_is_taken_is_left_alone() {
    /// Files of which every other name is taken.
    #[derive(Debug, Default)]
    struct Taken(MemoryFiles, Mutex<bool>);

    #[async_trait]
    impl NamedFiles for Taken {
        async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
            let is_taken = {
                let mut is_taken = self.1.lock().unwrap();
                *is_taken = !*is_taken;
                *is_taken
            };
            if is_taken {
                self.0.put(name, b"[]").await?;
            }
            self.0.put_if_absent(name, content).await
        }
        async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
            self.0.put(name, content).await
        }
        async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
            self.0.list(from, limit).await
        }
        async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
            self.0.get(name).await
        }
        async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
            self.0.delete(names).await
        }
    }

    let archive = Archive::new(Taken::default()).plain_names(true);
    for _ in 0..3 {
        archive.store(&Report::new(vec![result("a", Timestamp::now())])).await.unwrap();
    }
    let names = archive.list(EPOCH).await.unwrap();
    assert_eq!(names.len(), 6);
    assert_eq!(history::read(&archive, EPOCH).await.unwrap().results.len(), 3);
}

#[tokio::test]
async fn a_list_has_the_check_files_since_a_time_also_those_of_upstream_and_of_unset_clocks() {
    let files = MemoryFiles::new();
    let check_files =
        ["5-check.json", "17-check.json", "1473318000000000001-check.json", "1473318060000000002-eu-check.json"];
    for name in check_files.iter().chain(&[
        "index.json",
        "1.json",
        "zebra-check.json",
        ".lock",
        "notes",
        "99999999999999999999-check.json",
    ]) {
        files.put(name, b"[]").await.unwrap();
    }
    let archive = Archive::new(files);
    let list = async |since| {
        let names = archive.list(Timestamp::from_unix_nanos(since)).await.unwrap();
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(list(0).await, check_files);
    assert_eq!(list(i64::MIN).await, check_files);
    assert_eq!(list(6).await, check_files[1..]);
    assert_eq!(list(1_473_318_000_000_000_001).await, check_files[2..]);
    assert_eq!(list(1_473_318_000_000_000_002).await, check_files[3..]);
    assert_eq!(list(i64::MAX).await, [""; 0]);
}

#[tokio::test]
async fn duplicates_are_read_once_and_different_results_are_kept() {
    let archive = Archive::new(MemoryFiles::new());
    let time = Timestamp::now();
    let first = result("a", time);
    let mut others = vec![first.clone(); 4];
    others[0].name = "b".to_owned();
    others[1].endpoint = "other".to_owned();
    others[2].timestamp = time.saturating_add(HOUR);
    others[3].location = Some("eu".into());
    let all: Vec<CheckResult> = [vec![first.clone()], others].concat();
    archive.store(&Report::new(vec![first.clone(), first])).await.unwrap();
    archive.store(&Report::new(all.clone())).await.unwrap();
    let history = history::read(&archive, EPOCH).await.unwrap();
    let mut read = history.results;
    assert!(read.iter().map(|result| result.timestamp).is_sorted());
    read.retain(|result| !all.contains(result));
    assert_eq!(read, []);
    assert_eq!(history::read(&archive, EPOCH).await.unwrap().results.len(), 5);
}

#[tokio::test]
async fn results_from_before_the_time_are_not_read_from_a_file_that_was_compacted() {
    let files = MemoryFiles::new();
    put(&files, "early", day(3)).await;
    let late = put(&files, "late", day(3).saturating_add(HOUR * 5)).await;
    assert_eq!(maintain(&files).await, 2);
    let history = history::read(&Archive::new(files), late.timestamp).await.unwrap();
    assert_eq!(history.results, [late]);
}

#[tokio::test]
async fn a_broken_file_affects_no_other() {
    let files = MemoryFiles::new();
    let whole = put(&files, "whole", day(0)).await;
    files.put("1473318000000000001-check.json", b"[{").await.unwrap();
    let archive = Archive::new(files);
    let history = history::read(&archive, EPOCH).await.unwrap();
    assert_eq!(history.results, [whole]);
    assert_eq!(history.unread[0].0.as_str(), "1473318000000000001-check.json");
    assert_eq!(history.unread[0].1.kind(), StorageErrorKind::Corrupt);
    let gone = archive.fetch(&FileName::parse("7-check.json").unwrap()).await.unwrap_err();
    assert_eq!(gone.kind(), StorageErrorKind::NotFound);
}

/// Compacts between the listing and the first fetch, as another node may.
struct CompactedMeanwhile(MemoryFiles);

#[async_trait]
impl StorageReader for CompactedMeanwhile {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        let names = Archive::new(self.0.clone()).list(since).await;
        maintain(&self.0).await;
        names
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        Archive::new(self.0.clone()).fetch(name).await
    }
}

#[tokio::test]
async fn a_reader_finds_results_that_were_compacted_while_it_read() {
    let files = MemoryFiles::new();
    let mut stored = Vec::new();
    for hour in 0..5 {
        stored.push(put(&files, "a", day(3).saturating_add(HOUR * hour)).await);
    }
    let history = history::read(&CompactedMeanwhile(files.clone()), EPOCH).await.unwrap();
    assert_eq!(names(&files).await.len(), 1);
    assert_eq!(sorted(history.results), stored);
    assert_eq!(everything(&files).await, stored);
}

/// Gives up every fetch, as a storage does when the program ends.
struct Ending(Archive<MemoryFiles>);

#[async_trait]
impl StorageReader for Ending {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        self.0.list(since).await
    }

    async fn fetch(&self, _: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        Err(StorageError::new("given up").with_kind(StorageErrorKind::Interrupted))
    }
}

#[tokio::test]
async fn a_reader_that_is_interrupted_calls_no_file_unreadable() {
    let files = MemoryFiles::new();
    put(&files, "a", day(0)).await;
    let reader = Ending(Archive::new(files));
    assert_eq!(history::read(&reader, EPOCH).await.unwrap_err().kind(), StorageErrorKind::Interrupted);
    assert_eq!(history::read_summary(&reader, EPOCH).await.unwrap_err().kind(), StorageErrorKind::Interrupted);
}
