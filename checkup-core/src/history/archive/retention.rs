//! [`Retention`]: how long an archive keeps check files and daily statistics, and whether it compacts.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// How long daily statistics are kept by default: a year, and a month for comparison.
pub const SUMMARY_EXPIRY: Duration = Duration::from_secs(400 * 24 * 3600);

/// How long an [`Archive`](super::Archive) keeps check files and daily statistics, and whether it compacts.
///
/// Storages flatten it into their own settings, so that these keys have the same meaning in each of them:
///
/// ```
/// use std::time::Duration;
/// use checkup_core::archive::Retention;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Table {
///     name: String,
///     #[serde(flatten)]
///     retention: Retention,
/// }
///
/// let table: Table = serde_json::from_str(r#"{"name": "checks", "check_expiry": "90d"}"#)?;
/// assert_eq!(table.retention, Retention::new().check_expiry(Duration::from_secs(90 * 24 * 3600)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct Retention {
    /// The age at which a check file is removed, such as "720h" or "30d", by the time in its name. 0 keeps all of them.
    /// Default: 0. A compacted file is kept until its latest result expires: up to a day longer. If this is less than
    /// two days, `summary.json` has only partial statistics for each day.
    #[serde(with = "crate::duration", skip_serializing_if = "Duration::is_zero")]
    #[cfg_attr(feature = "config", schemars(with = "crate::config::DurationSchema"))]
    pub check_expiry: Duration,
    /// How long `summary.json` keeps the statistics of a day, such as "400d". They outlast the check files. 0 keeps all
    /// of them. Default: 400 days.
    #[serde(with = "crate::duration", skip_serializing_if = "is_summary_expiry")]
    #[cfg_attr(feature = "config", schemars(with = "crate::config::DurationSchema"))]
    pub summary_expiry: Duration,
    /// Whether the check files of closed hours and days are compacted: merged into one check file for each, with the
    /// same results. Default: true.
    #[serde(deserialize_with = "flag", skip_serializing_if = "is_yes")]
    #[cfg_attr(feature = "config", schemars(with = "bool"))]
    pub compact: bool,
}

impl Retention {
    /// Keeps every check file, keeps the statistics of 400 days, and compacts.
    pub const fn new() -> Self {
        Self { check_expiry: Duration::ZERO, summary_expiry: SUMMARY_EXPIRY, compact: true }
    }

    /// Sets the age at which check files are removed; zero keeps all. Default: zero.
    #[must_use]
    pub const fn check_expiry(mut self, check_expiry: Duration) -> Self {
        self.check_expiry = check_expiry;
        self
    }

    /// Sets how long the statistics of a day are kept; zero keeps all. Default: [`SUMMARY_EXPIRY`], 400 days.
    #[must_use]
    pub const fn summary_expiry(mut self, summary_expiry: Duration) -> Self {
        self.summary_expiry = summary_expiry;
        self
    }

    /// Sets whether the check files of closed hours and days are compacted. Default: true.
    #[must_use]
    pub const fn compact(mut self, compact: bool) -> Self {
        self.compact = compact;
        self
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::new()
    }
}

/// A boolean, or its text: for a flattened value, the code that reads `"true"` from an environment variable as a
/// boolean does not run.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Flag;

    impl Visitor<'_> for Flag {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a boolean")
        }

        fn visit_bool<E>(self, flag: bool) -> Result<bool, E> {
            Ok(flag)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<bool, E> {
            text.trim().parse().map_err(|_| E::invalid_type(serde::de::Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_any(Flag)
}

fn is_summary_expiry(expiry: &Duration) -> bool {
    *expiry == SUMMARY_EXPIRY
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_from_the_defaults_is_written_and_read_back() {
        let day = Duration::from_secs(24 * 3600);
        for (retention, json) in [
            (Retention::new(), "{}"),
            (Retention::new().check_expiry(7 * day), r#"{"check_expiry":"168h0m0s"}"#),
            (Retention::new().summary_expiry(Duration::ZERO), r#"{"summary_expiry":"0s"}"#),
            (Retention::new().compact(false), r#"{"compact":false}"#),
        ] {
            assert_eq!(serde_json::to_string(&retention).unwrap(), json);
            assert_eq!(serde_json::from_str::<Retention>(json).unwrap(), retention);
        }
        assert_eq!(
            serde_json::from_str::<Retention>(r#"{"compact":" false"}"#).unwrap(),
            Retention::new().compact(false)
        );
        assert!(serde_json::from_str::<Retention>(r#"{"compact":"no"}"#).is_err());
    }
}
