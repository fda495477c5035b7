//! [`Job`]: stores the beats of a job, reads them, and removes old ones.

use checkup_core::archive::NamedFiles;
use checkup_core::{ErrorChain, Storage, StorageError, StorageErrorKind, Timestamp};

use crate::Beat;
use crate::judge::{self, FUTURE};
use crate::name::{self, FileName};

/// How many of the latest beats are kept.
const KEPT: usize = 16;

/// How many of the beats from the future are kept.
const KEPT_FUTURE: usize = 2;

/// How many names are listed per request.
const PAGE: usize = 1000;

/// How many beats of a job are read: far more than are kept.
const MAX_BEATS: usize = 20_000;

/// A job that reports to a storage when it runs. A check of type `heartbeat` with the same name reads the reports, in this process or on another
/// machine.
///
/// ```
/// use checkup_core::Storage;
/// use checkup_core::archive::{Archive, MemoryFiles};
/// use checkup_heartbeat::{Beat, Job};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), checkup_core::StorageError> {
/// // The storage of the checks, such as a directory or a bucket.
/// let storage = Archive::new(MemoryFiles::new());
/// Job::new("backup").report(&storage, &Beat::failed().message("the disk is full")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    name: String,
    prefix: String,
}

impl Job {
    /// The job with this name.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { prefix: name::prefix(&name), name }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Stores a beat, and removes those that it makes superfluous: about twenty of each job are kept. Any number of machines can report.
    ///
    /// # Errors
    ///
    /// If the storage cannot keep beats, or if it could not be confirmed that the beat was stored. Beats that cannot be removed are only logged.
    pub async fn report(&self, storage: &dyn Storage, beat: &Beat) -> Result<(), StorageError> {
        let files = storage.files().ok_or_else(|| StorageError::new(NO_FILES))?;
        // The name is random, so a file that exists is from a request whose response was lost.
        let _ = files.put_if_absent(&FileName::unique(&self.prefix, beat), &beat.encode()?).await?;
        if let Err(error) = self.tidy(files, Timestamp::now()).await {
            tracing::warn!(job = %self.name, error = %ErrorChain(&error), "cannot remove old beats");
        }
        Ok(())
    }

    /// The beats that are stored, oldest first.
    pub(crate) async fn beats(&self, files: &dyn NamedFiles) -> Result<Vec<FileName>, StorageError> {
        let (mut from, end) = (self.prefix.clone(), name::end(&self.prefix));
        let mut beats = Vec::new();
        loop {
            let names = files.list_before(&from, &end, PAGE).await?;
            beats.extend(names.iter().filter_map(|name| FileName::parse(&self.prefix, name)));
            match names.last() {
                Some(last) if names.len() >= PAGE => from = format!("{last}\0"),
                _ => break,
            }
            if beats.len() > MAX_BEATS {
                let message =
                    "there are too many beats of this job; allow the machines that report to delete `beat-*` files";
                return Err(StorageError::new(message));
            }
        }
        beats.sort_unstable();
        Ok(beats)
    }

    /// The content of a beat; `None` if it no longer exists or is not a beat.
    pub(crate) async fn read(&self, files: &dyn NamedFiles, beat: &FileName) -> Result<Option<Beat>, StorageError> {
        match files.get(&beat.name).await.and_then(|content| Beat::decode(&content)) {
            Ok(beat) => Ok(Some(beat)),
            Err(error) if matches!(error.kind(), StorageErrorKind::NotFound | StorageErrorKind::Corrupt) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the beats that no longer matter.
    async fn tidy(&self, files: &dyn NamedFiles, now: Timestamp) -> Result<(), StorageError> {
        let beats = self.beats(files).await?;
        let names: Vec<_> = superfluous(&beats, now).map(|beat| beat.name.as_str()).take(PAGE).collect();
        if names.is_empty() { Ok(()) } else { files.delete(&names).await }
    }
}

/// Why a storage cannot keep beats, and what to do.
pub(crate) const NO_FILES: &str = "this storage cannot keep beats; use one that keeps files, such as `fs` or `s3`";

/// The beats that the verdict does not depend on. If a clock is ahead, its beats do not push out those of the others.
fn superfluous(beats: &[FileName], now: Timestamp) -> impl Iterator<Item = &FileName> {
    let (past, future) = beats.split_at(beats.partition_point(|beat| beat.at <= now.saturating_add(FUTURE)));
    let needed = judge::needed(past);
    let old = &past[..past.len().saturating_sub(KEPT)];
    old.iter().filter(move |beat| !needed.contains(beat)).chain(&future[..future.len().saturating_sub(KEPT_FUTURE)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn beat(nanos: i64, outcome: Outcome) -> FileName {
        FileName { at: Timestamp::from_unix_nanos(nanos), name: format!("{nanos}"), outcome, took: None }
    }

    fn kept(beats: &[FileName], now: i64) -> Vec<i64> {
        let removed: Vec<_> = superfluous(beats, Timestamp::from_unix_nanos(now)).collect();
        beats.iter().filter(|beat| !removed.contains(beat)).map(|beat| beat.at.unix_nanos()).collect()
    }

    #[test]
    fn the_latest_beats_are_kept_and_what_the_verdict_needs() {
        let many: Vec<_> = (0..100).map(|nanos| beat(nanos, Outcome::Ok)).collect();
        assert_eq!(kept(&many, 100), (84..100).collect::<Vec<_>>());
        // A job that begins again and again and never ends: its last end, or else its first beginning, shows how late it is.
        let mut looping: Vec<_> = (0..100).map(|nanos| beat(nanos, Outcome::Began)).collect();
        assert_eq!(kept(&looping, 100), [vec![0], (84..100).collect()].concat());
        looping[7].outcome = Outcome::Failed;
        assert_eq!(kept(&looping, 100), [vec![7], (84..100).collect()].concat());
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_push_out_the_beats_of_the_others() {
        let year = 365 * 24 * 3_600_000_000_000_i64;
        let mut beats: Vec<_> = (0..3).map(|nanos| beat(nanos, Outcome::Ok)).collect();
        beats.extend((0..50).map(|nanos| beat(year + nanos, Outcome::Ok)));
        assert_eq!(kept(&beats, 3), [0, 1, 2, year + 48, year + 49]);
    }
}
