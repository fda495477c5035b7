//! [`read_summary`]: the summary of any storage, up to now.

use futures::{StreamExt, stream};

use super::summary::{RECENT, Summary, day_of, start_of};
use crate::{StorageError, StorageErrorKind, StorageReader, Timestamp};

/// How many files are fetched concurrently.
const CONCURRENT: usize = 8;

/// How often files are listed again because some were gone: each time, another node has compacted them in the meantime.
const MAX_ROUNDS: usize = 10;

/// Makes the summary of a storage from `since` up to now. It uses the stored summary and the check files since, or all check files if
/// there is none.
///
/// It fetches only the check files that the stored summary does not contain. Days that are over become statistics even if the storage has
/// no summary, so memory is limited to one day's results. [`Summary::problems`] lists implausible values that were left out, and results
/// from the future.
///
/// # Errors
///
/// If the storage cannot be listed. A file that cannot be read affects no other file, and is listed in [`Summary::unread`].
pub async fn read_summary(reader: &dyn StorageReader, since: Timestamp) -> Result<Summary, StorageError> {
    read_summary_at(reader, since, Timestamp::now()).await
}

/// Like [`read_summary`], but as if the current time were `now`. For tests, and for a history that was recorded elsewhere.
///
/// # Errors
///
/// As [`read_summary`].
pub async fn read_summary_at(
    reader: &dyn StorageReader,
    since: Timestamp,
    now: Timestamp,
) -> Result<Summary, StorageError> {
    let mut known = Summary::new();
    for _ in 0..MAX_ROUNDS {
        let mut summary = begin(reader, since, now).await?;
        summary.take_announced(&mut known);
        summary.changed_windows.clear();
        let is_complete = add_rest(reader, &mut summary, since, now).await?;
        // Some maintenance was announced or withdrawn after its day had become statistics, so everything is read once more with that
        // knowledge.
        let is_late = |(from, to): &(Timestamp, Timestamp)| {
            let days = day_of(*from)..=day_of(*to);
            summary.days.iter().any(|(day, made_of)| made_of.is_empty() && days.contains(day))
        };
        if is_complete && !summary.changed_windows.iter().any(is_late) {
            summary.made = now;
            summary.report_future(now);
            return Ok(summary);
        }
        known = summary;
    }
    Err(StorageError::new("the files change faster than they can be read; try again"))
}

/// The summary that is there, or an empty one.
async fn begin(reader: &dyn StorageReader, since: Timestamp, now: Timestamp) -> Result<Summary, StorageError> {
    let nothing = Summary { recent_from: since, ..Summary::new() };
    let mut summary = match reader.summary().await {
        Ok(Some(summary)) => summary,
        Ok(None) => return Ok(nothing),
        // The summary is derived: everything is in the check files.
        Err(error) if error.kind() == StorageErrorKind::Corrupt => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the summary cannot be read");
            return Ok(nothing);
        }
        Err(error) => return Err(error),
    };
    if summary.recent_from > now {
        // The clock of the node that wrote it was ahead. Its detailed results are read again.
        summary.forget_recent();
        let last_day = summary.days.last_key_value().map(|(day, _)| start_of(day.saturating_add(1)));
        summary.recent_from = last_day.unwrap_or(since).min(now.saturating_sub(RECENT));
    }
    Ok(summary)
}

/// Adds what the summary lacks. Returns whether that succeeded completely. If not, files were compacted in the meantime, and the larger
/// ones may have results of days that are already statistics.
async fn add_rest(
    reader: &dyn StorageReader,
    summary: &mut Summary,
    since: Timestamp,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let mut names = reader.list(summary.recent_from).await?;
    names.retain(|name| !summary.files.contains(name.as_str()) && !summary.unread.contains(name.as_str()));
    let mut day = i64::MIN;
    // Each owned by its future: by reference, no task could be spawned that reads a summary.
    let fetches = names.into_iter().map(|name| async move {
        let results = reader.fetch(&name).await;
        (name, results)
    });
    let mut fetched = stream::iter(fetches).buffered(CONCURRENT);
    while let Some((name, results)) = fetched.next().await {
        if day_of(name.timestamp()) > day {
            // All files of the previous day have been fetched, including a run across midnight.
            day = day_of(name.timestamp());
            let before = start_of(day.saturating_sub(1)).min(now.saturating_sub(RECENT)).max(since);
            if before > summary.recent_from {
                summary.forget_before(before);
            }
        }
        // A signal can interrupt the work between two files.
        tokio::task::yield_now().await;
        match results {
            Ok(mut results) => {
                results.retain(|result| result.timestamp >= summary.recent_from);
                summary.add(&results);
                summary.files.insert(name.as_str().to_owned());
            }
            Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(false),
            Err(error) if error.kind() == StorageErrorKind::Interrupted => return Err(error),
            Err(error) => {
                tracing::warn!(%name, error = &error as &dyn std::error::Error, "a check file cannot be read");
                summary.unread.insert(name.as_str().to_owned());
            }
        }
    }
    Ok(true)
}
