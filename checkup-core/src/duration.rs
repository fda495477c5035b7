//! Durations as people and config files write them.
//!
//! The syntax is that of Go, the language of the original Checkup (upstream), plus days and weeks: a sequence of decimal numbers,
//! each with a unit, such as `"300ms"`, `"1.5h"`, `"1m30s"` or `"2w"`. Units: `ns`, `us` (or `µs`), `ms`, `s`,
//! `m`, `h`, `d`, `w`. In JSON a duration may also be an integer in nanoseconds, the form that upstream writes.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// The smallest integer that a config may use (other than 0): 0.1 ms in nanoseconds. An integer such as `30` means seconds, and
/// a `check_expiry` of 30 nanoseconds would remove every check file.
const MIN_INTEGER: u64 = 100_000;

/// The longest duration that check files can hold: 2^63 - 1 nanoseconds, about 292 years.
const MAX_NANOS: u128 = i64::MAX as u128;

/// Parses a duration such as `"1m30s"`.
///
/// # Errors
///
/// If the text is not a sequence of numbers with units, is negative, or is longer than about 292 years.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::duration;
///
/// assert_eq!(duration::parse("1m30s")?, Duration::from_secs(90));
/// assert_eq!(duration::parse("1.5h")?, Duration::from_secs(5400));
/// assert!(duration::parse("5 bananas").is_err());
/// # Ok::<(), duration::ParseDurationError>(())
/// ```
pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    let fail = || ParseDurationError { found: text.to_owned() };
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(fail());
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(fail)?;
        let (number, after) = rest.split_at(number_end);
        let after = after.trim_start();
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(fail)?;
        total = total.checked_add(scale(number, *nanos).ok_or_else(fail)?).ok_or_else(fail)?;
        rest = after.trim_start();
    }
    if total > MAX_NANOS {
        return Err(fail());
    }
    u64::try_from(total).map(Duration::from_nanos).map_err(|_| fail())
}

/// `number` (decimal, with an optional fraction) times `unit`, rounded down to whole nanoseconds.
fn scale(number: &str, unit: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // 18 digits fit into a u64, and are precise enough to resolve a nanosecond in a week.
    let fraction = &fraction[..fraction.len().min(18)];
    let numerator: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let denominator = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    Some(u128::from(whole) * u128::from(unit) + u128::from(numerator) * u128::from(unit) / denominator)
}

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration such as \"500ms\" or \"1m30s\", found {found:?}{}", unit_hint(found))]
#[non_exhaustive]
pub struct ParseDurationError {
    /// The text that was given.
    pub found: String,
}

/// Words for units, by how they begin. Of several, the first applies.
const UNIT_WORDS: [(&str, &str); 9] = [
    ("", "s"),
    ("msec", "ms"),
    ("milli", "ms"),
    ("s", "s"),
    ("mo", ""),
    ("m", "m"),
    ("h", "h"),
    ("d", "d"),
    ("w", "w"),
];

/// `; did you mean "10s"?` for a number without a unit, or with a word for it, such as `10 seconds`.
fn unit_hint(found: &str) -> String {
    let found = found.trim().to_ascii_lowercase();
    let (number, word) = found.split_at(found.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(found.len()));
    let word = word.trim();
    let is_word = word.chars().all(|c| c.is_ascii_alphabetic());
    let unit = UNIT_WORDS.iter().find(|(start, _)| word == *start || !start.is_empty() && word.starts_with(start));
    let meant = unit.filter(|(_, unit)| is_word && !unit.is_empty()).map(|(_, unit)| format!("{number}{unit}"));
    match meant.filter(|meant| parse(meant).is_ok()) {
        Some(meant) => format!("; did you mean {meant:?}?"),
        None => String::new(),
    }
}

/// A number in a config, with a guess at its unit: the number alone would mean nanoseconds.
fn without_unit(number: impl fmt::Display) -> String {
    let number = number.to_string();
    format!("{number}{}", unit_hint(&number))
}

/// Displays a duration in Go's format, as in upstream's notifications: `500ms`, `1m30s`, `336h0m0s`.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::duration::GoDuration;
///
/// assert_eq!(GoDuration(Duration::from_millis(1500)).to_string(), "1.5s");
/// assert_eq!(GoDuration(Duration::from_secs(14 * 24 * 3600)).to_string(), "336h0m0s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::exhaustive_structs, reason = "a display adapter of one value")]
pub struct GoDuration(pub Duration);

impl GoDuration {
    /// The duration rounded to three significant digits, or to whole seconds from one minute on, for easy comparison.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkup_core::duration::GoDuration;
    ///
    /// assert_eq!(GoDuration::rounded(Duration::from_nanos(1_238_199)).to_string(), "1.24ms");
    /// assert_eq!(GoDuration::rounded(Duration::from_millis(83_456)).to_string(), "1m23s");
    /// ```
    pub fn rounded(duration: Duration) -> Self {
        let nanos = duration.as_nanos();
        let mut unit = 1;
        while nanos / unit >= 1000 {
            unit *= 10;
        }
        // Minutes and hours are not decimal; whole seconds are precise enough.
        let unit = if nanos >= 60_000_000_000 { 1_000_000_000 } else { unit };
        let rounded = (nanos + unit / 2) / unit * unit;
        Self(u64::try_from(rounded).map_or(Duration::MAX, Duration::from_nanos))
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let text = match nanos {
            0 => "0s".to_owned(),
            1..1_000 => format!("{nanos}ns"),
            1_000..1_000_000 => format!("{}µs", decimal(nanos, 3)),
            1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 6)),
            _ => {
                let minutes = nanos / 60_000_000_000;
                let seconds = decimal(nanos % 60_000_000_000, 9);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => format!("{seconds}s"),
                    (0, m) => format!("{m}m{seconds}s"),
                    (h, m) => format!("{h}h{m}m{seconds}s"),
                }
            }
        };
        f.pad(&text)
    }
}

