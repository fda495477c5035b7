//! The summary of an archive, `summary.json`: made of the check files of closed days, and of the last day in detail.
//!
//! It is derived. Nodes that make it concurrently replace each other's. Each summary names the files that are in it, so that readers, and
//! the next node that makes it, can add what is missing. A day outlasts its check files, and is never dropped before it expires: if the
//! summary is too large for one file, older days go into parts.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::listing::Listing;
use super::{NamedFiles, naming};
use crate::check_file::{self, FileName};
use crate::fnv::Fnv;
use crate::summary::{self, Part, RECENT, Summary};
use crate::{StorageError, StorageErrorKind, Timestamp};

/// How many files one pass reads, and for how long it begins with other days: a pass follows a store.
const MAX_FILES: usize = 1000;
const MAX_TIME: Duration = Duration::from_secs(10);

/// How many names are listed at once.
const PAGE: usize = 1000;

/// The largest file that is written: half of what is read of a file.
const MAX_BYTES: usize = 32 << 20;

/// From this size on, results in detail are left out, and then days are moved into parts.
const LARGE: usize = 16 << 20;

/// What the names of parts begin with.
const PART: &str = "summary-";

/// How many results in detail are read for a summary. If there are more, it has none, and readers take them from the check files.
const MAX_RECENT: usize = 600_000;

/// What a summary begins with, before its checksum.
const HEAD: &[u8] = br#"{"version":2,"check":""#;

/// How many hexadecimal digits a checksum has.
const DIGITS: usize = 16;

/// Where an unreadable summary is kept before another is made.
const BROKEN: &str = "summary.json.broken";

/// How long after an hour has closed the others have had their time to compact it.
const HOUR: Duration = Duration::from_secs(3600);

/// What a summary is made with.
#[derive(Debug)]
pub(super) struct Summarising<'a, F> {
    pub(super) files: &'a F,
    pub(super) now: Timestamp,
    /// Days that are older than this are removed from the summary.
    pub(super) expiry: Duration,
    /// Check files from before this are being removed: days before it are left as they are.
    pub(super) check_cutoff: Timestamp,
    /// Whether to look at all check files, and not only at those since the last summarised day.
    pub(super) all: bool,
    /// Whether to do so even if a summary was made since the last hour closed.
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

/// The summary that is stored, with all of its parts, if it can be read.
pub(super) async fn load<F: NamedFiles>(files: &F) -> Result<Option<Summary>, StorageError> {
    let Some(mut summary) = load_first(files).await? else { return Ok(None) };
    for part in std::mem::take(&mut summary.parts) {
        match files.get(&part.name).await {
            Ok(content) => match serde_json::from_slice::<Summary>(&content) {
                Ok(days) => summary.join_part(days),
                Err(_) => summary.report("a part of the summary cannot be read"),
            },
            Err(error) if matches!(error.kind(), StorageErrorKind::NotFound | StorageErrorKind::Corrupt) => {
                summary.report("a part of the summary cannot be read");
            }
            Err(error) => return Err(error),
        }
        tokio::task::yield_now().await;
    }
    Ok(Some(summary))
}

