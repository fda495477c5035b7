//! Responses that are made at most once per second, whatever the number of requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::budget::Budget;
use crate::formats::representation::Representation;

/// The limit of memory for these responses in bytes, including older ones that clients are still reading.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How long a response is reused.
const AGE: Duration = Duration::from_secs(1);

/// Responses that are expensive to make and change often, by request. They are made one after another, on a thread for
/// blocking work.
#[derive(Debug, Default)]
pub(crate) struct Momentary(Arc<Mutex<Answers>>);

#[derive(Debug)]
struct Answers {
    made: HashMap<String, (Instant, Representation)>,
    budget: Budget,
}

impl Default for Answers {
    fn default() -> Self {
        Self { made: HashMap::new(), budget: Budget::new(MAX_BYTES) }
    }
}

impl Momentary {
    /// The response of the last second, or else a new one from `make`. There must be only a few keys, since none is forgotten.
    ///
    /// `None` if `make` panics.
    pub(crate) async fn get(
        &self,
        key: &str,
        make: impl FnOnce() -> Representation + Send + 'static,
    ) -> Option<Representation> {
        let answers = Arc::clone(&self.0).lock_owned().await;
        if let Some(answer) = young(&answers, key) {
            return Some(answer);
        }
        let key = key.to_owned();
        // The task holds the lock, so no second response is made meanwhile, even if the client goes away.
        tokio::task::spawn_blocking(move || keep(answers, key, make())).await.ok()
    }

    /// The response of the last second.
    pub(crate) async fn known(&self, key: &str) -> Option<Representation> {
        young(&*self.0.lock().await, key)
    }
}

fn young(answers: &Answers, key: &str) -> Option<Representation> {
    answers.made.get(key).filter(|(made, _)| made.elapsed() < AGE).map(|(_, answer)| answer.clone())
}

fn keep(mut answers: OwnedMutexGuard<Answers>, key: String, answer: Representation) -> Representation {
    // While clients are still reading many older responses, the last one is sent again.
    let held = answer.held(|content| answers.budget.try_hold(content));
    let answer = held.or_else(|| answers.made.get(&key).map(|(_, last)| last.clone())).unwrap_or(answer);
    answers.made.insert(key, (Instant::now(), answer.clone()));
    answer
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::formats::representation::Cache;

    #[tokio::test(start_paused = true)]
    async fn the_last_response_is_reused_when_older_ones_fill_the_memory() {
        let momentary = Momentary::default();
        let mut read = Vec::new();
        for number in 0..10_u8 {
            // 4 MiB that compress to almost nothing.
            let make = move || Representation::new("text/plain", Cache::Never, vec![number; 4 << 20]);
            read.push(momentary.get("a", make).await.unwrap());
            tokio::time::advance(AGE).await;
        }
        let contents: Vec<_> = read.iter().map(|answer| answer.content()[0]).collect();
        assert_eq!(contents, [0, 1, 2, 2, 2, 2, 2, 2, 2, 2]);
        read.clear();
        let make = || Representation::new("text/plain", Cache::Never, "new");
        assert_eq!(momentary.get("a", make).await.unwrap().content(), b"new");
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_is_made_once_per_second_for_each_key() {
        let momentary = Momentary::default();
        let made = Arc::new(AtomicUsize::new(0));
        let make = || {
            let made = Arc::clone(&made);
            move || {
                made.fetch_add(1, Ordering::SeqCst);
                Representation::new("text/plain", Cache::Never, "a")
            }
        };
        assert!(momentary.known("a").await.is_none());
        for _ in 0..5 {
            momentary.get("a", make()).await.unwrap();
        }
        assert!(momentary.known("a").await.is_some());
        momentary.get("b", make()).await.unwrap();
        assert_eq!(made.load(Ordering::SeqCst), 2);
        tokio::time::advance(AGE).await;
        assert!(momentary.known("a").await.is_none());
        momentary.get("a", make()).await.unwrap();
        assert_eq!(made.load(Ordering::SeqCst), 3);
    }
}
