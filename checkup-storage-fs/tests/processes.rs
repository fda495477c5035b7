//! Many real processes on one directory: this test program starts itself to get processes that store.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use checkup_core::{CheckResult, Report, Storage, Timestamp, check_file};
use checkup_storage_fs::{Fs, FsStorage};

/// Makes the test `child` store this many reports in a separate process; 0 means no end.
const STORES: &str = "CHECKUP_TEST_STORES";
const DIR: &str = "CHECKUP_TEST_DIR";
const EXPIRY: &str = "CHECKUP_TEST_EXPIRY_MS";

/// Does nothing unless one of the tests below starts it as a separate process that stores.
#[test]
fn child() {
    let (Ok(stores), Ok(dir)) = (std::env::var(STORES), std::env::var(DIR)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let stores: usize = stores.parse().unwrap();
    let expiry = std::env::var(EXPIRY).map_or(0, |millis| millis.parse().unwrap());
    let settings = Fs::new(dir).check_expiry(Duration::from_millis(expiry));
    // Some hundred lines, so that a torn file would be noticed.
    for _ in 0..if stores == 0 { usize::MAX } else { stores } {
        let results = (0..100).map(|number| CheckResult::new(format!("check {number}"), "127.0.0.1:80")).collect();
        let report = Report::new(results);
        // A separate storage for each store, as in one-shot runs.
        let storage = FsStorage::new(settings.clone()).unwrap();
        runtime.block_on(storage.store(&report)).unwrap();
        runtime.block_on(storage.maintainer().unwrap().maintain()).unwrap();
    }
}

fn start(dir: &Path, stores: usize, expiry: Duration) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--test-threads=1"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env(DIR, dir).env(STORES, stores.to_string()).env(EXPIRY, expiry.as_millis().to_string());
    command.spawn().unwrap()
}

fn index(dir: &Path) -> BTreeMap<String, i64> {
    serde_json::from_slice(&fs::read(dir.join("index.json")).unwrap()).unwrap()
}

fn check_files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with("-check.json")).collect();
    names.sort();
    names
}

#[test]
fn all_files_of_fifty_processes_that_store_concurrently_are_in_the_index() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("new");
    let children: Vec<_> = (0..50).map(|_| start(&dir, 20, Duration::ZERO)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let names = check_files(&dir);
    assert_eq!(names.len(), 1000);
    assert!(index(&dir).keys().eq(&names));
    for name in names {
        assert_eq!(check_file::decode(&fs::read(dir.join(name)).unwrap()).unwrap().len(), 100);
    }
    // Only the lock is left in the work directory.
    assert_eq!(fs::read_dir(dir.join(".checkup")).unwrap().count(), 1);
}

#[test]
fn processes_killed_at_any_moment_tear_no_file_and_break_no_index() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    kill_in_a_loop(dir, Duration::ZERO, 40);
    let names = check_files(dir);
    assert!(names.len() > 40);
    assert!(index(dir).keys().eq(&names));
}

#[test]
fn processes_killed_during_retention_leave_an_index_of_what_has_not_expired() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    kill_in_a_loop(dir, Duration::from_millis(50), 20);
    // A last maintenance, without an expiry, leaves what exists.
    let storage = FsStorage::new(Fs::new(dir)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(storage.maintainer().unwrap().maintain()).unwrap();
    assert!(index(dir).keys().eq(&check_files(dir)));
}

/// Kills a storing process at a random moment after its first store, `times` times. A last process then stores to its
/// end.
fn kill_in_a_loop(dir: &Path, expiry: Duration, times: usize) {
    for round in 0..times {
        let before = newest(dir);
        let mut child = start(dir, 0, expiry);
        while newest(dir) == before {
            assert!(child.try_wait().unwrap().is_none(), "the process ended before it was killed");
            thread::yield_now();
        }
        // It is killed at a random point of its work; nothing waits for anything here.
        thread::sleep(Duration::from_micros(RandomState::new().hash_one(round) % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        inspect(dir, expiry);
    }
    assert!(start(dir, 1, expiry).wait().unwrap().success());
    inspect(dir, expiry);
}

fn newest(dir: &Path) -> Option<String> {
    check_files(dir).pop()
}

/// Checks that every check file is complete, and that the index is valid and names only existing or expired files.
fn inspect(dir: &Path, expiry: Duration) {
    let names = check_files(dir);
    for name in &names {
        let content = fs::read(dir.join(name)).unwrap();
        assert_eq!(check_file::decode(&content).unwrap().len(), 100, "{name}");
    }
    if !dir.join("index.json").exists() {
        return;
    }
    for name in index(dir).keys() {
        let stored = check_file::FileName::parse(name).unwrap().timestamp();
        let expired = !expiry.is_zero() && Timestamp::now().since(stored) >= expiry;
        assert!(expired || names.contains(name), "{name} is in the index, but does not exist");
    }
}
