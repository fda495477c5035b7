//! Merges many small check files into one: those of a closed day, and of each closed hour of the open day.
//!
//! A compactor reads some files, makes one durable file with all of their results, and then deletes exactly those
//! files. It may stop at any point, several may run concurrently, and files may arrive late: results that exist twice
//! are read once, and a later pass merges them.
//!
//! Concurrent compactors lose nothing: a file is deleted only in favour of another that exists, is durable and has all
//! of its results. The other file has more results, or as many and a later name, or is full, and full files are never
//! deleted. Of all files that ever had some result, the last one in that order is therefore never deleted.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::listing::Listing;
use super::{NamedFiles, expiry, is_put, naming};
use crate::check_file::{self, FileName};
use crate::{StorageError, StorageErrorKind, Timestamp};

/// The size of the results in one compacted file, in bytes, unless a single source is larger.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// How many files one pass reads, and until when it starts to read more. A pass follows a store and must not delay it
/// for long; the next one does the rest.
pub(super) const MAX_SOURCES: usize = 1000;
const MAX_TIME: Duration = Duration::from_secs(10);

/// How many files that cannot be read are reported.
const MAX_UNREADABLE: usize = 8;

/// How many files are read concurrently.
const CONCURRENT: usize = 8;

/// How many names are listed per request.
const PAGE: usize = 2 * MAX_SOURCES;

/// How many names are listed to find out whether there is work to do. If there is none, there is one name for the last
/// closed day, and one for each closed hour since.
const PROBE: usize = 64;

/// What a pass did.
#[derive(Debug, Default)]
pub(super) struct Compacted {
    /// How many files were merged into larger ones.
    pub(super) merged: usize,
    /// Whether more work is due now.
    pub(super) unfinished: bool,
    /// The files whose content is not that of a check file. They are left alone, and need not be read again.
    pub(super) broken: Vec<FileName>,
    /// Why files were left out of this pass. Each error affects only its own file, unless no file can be read.
    pub(super) unreadable: Vec<StorageError>,
}

/// The work that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Files may be compacted, and then summarised.
    Files,
    /// There are no files to compact, but one that the summary might not have.
    Summary,
}

/// Finds out what a pass has to do, with one short list that begins at the last closed day. All other work can wait
/// until the next hour with files closes: a pass then looks at everything.
pub(super) async fn is_due<F: NamedFiles>(
    files: &F,
    now: Timestamp,
    skip: &HashSet<FileName>,
) -> Result<Due, StorageError> {
    let names = files.list(&naming::from(naming::last_closed_day(now)), PROBE).await?;
    let is_all = names.len() < PROBE;
    let (mut last, mut alone) = (None, Due::Nothing);
    for name in names {
        if name.as_str() >= naming::END {
            return Ok(alone);
        }
        let Some(name) = FileName::parse(&name).filter(|name| can_be_source(name, skip)) else { continue };
        let Some(period) = naming::closed(name.timestamp(), now) else { return Ok(alone) };
        if last.replace(period) == Some(period) {
            return Ok(Due::Files);
        }
        // It is the only run of its hour or day: it is not compacted, so the summary has not been updated after it.
        if !name.is_compacted() {
            alone = Due::Summary;
        }
    }
    // The whole list consists of files that are not sources: only a pass can find out what follows them.
    Ok(if is_all { alone } else { Due::Files })
}

fn can_be_source(name: &FileName, skip: &HashSet<FileName>) -> bool {
    name.is_removable() && !naming::is_full(name) && !skip.contains(name)
}

/// One pass over all closed periods, oldest first.
pub(super) async fn pass<F: NamedFiles>(
    files: &F,
    now: Timestamp,
    skip: &HashSet<FileName>,
    done: &mut Compacted,
) -> Result<(), StorageError> {
    let start = Instant::now();
    let mut listing = Listing::new(files, naming::FIRST.to_owned(), PAGE);
    let (mut sources, mut period, mut read) = (Vec::new(), None, 0);
    loop {
        let next = listing.next().await?.and_then(|name| Some((naming::closed(name.timestamp(), now)?, name)));
        let is_same = next.as_ref().is_some_and(|(of, _)| Some(*of) == period);
        let is_over_budget = read + sources.len() >= MAX_SOURCES || start.elapsed() >= MAX_TIME;
        if !is_same || is_over_budget {
            if sources.len() > 1 {
                // Unreadable files must not use up the budget of each pass.
                read += sources.len() - merge(files, &sources, done).await?;
            }
            if next.is_some() && is_over_budget {
                // The next pass would meet the files again that were neither merged nor found to be broken, and never
                // get past them.
                done.unfinished = done.merged > 0 || !done.broken.is_empty();
                return Ok(());
            }
            sources.clear();
        }
        let Some((of, name)) = next else { return Ok(()) };
        period = Some(of);
        if can_be_source(&name, skip) {
            sources.push(name);
        }
    }
}

