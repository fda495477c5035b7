//! Compaction that fails, stops, is cancelled or races, at every one of its steps.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use checkup_core::archive::{Archive, MemoryFiles, NamedFiles, Put};
use checkup_core::{CheckResult, StorageError, StorageMaintainer, async_trait};

use crate::{DAY, HOUR, day, everything, maintain, names, put, sorted};

/// What happens to the step at which files stop working.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Last {
    NotDone,
    Half,
    DoneWithoutAnswer,
    /// Nothing stops, and nothing can be deleted.
    NoDeletes,
}

/// Files that stop working after some steps, as if the process were killed. At each step a call can also be cancelled, and
/// others can run in between.
#[derive(Debug)]
pub(crate) struct Stopping {
    files: MemoryFiles,
    steps: AtomicUsize,
    last: Last,
}

impl Stopping {
    pub(crate) fn after(steps: usize, last: Last, files: &MemoryFiles) -> Self {
        Self { files: files.clone(), steps: AtomicUsize::new(steps), last }
    }

    /// Files that do not stop, to count the steps.
    pub(crate) fn never(files: &MemoryFiles) -> Self {
        Self::after(usize::MAX, Last::NotDone, files)
    }

    /// How many steps were done since this was last asked.
    pub(crate) fn count(&self) -> usize {
        usize::MAX - self.steps.swap(usize::MAX, Ordering::Relaxed)
    }

    /// Whether this step is the last, which is not done right; or an error when there is no more.
    async fn step(&self) -> Result<bool, StorageError> {
        tokio::task::yield_now().await;
        let left = self.steps.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |steps| steps.checked_sub(1));
        match left {
            Err(_) => Err(StorageError::new("stopped")),
            Ok(1) if self.last == Last::NotDone => Err(StorageError::new("stopped")),
            Ok(left) => Ok(left == 1),
        }
    }

    async fn answer<T>(&self, is_last: bool, answer: T) -> Result<T, StorageError> {
        tokio::task::yield_now().await;
        if is_last { Err(StorageError::new("stopped")) } else { Ok(answer) }
    }
}

#[async_trait]
impl NamedFiles for Stopping {
    async fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Put, StorageError> {
        let is_last = self.step().await?;
        let put = self.files.put_if_absent(name, content).await?;
        self.answer(is_last, put).await
    }

    async fn put(&self, name: &str, content: &[u8]) -> Result<(), StorageError> {
        let is_last = self.step().await?;
        self.files.put(name, content).await?;
        self.answer(is_last, ()).await
    }

    async fn list(&self, from: &str, limit: usize) -> Result<Vec<String>, StorageError> {
        let is_last = self.step().await?;
        let names = self.files.list(from, limit).await?;
        self.answer(is_last, names).await
    }

    async fn get(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        let is_last = self.step().await?;
        let content = self.files.get(name).await?;
        self.answer(is_last, content).await
    }

    async fn delete(&self, names: &[&str]) -> Result<(), StorageError> {
        let is_last = self.step().await?;
        if self.last == Last::NoDeletes {
            return Err(StorageError::new("not allowed"));
        }
        let half = if is_last && self.last == Last::Half { names.len() / 2 } else { names.len() };
        self.files.delete(&names[..half]).await?;
        self.answer(is_last, ()).await
    }
}

/// A history of three days with a file that expires, one that was compacted before, and one that is there twice.
async fn history() -> (MemoryFiles, Vec<CheckResult>) {
    let files = MemoryFiles::new();
    let mut stored = Vec::new();
    for hour in 0..3 {
        stored.push(put(&files, "a", day(3).saturating_add(HOUR * hour)).await);
    }
    maintain(&files).await;
    assert_eq!(names(&files).await.len(), 1);
    for days in 1..=3 {
        for hour in 4..7 {
            stored.push(put(&files, "b", day(days).saturating_add(HOUR * hour)).await);
        }
    }
    let twice = names(&files).await.pop().unwrap();
    let content = files.get(&twice).await.unwrap();
    files.put(&twice.replace("-b-", "-twice-"), &content).await.unwrap();
    (files, sorted(stored))
}

