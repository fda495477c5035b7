//! How behaviours are run: runtimes, bounded waits, cancellation.

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::time::{Instant, sleep, timeout};

use crate::clock::runtime;

/// How long something may take that is quick unless it is broken. Below this, speed does not decide whether a test passes.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How long a whole behaviour may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How long nothing must change before a count is taken as final.
const QUIET: Duration = Duration::from_millis(20);

/// How often a sleeping thread wakes up while a poll blocks.
const BLOCKED_TICKS: usize = 20;

/// How many calls must block before blocking is what they do.
const BLOCKED_TRIES: usize = 3;

/// The most polls after which a future is dropped, for those with ever more `.await`s.
pub(super) const MAX_POLLS: usize = 64;

/// A runtime that does not wait for blocking work when it ends: the tested code may block forever.
pub(super) struct Place(Option<Runtime>);

impl Place {
    /// A runtime with a separate thread, for a fixture and its servers.
    pub(super) fn new() -> Self {
        Self(Some(runtime(Builder::new_multi_thread().worker_threads(1))))
    }

    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.0.as_ref().expect("it is taken only by `drop`").enter()
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.as_ref().expect("it is taken only by `drop`").block_on(future)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs a future in a runtime on this thread, which then ends with all its tasks, as the process would.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    Place(Some(runtime(&mut Builder::new_current_thread()))).block_on(within_limit(future))
}

/// The same with several threads.
pub(super) fn block_on_threads<T>(future: impl Future<Output = T>) -> T {
    Place(Some(runtime(Builder::new_multi_thread().worker_threads(4)))).block_on(within_limit(future))
}

/// The same on a paused clock, so that timeouts expire immediately.
pub(super) fn block_on_paused<T>(future: impl Future<Output = T>) -> T {
    Place(Some(runtime(Builder::new_current_thread().start_paused(true)))).block_on(future)
}

/// The same on a separate thread, for code that may block it.
#[track_caller]
pub(super) fn block_on_apart<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let outcome = block_on(future);
        // An error means that the receiver is gone.
        let _ = sender.send(outcome);
    });
    match receiver.recv_timeout(PATIENCE * 3) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            panic!("the thread is blocked: blocking work goes through `spawn_blocking`")
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a thread that does not panic sends its outcome"),
        },
    }
}

async fn within_limit<T>(future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("it did not end within {LIMIT:?}"))
}

/// Waits for something that must end soon; panics if it does not.
pub(super) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not end within {PATIENCE:?}"))
}

/// Waits until a condition is true; panics if that takes too long.
pub(super) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} (waited {PATIENCE:?})");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Returns a count once it has not changed for a while: only waiting shows that nothing more arrives.
pub(super) async fn settled(count: &(dyn Fn() -> usize + Send + Sync)) -> usize {
    loop {
        let before = count();
        sleep(QUIET).await;
        if count() == before {
            return before;
        }
    }
}

/// The same for a list of deliveries.
pub(super) async fn settled_len<T>(arrived: &dyn Fn() -> Vec<T>) -> Vec<T> {
    loop {
        let before = arrived().len();
        sleep(QUIET).await;
        let now = arrived();
        if now.len() == before {
            return now;
        }
    }
}

/// Polls a future this many times, then drops it. Returns its outcome if it has ended by then.
pub(super) async fn cancelled_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Panics if what hangs keeps its thread from other tasks. To be run [apart](block_on_apart), since it may block forever.
pub(super) async fn leaves_the_thread<T: fmt::Debug>(hanging: impl Future<Output = T>) {
    let ticks = async {
        for _ in 0..50 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        biased;
        // One that blocks with a timeout of its own ends before the other task gets to run.
        outcome = hanging => panic!("the thread was blocked, or `hanging` does not hang: {outcome:?}"),
        () = ticks => {}
    }
}

/// Panics if one poll of a call keeps the thread for long, in each of several calls.
///
/// Long is a comparison: during the poll, a thread that only sleeps wakes up [`BLOCKED_TICKS`] times. A machine that is busy or was
/// suspended delays both, and not in the middle of the same poll each time.
pub(super) async fn never_blocks<T, F: Future<Output = T>>(what: &str, mut call: impl FnMut() -> F) {
    let watch = Watch::start();
    for _ in 0..BLOCKED_TRIES {
        let mut call = Box::pin(call());
        let mut longest = 0;
        let polls = poll_fn(|context| {
            let before = watch.ticks();
            let polled = call.as_mut().poll(context);
            longest = longest.max(watch.ticks() - before);
            polled
        });
        polls.await;
        if longest < BLOCKED_TICKS {
            return;
        }
    }
    panic!("{what} blocks the thread: blocking work goes through `spawn_blocking`");
}

/// A thread that counts how often it wakes up.
struct Watch {
    ticks: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

impl Watch {
    fn start() -> Self {
        let watch = Self { ticks: Arc::default(), is_over: Arc::default() };
        let (ticks, is_over) = (Arc::clone(&watch.ticks), Arc::clone(&watch.is_over));
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
                ticks.fetch_add(1, Ordering::Relaxed);
            }
        });
        watch
    }

    fn ticks(&self) -> usize {
        self.ticks.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// The message of an error and of all its sources, and their `Debug`: all that people may come to see of it.
pub(super) fn all_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(" {inner} {inner:?}"));
        source = inner.source();
    }
    text
}

#[track_caller]
pub(super) fn assert_without(secret: &str, what: &str, text: &str) {
    assert!(!text.contains(secret), "{what} shows the secret: {text}");
}
