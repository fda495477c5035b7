use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The open connections: their number, and which has been idle longest.
#[derive(Debug)]
pub(super) struct Connections {
    start: Instant,
    all: Mutex<Vec<Weak<Activity>>>,
}

impl Connections {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), all: Mutex::default() }
    }

    /// The number of connections that were not evicted.
    pub(super) fn len(&self) -> usize {
        let mut all = self.all();
        all.retain(|activity| activity.strong_count() > 0);
        all.len()
    }

    /// Adds a connection.
    pub(super) fn add(&self) -> Arc<Activity> {
        let activity = Arc::new(Activity {
            start: self.start,
            moved: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            working: AtomicUsize::new(0),
            evicted: Notify::new(),
        });
        activity.touch();
        activity.answered();
        self.all().push(Arc::downgrade(&activity));
        activity
    }

    /// Whether a connection may be evicted: it has been idle for `min_quiet`, and no request of it is being processed.
    pub(super) fn can_evict(&self, min_quiet: Duration) -> bool {
        quietest(&self.all()).is_some_and(|(_, activity)| activity.moved().elapsed() >= min_quiet)
    }

    /// Closes the connection that has been idle longest, if one may be evicted. Returns whether one was.
    pub(super) fn evict(&self, min_quiet: Duration) -> bool {
        let mut all = self.all();
        let Some((place, activity)) = quietest(&all).filter(|(_, one)| one.moved().elapsed() >= min_quiet) else {
            return false;
        };
        activity.evicted.notify_one();
        all.swap_remove(place);
        true
    }

    fn all(&self) -> MutexGuard<'_, Vec<Weak<Activity>>> {
        // Each change is a single call on the list.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn quietest(all: &[Weak<Activity>]) -> Option<(usize, Arc<Activity>)> {
    let live = all.iter().enumerate().filter_map(|(place, activity)| Some((place, activity.upgrade()?)));
    live.filter(|(_, activity)| !activity.is_working()).min_by_key(|(_, activity)| activity.moved())
}

/// The activity on a connection.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    /// When data was last read or written, in microseconds since the start.
    moved: AtomicU64,
    /// When the last response (or else the connection) began, in microseconds since the start.
    answered: AtomicU64,
    /// The number of its requests that are being processed.
    working: AtomicUsize,
    evicted: Notify,
}

impl Activity {
    /// Notes that data was read or written.
    pub(super) fn touch(&self) {
        self.moved.store(self.micros(), Ordering::Relaxed);
    }

    /// Notes that a response begins.
    pub(super) fn answered(&self) {
        self.answered.store(self.micros(), Ordering::Relaxed);
    }

    /// When the last response (or else the connection) began.
    pub(super) fn answered_at(&self) -> Instant {
        self.start + Duration::from_micros(self.answered.load(Ordering::Relaxed))
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// When data was last read or written.
    pub(super) fn moved(&self) -> Instant {
        self.start + Duration::from_micros(self.moved.load(Ordering::Relaxed))
    }

    /// Notes that a request is being processed until the returned value is dropped.
    pub(super) fn work(self: &Arc<Self>) -> Working {
        self.working.fetch_add(1, Ordering::Relaxed);
        Working(Arc::clone(self))
    }

    pub(super) fn is_working(&self) -> bool {
        self.working.load(Ordering::Relaxed) > 0
    }

    /// Completes when the connection must make room for another.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

/// A request that is being processed.
#[derive(Debug)]
pub(super) struct Working(Arc<Activity>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}
