//! Closed hours and days become one check file each, and the index follows.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use checkup_core::{CheckResult, Report, Storage, StorageMaintainer, Timestamp, check_file, history};
use checkup_storage_fs::{Fs, FsStorage};

const EPOCH: Timestamp = Timestamp::from_unix_nanos(0);
const HOUR: Duration = Duration::from_secs(3600);

/// Makes the test `child` compact this directory in a separate process.
const DIR: &str = "CHECKUP_TEST_COMPACTS_IN";

/// Check files as the original Checkup leaves them: of a run every ten minutes, on a day that closed long ago.
fn history(dir: &Path, runs: u32) -> Vec<CheckResult> {
    let start: Timestamp = "2026-02-03T00:00:00Z".parse().unwrap();
    let mut results = Vec::new();
    for run in 0..runs {
        let mut result = CheckResult::new("a", "127.0.0.1:80");
        result.timestamp = start.saturating_add(HOUR / 6 * run);
        let name = format!("{}-check.json", result.timestamp.unix_nanos());
        fs::write(dir.join(name), check_file::encode(std::slice::from_ref(&result)).unwrap()).unwrap();
        results.push(result);
    }
    results
}

fn index(dir: &Path) -> Vec<String> {
    let index: BTreeMap<String, i64> = serde_json::from_slice(&fs::read(dir.join("index.json")).unwrap()).unwrap();
    index.into_keys().collect()
}

fn check_files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with("-check.json")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_closed_day_becomes_one_file_with_the_same_results_and_the_index_has_it() {
    for fsync in [true, false] {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path();
        let results = history(dir, 144);
        let storage = FsStorage::new(Fs::new(dir).fsync(fsync)).unwrap();
        let done = storage.maintain().await.unwrap();
        assert_eq!((done.compacted, done.expired, done.unfinished), (144, 0, false));
        let names = check_files(dir);
        assert_eq!(names.len(), 1);
        assert_eq!(index(dir), names);
        assert_eq!(check_file::decode(&fs::read(dir.join(&names[0])).unwrap()).unwrap(), results);
        assert_eq!(history::read(&storage, EPOCH).await.unwrap().results, results);
        // Only the lock is left in the work directory.
        assert_eq!(fs::read_dir(dir.join(".checkup")).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn concurrent_stores_and_compactors_lose_nothing_and_the_index_is_complete() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let results = history(dir, 100);
    let mut work = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let dir = dir.to_owned();
        work.spawn(async move {
            for _ in 0..5 {
                // A separate storage for each store, as in one-shot runs.
                let storage = FsStorage::new(Fs::new(&dir)).unwrap();
                storage.maintain().await.unwrap();
                storage.store(&Report::new(vec![CheckResult::new("new", "127.0.0.1:80")])).await.unwrap();
                storage.maintain().await.unwrap();
            }
        });
    }
    work.join_all().await;
    let storage = FsStorage::new(Fs::new(dir)).unwrap();
    storage.maintain().await.unwrap();
    let names = check_files(dir);
    assert_eq!(names.len(), 1 + 20);
    assert_eq!(index(dir), names);
    let read = history::read(&storage, EPOCH).await.unwrap().results;
    assert_eq!(read[..100], results);
    assert_eq!(read.len(), 100 + 20);
}

#[tokio::test]
async fn nothing_is_compacted_when_it_is_switched_off() {
    let temporary = tempfile::tempdir().unwrap();
    history(temporary.path(), 3);
    let storage = FsStorage::new(Fs::new(temporary.path()).compact(false)).unwrap();
    assert_eq!(storage.maintain().await.unwrap().compacted, 0);
    assert_eq!(check_files(temporary.path()).len(), 3);
}

#[tokio::test]
async fn names_cannot_lead_out_of_the_directory() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("checks");
    fs::write(temporary.path().join("outside"), "x").unwrap();
    let storage = FsStorage::new(Fs::new(&dir)).unwrap();
    let files = storage.files();
    files.put("inside", b"y").await.unwrap();
    for name in ["../outside", "..", ".", "", "a/b", "a\\b", "a\0b", ".checkup"] {
        assert!(files.get(name).await.is_err(), "{name:?}");
        assert!(files.put(name, b"z").await.is_err(), "{name:?}");
        assert!(files.put_if_absent(name, b"z").await.is_err(), "{name:?}");
        assert!(files.delete(&["inside", name]).await.is_err(), "{name:?}");
    }
    assert_eq!(fs::read(temporary.path().join("outside")).unwrap(), b"x");
}

/// Does nothing unless the test below starts it as a separate process. It then puts the existing files once more, like
/// a process that got no response, and compacts.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for round in 0_u64.. {
            let storage = FsStorage::new(Fs::new(&dir)).unwrap();
            let results = history::read(&storage, EPOCH).await.unwrap().results;
            let again = &results[(round % results.len() as u64) as usize];
            let name = format!("{}-{}-{round}-check.json", again.timestamp.unix_nanos(), std::process::id());
            let content = check_file::encode(std::slice::from_ref(again)).unwrap();
            storage.files().put_if_absent(&name, &content).await.map(drop).unwrap();
            storage.maintain().await.unwrap();
        }
    });
}

fn start(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--test-threads=1"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env(DIR, dir).spawn().unwrap()
}

#[test]
fn compactors_killed_at_any_moment_lose_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let results = history(dir, 200);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let storage = FsStorage::new(Fs::new(dir)).unwrap();
    for round in 0..20 {
        let before = check_files(dir);
        let mut children = [start(dir), start(dir)];
        while check_files(dir) == before {
            thread::yield_now();
        }
        // They are killed at random points of their work; nothing waits for anything here.
        thread::sleep(Duration::from_micros(RandomState::new().hash_one(round) % 20_000));
        for child in &mut children {
            assert!(child.try_wait().unwrap().is_none(), "the process ended before it was killed");
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let read = runtime.block_on(history::read(&storage, EPOCH)).unwrap();
        assert!(read.unread.is_empty(), "{:?}", read.unread);
        assert_eq!(read.results, results);
    }
    runtime.block_on(storage.maintain()).unwrap();
    let names = check_files(dir);
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(index(dir), names);
    assert_eq!(runtime.block_on(history::read(&storage, EPOCH)).unwrap().results, results);
}
