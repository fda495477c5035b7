use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

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

/// How long each phase of an attempt took. A phase that did not happen, or is not known, has no time.
///
/// In JSON `{"dns": 1200, "connect": 3400, …}`, in nanoseconds, absent phases omitted.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Phase, Phases};
///
/// let phases = Phases::from_iter([(Phase::Dns, Duration::from_millis(2)), (Phase::Connect, Duration::from_millis(3))]);
/// assert_eq!(phases.get(Phase::Connect), Some(Duration::from_millis(3)));
/// assert_eq!(phases.get(Phase::Tls), None);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Reading")]
pub struct Phases {
    /// One more than the nanoseconds of each phase: half the size of durations, and a report may have a hundred thousand.
    times: [Option<NonZeroU64>; Phase::ALL.len()],
}

impl Phase {
    /// All phases, in the order in which they happen.
    pub const ALL: [Phase; 5] = [Phase::Dns, Phase::Connect, Phase::Tls, Phase::FirstByte, Phase::Transfer];

    /// The name of the phase, as in JSON: `dns`, `connect`, `tls`, `first_byte` or `transfer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Dns => "dns",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::FirstByte => "first_byte",
            Phase::Transfer => "transfer",
        }
    }
}

impl Phases {
    /// How long this phase took.
    pub fn get(&self, phase: Phase) -> Option<Duration> {
        self.times[phase as usize].map(|time| Duration::from_nanos(time.get() - 1))
    }

    /// Whether no phase is known.
    pub fn is_empty(&self) -> bool {
        self.times.iter().all(Option::is_none)
    }

    /// The phases that are known, in the order of [`Phase::ALL`], each with its time.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, Duration)> + '_ {
        Phase::ALL.into_iter().filter_map(|phase| Some((phase, self.get(phase)?)))
    }

    /// Adds time to a phase: the times of repeated phases (redirects) add up. The longest time is about 584 years.
    pub fn add(&mut self, phase: Phase, time: Duration) {
        let nanos = self.get(phase).unwrap_or_default().saturating_add(time).as_nanos();
        self.times[phase as usize] = Some(NonZeroU64::MIN.saturating_add(u64::try_from(nanos).unwrap_or(u64::MAX)));
    }
}

impl FromIterator<(Phase, Duration)> for Phases {
    fn from_iter<I: IntoIterator<Item = (Phase, Duration)>>(times: I) -> Self {
        let mut phases = Self::default();
        times.into_iter().for_each(|(phase, time)| phases.add(phase, time));
        phases
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Phases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (phase, time) in self.iter() {
            object.serialize_entry(phase.as_str(), &Nanos(time))?;
        }
        object.end()
    }
}

/// The JSON of phases, to read it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Reading {
    dns: Option<Nanos>,
    connect: Option<Nanos>,
    tls: Option<Nanos>,
    first_byte: Option<Nanos>,
    transfer: Option<Nanos>,
}

impl From<Reading> for Phases {
    fn from(read: Reading) -> Self {
        let times = [read.dns, read.connect, read.tls, read.first_byte, read.transfer];
        Phase::ALL.into_iter().zip(times).filter_map(|(phase, time)| Some((phase, time?.0))).collect()
    }
}

/// A duration in nanoseconds.
#[derive(Serialize, Deserialize)]
struct Nanos(#[serde(with = "crate::duration::nanos")] Duration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_that_took_no_time_is_known_and_repeated_ones_add_up() {
        let mut phases = Phases::from_iter([(Phase::Tls, Duration::ZERO)]);
        assert_eq!((phases.get(Phase::Tls), phases.get(Phase::Dns)), (Some(Duration::ZERO), None));
        phases.add(Phase::Tls, Duration::from_nanos(2));
        phases.add(Phase::Tls, Duration::from_nanos(3));
        assert_eq!(phases.iter().collect::<Vec<_>>(), [(Phase::Tls, Duration::from_nanos(5))]);
        phases.add(Phase::Tls, Duration::MAX);
        assert_eq!(phases.get(Phase::Tls), Some(Duration::from_nanos(u64::MAX - 1)));
    }

    #[test]
    fn the_json_has_the_known_phases_and_phases_of_later_versions_are_accepted() {
        let text = r#"{"dns":1,"connect":0,"tls":3,"first_byte":4,"transfer":5}"#;
        let phases: Phases = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&phases).unwrap(), text);
        let phases: Phases = serde_json::from_str(r#"{"quic":{"a":1},"tls":3}"#).unwrap();
        assert_eq!(serde_json::to_string(&phases).unwrap(), r#"{"tls":3}"#);
        assert!(serde_json::from_str::<Phases>(r#"{"tls":"3"}"#).is_err());
    }
}
