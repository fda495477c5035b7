//! The summary of an archive, `summary.json`: made of the check files of closed days, and of the last day in detail.
//!
//! It is derived. Nodes that make it at once replace each other's, and each knows which files it is of, so that a reader, and the
//! next who makes it, add what is missing. A day's figures outlast its check files: they are only replaced by those of more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::listing::Listing;
use super::{NamedFiles, naming};
use crate::check_file::{self, FileName};
use crate::fnv::Fnv;
use crate::summary::{self, RECENT, Summary, Window};
use crate::{StorageError, StorageErrorKind, Timestamp};

/// How many files one pass reads, and for how long it begins with another day: a pass follows a store.
const MAX_FILES: usize = 1000;
const MAX_TIME: Duration = Duration::from_secs(10);

/// How many names are listed at once.
const PAGE: usize = 1000;

/// How long after an hour has closed the others have had their time to compact it.
const HOUR: Duration = Duration::from_secs(3600);

/// What a summary is made with.
#[derive(Debug)]
pub(super) struct Summarising<'a, F> {
    pub(super) files: &'a F,
    pub(super) now: Timestamp,
    /// What is older is removed, from the summary.
    pub(super) expiry: Duration,
    /// Check files from before this are being removed: days before it are left as they are.
    pub(super) check_cutoff: Timestamp,
    /// Whether to look at all of the check files, and not only at those since the last day that is summarised.
    pub(super) all: bool,
    /// Whether to do so also when a summary was made since the last hour closed.
    pub(super) thorough: bool,
}

