//! A limit on the memory of responses that clients are still reading.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The number of bytes per permit.
const UNIT: usize = 1024;

/// A limit on the total size of contents in bytes. A content that many responses share counts once, as long as one of them is
/// being sent or the content is kept for later ones.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    free: Arc<Semaphore>,
    units: usize,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).max(1);
        Self { free: Arc::new(Semaphore::new(units)), units }
    }

    /// The content, counted until its last clone is dropped. `None` if there is no room now.
    pub(crate) fn try_hold(&self, content: &Bytes) -> Option<Bytes> {
        let permit = Arc::clone(&self.free).try_acquire_many_owned(self.units_of(content)).ok()?;
        Some(Held::bytes(content, permit))
    }

    /// The same, but waits for room, up to a time limit. Waiting contents get room in the order of their arrival.
    pub(crate) async fn hold(&self, content: &Bytes, limit: Duration) -> Option<Bytes> {
        let permit = Arc::clone(&self.free).acquire_many_owned(self.units_of(content));
        Some(Held::bytes(content, timeout(limit, permit).await.ok()?.ok()?))
    }

    /// Content that is larger than the budget takes all of it.
    fn units_of(&self, content: &Bytes) -> u32 {
        u32::try_from(content.len().div_ceil(UNIT).min(self.units)).unwrap_or(u32::MAX)
    }
}

struct Held {
    content: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    fn bytes(content: &Bytes, permit: OwnedSemaphorePermit) -> Bytes {
        Bytes::from_owner(Self { content: content.clone(), _permit: permit })
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn content_counts_until_its_last_clone_is_dropped() {
        let budget = Budget::new(8 * UNIT);
        let content = Bytes::from(vec![7; 5 * UNIT]);
        let held = budget.try_hold(&content).unwrap();
        let clone = held.slice(10..20);
        drop(held);
        assert!(budget.try_hold(&content).is_none());
        assert!(budget.hold(&content, Duration::from_secs(1)).await.is_none());
        drop(clone);
        let large = Bytes::from(vec![7; 100 * UNIT]);
        let all = budget.hold(&large, Duration::from_secs(1)).await.unwrap();
        assert_eq!(all.len(), 100 * UNIT, "it may be larger than the budget, alone");
        assert!(budget.try_hold(&content).is_none());
        drop(all);
        assert!(budget.try_hold(&content).is_some());
    }
}
