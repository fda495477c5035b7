//! [`Zone`]: the time zone in which people read times.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;

use crate::Timestamp;

/// A time zone, by its name in the IANA database. Default: UTC.
///
/// ```
/// use checkup_core::{Timestamp, Zone};
///
/// let berlin: Zone = "Europe/Berlin".parse()?;
/// let moment: Timestamp = "2026-07-01T12:00:00Z".parse()?;
/// assert_eq!(berlin.minute(moment), "2026-07-01 14:00 CEST");
/// assert_eq!(Zone::default().minute(moment), "2026-07-01 12:00 UTC");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The moment, to the minute: `2026-11-25 14:03 CET`.
    pub fn minute(&self, moment: Timestamp) -> String {
        self.format("%Y-%m-%d %H:%M %Z", moment)
    }

    /// `from 2026-11-25 14:03 to 14:15 CET`; on different days, `from 2026-11-25 23:50 to 2026-11-26 00:10 CET`.
    pub fn range(&self, from: Timestamp, to: Timestamp) -> String {
        let is_same_day = self.format("%Y-%m-%d", from) == self.format("%Y-%m-%d", to);
        let is_same_offset = self.format("%Z", from) == self.format("%Z", to);
        let from = self.format(if is_same_offset { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M %Z" }, from);
        format!("from {from} to {}", self.format(if is_same_day { "%H:%M %Z" } else { "%Y-%m-%d %H:%M %Z" }, to))
    }

    fn format(&self, format: &str, moment: Timestamp) -> String {
        let moment = jiff::Timestamp::from_nanosecond(moment.unix_nanos().into()).unwrap_or_default();
        moment.to_zoned_datetime(self.0.clone()).strftime(format).to_string()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = ParseZoneError;

    fn from_str(name: &str) -> Result<Self, ParseZoneError> {
        // UTC needs no database.
        match name {
            "UTC" | "Etc/UTC" => Ok(Self::default()),
            name => TimeZone::get(name).map(Self).map_err(|_| ParseZoneError { found: name.to_owned() }),
        }
    }
}

/// By name: `Europe/Berlin`.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.iana_name().unwrap_or("UTC"))
    }
}

/// The text is not the name of a time zone that this system knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time zone such as Europe/Berlin or UTC, found {found:?}")]
#[non_exhaustive]
pub struct ParseZoneError {
    /// The text as it was given.
    pub found: String,
}
