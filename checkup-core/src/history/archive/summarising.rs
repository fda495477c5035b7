//! The summary of an archive, `summary.json`: made of the check files of closed days, and of the last day in detail.
//!
//! It is derived. Nodes that make it at once replace each other's, and each knows which files it is of, so that a reader, and the
//! next who makes it, add what is missing. A day's figures outlast its check files: they are only replaced by those of more.

use std::collections::BTreeSet;
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

/// The largest summary that is written: half of what is read of a file.
const MAX_BYTES: usize = 32 << 20;

/// Where a summary goes that cannot be read, before another is made.
const BROKEN: &str = "summary.json.broken";

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

/// What was done about the days.
#[derive(Debug, Default)]
struct Days {
    changed: bool,
    /// Whether more of them are due; then the rest has not been looked at.
    unfinished: bool,
    /// The end of the last day that was summarised.
    until: Timestamp,
    /// The check files of the time that is in detail.
    recent: Vec<FileName>,
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
        let Some(mut summary) = self.load().await? else { return Ok(false) };
        // A summary from the future is of a clock that was ahead.
        let is_possible = summary.made <= self.now.saturating_add(naming::GRACE);
        if !self.thorough && is_possible && naming::next_closing(summary.made) > self.now {
            return Ok(false);
        }
        let today = summary::day_of(self.now.saturating_sub(naming::GRACE));
        let recent_from = self.now.saturating_sub(RECENT + HOUR).min(summary::start_of(today));
        if recent_from < summary.recent_from || !is_possible {
            // Its maker's clock was ahead.
            summary.forget_recent();
        }
        let known = summary.windows.clone();
        let mut done = self.close_days(&mut summary, today, recent_from).await?;
        if !done.unfinished {
            done.changed |= self.add_recent(&mut summary, &done.recent, recent_from).await?;
        } else if summary.files.is_empty() {
            // A long history is summarised for the first time: what comes after these days is not in it yet.
            summary.cut(done.until);
        }
        done.unfinished |= self.reopen(&mut summary, &known);
        if !done.changed {
            return Ok(done.unfinished);
        }
        summary.expire_before(self.now, self.expiry);
        summary.made = self.now;
        // Another node may have closed a day meanwhile.
        if let Ok(Some(other)) = load(self.files).await {
            summary.join(other);
            summary.expire_before(self.now, self.expiry);
        }
        let mut content = encode(&summary)?;
        while content.len() > MAX_BYTES {
            let Some((oldest, _)) = summary.days.first_key_value() else { break };
            let (oldest, last) = (*oldest, today.max(*oldest + 1));
            tracing::warn!(bytes = content.len(), "the summary is too large: the older half of its days is left out");
            summary.expire(summary::start_of(oldest + (last - oldest + 1) / 2));
            content = encode(&summary)?;
        }
        self.files.put(summary::FILE, &content).await?;
        Ok(done.unfinished)
    }

    /// The summary to go on with; `None` if it is a later version's, whose nodes see to it.
    async fn load(&self) -> Result<Option<Summary>, StorageError> {
        match load(self.files).await {
            Ok(summary) => Ok(Some(summary.unwrap_or_default())),
            Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                if let Ok(content) = self.files.get(summary::FILE).await {
                    if is_later(&content) {
                        return Ok(None);
                    }
                    // It may be the only place of old days, and somebody may mend it.
                    self.files.put(BROKEN, &content).await?;
                }
                tracing::warn!(error = &error as &dyn std::error::Error, "the summary is made again");
                Ok(Some(Summary::new()))
            }
            Err(error) => Err(error),
        }
    }

    /// Summarises the closed days whose files have changed, oldest first, and no more of them than are for one pass. Of the files
    /// only so many are listed.
    async fn close_days(
        &self,
        summary: &mut Summary,
        today: i64,
        recent_from: Timestamp,
    ) -> Result<Days, StorageError> {
        let start = Instant::now();
        let reopened = summary.days.iter().find(|(_, made_of)| made_of.is_empty()).map(|(day, _)| *day);
        let from = match summary.days.last_key_value() {
            // Once a day all of them, for what arrived late.
            Some((day, _)) if !self.all && *day != today - 2 => {
                naming::from(summary::start_of(reopened.unwrap_or(*day).min(*day)).min(recent_from))
            }
            _ => naming::FIRST.to_owned(),
        };
        let mut listing = Listing::new(self.files, from, PAGE);
        let (mut done, mut names, mut read) = (Days::default(), Vec::<FileName>::new(), 0);
        loop {
            let next = listing.next().await?;
            let day = names.first().map(|name| summary::day_of(name.timestamp()));
            let is_same = next.as_ref().map(|name| summary::day_of(name.timestamp())) == day;
            if let Some(day) = day.filter(|day| !is_same && *day < today && self.is_due(summary, *day, &names)) {
                if done.changed && (read + names.len() > MAX_FILES || start.elapsed() >= MAX_TIME) {
                    done.unfinished = true;
                    return Ok(done);
                }
                read += self.close_day(summary, day, &names).await?;
                done.changed = true;
                done.until = summary::start_of(day + 1);
            }
            if !is_same {
                names.clear();
            }
            let Some(name) = next else { return Ok(done) };
            if name.timestamp() >= recent_from {
                done.recent.push(name.clone());
            }
            names.push(name);
        }
    }

    fn is_due(&self, summary: &Summary, day: i64, names: &[FileName]) -> bool {
        let is_old = !self.expiry.is_zero() && day < summary::day_of(self.now.saturating_sub(self.expiry));
        let is_expiring = summary::start_of(day) < self.check_cutoff;
        let known = summary.days.get(&day);
        let is_left = is_old || known.is_some() && is_expiring;
        !is_left && known != Some(&fingerprint(names))
    }

    /// Summarises a day, and counts the files that were read for it.
    async fn close_day(&self, summary: &mut Summary, day: i64, names: &[FileName]) -> Result<usize, StorageError> {
        let (mut of_day, mut read) = (Summary::new(), 0);
        for name in names {
            read += usize::from(self.add(&mut of_day, name).await?);
        }
        // Only those of today's files are still there that are there.
        summary
            .unread
            .retain(|unread| FileName::parse(unread).is_none_or(|name| summary::day_of(name.timestamp()) != day));
        summary.unread.append(&mut of_day.unread);
        let counted = of_day.series.iter().map(|series| series.recent.len() as u64).sum();
        if summary.total(day) > counted {
            // Some of its check files are gone, by somebody's retention: there is nothing better than what is known.
            summary.days.insert(day, fingerprint(names));
        } else {
            summary.take_day(day, of_day, fingerprint(names));
        }
        Ok(read)
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
        names: &[FileName],
        recent_from: Timestamp,
    ) -> Result<bool, StorageError> {
        summary.cut(recent_from);
        let mut is_changed = false;
        for name in names {
            if !summary.files.contains(name.as_str()) && !summary.unread.contains(name.as_str()) {
                is_changed |= self.add(summary, name).await?;
            }
        }
        // What has been compacted, or is older now, need not be known any more.
        let current: BTreeSet<_> = names.iter().map(FileName::as_str).collect();
        summary.files.retain(|name| current.contains(name.as_str()));
        let is_recent = |name: &str| FileName::parse(name).is_some_and(|name| name.timestamp() >= recent_from);
        summary.unread.retain(|name| !is_recent(name) || current.contains(name.as_str()));
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

/// Whether it is the summary of a later version of this crate.
fn is_later(content: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u64,
    }
    serde_json::from_slice::<Versioned>(content).is_ok_and(|found| found.version > u64::from(summary::VERSION))
}

fn encode(summary: &Summary) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(summary).map_err(|error| StorageError::new("cannot encode the summary").with_source(error))
}

/// What tells whether a day has other files than before.
fn fingerprint(names: &[FileName]) -> String {
    let hash = names.iter().fold(Fnv::default(), |hash, name| hash.add(name.as_str().as_bytes()).add(b"\n"));
    format!("{:016x}", hash.value())
}
