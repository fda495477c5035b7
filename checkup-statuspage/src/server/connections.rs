use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The connections that there are, to know how many, and which is missed least.
#[derive(Debug)]
pub(super) struct Connections {
    start: Instant,
    all: Mutex<Vec<Weak<Activity>>>,
}

impl Connections {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), all: Mutex::default() }
    }

    /// How many there are, less those that were evicted.
    pub(super) fn len(&self) -> usize {
        let mut all = self.all();
        all.retain(|activity| activity.strong_count() > 0);
        all.len()
    }

    /// One more.
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

    /// Whether one may be evicted: it has been quiet for `min_quiet`, and its request is not being worked at.
    pub(super) fn can_evict(&self, min_quiet: Duration) -> bool {
        quietest(&self.all()).is_some_and(|(_, activity)| activity.moved().elapsed() >= min_quiet)
    }

    /// Ends the connection that has been quiet for longest, if there is one that may be evicted; whether there was.
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
        // Each change is one call on the list.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn quietest(all: &[Weak<Activity>]) -> Option<(usize, Arc<Activity>)> {
    let live = all.iter().enumerate().filter_map(|(place, activity)| Some((place, activity.upgrade()?)));
    live.filter(|(_, activity)| !activity.is_working()).min_by_key(|(_, activity)| activity.moved())
}

/// What goes on on a connection.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    /// When something last moved, in microseconds since the start.
    moved: AtomicU64,
    /// When the last answer began, or the connection, in microseconds since the start.
    answered: AtomicU64,
    /// How many of its requests are being worked at.
    working: AtomicUsize,
    evicted: Notify,
}

impl Activity {
    /// Something moved.
    pub(super) fn touch(&self) {
        self.moved.store(self.micros(), Ordering::Relaxed);
    }

    /// An answer begins to be sent.
    pub(super) fn answered(&self) {
        self.answered.store(self.micros(), Ordering::Relaxed);
    }

    /// When the last answer began to be sent, or the connection began.
    pub(super) fn answered_at(&self) -> Instant {
        self.start + Duration::from_micros(self.answered.load(Ordering::Relaxed))
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// When something last moved.
    pub(super) fn moved(&self) -> Instant {
        self.start + Duration::from_micros(self.moved.load(Ordering::Relaxed))
    }

    /// A request is being worked at, until what is returned is dropped.
    pub(super) fn work(self: &Arc<Self>) -> Working {
        self.working.fetch_add(1, Ordering::Relaxed);
        Working(Arc::clone(self))
    }

    pub(super) fn is_working(&self) -> bool {
        self.working.load(Ordering::Relaxed) > 0
    }

    /// Ends when the connection must make room.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

/// Work at a request.
#[derive(Debug)]
pub(super) struct Working(Arc<Activity>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}
