//! The known history: stored results, and results of a monitor that are not stored yet.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use checkup_core::check_file::FileName;
use checkup_core::history;
use checkup_core::summary::Summary;
use checkup_core::{CheckResult, StorageError, StorageErrorKind, StorageReader, Timestamp};
use futures::{StreamExt, stream};
use tokio::time::Instant;

/// How far back new check files are listed. Files that arrive later are found by the next complete reading.
const LOOK_BACK: Duration = Duration::from_secs(2 * 3600);

/// How often everything is read again, from the storage's summary if it has one.
const READ_ANEW: Duration = Duration::from_secs(600);

/// From this number of new files on, everything is read again instead of each file.
const MAX_ONE_BY_ONE: usize = 30;

/// The limit of files that are fetched concurrently.
const CONCURRENT: usize = 8;

/// The limit of a monitor's results that are kept until they are stored. The latest are kept.
const MAX_OWN: usize = 50_000;

/// How long results are kept in detail without a storage to read them from.
const DETAIL: Duration = Duration::from_secs(26 * 3600);

/// The history, updated from time to time.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) summary: Summary,
    /// The check files of the last hours that it contains.
    known: HashSet<FileName>,
    /// When everything was last read, and how long that took.
    read: Option<(Instant, Duration)>,
    /// A monitor's results that were not found in the storage yet, because they are in a spool or the storage is unreachable.
    own: VecDeque<CheckResult>,
}

impl History {
    /// Updates the history. Returns the results of files that were not known; the first time, it returns none.
    pub(super) async fn update(
        &mut self,
        reader: &dyn StorageReader,
        span: Duration,
        now: Timestamp,
    ) -> Result<Vec<CheckResult>, StorageError> {
        let names = reader.list(now.saturating_sub(LOOK_BACK)).await?;
        let is_due = self.read.is_none_or(|(when, took)| when.elapsed() >= READ_ANEW.max(took * 20));
        let unknown: Vec<_> = names.iter().filter(|name| !self.known.contains(*name)).cloned().collect();
        if is_due || unknown.len() > MAX_ONE_BY_ONE {
            let is_first = self.read.is_none();
            let wanted = if is_first { HashSet::new() } else { unknown.iter().cloned().collect() };
            let listening = Listening { reader, wanted: Mutex::new(wanted), heard: Mutex::default() };
            let begun = Instant::now();
            // Everything that is listed now is in what is read next.
            let mut summary = history::read_summary_at(&listening, now.saturating_sub(span), now).await?;
            summary.take_ids(&self.summary);
            self.summary = summary;
            self.known = names.into_iter().collect();
            self.read = Some((Instant::now(), begun.elapsed()));
            self.own_again();
            return Ok(listening.all().await);
        }
        let listed: HashSet<_> = names.into_iter().collect();
        self.known.retain(|name| listed.contains(name));
        let mut found = Vec::new();
        for name in unknown {
            match reader.fetch(&name).await {
                Ok(results) => {
                    self.summary.add(&results);
                    found.extend(results);
                }
                // The file was compacted or has expired.
                Err(error) if error.kind() == StorageErrorKind::NotFound => continue,
                Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                    self.summary.unread.insert(name.as_str().to_owned());
                }
                Err(error) if error.kind() == StorageErrorKind::Interrupted => return Err(error),
                // The next refresh tries it again.
                Err(error) => {
                    tracing::warn!(name = ?name.as_str(), error = &error as &dyn std::error::Error, "a check file cannot be read");
                    continue;
                }
            }
            self.known.insert(name);
        }
        self.summary.made = now;
        let stored: HashSet<_> = found.iter().map(key).collect();
        self.own.retain(|result| !stored.contains(&key(result)));
        Ok(found)
    }

    /// Adds results of a monitor, and keeps them until they are found in its storage.
    pub(super) fn add_own(&mut self, results: Vec<CheckResult>) {
        self.summary.add(&results);
        self.own.extend(results);
        self.own.drain(..self.own.len().saturating_sub(MAX_OWN));
    }

    /// Adds results that are not in a storage.
    pub(super) fn add(&mut self, results: &[CheckResult]) {
        self.summary.add(results);
    }

    /// Keeps memory bounded without a storage to read from.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.summary.forget_before(now.saturating_sub(DETAIL));
    }

    /// Adds the monitor's results that are missing in a history that has just been read.
    fn own_again(&mut self) {
        let Self { summary, own, .. } = self;
        own.retain(|result| !has(summary, result));
        summary.add(own.make_contiguous());
    }
}

/// A reader that keeps the results of some of the files that are fetched through it.
struct Listening<'a> {
    reader: &'a dyn StorageReader,
    wanted: Mutex<HashSet<FileName>>,
    heard: Mutex<Vec<CheckResult>>,
}

impl Listening<'_> {
    /// The kept results, and those of wanted files that were not fetched because the storage's summary contains them.
    async fn all(self) -> Vec<CheckResult> {
        let Self { reader, wanted, heard } = self;
        let mut all = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        let rest = wanted.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Each future owns its name. With references, it could not be part of a spawned task.
        let fetches = rest.into_iter().map(|name| async move { reader.fetch(&name).await });
        // Missing and broken files were reported when the history was read.
        let mut fetched = stream::iter(fetches).buffer_unordered(CONCURRENT);
        while let Some(results) = fetched.next().await {
            all.extend(results.unwrap_or_default());
        }
        all
    }
}