/// Merges the files of one period into one, if they are not too large for that. Returns how many of them could not be
/// read.
async fn merge<F: NamedFiles>(files: &F, names: &[FileName], done: &mut Compacted) -> Result<usize, StorageError> {
    let reading = |name: &FileName| {
        let name = name.clone();
        async move { (files.get(name.as_str()).await, name) }
    };
    let mut contents = stream::iter(names.iter().map(reading)).buffered(CONCURRENT);
    let start = Instant::now();
    let (mut chunk, mut is_divided, mut unreadable) = (Chunk::default(), false, 0);
    while let Some((content, name)) = contents.next().await {
        let content = match content {
            Ok(content) => content,
            // Another node has compacted it, or it has expired.
            Err(error) if error.kind() == StorageErrorKind::NotFound => continue,
            Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                done.broken.push(name);
                continue;
            }
            // The names were just listed, so the error is about this file, unless it is a timeout.
            Err(error) => {
                if error.kind() == StorageErrorKind::Timeout || start.elapsed() >= MAX_TIME {
                    return Err(error);
                }
                unreadable += 1;
                if done.unreadable.len() < MAX_UNREADABLE {
                    done.unreadable.push(error);
                }
                continue;
            }
        };
        let Some(results) = results(&content) else {
            done.broken.push(name);
            continue;
        };
        if chunk.bytes > 0 && chunk.bytes + content.len() > MAX_BYTES {
            is_divided = true;
            let full = chunk.is_large();
            done.merged += mem::take(&mut chunk).write(files, full).await?;
        }
        chunk.add(name, results);
    }
    let full = is_divided && chunk.is_large();
    done.merged += chunk.write(files, full).await?;
    Ok(unreadable)
}

/// The results as they are written; `None` if this is not a check file, whose content must not get into one.
fn results(content: &[u8]) -> Option<Vec<Box<RawValue>>> {
    check_file::decode(content).ok()?;
    serde_json::from_slice(content).ok()
}

/// Files that are merged into one.
#[derive(Debug, Default)]
struct Chunk {
    sources: Vec<FileName>,
    /// The last source that has all of the results; `None` if there is no such source.
    whole: Option<FileName>,
    results: Vec<Box<RawValue>>,
    /// The index of a result, by its hash.
    places: HashMap<u64, usize>,
    hasher: RandomState,
    bytes: usize,
}

impl Chunk {
    fn add(&mut self, source: FileName, results: Vec<Box<RawValue>>) {
        let (before, mut in_source) = (self.results.len(), HashSet::new());
        for result in results {
            // Only identical bytes are dropped here; readers decide which results are the same.
            let mut place = *self.places.entry(self.hasher.hash_one(result.get())).or_insert(self.results.len());
            if self.results.get(place).is_none_or(|other| other.get() != result.get()) {
                place = self.results.len();
                self.bytes += result.get().len() + 1;
                self.results.push(result);
            }
            in_source.insert(place);
        }
        if in_source.len() == self.results.len() {
            self.whole = Some(source.clone());
        } else if self.results.len() > before {
            self.whole = None;
        }
        self.sources.push(source);
    }

    /// Whether no more files are added, once the results have been divided into several files.
    fn is_large(&self) -> bool {
        self.bytes >= MAX_BYTES / 2
    }

    /// Makes a file with all of the results, unless a source has them all; then deletes the other sources and returns
    /// their number.
    async fn write<F: NamedFiles>(mut self, files: &F, full: bool) -> Result<usize, StorageError> {
        // A single large file is written once more, under a name that says that it need not be read again.
        if let Some(whole) = self.whole.take().filter(|_| !full) {
            // This also matters where files cannot be deleted: each pass would add one.
            self.sources.retain(|source| *source != whole);
        } else if !self.sources.is_empty() {
            self.put(files, full).await?;
        }
        expiry::delete(files, &self.sources).await?;
        Ok(self.sources.len())
    }

    /// Makes the file with all of the results.
    async fn put<F: NamedFiles>(&self, files: &F, full: bool) -> Result<(), StorageError> {
        let mut content = Vec::with_capacity(self.bytes + 3);
        content.push(b'[');
        for (index, result) in self.results.iter().enumerate() {
            if index > 0 {
                content.push(b',');
            }
            content.extend_from_slice(result.get().as_bytes());
        }
        content.extend_from_slice(b"]\n");
        let mut number = 0;
        loop {
            let name = naming::compacted(self.sources.iter(), full, number);
            if !self.sources.contains(&name) && is_put(files, &name, &content).await? {
                return Ok(());
            }
            number += 1;
        }
    }
}
