//! Many real processes with one spool in front of one directory, killed at any moment: this test program starts itself
//! to get processes that store.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use checkup_core::{
    CheckResult, Checkup, Report, Spool, Storage, StorageError, StorageErrorKind, StorageReader, Timestamp, async_trait,
};
use checkup_storage_fs::{Fs, FsStorage};

/// Makes the test `child` store in a separate process, and says where.
const PLACE: &str = "CHECKUP_TEST_PLACE";

/// How many processes store concurrently, and how often all of them are killed.
const PROCESSES: usize = 4;
const ROUNDS: usize = 12;

/// A directory as a storage that is down while a certain file exists, and records the order of the stores.
#[derive(Debug)]
struct Away {
    storage: FsStorage,
    place: PathBuf,
}

#[async_trait]
impl Storage for Away {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        if self.place.join("away").exists() {
            return Err(StorageError::new("the directory is down"));
        }
        self.storage.store(report).await?;
        note(&self.place, "order", &report.results[0].name);
        Ok(())
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        self.storage.reader()
    }
}

fn checkup(place: &Path) -> Checkup {
    let storage = Away { storage: FsStorage::new(Fs::new(place.join("checks"))).unwrap(), place: place.to_owned() };
    Checkup::builder().storage(storage).spool(Spool::new(place.join("spool"))).build().unwrap()
}

/// Appends a line to a file in one write. It need not be durable: there is no power cut here.
fn note(place: &Path, file: &str, line: &str) {
    let mut file = File::options().append(true).create(true).open(place.join(file)).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn lines(place: &Path, file: &str) -> Vec<String> {
    fs::read_to_string(place.join(file)).unwrap_or_default().lines().map(ToOwned::to_owned).collect()
}

/// Does nothing unless the test below starts it as a separate process that stores until it is killed.
#[test]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let place = PathBuf::from(place);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let process = RandomState::new().hash_one(std::process::id());
    for number in 0_u64.. {
        // A separate checkup for each store, as in one-shot runs.
        let checkup = checkup(&place);
        let report = Report::new(vec![CheckResult::new(format!("{process:016x} {number:06}"), "127.0.0.1:80")]);
        let name = &report.results[0].name;
        match runtime.block_on(checkup.store(&report)) {
            Ok(()) => note(&place, "acknowledged", name),
            Err(error) if error.kind() == StorageErrorKind::Spooled => note(&place, "acknowledged", name),
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn start(place: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--test-threads=1"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env(PLACE, place).spawn().unwrap()
}

#[test]
fn processes_killed_at_any_moment_of_an_outage_and_after_lose_nothing_and_keep_the_order() {
    let temporary = tempfile::tempdir().unwrap();
    let place = temporary.path();
    let away = place.join("away");
    for round in 0..ROUNDS {
        let is_outage = round % 2 == 0;
        if is_outage {
            File::create(&away).unwrap();
        }
        let mut children: Vec<_> = (0..PROCESSES).map(|_| start(place)).collect();
        // Reports pile up during an outage, and are flushed after it.
        let (file, more) = if is_outage { ("acknowledged", 40) } else { ("order", 10) };
        let before = lines(place, file).len();
        while lines(place, file).len() < before + more {
            for child in &mut children {
                assert!(child.try_wait().unwrap().is_none(), "a process ended before it was killed");
            }
            thread::yield_now();
        }
        // They are killed at random points of their work; nothing waits for anything here.
        thread::sleep(Duration::from_micros(RandomState::new().hash_one(round) % 20_000));
        for child in &mut children {
            child.kill().unwrap();
        }
        for mut child in children {
            child.wait().unwrap();
        }
        if is_outage {
            fs::remove_file(&away).unwrap();
        }
    }
    flush(place);
    let stored = stored(place);
    assert!(stored.values().all(|count| *count == 1), "stored twice: {stored:?}");
    let acknowledged: BTreeSet<_> = lines(place, "acknowledged").into_iter().collect();
    let lost: Vec<_> = acknowledged.iter().filter(|name| !stored.contains_key(*name)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert!(acknowledged.len() >= ROUNDS / 2 * 50);
    assert_in_order(&lines(place, "order"));
}

/// Stores the reports that still wait.
fn flush(place: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let checkup = checkup(place);
    while runtime.block_on(checkup.storage().unwrap().maintainer().unwrap().maintain()).unwrap().unfinished {}
    let waiting = runtime.block_on(checkup.spool().unwrap().waiting()).unwrap();
    assert_eq!((waiting.reports, waiting.broken), (0, 0));
}

/// The names of all results in all check files, and how often each occurs.
fn stored(place: &Path) -> BTreeMap<String, usize> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let checkup = checkup(place);
    let reader = checkup.storage().unwrap().reader().unwrap();
    let mut stored = BTreeMap::new();
    for name in runtime.block_on(reader.list(Timestamp::from_unix_nanos(0))).unwrap() {
        for result in runtime.block_on(reader.fetch(&name)).unwrap() {
            *stored.entry(result.name).or_default() += 1;
        }
    }
    stored
}

/// Checks that each process's reports are in the storage in their order, no matter which process stored them. A report
/// that was stored again, because its process was killed before it could remove it, counts where it was first.
fn assert_in_order(order: &[String]) {
    let (mut seen, mut last) = (BTreeSet::new(), BTreeMap::new());
    for name in order.iter().filter(|name| seen.insert(*name)) {
        let (process, number) = name.split_once(' ').unwrap();
        let before = last.insert(process, number);
        assert!(before.is_none_or(|before| before < number), "{name} is stored after {before:?}");
    }
}
