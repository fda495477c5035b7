//! Answers that are the same for a second, however many ask.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::budget::Budget;
use crate::formats::representation::Representation;

/// How many bytes of answers there are in memory, older ones that clients are reading included.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How long an answer is given again.
const AGE: Duration = Duration::from_secs(1);

/// Answers that take some time to make and change often, by what was asked for. They are made one after another, on a thread where that
/// stops nobody else.
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
    /// The answer of the last second, or else one that `make` makes. The keys must be few: none is forgotten.
    ///
    /// `None` if it panics.
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
        // It has the lock: also if whoever asked goes away, no second one is made meanwhile.
        tokio::task::spawn_blocking(move || keep(answers, key, make())).await.ok()
    }

    /// The answer of the last second.
    pub(crate) async fn known(&self, key: &str) -> Option<Representation> {
        young(&*self.0.lock().await, key)
    }
}

fn young(answers: &Answers, key: &str) -> Option<Representation> {
    answers.made.get(key).filter(|(made, _)| made.elapsed() < AGE).map(|(_, answer)| answer.clone())
}

fn keep(mut answers: OwnedMutexGuard<Answers>, key: String, answer: Representation) -> Representation {
    // Where clients are still reading many older answers, the last one is given once more.
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
    async fn answers_that_are_still_read_are_given_again_when_they_fill_the_memory() {
        let momentary = Momentary::default();
        let mut read = Vec::new();
        for number in 0..10_u8 {
            // 4 MiB that compress to nothing.
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
    async fn an_answer_is_made_once_a_second_for_each_key() {
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