/// The summary that is stored, without its parts. It lists all days.
pub(super) async fn load_first<F: NamedFiles>(files: &F) -> Result<Option<Summary>, StorageError> {
    let content = match files.get(summary::FILE).await {
        Ok(content) => content,
        Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut summary: Summary = serde_json::from_slice(&content).map_err(|error| {
        let message = format!("{} is not a summary; delete it, and it is made again", summary::FILE);
        StorageError::new(message).with_kind(StorageErrorKind::Corrupt).with_source(error)
    })?;
    if !is_whole(&content) {
        // Something else wrote it: where the check files exist, they decide.
        summary.distrust();
    }
    Ok(Some(summary))
}

impl<F: NamedFiles> Summarising<'_, F> {
    /// Makes the summary, if it is not up to date, and reports whether there is more to do.
    pub(super) async fn run(&self) -> Result<bool, StorageError> {
        let Some(mut summary) = self.load().await? else { return Ok(false) };
        // A summary from the future was made by a clock that was ahead.
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
        let mut done = self.close_days(&mut summary, today, recent_from).await?;
        if !done.unfinished {
            done.changed |= self.add_recent(&mut summary, &done.recent, recent_from).await?;
        } else if summary.files.is_empty() {
            // A long history is summarised for the first time: what comes after these days is not in it yet.
            summary.cut(done.until);
        }
        done.unfinished |= self.reopen(&mut summary);
        if !done.changed {
            return Ok(done.unfinished);
        }
        summary.expire_before(self.now, self.expiry);
        summary.made = self.now;
        // Another node may have closed a day meanwhile.
        if let Ok(Some(other)) = load_first(self.files).await {
            summary.join(other);
            done.unfinished |= self.reopen(&mut summary);
            summary.expire_before(self.now, self.expiry);
        }
        for problem in &summary.problems {
            tracing::warn!(%problem, "left out of the summary");
        }
        self.write(summary).await?;
        Ok(done.unfinished)
    }

    /// Writes the summary. What is too large for one file goes into parts: first the results in detail are left out, which
    /// readers take from the check files, then the older half of the days gets files of its own, until the rest is small.
    async fn write(&self, mut summary: Summary) -> Result<(), StorageError> {
        let mut content = encode(&summary)?;
        if content.len() > LARGE {
            leave_out_recent(&mut summary);
            content = encode(&summary)?;
        }
        // Each round halves the days that are left.
        while content.len() > LARGE && summary.held_days() > 0 {
            let (rest, part) = summary.split();
            summary = rest;
            summary.drop_empty();
            let mut pieces = vec![part];
            while let Some(piece) = pieces.pop() {
                let encoded = encode(&piece)?;
                if encoded.len() > MAX_BYTES && piece.held_days() > 1 {
                    let (late, early) = piece.split();
                    pieces.extend([late, early]);
                } else {
                    summary.parts.push(self.write_part(&piece, &encoded).await?);
                }
                tokio::task::yield_now().await;
            }
            content = encode(&summary)?;
        }
        self.files.put(summary::FILE, &content).await?;
        if !summary.parts.is_empty() {
            self.remove_expired_parts(&summary).await?;
        }
        Ok(())
    }

    /// Removes parts whose days have all expired. Others stay even if this summary does not name them: that of another node may.
    async fn remove_expired_parts(&self, summary: &Summary) -> Result<(), StorageError> {
        if self.expiry.is_zero() {
            return Ok(());
        }
        let first = summary::day_of(self.now.saturating_sub(self.expiry));
        let names = self.files.list(PART, PAGE).await?;
        let last_day = |name: &str| name.strip_prefix(PART)?.split('-').nth(1)?.parse::<i64>().ok();
        let is_expired = |name: &&String| last_day(name).is_some_and(|last| last < first);
        let named = |name: &&String| summary.parts.iter().any(|part| part.name == **name);
        let expired: Vec<_> =
            names.iter().filter(|name| is_expired(name) && !named(name)).map(String::as_str).collect();
        if expired.is_empty() { Ok(()) } else { self.files.delete(&expired).await }
    }

    /// Has a day that is in a part in the summary itself, so that it can be replaced.
    async fn unpack(&self, summary: &mut Summary, day: i64) -> Result<(), StorageError> {
        while let Some(place) = summary.parts.iter().position(|part| (part.from..=part.to).contains(&day)) {
            let part = summary.parts.remove(place);
            match self.files.get(&part.name).await {
                Ok(content) => match serde_json::from_slice::<Summary>(&content) {
                    Ok(days) => summary.join_part(days),
                    Err(_) => summary.report("a part of the summary cannot be read"),
                },
                Err(error) if matches!(error.kind(), StorageErrorKind::NotFound | StorageErrorKind::Corrupt) => {
                    summary.report("a part of the summary cannot be read");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes days into a file of their own. Its name is a function of its content: nodes never replace each other's.
    async fn write_part(&self, piece: &Summary, content: &[u8]) -> Result<Part, StorageError> {
        let hash = Fnv::default().add(content).value();
        let (from, to) = piece.first_and_last();
        let part = Part { name: format!("{PART}{from}-{to}-{hash:016x}.json"), from, to };
        // If it exists, it is the same.
        let _: super::Put = self.files.put_if_absent(&part.name, content).await?;
        Ok(part)
    }

    /// The summary to go on with; `None` if a later version wrote it, whose nodes maintain it.
    async fn load(&self) -> Result<Option<Summary>, StorageError> {
        match load_first(self.files).await {
            Ok(summary) => Ok(Some(summary.unwrap_or_default())),
            Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                if let Ok(content) = self.files.get(summary::FILE).await {
                    if is_later(&content) {
                        return Ok(None);
                    }
                    // It may be the last copy of old days, and an operator may repair it.
                    self.files.put(BROKEN, &content).await?;
                }
                tracing::warn!(error = &error as &dyn std::error::Error, "the summary is made again");
                Ok(Some(Summary::new()))
            }
            Err(error) => Err(error),
        }
    }

    /// Summarises the closed days whose files have changed, oldest first, as many as one pass may.
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
        let mut first: Option<i64> = None;
        loop {
            let next = listing.next().await?;
            let day = names.first().map(|name| summary::day_of(name.timestamp()));
            let is_same = next.as_ref().map(|name| summary::day_of(name.timestamp())) == day;
            if let Some(day) = day.filter(|day| !is_same && *day < today && self.is_due(summary, *day, &names)) {
                if done.changed && (read + names.len() > MAX_FILES || start.elapsed() >= MAX_TIME) {
                    done.unfinished = true;
                    return Ok(done);
                }
                let first = match first {
                    Some(first) => first,
                    None => *first.insert(self.first_day().await?),
                };
                self.unpack(summary, day).await?;
                read += self.close_day(summary, day, &names, day <= first).await?;
                tokio::task::yield_now().await;
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

    /// The day of the oldest check file.
    async fn first_day(&self) -> Result<i64, StorageError> {
        let first = Listing::new(self.files, naming::FIRST.to_owned(), PAGE).first(1).next().await?;
        Ok(first.map_or(i64::MAX, |name| summary::day_of(name.timestamp())))
    }

    fn is_due(&self, summary: &Summary, day: i64, names: &[FileName]) -> bool {
        let is_old = !self.expiry.is_zero() && day < summary::day_of(self.now.saturating_sub(self.expiry));
        let is_expiring = summary::start_of(day) < self.check_cutoff;
        let known = summary.days.get(&day);
        let is_left = is_old || known.is_some() && is_expiring;
        !is_left && known != Some(&fingerprint(names))
    }

    /// Summarises a day, and counts the files that were read for it.
    async fn close_day(
        &self,
        summary: &mut Summary,
        day: i64,
        names: &[FileName],
        is_first: bool,
    ) -> Result<usize, StorageError> {
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
        if summary.total(day) > counted && is_first {
            // The oldest check files are of this day: others of it may be gone, by the retention of a bucket for example. Then
            // nothing is better than what is known. On later days, what the files say counts, whatever the summary says.
            summary.days.insert(day, fingerprint(names));
        } else {
            summary.take_day(day, of_day, fingerprint(names));
        }
        Ok(read)
    }

    /// Has the days derived again whose maintenance was announced, edited or withdrawn after the fact; reports whether there are any.
    fn reopen(&self, summary: &mut Summary) -> bool {
        let changed = std::mem::take(&mut summary.changed_windows);
        let spans: Vec<_> = changed.iter().map(|(from, to)| summary::day_of(*from)..=summary::day_of(*to)).collect();
        let mut is_reopened = false;
        for (day, made_of) in &mut summary.days {
            // Of a day whose check files are being removed, nothing better is left.
            if summary::start_of(*day) >= self.check_cutoff && spans.iter().any(|days| days.contains(day)) {
                made_of.clear();
                is_reopened = true;
            }
        }
        is_reopened
    }

    /// Adds the results since `recent_from` in detail; reports whether any were new.
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
                if summary.series.iter().map(|series| series.recent.len()).sum::<usize>() > MAX_RECENT {
                    leave_out_recent(summary);
                    return Ok(is_changed);
                }
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

    /// Adds what is in a file; reports whether it existed.
    async fn add(&self, summary: &mut Summary, name: &FileName) -> Result<bool, StorageError> {
        let content = match self.files.get(name.as_str()).await {
            Ok(content) => content,
            // Compacted meanwhile: the next pass finds where to.
            Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(false),
            Err(error) if error.kind() == StorageErrorKind::Corrupt => Vec::new(),
            Err(error) => return Err(error),
        };
        // A signal ends the work between two files.
        tokio::task::yield_now().await;
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

/// Leaves out the results in detail: readers take those of the open day from the check files.
fn leave_out_recent(summary: &mut Summary) {
    let last = summary.days.last_key_value().map(|(day, _)| summary::start_of(*day + 1));
    summary.forget_recent();
    summary.recent_from = last.unwrap_or_default();
}

/// Whether it is the summary of a later version of this crate.
fn is_later(content: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u64,
    }
    serde_json::from_slice::<Versioned>(content).is_ok_and(|found| found.version > u64::from(summary::VERSION))
}

/// The JSON of a summary with its checksum.
fn encode(summary: &Summary) -> Result<Vec<u8>, StorageError> {
    let failed = |error| StorageError::new("cannot encode the summary").with_source(error);
    let mut content = serde_json::to_vec(summary).map_err(failed)?;
    if content.starts_with(HEAD) {
        let sum = checksum(&content);
        content[HEAD.len()..HEAD.len() + DIGITS].copy_from_slice(sum.as_bytes());
    }
    Ok(content)
}

/// Whether nothing was changed in a summary after it was written. It protects against hands and disks, not against somebody who
/// computes the checksum.
fn is_whole(content: &[u8]) -> bool {
    let is_long = content.starts_with(HEAD) && content.len() > HEAD.len() + DIGITS;
    is_long && checksum(content).as_bytes() == &content[HEAD.len()..HEAD.len() + DIGITS]
}

/// The checksum of what follows it.
fn checksum(content: &[u8]) -> String {
    format!("{:016x}", Fnv::default().add(&content[HEAD.len() + DIGITS..]).value())
}

/// Identifies the set of a day's files.
fn fingerprint(names: &[FileName]) -> String {
    let hash = names.iter().fold(Fnv::default(), |hash, name| hash.add(name.as_str().as_bytes()).add(b"\n"));
    format!("{:016x}", hash.value())
}