/// `value / 10^digits` without trailing zeros.
fn decimal(value: u128, digits: usize) -> String {
    let scale = 10_u128.pow(u32::try_from(digits).unwrap_or(0));
    let fraction = format!("{:0digits$}", value % scale);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{}{dot}{fraction}", value / scale)
}

/// Serialises a duration like upstream, as an integer in nanoseconds. For `#[serde(with = "duration::nanos")]`
/// on fields that only programs write; reading accepts strings too.
pub mod nanos {
    use serde::Deserialize;
    use serde::de::{Error as _, Unexpected};

    use super::{Deserializer, Duration, Serializer};

    /// Writes integer nanoseconds; saturates at 2^63 - 1.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Reads integer nanoseconds of any size, or a string.
    ///
    /// # Errors
    ///
    /// If the value is not a duration, or is negative.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let nanos = i64::deserialize(deserializer)?;
        let negative = || D::Error::invalid_value(Unexpected::Signed(nanos), &"nanoseconds, 0 or more");
        u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| negative())
    }
}

/// Writes a duration as a string in Go's format, which config files accept. For `#[serde(with = "duration")]`.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&GoDuration(*duration))
}

/// Reads a duration: a string such as `"1m30s"`, or integer nanoseconds, which must be 0 or at least 100,000, since smaller
/// numbers are probably a mistake.
///
/// # Errors
///
/// If the value is neither, or is negative.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct DurationVisitor;

    impl Visitor<'_> for DurationVisitor {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration such as \"500ms\" or \"1m30s\"")
        }

        fn visit_u64<E: de::Error>(self, nanos: u64) -> Result<Duration, E> {
            if i64::try_from(nanos).is_err() {
                return Err(E::invalid_value(de::Unexpected::Unsigned(nanos), &self));
            }
            if (1..MIN_INTEGER).contains(&nanos) {
                return Err(E::invalid_value(de::Unexpected::Other(&without_unit(nanos)), &self));
            }
            Ok(Duration::from_nanos(nanos))
        }

        fn visit_i64<E: de::Error>(self, nanos: i64) -> Result<Duration, E> {
            u64::try_from(nanos)
                .map(Duration::from_nanos)
                .map_err(|_| E::invalid_value(de::Unexpected::Signed(nanos), &self))
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<Duration, E> {
            Err(E::invalid_value(de::Unexpected::Other(&without_unit(number)), &self))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
            parse(text).map_err(|error| {
                let found = format!("{text:?}{}", unit_hint(&error.found));
                E::invalid_value(de::Unexpected::Other(&found), &self)
            })
        }
    }

    deserializer.deserialize_any(DurationVisitor)
}

/// The same for `Option<Duration>`: `#[serde(with = "duration::option")]`, with `default` and
/// `skip_serializing_if = "Option::is_none"`.
pub mod option {
    use super::{Deserializer, Duration, Serializer};

    /// Writes the duration as a string, or null.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads integer nanoseconds or a string.
    ///
    /// # Errors
    ///
    /// If the value is neither, or is negative.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_durations_and_days_and_weeks() {
        for (text, nanos) in [
            ("0", 0),
            ("1ns", 1),
            ("1.5us", 1_500),
            ("2µs", 2_000),
            ("500ms", 500_000_000),
            ("1m30s", 90_000_000_000),
            ("1m 30s", 90_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("0.000000001s", 1),
            ("1d", 86_400_000_000_000),
            ("2w", 1_209_600_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            " ",
            "1",
            "s",
            "-1s",
            "1x",
            "1..5s",
            ".s",
            "1e3s",
            "5 bananas",
            "300000000000h",
            "9999999999999999999999s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_unit_is_suggested() {
        for (text, meant) in [
            ("10", Some("10s")),
            ("1.5", Some("1.5s")),
            ("5 seconds", Some("5s")),
            ("5SEC", Some("5s")),
            ("100 millis", Some("100ms")),
            ("3 minutes", Some("3m")),
            ("2hours", Some("2h")),
            ("7 days", Some("7d")),
            ("3 months", None),
            ("5 bananas", None),
            ("soon", None),
            ("seconds", None),
        ] {
            let error = parse(text).unwrap_err().to_string();
            let hint = meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"));
            assert!(error.ends_with(&format!("found {text:?}{hint}")), "{error}");
        }
    }

    #[test]
    fn displays_durations_like_go() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (3_600_000_000_000, "1h0m0s"),
        ] {
            assert_eq!(GoDuration(Duration::from_nanos(nanos)).to_string(), text);
        }
    }

    #[test]
    fn an_integer_that_is_too_small_for_nanoseconds_is_refused() {
        #[derive(Debug, serde::Deserialize)]
        struct Config(#[serde(with = "super")] Duration);
        let error = serde_json::from_str::<Config>("30").unwrap_err().to_string();
        let expected = "expected a duration such as \"500ms\" or \"1m30s\"";
        assert!(error.contains(&format!("30; did you mean \"30s\"?, {expected}")), "{error}");
        assert_eq!(serde_json::from_str::<Config>("0").unwrap().0, Duration::ZERO);
        assert_eq!(serde_json::from_str::<Config>("500000000").unwrap().0, Duration::from_millis(500));
    }

    #[test]
    fn every_displayed_duration_reads_back() {
        for nanos in [1, 999, 1_001, 999_999, 1_000_001, 59_999_999_999, 86_400_000_000_001, i64::MAX as u64] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(parse(&GoDuration(duration).to_string()), Ok(duration));
        }
    }
}