/// The summary that is there, if it can be read.
pub(super) async fn load<F: NamedFiles>(files: &F) -> Result<Option<Summary>, StorageError> {
    let content = match files.get(summary::FILE).await {
        Ok(content) => content,
        Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    serde_json::from_slice(&content).map(Some).map_err(|error| {
        let message = format!("{} is not a summary; delete it, and it is made again", summary::FILE);
        StorageError::new(message).with_kind(StorageErrorKind::Corrupt).with_source(error)
    })
}

impl<F: NamedFiles> Summarising<'_, F> {
    /// Makes the summary, if it is not up to date, and tells whether there is more to do.
    pub(super) async fn run(&self) -> Result<bool, StorageError> {
        let mut summary = self.load().await?;
        if !self.thorough && naming::next_closing(summary.made) > self.now {
            return Ok(false);
        }
        let today = summary::day_of(self.now.saturating_sub(naming::GRACE));
        let recent_from = self.now.saturating_sub(RECENT + HOUR).min(summary::start_of(today));
        if recent_from < summary.recent_from {
            // Its maker's clock was ahead.
            summary.forget_recent();
        }
        let names = self.names(&summary).await?;
        let known = summary.windows.clone();
        let (changed, mut unfinished) = self.close_days(&mut summary, &names, today).await?;
        let more = self.add_recent(&mut summary, &names, recent_from).await?;
        unfinished |= self.reopen(&mut summary, &known);
        if !changed && !more {
            return Ok(unfinished);
        }
        summary.expire_before(self.now, self.expiry);
        summary.made = self.now;
        // Another node may have closed a day meanwhile.
        if let Ok(Some(other)) = load(self.files).await {
            summary.join(other);
            summary.expire_before(self.now, self.expiry);
        }
        let content = serde_json::to_vec(&summary)
            .map_err(|error| StorageError::new("cannot encode the summary").with_source(error))?;
        self.files.put(summary::FILE, &content).await?;
        Ok(unfinished)
    }

    async fn load(&self) -> Result<Summary, StorageError> {
        match load(self.files).await {
            Ok(summary) => Ok(summary.unwrap_or_default()),
            Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the summary is made again");
                Ok(Summary::new())
            }
            Err(error) => Err(error),
        }
    }

    /// The check files, by their days.
    async fn names(&self, summary: &Summary) -> Result<BTreeMap<i64, Vec<FileName>>, StorageError> {
        let from = match summary.days.last_key_value() {
            Some((day, _)) if !self.all => naming::from(summary::start_of(*day)),
            _ => naming::FIRST.to_owned(),
        };
        let mut listing = Listing::new(self.files, from, PAGE);
        let mut days: BTreeMap<i64, Vec<FileName>> = BTreeMap::new();
        while let Some(name) = listing.next().await? {
            days.entry(summary::day_of(name.timestamp())).or_default().push(name);
        }
        Ok(days)
    }

    /// Summarises the closed days whose files have changed; tells whether there were any, and whether some are left.
    async fn close_days(
        &self,
        summary: &mut Summary,
        names: &BTreeMap<i64, Vec<FileName>>,
        today: i64,
    ) -> Result<(bool, bool), StorageError> {
        let (start, mut read, mut changed) = (Instant::now(), 0, false);
        let oldest = match self.expiry {
            Duration::ZERO => i64::MIN,
            expiry => summary::day_of(self.now.saturating_sub(expiry)),
        };
        for (day, names) in names.range(oldest..today) {
            let made_of = fingerprint(names);
            let known = summary.days.get(day);
            let is_expiring = summary::start_of(*day) < self.check_cutoff;
            if known == Some(&made_of) || known.is_some() && is_expiring {
                continue;
            }
            if changed && (read + names.len() > MAX_FILES || start.elapsed() >= MAX_TIME) {
                return Ok((changed, true));
            }
            let mut of_day = Summary::new();
            for name in names {
                if !self.add(&mut of_day, name).await? {
                    continue;
                }
                read += 1;
            }
            summary.unread.extend(std::mem::take(&mut of_day.unread));
            summary.take_day(*day, of_day, made_of);
            changed = true;
        }
        Ok((changed, false))
    }

    /// Has the days counted anew that maintenance was announced for after the fact; tells whether there are any.
    fn reopen(&self, summary: &mut Summary, known: &[Window]) -> bool {
        let new = summary.windows.iter().filter(|window| !known.contains(window));
        let spans: Vec<_> = new.map(|window| summary::day_of(window.from)..=summary::day_of(window.to)).collect();
        let mut is_reopened = false;
        for (day, made_of) in &mut summary.days {
            // Of a day whose check files are being removed there is nothing better.
            if summary::start_of(*day) >= self.check_cutoff && spans.iter().any(|days| days.contains(day)) {
                made_of.clear();
                is_reopened = true;
            }
        }
        is_reopened
    }

    /// Adds the results since `recent_from` in detail; tells whether there were any that are new.
    async fn add_recent(
        &self,
        summary: &mut Summary,
        names: &BTreeMap<i64, Vec<FileName>>,
        recent_from: Timestamp,
    ) -> Result<bool, StorageError> {
        summary.cut(recent_from);
        let mut is_changed = false;
        let mut current = BTreeSet::new();
        for name in names.values().flatten().filter(|name| name.timestamp() >= recent_from) {
            current.insert(name.as_str().to_owned());
            if !summary.files.contains(name.as_str()) && !summary.unread.contains(name.as_str()) {
                is_changed |= self.add(summary, name).await?;
            }
        }
        // What has been compacted, or is older now, need not be known any more.
        summary.files.retain(|name| current.contains(name));
        summary.unread.retain(|name| names.values().flatten().any(|there| there.as_str() == name));
        summary.cut(recent_from);
        Ok(is_changed)
    }

    /// Adds what is in a file; tells whether it was there.
    async fn add(&self, summary: &mut Summary, name: &FileName) -> Result<bool, StorageError> {
        let content = match self.files.get(name.as_str()).await {
            Ok(content) => content,
            // Compacted meanwhile: the next pass finds where to.
            Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(false),
            Err(error) if error.kind() == StorageErrorKind::Corrupt => Vec::new(),
            Err(error) => return Err(error),
        };
        match check_file::decode(&content) {
            Ok(results) => {
                summary.add(&results);
                summary.files.insert(name.as_str().to_owned());
            }
            Err(_) => drop(summary.unread.insert(name.as_str().to_owned())),
        }
        Ok(true)
    }
}

impl Summary {
    fn expire_before(&mut self, now: Timestamp, expiry: Duration) {
        if !expiry.is_zero() {
            self.expire(now.saturating_sub(expiry));
        }
    }
}

/// What tells whether a day has other files than before.
fn fingerprint(names: &[FileName]) -> String {
    let hash = names.iter().fold(Fnv::default(), |hash, name| hash.add(name.as_str().as_bytes()).add(b"\n"));
    format!("{:016x}", hash.value())
}
