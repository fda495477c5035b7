//! [`Observation`]: what a successful attempt saw.

use std::time::Duration;

use crate::{Facts, Timestamp};

/// What a successful attempt saw.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Observation, Timestamp};
///
/// let plain = Observation::new();
/// let timed = Observation::new().rtt(Duration::from_millis(12));
/// let noticed = Observation::new().degraded("certificate expiring soon (72h0m0s)");
/// let dated = Observation::new().certificate_expiry(Timestamp::now().saturating_add(Duration::from_secs(72 * 3600)));
/// # let _ = (plain, timed, noticed, dated);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// The round-trip time that the checker measured itself, for checkers that must leave out their set-up. `None`: the
    /// time of the whole attempt, which the engine measures.
    pub rtt: Option<Duration>,
    /// Why the check is degraded even though the attempt succeeded.
    pub notice: Option<String>,
    /// What the attempt learned about its target; `None` if nothing.
    pub facts: Option<Box<Facts>>,
}

impl Observation {
    /// An observation without details: the target works.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the round-trip time, instead of the one that the engine measures.
    #[must_use]
    pub fn rtt(mut self, rtt: Duration) -> Self {
        self.rtt = Some(rtt);
        self
    }

    /// Makes the check degraded, with this reason.
    #[must_use]
    pub fn degraded(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }

    /// Records when the certificate that the endpoint presented expires. This is a fact for pages, metrics and alerts,
    /// and does not change the verdict.
    #[must_use]
    pub fn certificate_expiry(mut self, expiry: Timestamp) -> Self {
        self.facts.get_or_insert_default().certificate_expiry = Some(expiry);
        self
    }
}

impl From<()> for Observation {
    fn from((): ()) -> Self {
        Self::new()
    }
}
