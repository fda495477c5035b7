//! What all processes share: the bucket, the folders, and the journals in which nodes record their reports.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use checkup_core::{CheckResult, Checkup, CheckupBuilder, Report, Spool, Timestamp};
use checkup_storage_s3::S3;
use serde::{Deserialize, Serialize};

use crate::ROLE;

pub(crate) const BUCKET: &str = "status";

/// The locations that each node has, with the same checks at the same times: only the location distinguishes their results.
pub(crate) const LOCATIONS: [&str; 2] = ["eu-west", "us-east"];

const DAY: i64 = 86_400_000_000_000;

/// Where the bucket is, and the folder of the test.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    endpoint: String,
    key: (String, String),
}

/// A journal entry about a report that a node has handed to the storage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) run: usize,
    pub(crate) location: String,
    /// Whether the report is stored; otherwise it is in the spool.
    pub(crate) is_stored: bool,
    pub(crate) report: Report,
}

impl Place {
    pub(crate) fn new(dir: &Path, endpoint: String, key: (String, String)) -> Self {
        Self { dir: dir.to_owned(), endpoint, key }
    }

    /// The place that the process was started for.
    pub(crate) fn of_this_process() -> Self {
        let variable = |name: &str| env::var(name).unwrap();
        Self {
            dir: variable("PLACE_DIR").into(),
            endpoint: variable("PLACE_ENDPOINT"),
            key: (variable("PLACE_KEY"), variable("PLACE_SECRET")),
        }
    }

    /// Starts this program as a process with a role, and a number among those of the role.
    pub(crate) fn start(&self, role: &str, number: usize) -> Child {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(ROLE, role).env("PLACE_NUMBER", number.to_string()).env("PLACE_DIR", &self.dir);
        command.env("PLACE_ENDPOINT", &self.endpoint).env("PLACE_KEY", &self.key.0).env("PLACE_SECRET", &self.key.1);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn number_of_this_process() -> usize {
        env::var("PLACE_NUMBER").unwrap().parse().unwrap()
    }

    /// The bucket.
    pub(crate) fn storage(&self) -> S3 {
        S3::new(BUCKET).endpoint(&*self.endpoint).access_key(&*self.key.0, &*self.key.1)
    }

    /// A checkup that stores in the bucket, with the spool of a node.
    pub(crate) fn checkup(&self, storage: S3, node: usize) -> CheckupBuilder {
        Checkup::builder().storage(storage).spool(Spool::new(self.spool(node)))
    }

    pub(crate) fn spool(&self, node: usize) -> PathBuf {
        self.dir.join(format!("spool-{node}"))
    }

    /// How many reports wait in a node's spool.
    pub(crate) fn waiting(&self, node: usize) -> usize {
        let Ok(files) = fs::read_dir(self.spool(node)) else { return 0 };
        files.filter(|file| file.as_ref().unwrap().file_name().to_str().unwrap().ends_with(".json")).count()
    }

    /// Appends an entry to a node's journal, durably.
    pub(crate) fn note(&self, node: usize, entry: &Entry) {
        // Starts a new line first, so that half an entry of a killed process does not spoil the next.
        let line = format!("\n{}\n", serde_json::to_string(entry).unwrap());
        let mut file = File::options().append(true).create(true).open(self.journal(node)).unwrap();
        file.write_all(line.as_bytes()).unwrap();
        file.sync_all().unwrap();
    }

    /// The entries of a node's journal.
    pub(crate) fn noted(&self, node: usize) -> Vec<Entry> {
        let text = fs::read_to_string(self.journal(node)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn journal(&self, node: usize) -> PathBuf {
        self.dir.join(format!("journal-{node}"))
    }
}

/// The time of a run when it is made for the `attempt`th time. Each attempt has different results, like those of a restarted
/// node. All are on two past days, so that they are compacted while others are still being stored.
pub(crate) fn time_of(run: usize, attempt: u32) -> Timestamp {
    let today = Timestamp::now().unix_nanos() / DAY;
    let run = i64::try_from(run).unwrap();
    let beginning = (today - 3 + run % 2) * DAY;
    Timestamp::from_unix_nanos(beginning + run * 600_000_000_000 + i64::from(attempt))
}

/// Identifies a result.
pub(crate) fn identity(result: &CheckResult) -> (&str, &str, Timestamp, Option<&str>) {
    (&result.name, &result.endpoint, result.timestamp, result.location.as_deref())
}