#[async_trait]
impl StorageReader for Listening<'_> {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        self.reader.list(since).await
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        let results = self.reader.fetch(name).await?;
        // Only once, even if everything is read twice because files were compacted meanwhile.
        if self.wanted.lock().unwrap_or_else(PoisonError::into_inner).remove(name) {
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&results);
        }
        Ok(results)
    }

    async fn summary(&self) -> Result<Option<Summary>, StorageError> {
        self.reader.summary().await
    }
}

/// The identity of a result, here and in the storage. Summaries have times in milliseconds.
fn key(result: &CheckResult) -> (String, String, Option<Arc<str>>, i64) {
    (result.name.clone(), result.endpoint.clone(), result.location.clone(), millis(result.timestamp))
}

fn millis(time: Timestamp) -> i64 {
    time.unix_nanos().div_euclid(1_000_000)
}

/// Whether a result is in the summary, or belongs to a day of which only statistics are left.
fn has(summary: &Summary, result: &CheckResult) -> bool {
    let key = (&result.name, &result.endpoint, result.location.as_deref());
    let place = summary
        .series
        .binary_search_by(|series| (&series.name, &series.endpoint, series.location.as_deref()).cmp(&key));
    place.is_ok_and(|place| {
        let (series, time) = (&summary.series[place], millis(result.timestamp));
        series.recent.binary_search_by_key(&time, |point| millis(point.timestamp)).is_ok()
            || series.days.last().is_some_and(|last| time < millis(last.start()) + 24 * 3600 * 1000)
    })
}

#[cfg(test)]
mod tests {
    use checkup_core::{Attempt, Cause, Report, Status, Storage};
    use checkup_testkit::MemoryStorage;

    use super::*;

    const SPAN: Duration = Duration::from_secs(90 * 24 * 3600);

    fn result(minutes_ago: u64, status: Status) -> CheckResult {
        let mut result = CheckResult::new("API", "https://example.com");
        result.timestamp = Timestamp::now().saturating_sub(Duration::from_secs(60 * minutes_ago));
        result.status = status;
        result.attempts = match status {
            Status::Down => vec![Attempt::failure(Duration::ZERO, Cause::Refused, "connection refused")],
            _ => vec![Attempt::success(Duration::from_millis(5))],
        };
        result
    }

    #[tokio::test]
    async fn an_outage_is_shown_while_its_reports_wait_and_only_once_when_they_are_stored() {
        let storage = MemoryStorage::new();
        let mut history = History::default();
        history.update(&storage, SPAN, Timestamp::now()).await.unwrap();
        let own = [result(40, Status::Healthy), result(30, Status::Down), result(20, Status::Healthy)];
        history.add_own(own.to_vec());
        for stored in [0, 1, 3] {
            let known = own.len() - history.own.len();
            for result in own.iter().take(stored).skip(known) {
                storage.store(&Report::new(vec![result.clone()])).await.unwrap();
            }
            // Everything is read again.
            history.read = None;
            history.update(&storage, SPAN, Timestamp::now()).await.unwrap();
            let series = &history.summary.series[0];
            assert_eq!(series.recent.len(), 3, "{stored} are stored");
            assert_eq!(history.summary.incidents(series).len(), 1, "{stored} are stored");
            assert_eq!(history.own.len(), own.len() - stored);
        }
    }

    #[tokio::test]
    async fn stored_results_are_not_kept_and_others_do_not_fill_the_memory() {
        let storage = MemoryStorage::new();
        let mut history = History::default();
        history.update(&storage, SPAN, Timestamp::now()).await.unwrap();
        history.add_own(vec![result(1, Status::Down), result(0, Status::Down)]);
        storage.store(&Report::new(vec![history.own[0].clone()])).await.unwrap();
        history.update(&storage, SPAN, Timestamp::now()).await.unwrap();
        assert_eq!(history.own.len(), 1);
        history.add_own(vec![result(0, Status::Healthy); MAX_OWN]);
        assert_eq!((history.own.len(), history.own[0].status), (MAX_OWN, Status::Healthy));
    }

    #[tokio::test]
    async fn no_result_is_lost_or_returned_twice_when_everything_is_read_again() {
        let storage = MemoryStorage::new();
        let store = async |count: usize| {
            for number in 0..count {
                let result = result(u64::try_from(number).unwrap(), Status::Healthy);
                storage.store(&Report::new(vec![result])).await.unwrap();
            }
        };
        store(3).await;
        let mut history = History::default();
        assert_eq!(history.update(&storage, SPAN, Timestamp::now()).await.unwrap().len(), 0, "what was there before");
        store(MAX_ONE_BY_ONE + 5).await;
        assert_eq!(history.update(&storage, SPAN, Timestamp::now()).await.unwrap().len(), MAX_ONE_BY_ONE + 5);
        store(2).await;
        history.read = history.read.map(|(_, took)| (Instant::now() - READ_ANEW, took));
        assert_eq!(history.update(&storage, SPAN, Timestamp::now()).await.unwrap().len(), 2);
        assert_eq!(history.update(&storage, SPAN, Timestamp::now()).await.unwrap().len(), 0);
    }
}
