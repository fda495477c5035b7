use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Facts, Phases};
use crate::duration;

/// One attempt of a check: how long it took, and why it failed if it did.
///
/// In JSON `{"rtt": 1234567}`, with `error` if it failed. Additions to the format of the original Checkup, if known:
/// `cause`, `retried`, `phases` and `facts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The round-trip time (nanoseconds in JSON). For a failed attempt, the time until it failed.
    #[serde(with = "duration::nanos", default)]
    pub rtt: Duration,
    /// Why the attempt failed; `None` if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "empty_is_none")]
    pub error: Option<Box<str>>,
    /// The kind of failure; `None` if the attempt succeeded, and in files of the original Checkup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// How many tries failed and were repeated before this one (see [`Policy::retries`](crate::Policy::retries)).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retried: u32,
    /// How long each phase took, if the checker reports phases.
    #[serde(default, skip_serializing_if = "Phases::is_empty")]
    pub phases: Phases,
    /// What the attempt learned about its target; `None` if the checker reports no facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Box<Facts>>,
}

impl Attempt {
    /// A successful attempt that took `rtt`.
    pub fn success(rtt: Duration) -> Self {
        Self { rtt, ..Self::default() }
    }

    /// An attempt that failed after `rtt`, for this reason.
    pub fn failure(rtt: Duration, cause: Cause, error: impl Into<String>) -> Self {
        Self { rtt, error: Some(error.into().into()), cause: Some(cause), ..Self::default() }
    }

    /// Whether the attempt succeeded.
    pub fn is_success(&self) -> bool {
        self.error.is_none()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn empty_is_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Box<str>>, D::Error> {
    Ok(Option::<Box<str>>::deserialize(deserializer)?.filter(|error| !error.is_empty()))
}

/// The kind of a failure, to match on. The text of the error has the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Cause {
    /// The attempt did not end within its timeout.
    Timeout,
    /// A name could not be resolved.
    Dns,
    /// The connection was refused.
    Refused,
    /// The connection broke, or the network or host could not be reached.
    Network,
    /// The TLS handshake failed, or a certificate was not valid.
    Tls,
    /// The other side does not speak the protocol.
    Protocol,
    /// The endpoint answered, but not as the check expects.
    Assertion,
    /// The checker panicked.
    Panic,
    /// The monitor itself had trouble: too many open files, no memory, no free local port. This says nothing about the
    /// target. The engine tries again, and a check that could not be tried is [`Unknown`](super::Status::Unknown).
    Monitor,
    /// Anything else, including causes that only later versions know.
    #[serde(other)]
    Other,
}

impl Cause {
    /// The name of the cause, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Timeout => "timeout",
            Cause::Dns => "dns",
            Cause::Refused => "refused",
            Cause::Network => "network",
            Cause::Tls => "tls",
            Cause::Protocol => "protocol",
            Cause::Assertion => "assertion",
            Cause::Panic => "panic",
            Cause::Monitor => "monitor",
            Cause::Other => "other",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
