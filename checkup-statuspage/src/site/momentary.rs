//! Answers that are the same for a second, however many ask.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use crate::formats::representation::Representation;

/// How long an answer is given again.
const AGE: Duration = Duration::from_secs(1);

/// Answers that take some time to make and change often, by what was asked for. They are made one after another, on a thread where that
/// stops nobody else.
#[derive(Debug, Default)]
pub(crate) struct Momentary(Arc<Mutex<Answers>>);

type Answers = HashMap<String, (Instant, Representation)>;

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
    answers.get(key).filter(|(made, _)| made.elapsed() < AGE).map(|(_, answer)| answer.clone())
}

fn keep(mut answers: OwnedMutexGuard<Answers>, key: String, answer: Representation) -> Representation {
    answers.insert(key, (Instant::now(), answer.clone()));
    answer
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::formats::representation::Cache;

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
