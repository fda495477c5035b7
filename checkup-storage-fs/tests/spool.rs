//! Many real processes with one spool before one directory, killed at any moment: this test program starts itself as
//! the processes that store.

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

/// Says to the test `child` that this process is one, and where everything is.
const PLACE: &str = "CHECKUP_TEST_PLACE";

/// How many processes store at once, and how often they are all killed.
const PROCESSES: usize = 4;
const ROUNDS: usize = 12;

/// The directory as a storage that is away while a file says so, and writes down what is stored in which order.
#[derive(Debug)]
struct Away {
    storage: FsStorage,
    place: PathBuf,
}

#[async_trait]
impl Storage for Away {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        if self.place.join("away").exists() {
            return Err(StorageError::new("the directory is away"));
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

/// Adds a line to a file, in one piece. It need not be durable: no power is cut here.
fn note(place: &Path, file: &str, line: &str) {
    let mut file = File::options().append(true).create(true).open(place.join(file)).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn lines(place: &Path, file: &str) -> Vec<String> {
    fs::read_to_string(place.join(file)).unwrap_or_default().lines().map(ToOwned::to_owned).collect()
}

/// Nothing unless it is started by the test below, as a process of its own that stores until it is killed.
#[test]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let place = PathBuf::from(place);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let process = RandomState::new().hash_one(std::process::id());
    for number in 0_u64.. {
        // One of its own for each store, as each one-shot run has.
        let checkup = checkup(&place);
        let report = Report::new(vec![CheckResult::new(format!("{process:016x} {number:06}"), "127.0.0.1:80")]);
        let name = &report.results[0].name;
        match runtime.block_on(checkup.store(&report)) {
            Ok(()) => note(&place, "told", name),
            Err(error) if error.kind() == StorageErrorKind::Spooled => note(&place, "told", name),
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
        // In an outage reports pile up; then they are flushed.
        let (file, more) = if is_outage { ("told", 40) } else { ("order", 10) };
        let before = lines(place, file).len();
        while lines(place, file).len() < before + more {
            for child in &mut children {
                assert!(child.try_wait().unwrap().is_none(), "a process ended by itself");
            }
            thread::yield_now();
        }
        // Where in the work they are killed is left to chance; nothing waits for anything here.
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
    let told: BTreeSet<_> = lines(place, "told").into_iter().collect();
    let lost: Vec<_> = told.iter().filter(|name| !stored.contains_key(*name)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert!(told.len() >= ROUNDS / 2 * 50);
    assert_in_order(&lines(place, "order"));
}

/// Stores what still waits.
fn flush(place: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let checkup = checkup(place);
    while runtime.block_on(checkup.storage().unwrap().maintainer().unwrap().maintain()).unwrap().unfinished {}
    let waiting = runtime.block_on(checkup.spool().unwrap().waiting()).unwrap();
    assert_eq!((waiting.reports, waiting.broken), (0, 0));
}

/// The names of all results in all check files, and how often each is there.
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

/// What a process stored first is first in the storage, whoever brought it there. What was stored once more because its
/// process was killed before it could remove it counts where it was first.
fn assert_in_order(order: &[String]) {
    let (mut seen, mut last) = (BTreeSet::new(), BTreeMap::new());
    for name in order.iter().filter(|name| seen.insert(*name)) {
        let (process, number) = name.split_once(' ').unwrap();
        let before = last.insert(process, number);
        assert!(before.is_none_or(|before| before < number), "{name} is stored after {before:?}");
    }
}
