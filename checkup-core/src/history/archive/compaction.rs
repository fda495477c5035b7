//! Many small check files become one: those of a closed day, and of each closed hour of the day that is open.
//!
//! Whoever compacts reads some files, makes one that has all of their results durable, and then deletes exactly those
//! files. So it may stop anywhere, many may do it at once, and files may arrive late: what is there twice is
//! read once, and is merged by a later pass.
//!
//! Why many at once lose nothing: a file is deleted only for another, there and durable, that has all of its results, and
//! more results, or as many and a later name, or is full, which no pass deletes. Of all the files that ever had some result, the
//! last in that order is therefore deleted by nobody.

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

/// How many bytes of results are in one compacted file, unless a single source has more.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// How many files one pass reads, and for how long it begins to read more: a pass follows a store, and must not delay it for
/// long. What is left is for the next.
pub(super) const MAX_SOURCES: usize = 1000;
const MAX_TIME: Duration = Duration::from_secs(10);

/// How many files that cannot be read are reported.
const MAX_UNREADABLE: usize = 8;

/// How many files are read at once.
const CONCURRENT: usize = 8;

/// How many names are listed at once.
const PAGE: usize = 2 * MAX_SOURCES;

/// How many names tell whether there is something to do. When nothing is, there is one for the last closed day, and one for
/// each closed hour since.
const PROBE: usize = 64;

/// What a pass did.
#[derive(Debug, Default)]
pub(super) struct Compacted {
    /// How many files were merged into larger ones.
    pub(super) merged: usize,
    /// Whether there is more to do now.
    pub(super) unfinished: bool,
    /// The files that are no check files inside. They are left alone, and need not be read again.
    pub(super) broken: Vec<FileName>,
    /// Why files were left out of this pass: each costs only itself, unless nothing can be read.
    pub(super) unreadable: Vec<StorageError>,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Files may be compacted, and then summarised.
    Files,
    /// There is nothing to compact, and a file that the summary may not have.
    Summary,
}

/// What a pass has to do, with one short listing that begins at the last closed day. Whatever else there is
/// to do can wait until the next hour closes, and has files: then a pass looks at everything.
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
        // The only run of its hour, or day: nobody compacts it, so that nobody has renewed the summary after that.
        if !name.is_compacted() {
            alone = Due::Summary;
        }
    }
    // So many that are no sources: only a pass can tell what is after them.
    Ok(if is_all { alone } else { Due::Files })
}

fn can_be_source(name: &FileName, skip: &HashSet<FileName>) -> bool {
    name.is_removable() && !naming::is_full(name) && !skip.contains(name)
}

/// One pass over all that is closed, oldest first.
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
                // What cannot be read must not use up the budget of each pass.
                read += sources.len() - merge(files, &sources, done).await?;
            }
            if next.is_some() && is_over_budget {
                // What was neither merged nor found to be broken would be met again, and no pass would get past it.
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

/// Merges the files of one period: into one, if they are not too large for it. How many of them could not be read.
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
            // Somebody else has compacted it, or it has expired.
            Err(error) if error.kind() == StorageErrorKind::NotFound => continue,
            Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                done.broken.push(name);
                continue;
            }
            // The names were just listed, so that it is about this file, unless it takes its time.
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

/// The results as they are written; `None` if it is not a check file, which must not get into one.
fn results(content: &[u8]) -> Option<Vec<Box<RawValue>>> {
    check_file::decode(content).ok()?;
    serde_json::from_slice(content).ok()
}

/// Files that become one.
#[derive(Debug, Default)]
struct Chunk {
    sources: Vec<FileName>,
    /// The last source that has all of the results; `None` if there is none.
    whole: Option<FileName>,
    results: Vec<Box<RawValue>>,
    /// Where a result is, by its hash.
    places: HashMap<u64, usize>,
    hasher: RandomState,
    bytes: usize,
}

impl Chunk {
    fn add(&mut self, source: FileName, results: Vec<Box<RawValue>>) {
        let (before, mut in_source) = (self.results.len(), HashSet::new());
        for result in results {
            // Only what is the same in every byte is left out here; whoever reads tells which are one result.
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

    /// Whether nothing more is to be added to it once it has been divided from others.
    fn is_large(&self) -> bool {
        self.bytes >= MAX_BYTES / 2
    }

    /// Makes the file that has all of the results, unless a source does; then deletes the others, and counts them.
    async fn write<F: NamedFiles>(mut self, files: &F, full: bool) -> Result<usize, StorageError> {
        // A large file alone is written once more, to say in its name that it need not be read again.
        if let Some(whole) = self.whole.take().filter(|_| !full) {
            // Also where files cannot be deleted: each pass would add one.
            self.sources.retain(|source| *source != whole);
        } else if !self.sources.is_empty() {
            self.put(files, full).await?;
        }
        expiry::delete(files, &self.sources).await?;
        Ok(self.sources.len())
    }

    /// Makes the file that has all of the results.
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
