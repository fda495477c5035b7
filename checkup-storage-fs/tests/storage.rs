//! Storing, reading and retention through the public API.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{
    CheckResult, Checkup, Report, Status, Storage, StorageErrorKind, StorageMaintainer, StorageReader, Timestamp,
    check_fn,
};
use checkup_storage_fs::{Fs, FsStorage};
use serde_json::{Map, Value};

const EPOCH: Timestamp = Timestamp::from_unix_nanos(0);
const HOUR: Duration = Duration::from_secs(3600);

fn storage(dir: &Path) -> FsStorage {
    FsStorage::new(Fs::new(dir)).unwrap()
}

fn report(name: &str) -> Report {
    Report::new(vec![CheckResult::new(name, "127.0.0.1:80")])
}

fn indexed(dir: &Path) -> Vec<String> {
    let json: Map<String, Value> = serde_json::from_slice(&fs::read(dir.join("index.json")).unwrap()).unwrap();
    json.keys().cloned().collect()
}

fn entries(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn name_before(age: Duration) -> String {
    format!("{}-check.json", Timestamp::now().saturating_sub(age).unix_nanos())
}

#[tokio::test]
async fn reports_are_read_back_oldest_first() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("not/there/yet");
    let checkup = Checkup::builder()
        .check(check_fn("works", || async { Ok::<_, String>(()) }))
        .check(check_fn("fails", || async { Err::<(), _>("17 messages are stuck") }))
        .storage(Fs::new(&dir))
        .build()
        .unwrap();
    let mut reports = Vec::new();
    for _ in 0..3 {
        reports.push(checkup.check_and_store().await.unwrap().results);
    }
    let reader = checkup.storage().unwrap().reader().unwrap();
    let names = reader.list(EPOCH).await.unwrap();
    assert!(names.is_sorted());
    let mut read = Vec::new();
    for name in &names {
        read.push(reader.fetch(name).await.unwrap());
    }
    assert_eq!(read, reports);
    assert_eq!(reader.list(names[1].timestamp()).await.unwrap(), names[1..]);
    assert_eq!(indexed(&dir), names.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(entries(&dir.join(".checkup")), ["lock"]);
}

#[tokio::test]
async fn reports_are_stored_without_fsync_too() {
    let temporary = tempfile::tempdir().unwrap();
    let storage = FsStorage::new(Fs::new(temporary.path()).fsync(false)).unwrap();
    storage.store(&report("a")).await.unwrap();
    assert_eq!(storage.list(EPOCH).await.unwrap().len(), 1);
}

#[test]
fn the_identity_is_the_directory_however_it_is_named() {
    let here = std::env::current_dir().unwrap();
    let identity = |dir: &str| FsStorage::new(Fs::new(dir)).unwrap().identity();
    assert_eq!(identity("checks"), Some(format!("file://{}", here.join("checks").display())));
    assert_eq!(identity("./checks"), identity("checks"));
    assert_eq!(identity("/var/lib/checkup").as_deref(), Some("file:///var/lib/checkup"));
}

#[tokio::test]
async fn a_missing_directory_is_empty() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("none");
    assert_eq!(storage(&dir).list(EPOCH).await.unwrap(), []);
    assert_eq!(storage(&dir).maintain().await.unwrap().expired, 0);
    assert!(!dir.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_web_server_may_read_everything() {
    use std::os::unix::fs::PermissionsExt;
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("new");
    storage(&dir).store(&report("a")).await.unwrap();
    // The storage cannot allow what the umask forbids, so a plain file shows what to expect.
    let plain = temporary.path().join("plain");
    fs::write(&plain, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in entries(&dir).iter().filter(|name| name.ends_with(".json")) {
        assert_eq!(mode(&dir.join(name)), mode(&plain) & 0o644, "{name}");
    }
    assert_eq!(mode(&dir) & 0o022, 0);
}

#[test]
fn a_dropped_store_is_stored_completely_or_not_at_all() {
    let temporary = tempfile::tempdir().unwrap();
    let storage = storage(temporary.path());
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let dropped_in = runtime();
    dropped_in.block_on(async {
        for _ in 0..20 {
            // One store is polled once, which starts its work, then dropped. Another is dropped before it starts.
            let report = report("dropped");
            let mut store = storage.store(&report);
            poll_fn(|context| Poll::Ready(store.as_mut().poll(context).is_ready())).await;
            drop(store);
            drop(storage.store(&report));
        }
    });
    // Waits for the work that has started.
    drop(dropped_in);
    runtime().block_on(async {
        storage.store(&report("last")).await.unwrap();
        let names = storage.list(EPOCH).await.unwrap();
        for name in &names {
            assert_eq!(storage.fetch(name).await.unwrap().len(), 1);
        }
        assert!((1..=21).contains(&names.len()));
        assert!(indexed(temporary.path()).iter().eq(names.iter().map(FileName::as_str)));
    });
}

#[tokio::test]
async fn retention_removes_expired_check_files_and_nothing_else() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let (old, older, young) = (name_before(2 * HOUR), name_before(3 * HOUR), name_before(HOUR / 2));
    let located = older.replace("-check", "-eu-check");
    // Readers accept these as check files, like the original Checkup, but no storage gave them their names.
    let own = ["2024-01-01-check.json", &format!("{older}.bak"), "7-check.jsonx"];
    for name in [&old, &older, &located, &young, "notes.txt", "1.json", "check.json"].into_iter().chain(own) {
        fs::write(dir.join(name), "[]\n").unwrap();
    }
    let directory = name_before(4 * HOUR);
    fs::create_dir(dir.join(&directory)).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.join("notes.txt"), dir.join("1-check.json")).unwrap();
    let storage = FsStorage::new(Fs::new(dir).check_expiry(HOUR).compact(false)).unwrap();

    storage.store(&report("a")).await.unwrap();
    assert_eq!(storage.maintain().await.unwrap().expired, 3);
    let mut left = entries(dir);
    for name in
        [".checkup", "notes.txt", "1.json", "check.json", "index.json", &directory, &young].into_iter().chain(own)
    {
        left.remove(left.iter().position(|left| left == name).unwrap_or_else(|| panic!("{name} is gone")));
    }
    #[cfg(unix)]
    assert_eq!(left.remove(0), "1-check.json");
    assert_eq!((left.len(), left[1].as_str()), (2, "summary.json"), "{left:?}");
    assert_eq!(indexed(dir), [young.as_str(), &left[0]]);
}

#[tokio::test]
async fn one_shot_runs_remove_what_has_expired() {
    let temporary = tempfile::tempdir().unwrap();
    let settings = Fs::new(temporary.path()).check_expiry(HOUR);
    for _ in 0..3 {
        let (old, check) = (name_before(2 * HOUR), check_fn("a", || async { Ok::<_, String>(()) }));
        fs::write(temporary.path().join(&old), "[]\n").unwrap();
        // Each run has a separate storage, as each process has.
        let checkup = Checkup::builder().check(check).storage(settings.clone()).build().unwrap();
        checkup.check_and_store().await.unwrap();
        // The file system's clock may be too coarse to show that a file was added; maintenance on its own looks at
        // everything.
        checkup.storage().unwrap().maintainer().unwrap().maintain().await.unwrap();
        assert!(!temporary.path().join(&old).exists());
    }
    assert_eq!(indexed(temporary.path()).len(), 3);
}

#[tokio::test]
async fn without_an_expiry_everything_is_kept() {
    let temporary = tempfile::tempdir().unwrap();
    fs::write(temporary.path().join("1-check.json"), "[]\n").unwrap();
    let storage = storage(temporary.path());
    storage.store(&report("a")).await.unwrap();
    assert_eq!(storage.maintain().await.unwrap().expired, 0);
    assert_eq!(storage.maintain().await.unwrap().expired, 0);
    assert_eq!(indexed(temporary.path()).len(), 2);
}

#[tokio::test]
async fn maintenance_removes_old_leftovers_of_killed_processes() {
    let temporary = tempfile::tempdir().unwrap();
    let storage = storage(temporary.path());
    storage.store(&report("a")).await.unwrap();
    storage.maintain().await.unwrap();
    let work = temporary.path().join(".checkup");
    for name in ["new-old.tmp", "new-young.tmp", "5-check.json.pending", "keep.me"] {
        fs::write(work.join(name), "").unwrap();
        if name != "new-young.tmp" {
            let file = fs::File::options().write(true).open(work.join(name)).unwrap();
            file.set_modified(Timestamp::now().saturating_sub(2 * HOUR).into()).unwrap();
        }
    }
    storage.maintain().await.unwrap();
    assert_eq!(entries(&work), ["keep.me", "lock", "new-young.tmp"]);
}

#[tokio::test]
async fn broken_and_missing_files_are_reported_one_by_one() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let storage = storage(dir);
    storage.store(&report("a")).await.unwrap();
    fs::write(dir.join("1-check.json"), "[{\"title\":").unwrap();
    fs::File::create(dir.join("2-check.json")).unwrap().set_len((64 << 20) + 1).unwrap();
    fs::create_dir(dir.join("3-check.json")).unwrap();
    let kind = async |name: &str| {
        let error = storage.fetch(&FileName::parse(name).unwrap()).await.unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        error.kind()
    };
    assert_eq!(kind("1-check.json").await, StorageErrorKind::Corrupt);
    assert_eq!(kind("2-check.json").await, StorageErrorKind::Corrupt);
    assert_eq!(kind("3-check.json").await, StorageErrorKind::Corrupt);
    assert_eq!(kind("4-check.json").await, StorageErrorKind::NotFound);
    let names = storage.list(EPOCH).await.unwrap();
    assert_eq!(names.len(), 3, "a directory is not a check file: {names:?}");
    assert_eq!(storage.fetch(&names[2]).await.unwrap()[0].status, Status::Healthy);
}

