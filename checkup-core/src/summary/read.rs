use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::series::{day_of, start_of};
use super::{RECENT, Summary};
use crate::{StorageError, StorageErrorKind, StorageReader, Timestamp};

/// How many files are fetched at once.
const CONCURRENT: usize = 8;

/// How often files are listed anew because some were gone: each time somebody compacted meanwhile.
const MAX_ROUNDS: usize = 10;

/// The summary of a storage from `since` up to now: the one that it keeps, if it does, and what has been stored after that was
/// made; or else of all the check files since then.
///
/// Only the check files are fetched that the stored summary has not. Days that are over are figures, also of a
/// storage without a summary, so that memory is bounded by one day's results.
///
/// # Errors
///
/// If the storage cannot be listed. A file that cannot be read costs only itself, and is in [`Summary::unread`].
pub async fn read(reader: &dyn StorageReader, since: Timestamp) -> Result<Summary, StorageError> {
    let now = Timestamp::now();
    let mut summary = match reader.summary().await {
        Ok(Some(summary)) => summary,
        Ok(None) => Summary { recent_from: since, ..Summary::new() },
        // It is derived: the check files have it all.
        Err(error) if error.kind() == StorageErrorKind::Corrupt => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the summary cannot be read");
            Summary { recent_from: since, ..Summary::new() }
        }
        Err(error) => return Err(error),
    };
    let is_stored = !summary.days.is_empty() || !summary.files.is_empty();
    let mut gone = BTreeSet::new();
    for _ in 0..MAX_ROUNDS {
        let mut names = reader.list(summary.recent_from).await?;
        names.retain(|name| !summary.files.contains(name.as_str()) && !gone.contains(name));
        names.retain(|name| !summary.unread.contains(name.as_str()));
        let mut is_complete = true;
        let mut day = i64::MIN;
        // Each owned by its future: by reference, no task could be spawned that reads a summary.
        let fetches = names.into_iter().map(|name| async move {
            let results = reader.fetch(&name).await;
            (name, results)
        });
        let mut fetched = stream::iter(fetches).buffered(CONCURRENT);
        while let Some((name, results)) = fetched.next().await {
            if !is_stored && day_of(name.timestamp()) > day {
                // All files of the day before that have been fetched, and a run over midnight.
                day = day_of(name.timestamp());
                summary.forget_before(start_of(day.saturating_sub(1)).min(now.saturating_sub(RECENT)).max(since));
            }
            match results {
                Ok(mut results) => {
                    results.retain(|result| result.timestamp >= summary.recent_from);
                    summary.add(&results);
                    summary.files.insert(name.as_str().to_owned());
                }
                Err(error) if error.kind() == StorageErrorKind::NotFound => {
                    is_complete = false;
                    gone.insert(name);
                }
                Err(error) => {
                    tracing::warn!(%name, error = &error as &dyn std::error::Error, "a check file cannot be read");
                    summary.unread.insert(name.as_str().to_owned());
                }
            }
        }
        if is_complete {
            summary.made = now;
            return Ok(summary);
        }
        if !is_stored {
            // What is in the compacted file may be of days that are figures already.
            summary = Summary { recent_from: since, ..Summary::new() };
        }
    }
    Err(StorageError::new("the files change faster than they can be read; try again"))
}