/// After whatever happened, everything is there, and another compaction does what is left.
async fn assert_whole(files: &MemoryFiles, stored: &[CheckResult], what: &str) {
    assert_eq!(everything(files).await, stored, "{what}");
    maintain(files).await;
    assert_eq!(everything(files).await, stored, "{what}, and compacted again");
    assert_eq!(names(files).await.len(), 3, "{what}, and compacted again");
}

#[tokio::test]
async fn a_compaction_that_stops_at_any_step_loses_nothing() {
    for last in [Last::NotDone, Last::Half, Last::DoneWithoutAnswer] {
        for steps in 1.. {
            assert!(steps < 1000, "it does not end");
            let (files, stored) = history().await;
            put(&files, "expired", day(100)).await;
            let stopping = Archive::new(Stopping::after(steps, last, &files)).check_expiry(DAY * 50);
            let ended = stopping.maintain().await.is_ok();
            files.delete(&[&format!("{}-expired-check.json", day(100).unix_nanos())]).await.unwrap();
            assert_whole(&files, &stored, &format!("stopped at step {steps}, {last:?}")).await;
            if ended {
                assert!(steps > 10, "that was no compaction");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_compaction_that_is_cancelled_at_any_await_loses_nothing() {
    for polls in 1.. {
        assert!(polls < 1000, "it does not end");
        let (files, stored) = history().await;
        let archive = Archive::new(Stopping::never(&files));
        let ended = {
            let mut maintenance = archive.maintain();
            let mut left = polls;
            poll_fn(move |context| {
                left -= 1;
                let is_ready = maintenance.as_mut().poll(context).is_ready();
                context.waker().wake_by_ref();
                if is_ready || left == 0 { Poll::Ready(is_ready) } else { Poll::Pending }
            })
            .await
        };
        assert_whole(&files, &stored, &format!("cancelled after {polls} polls")).await;
        if ended {
            return;
        }
    }
}

#[tokio::test]
async fn compactors_that_race_at_any_distance_lose_nothing() {
    for distance in 0..60 {
        for late in [false, true] {
            let (files, mut stored) = history().await;
            let first = Archive::new(Stopping::never(&files));
            let second = Archive::new(Stopping::never(&files));
            let (one, two) = tokio::join!(first.maintain(), async {
                for _ in 0..distance {
                    tokio::task::yield_now().await;
                }
                // Files that arrive between the two make them compact different sets.
                let arrived = if late { Some(put(&files, "late", day(2)).await) } else { None };
                let done = second.maintain().await;
                stored.extend(arrived);
                done
            });
            one.unwrap();
            two.unwrap();
            assert_whole(&files, &sorted(stored), &format!("at distance {distance}, late: {late}")).await;
        }
    }
}

#[tokio::test]
async fn files_that_cannot_be_deleted_are_compacted_once_and_not_again_and_again() {
    let (files, stored) = history().await;
    let before = names(&files).await.len();
    for _ in 0..3 {
        for _ in 0..10 {
            let archive = Archive::new(Stopping::after(usize::MAX, Last::NoDeletes, &files));
            assert!(archive.maintain().await.is_err());
        }
        // The first day cannot be completed, so no other is started.
        assert_eq!(names(&files).await.len(), before + 1);
        assert_eq!(everything(&files).await, stored);
    }
    assert_whole(&files, &stored, "once files can be deleted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_compactors_and_writers_at_once_lose_nothing() {
    let files = MemoryFiles::new();
    let mut work = tokio::task::JoinSet::new();
    for node in 0..4_u32 {
        let files = files.clone();
        work.spawn(async move {
            let mut stored = Vec::new();
            for number in 0..200 {
                let time = day(1 + number % 3).saturating_add(HOUR * node + HOUR / 100 * number);
                stored.push(put(&files, &format!("node{node}"), time).await);
                // Like a separate process, which looks again.
                Archive::new(files.clone()).maintain().await.unwrap();
            }
            stored
        });
    }
    let stored = work.join_all().await.concat();
    assert_whole(&files, &sorted(stored), "after a race").await;
}
