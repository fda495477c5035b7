//! [`Facts`]: what an attempt learned about its target.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What an attempt learned about its target, as data: pages, metrics and alerts use it and never parse messages.
///
/// In JSON `{"certificate_expiry": 1795310912000000000}`, in nanoseconds since 1970; absent facts are omitted. An addition to
/// the format of the original Checkup.
///
/// ```
/// use checkup_core::{Facts, Timestamp};
///
/// let facts = Facts::new().certificate_expiry(Timestamp::from_unix_nanos(1_795_310_912_000_000_000));
/// assert_eq!(serde_json::to_string(&facts)?, r#"{"certificate_expiry":1795310912000000000}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Facts {
    /// When the certificate that the endpoint presented expires; the earliest expiry in its chain. `None` if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_expiry: Option<Timestamp>,
}

impl Facts {
    /// No facts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets when the certificate that the endpoint presented expires.
    #[must_use]
    pub fn certificate_expiry(mut self, expiry: Timestamp) -> Self {
        self.certificate_expiry = Some(expiry);
        self
    }

    /// Whether there are no facts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