#[tokio::test]
async fn an_impossible_directory_is_an_error_with_its_path_and_a_remedy() {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("file");
    fs::write(&file, "").unwrap();
    for dir in [file.clone(), file.join("below")] {
        let error = storage(&dir).store(&report("a")).await.unwrap_err();
        assert!(error.to_string().contains(dir.to_str().unwrap()), "{error}");
        assert!(error.to_string().contains("set `dir` to a directory"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
    assert!(storage(&file).list(EPOCH).await.is_err());
}

#[tokio::test]
async fn a_report_is_stored_even_if_the_index_cannot_be_written_and_maintenance_says_why() {
    let temporary = tempfile::tempdir().unwrap();
    let index = temporary.path().join("index.json");
    fs::create_dir(&index).unwrap();
    let storage = storage(temporary.path());
    storage.store(&report("a")).await.unwrap();
    assert_eq!(storage.list(EPOCH).await.unwrap().len(), 1);
    let error = storage.maintain().await.unwrap_err();
    assert!(error.to_string().contains("index.json: a directory has that name"), "{error}");
    fs::remove_dir(&index).unwrap();
    storage.store(&report("b")).await.unwrap();
    assert_eq!(indexed(temporary.path()).len(), 2);
}

#[test]
fn a_dir_that_cannot_be_a_path_is_refused_without_showing_it() {
    for (dir, expected) in [
        ("", "dir: expected a directory, found an empty text; set it to the directory for check files"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ", "dir: expected a path, found the content of a PEM file; "),
        ("MIIEvQ\nMIIEvQ", "dir: expected a path, found a text of several lines; "),
    ] {
        let error = FsStorage::new(Fs::new(dir)).unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("MIIEvQ"), "{error}");
    }
}
