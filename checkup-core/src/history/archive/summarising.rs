//! The summary of an archive, `summary.json`: derived from the check files of closed days, and of the last day in detail.
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

/// How many files one pass reads, and until when it starts further days, since a pass follows a store.
const MAX_FILES: usize = 1000;
const MAX_TIME: Duration = Duration::from_secs(10);

/// How many names are listed per request.
const PAGE: usize = 1000;

/// The largest file that is written: half of the limit for reading.
const MAX_BYTES: usize = 32 << 20;

/// From this size on, detailed results are left out first, then days are moved into parts.
const LARGE: usize = 16 << 20;

/// The beginning of the names of parts.
const PART: &str = "summary-";

/// How many detailed results a summary may have. If there are more, it has none, and readers take them from the check files.
const MAX_RECENT: usize = 600_000;

/// The beginning of a summary, before its checksum.
const HEAD: &[u8] = br#"{"version":2,"check":""#;

/// How many hexadecimal digits a checksum has.
const DIGITS: usize = 16;

/// Where an unreadable summary is kept before a new one is written.
const BROKEN: &str = "summary.json.broken";

/// How long other nodes have, after an hour has closed, to compact it.
const HOUR: Duration = Duration::from_secs(3600);

/// The parameters of a summary.
#[derive(Debug)]
pub(super) struct Summarising<'a, F> {
    pub(super) files: &'a F,
    pub(super) now: Timestamp,
    /// Days that are older than this are removed from the summary.
    pub(super) expiry: Duration,
    /// Check files from before this time are being removed, so earlier days are left unchanged.
    pub(super) check_cutoff: Timestamp,
    /// Whether to look at all check files, instead of only those since the last summarised day.
    pub(super) all: bool,
    /// Whether to do so even if a summary was made since the last hour closed.
    pub(super) thorough: bool,
}

/// What was done for the days.
#[derive(Debug, Default)]
struct Days {
    changed: bool,
    /// Whether more days are due, in which case the rest has not been looked at.
    unfinished: bool,
    /// The end of the last day that was summarised.
    until: Timestamp,
    /// The check files of the period with detailed results.
    recent: Vec<FileName>,
}

/// Reads the stored summary with all of its parts, if it can be read.
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

/// Reads the stored summary without its parts. It lists all days.
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
        // Something else wrote it. Where the check files exist, they take precedence.
        summary.distrust();
    }
    Ok(Some(summary))
}

