//! Removes check files that have expired and that the summary has.

use std::time::Duration;

use super::listing::Listing;
use super::{NamedFiles, naming};
use crate::check_file::{self, FileName};
use crate::summary::{Summary, day_of};
use crate::{StorageError, StorageErrorKind, Timestamp};

/// How many names are listed or deleted per request. S3 deletes up to 1,000 in one request.
const BATCH: usize = 1000;

/// How many names are listed first: usually the oldest file has not expired.
const PROBE: usize = 64;

/// How many files that the summary could not read are read again per pass.
const MAX_READ: usize = 16;

/// The outcome of retention.
#[derive(Debug, Default)]
pub(super) struct Expired {
    /// How many check files were removed.
    pub(super) count: usize,
    /// The time of the oldest file that was not looked at.
    pub(super) oldest: Option<Timestamp>,
    /// How many expired check files stay because the summary does not have them, and the first of them.
    pub(super) kept: usize,
    pub(super) first_kept: Option<FileName>,
}

/// Which check files may be removed.
#[derive(Debug)]
pub(super) struct Removable<'a> {
    /// Those with a time before this in their names …
    pub(super) cutoff: Timestamp,
    /// … that this summary has, or that are older than what it keeps.
    pub(super) summary: &'a Summary,
    pub(super) summary_cutoff: Timestamp,
}

/// The time of the oldest check file that may be removed, found with one short list. If the list has no such file:
/// whether there may be one after it.
pub(super) async fn oldest<F: NamedFiles>(files: &F) -> Result<Result<Timestamp, bool>, StorageError> {
    let names = files.oldest(PROBE).await?;
    let first = names.iter().filter_map(|name| FileName::parse(name)).find(FileName::is_removable);
    Ok(first.map(|name| name.timestamp()).ok_or(names.len() >= PROBE))
}

/// Removes check files.
///
/// Their names have 19 digits ([`FileName::is_removable`]), so they come first. Names with fewer digits (upstream's,
/// with a clock before 2001) and files with merely similar names stay.
pub(super) async fn expire<F: NamedFiles>(files: &F, removable: &Removable<'_>) -> Result<Expired, StorageError> {
    let (mut done, mut read) = (Expired::default(), 0);
    let mut listing = Listing::new(files, naming::FIRST.to_owned(), BATCH).first(PROBE);
    let mut batch: Vec<FileName> = Vec::new();
    while let Some(name) = listing.next().await? {
        if !name.is_removable() {
            continue;
        }
        if name.timestamp() >= removable.cutoff {
            done.oldest = Some(name.timestamp());
            break;
        }
        if !removable.has(files, &name, &mut read).await {
            done.kept += 1;
            done.first_kept.get_or_insert(name);
            continue;
        }
        batch.push(name);
        if batch.len() == BATCH {
            delete(files, &batch).await?;
            done.count += batch.len();
            batch.clear();
        }
    }
    if !batch.is_empty() {
        delete(files, &batch).await?;
        done.count += batch.len();
    }
    Ok(done)
}

pub(super) async fn delete<F: NamedFiles>(files: &F, names: &[FileName]) -> Result<(), StorageError> {
    for batch in names.chunks(BATCH) {
        let names: Vec<_> = batch.iter().map(FileName::as_str).collect();
        files.delete(&names).await?;
    }
    Ok(())
}

/// Files from before this time are removed. Before all times if they are kept forever.
pub(super) fn cutoff(now: Timestamp, expiry: Duration) -> Timestamp {
    if expiry.is_zero() { Timestamp::from_unix_nanos(i64::MIN) } else { now.saturating_sub(expiry) }
}

impl Removable<'_> {
    /// Whether removing this file loses nothing.
    async fn has<F: NamedFiles>(&self, files: &F, name: &FileName, read: &mut usize) -> bool {
        let day = day_of(name.timestamp());
        if day < day_of(self.summary_cutoff) || self.summary.files.contains(name.as_str()) {
            return true;
        }
        if self.summary.unread.contains(name.as_str()) {
            // A broken file has no results. A file that cannot be read now may become readable later.
            *read += 1;
            return *read <= MAX_READ && is_broken(files, name).await;
        }
        self.summary.days.contains_key(&day)
    }
}

async fn is_broken<F: NamedFiles>(files: &F, name: &FileName) -> bool {
    match files.get(name.as_str()).await {
        Ok(content) => check_file::decode(&content).is_err(),
        Err(error) => matches!(error.kind(), StorageErrorKind::Corrupt | StorageErrorKind::NotFound),
    }
}
