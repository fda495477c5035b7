//! [`Timestamp`]: a moment in time, as in check files.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment in time: nanoseconds since 1970-01-01T00:00:00Z, as in the check files of the original Checkup.
///
/// The range ends on 2262-04-11; moments outside it saturate.
/// `Display` and `FromStr` use RFC 3339.
///
/// ```
/// use checkup_core::Timestamp;
///
/// let moment: Timestamp = "2016-09-08T07:00:00Z".parse()?;
/// assert_eq!(moment.unix_nanos(), 1_473_318_000_000_000_000);
/// assert_eq!(moment.to_string(), "2016-09-08T07:00:00Z");
/// # Ok::<(), checkup_core::ParseTimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The current time of the system's clock.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// The moment that is `nanos` nanoseconds after the Unix epoch.
    pub const fn from_unix_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn unix_nanos(self) -> i64 {
        self.0
    }

    /// The moment `duration` earlier; saturates at the start of the range.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }

    /// The moment `duration` later; saturates at the end of the range.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later than `self`.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(nanos(after)),
            Err(before) => Self(nanos(before.duration()).saturating_neg()),
        }
    }
}

impl From<Timestamp> for SystemTime {
    fn from(moment: Timestamp) -> Self {
        let distance = Duration::from_nanos(moment.0.unsigned_abs());
        if moment.0 < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // humantime formats no dates before 1970, and health checks are not that old.
        let time = UNIX_EPOCH + Duration::from_nanos(u64::try_from(self.0).unwrap_or(0));
        write!(f, "{}", humantime::format_rfc3339(time))
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_rfc3339(text).map(Self::from).map_err(|_| ParseTimestampError { found: text.into() })
    }
}

/// The text is not a time in UTC in the form of RFC 3339, such as `2016-09-08T07:00:00Z`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as \"2016-09-08T07:00:00Z\", found {found:?}")]
#[non_exhaustive]
pub struct ParseTimestampError {
    /// The text as it was given.
    pub found: String,
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_goes_both_ways() {
        let text = "2026-02-03T04:05:06.000000007Z";
        let moment: Timestamp = text.parse().unwrap();
        assert_eq!(moment.to_string(), text);
        assert_eq!(moment.unix_nanos() % 1_000_000_000, 7);
    }

    #[test]
    fn nonsense_is_refused_with_what_was_found() {
        let error = "yesterday".parse::<Timestamp>().unwrap_err();
        assert_eq!(error.to_string(), "expected a time such as \"2016-09-08T07:00:00Z\", found \"yesterday\"");
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Timestamp::from_unix_nanos(i64::MAX);
        assert_eq!(end.saturating_add(Duration::from_secs(1)), end);
        assert_eq!(Timestamp::from_unix_nanos(5).since(end), Duration::ZERO);
        let before = Timestamp::from_unix_nanos(-5);
        assert_eq!(Timestamp::from(SystemTime::from(before)), before);
    }
}
