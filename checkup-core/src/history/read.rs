//! [`read`]: reads the results of any storage, each once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::check_file::FileName;
use crate::{CheckResult, StorageError, StorageErrorKind, StorageReader, Timestamp};

/// How often the files are listed again because some were gone: each time, another process was compacting.
const MAX_ROUNDS: usize = 10;

/// What was read from a storage.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct History {
    /// The results, each once, oldest first.
    pub results: Vec<CheckResult>,
    /// The files that could not be read, and the errors.
    pub unread: Vec<(FileName, StorageError)>,
}

/// Reads every result from `since` on, each once. Two results with the same name, endpoint, timestamp and location are
/// one, with the messages of both.
///
/// It works on any storage with a reader, even during compaction: results whose file is gone are found in the file that
/// it was compacted into.
///
/// # Errors
///
/// If the storage cannot be listed. A file that cannot be read affects no other file, and is listed in
/// [`History::unread`].
///
/// ```
/// use checkup_core::archive::{Archive, MemoryFiles};
/// use checkup_core::{CheckResult, Report, Storage, Timestamp, history};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let archive = Archive::new(MemoryFiles::new());
/// let report = Report::new(vec![CheckResult::new("API", "https://example.com")]);
/// // Stored twice, because the first response was lost.
/// archive.store(&report).await?;
/// archive.store(&report).await?;
/// let history = history::read(&archive, Timestamp::from_unix_nanos(0)).await?;
/// assert_eq!(history.results, report.results);
/// # Ok(())
/// # }
/// ```
pub async fn read(reader: &dyn StorageReader, since: Timestamp) -> Result<History, StorageError> {
    let mut history = History::default();
    let (mut read, mut places) = (HashSet::new(), HashMap::new());
    for _ in 0..MAX_ROUNDS {
        let mut is_complete = true;
        for name in reader.list(since).await? {
            if read.contains(&name) {
                continue;
            }
            match reader.fetch(&name).await {
                Ok(results) => {
                    for result in results.into_iter().filter(|result| result.timestamp >= since) {
                        match places.entry(Identity::of(&result)) {
                            Entry::Vacant(place) => {
                                place.insert(history.results.len());
                                history.results.push(result);
                            }
                            Entry::Occupied(place) => join(&mut history.results[*place.get()], result),
                        }
                    }
                }
                Err(error) if error.kind() == StorageErrorKind::NotFound => is_complete = false,
                Err(error) if error.kind() == StorageErrorKind::Interrupted => return Err(error),
                Err(error) => history.unread.push((name.clone(), error)),
            }
            read.insert(name);
            // Callers may cancel the reading of a long history between two files.
            tokio::task::yield_now().await;
        }
        if is_complete {
            history.results.sort_by_key(|result| result.timestamp);
            return Ok(history);
        }
    }
    Err(StorageError::new("the files change faster than they can be read; try again"))
}

/// Adds to a result what an operator attached later: the result was then stored again.
fn join(result: &mut CheckResult, other: CheckResult) {
    result.message = match (result.message.take(), other.message) {
        (Some(message), Some(other)) if !message.split('\n').any(|line| line == &*other) => {
            Some(format!("{message}\n{other}").into())
        }
        (message, other) => message.or(other),
    };
    result.maintenance = result.maintenance.take().or(other.maintenance);
}

/// The fields that identify a result.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity {
    name: String,
    endpoint: String,
    timestamp: Timestamp,
    location: Option<Arc<str>>,
}

impl Identity {
    fn of(result: &CheckResult) -> Self {
        let CheckResult { name, endpoint, timestamp, location, .. } = result;
        Self { name: name.clone(), endpoint: endpoint.clone(), timestamp: *timestamp, location: location.clone() }
    }
}
