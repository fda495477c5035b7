use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Facts;
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
    pub error: Option<String>,
    /// The kind of failure; `None` if the attempt succeeded, and in files of the original Checkup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// How many tries failed and were repeated before this one (see [`Policy::retries`](crate::Policy::retries)).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retried: u32,
    /// How long each phase took, if the checker reports phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<Box<Phases>>,
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
        Self { rtt, error: Some(error.into()), cause: Some(cause), ..Self::default() }
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

fn empty_is_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|error| !error.is_empty()))
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

/// A phase of an attempt. Checkers mark it with [`Phase::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Resolving the name.
    Dns,
    /// Opening the connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From the request to the first byte of the answer.
    FirstByte,
    /// Receiving the rest of the answer.
    Transfer,
}

/// How long each phase of an attempt took; `None` for a phase that did not happen or is not known.
///
/// In JSON `{"dns": 1200, "connect": 3400, …}`, in nanoseconds, absent parts omitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Phases {
    /// Resolving the name.
    #[serde(with = "optional_nanos", skip_serializing_if = "Option::is_none")]
    pub dns: Option<Duration>,
    /// Opening the connection.
    #[serde(with = "optional_nanos", skip_serializing_if = "Option::is_none")]
    pub connect: Option<Duration>,
    /// The TLS handshake.
    #[serde(with = "optional_nanos", skip_serializing_if = "Option::is_none")]
    pub tls: Option<Duration>,
    /// From the request to the first byte of the answer.
    #[serde(with = "optional_nanos", skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<Duration>,
    /// Receiving the rest of the answer.
    #[serde(with = "optional_nanos", skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Duration>,
}

impl Phases {
    /// The time of one phase, for changing: the times of repeated phases (redirects) add up.
    pub(crate) fn slot(&mut self, phase: Phase) -> &mut Option<Duration> {
        match phase {
            Phase::Dns => &mut self.dns,
            Phase::Connect => &mut self.connect,
            Phase::Tls => &mut self.tls,
            Phase::FirstByte => &mut self.first_byte,
            Phase::Transfer => &mut self.transfer,
        }
    }
}

mod optional_nanos {
    use super::{Duration, duration};

    pub(super) fn serialize<S: serde::Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => duration::nanos::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        duration::nanos::deserialize(deserializer).map(Some)
    }
}
