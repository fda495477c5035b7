use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkup_core::{Report, Storage, StorageError, async_trait};
use tokio::sync::watch;

/// A storage that behaves as scripted, and remembers what was stored, in order. Clones are one storage.
#[derive(Clone, Debug)]
pub(crate) struct Fickle {
    mood: Arc<Mutex<Mood>>,
    calls: Arc<Mutex<usize>>,
    stored: Arc<watch::Sender<Vec<String>>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Mood {
    Works,
    /// It takes this long, and succeeds.
    Slow(Duration),
    Fails,
    Hangs,
    Panics,
    /// It succeeds this many times, and then fails.
    FailsAfter(usize),
    /// It succeeds, except for these reports.
    Refuses(&'static [&'static str]),
    /// It stores the report, and its answer is lost.
    LosesAnswers,
}

impl Fickle {
    pub(crate) fn new(mood: Mood) -> Self {
        let stored = Arc::new(watch::Sender::new(Vec::new()));
        Self { mood: Arc::new(Mutex::new(mood)), calls: Arc::default(), stored }
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The names of the results that were stored, in order.
    pub(crate) fn stored(&self) -> Vec<String> {
        self.stored.borrow().clone()
    }

    /// How often it was asked to store since this was last asked.
    pub(crate) fn calls(&self) -> usize {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// Waits until so many results are stored.
    pub(crate) async fn wait_stored(&self, count: usize) {
        self.stored.subscribe().wait_for(|stored| stored.len() >= count).await.unwrap();
    }

    fn keep(&self, report: &Report) {
        self.stored.send_modify(|stored| stored.extend(report.results.iter().map(|result| result.name.clone())));
    }
}

#[async_trait]
impl Storage for Fickle {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        *self.calls.lock().unwrap() += 1;
        // Each await is a place to be cancelled at.
        tokio::task::yield_now().await;
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Works => self.keep(report),
            Mood::Slow(duration) => {
                tokio::time::sleep(duration).await;
                self.keep(report);
            }
            Mood::Fails | Mood::FailsAfter(0) => {
                return Err(StorageError::new("cannot reach the bucket").with_source("connection refused"));
            }
            Mood::Refuses(names) => {
                if report.results.iter().any(|result| names.contains(&result.name.as_str())) {
                    return Err(StorageError::new("cannot write").with_source("413: it is too large"));
                }
                self.keep(report);
            }
            Mood::FailsAfter(count) => {
                self.set(Mood::FailsAfter(count - 1));
                self.keep(report);
            }
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("the storage is scripted to panic"),
            Mood::LosesAnswers => {
                self.keep(report);
                return Err(StorageError::new("the connection broke off"));
            }
        }
        Ok(())
    }
}
