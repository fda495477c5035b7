//! The spool: what is kept when a storage fails, and what happens to it later.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod bounds;
mod conformance;
mod faults;
mod fickle;
mod flushing;
mod refusals;

use std::error::Error;
use std::path::Path;

use checkup_core::{CheckResult, Checkup, Report, Spool, StorageError, Timestamp, Waiting};
use fickle::Fickle;
use tempfile::TempDir;

/// A checkup that stores in `storage`, with a spool in a folder.
fn checkup(storage: &Fickle, dir: &Path) -> Checkup {
    with_spool(storage, Spool::new(dir))
}

fn with_spool(storage: &Fickle, spool: Spool) -> Checkup {
    Checkup::builder().storage(storage.clone()).spool(spool).build().unwrap()
}

fn temporary() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A report of one result with this name.
fn report(name: &str) -> Report {
    let mut result = CheckResult::new(name, "127.0.0.1:1");
    result.timestamp = Timestamp::from_unix_nanos(1_700_000_000_000_000_000);
    Report::new(vec![result])
}

/// Stores reports that are all kept.
async fn keep(checkup: &Checkup, names: &[&str]) {
    for name in names {
        let error = checkup.store(&report(name)).await.unwrap_err();
        assert_eq!(error.kind(), checkup_core::StorageErrorKind::Spooled, "{error:?}");
    }
}

async fn waiting(checkup: &Checkup) -> Waiting {
    checkup.spool().unwrap().waiting().await.unwrap()
}

/// The files in a folder, in order.
fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The files in a folder that are reports that wait.
fn reports(dir: &Path) -> Vec<String> {
    files(dir).into_iter().filter(|name| name.ends_with(".json")).collect()
}

/// An error with its sources, as the command line prints it.
fn chain(error: &StorageError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