impl<F: NamedFiles> Summarising<'_, F> {
    /// Updates the summary if necessary. Returns whether there is more to do.
    pub(super) async fn run(&self) -> Result<bool, StorageError> {
        let Some(mut summary) = self.load().await? else { return Ok(false) };
        // A summary from the future was made by a node whose clock was ahead.
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
            // A long history is being summarised for the first time, so later days are not in the summary yet.
            summary.cut(done.until);
        }
        done.unfinished |= self.reopen(&mut summary);
        if !done.changed {
            return Ok(done.unfinished);
        }
        summary.expire_before(self.now, self.expiry);
        summary.made = self.now;
        // Another node may have summarised a day in the meantime.
        if let Ok(Some(other)) = load_first(self.files).await {
            summary.join(other);
            done.unfinished |= self.reopen(&mut summary);
            summary.expire_before(self.now, self.expiry);
        }
        summary.note_incidents(self.now);
        for problem in &summary.problems {
            tracing::warn!(%problem, "left out of the summary");
        }
        self.write(summary).await?;
        Ok(done.unfinished)
    }

    /// Writes the summary. If it is too large for one file, the detailed results are left out first, which readers take from the check
    /// files. Then the older half of the days is moved into separate files until the rest is small enough.
    async fn write(&self, mut summary: Summary) -> Result<(), StorageError> {
        let mut content = encode(&summary)?;
        if content.len() > LARGE {
            leave_out_recent(&mut summary);
            content = encode(&summary)?;
        }
        // Each round halves the remaining days.
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

    /// Removes parts whose days have all expired. Others stay even if this summary does not name them, since that of another node may.
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

    /// Moves a day from its part into the summary itself, so that it can be replaced.
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

    /// Writes days into a separate file. Its name is derived from its content, so nodes never replace each other's.
    async fn write_part(&self, piece: &Summary, content: &[u8]) -> Result<Part, StorageError> {
        let hash = Fnv::default().add(content).value();
        let (from, to) = piece.first_and_last();
        let part = Part { name: format!("{PART}{from}-{to}-{hash:016x}.json"), from, to };
        // If the file exists, it is identical.
        let _: super::Put = self.files.put_if_absent(&part.name, content).await?;
        Ok(part)
    }

    /// The summary to continue with; `None` if a later version of Checkup wrote it, whose nodes maintain it.
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
            // Once a day all days are looked at, for files that arrived late.
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
        // For today, only the files that still exist can be read.
        summary
            .unread
            .retain(|unread| FileName::parse(unread).is_none_or(|name| summary::day_of(name.timestamp()) != day));
        summary.unread.append(&mut of_day.unread);
        let counted = of_day.series.iter().map(|series| series.recent.len() as u64).sum();
        if summary.total(day) > counted && is_first {
            // The oldest check files are of this day, so others of this day may be gone, for example by a bucket's own retention. The
            // summary then knows the day best. On later days, the files take precedence over the summary.
            summary.days.insert(day, fingerprint(names));
        } else {
            summary.take_day(day, of_day, fingerprint(names));
        }
        Ok(read)
    }

    /// Marks days to be derived again if their maintenance was announced, edited or withdrawn after the fact. Returns whether there are
    /// any.
    fn reopen(&self, summary: &mut Summary) -> bool {
        let changed = std::mem::take(&mut summary.changed_windows);
        let spans: Vec<_> = changed.iter().map(|(from, to)| summary::day_of(*from)..=summary::day_of(*to)).collect();
        let mut is_reopened = false;
        for (day, made_of) in &mut summary.days {
            // For a day whose check files are being removed, there is no better source.
            if summary::start_of(*day) >= self.check_cutoff && spans.iter().any(|days| days.contains(day)) {
                made_of.clear();
                is_reopened = true;
            }
        }
        is_reopened
    }

    /// Adds the detailed results since `recent_from`. Returns whether any were new.
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
        // Files that have been compacted, or are too old now, need not be remembered.
        let current: BTreeSet<_> = names.iter().map(FileName::as_str).collect();
        summary.files.retain(|name| current.contains(name.as_str()));
        let is_recent = |name: &str| FileName::parse(name).is_some_and(|name| name.timestamp() >= recent_from);
        summary.unread.retain(|name| !is_recent(name) || current.contains(name.as_str()));
        summary.cut(recent_from);
        Ok(is_changed)
    }

    /// Adds the results of a file. Returns whether the file existed.
    async fn add(&self, summary: &mut Summary, name: &FileName) -> Result<bool, StorageError> {
        let content = match self.files.get(name.as_str()).await {
            Ok(content) => content,
            // The file was compacted in the meantime; the next pass finds the new one.
            Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(false),
            Err(error) if error.kind() == StorageErrorKind::Corrupt => Vec::new(),
            Err(error) => return Err(error),
        };
        // A signal can interrupt the work between two files.
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

/// Leaves out the detailed results: readers take those of the open day from the check files.
fn leave_out_recent(summary: &mut Summary) {
    let last = summary.days.last_key_value().map(|(day, _)| summary::start_of(*day + 1));
    summary.forget_recent();
    summary.recent_from = last.unwrap_or_default();
}

/// Whether the summary was written by a later version of this crate.
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

/// Whether a summary is unchanged since it was written. This detects manual edits and disk errors, not deliberate changes with a new
/// checksum.
fn is_whole(content: &[u8]) -> bool {
    let is_long = content.starts_with(HEAD) && content.len() > HEAD.len() + DIGITS;
    is_long && checksum(content).as_bytes() == &content[HEAD.len()..HEAD.len() + DIGITS]
}

/// The checksum of the text that follows it.
fn checksum(content: &[u8]) -> String {
    format!("{:016x}", Fnv::default().add(&content[HEAD.len() + DIGITS..]).value())
}

/// Identifies the set of a day's files.
fn fingerprint(names: &[FileName]) -> String {
    let hash = names.iter().fold(Fnv::default(), |hash, name| hash.add(name.as_str().as_bytes()).add(b"\n"));
    format!("{:016x}", hash.value())
}
