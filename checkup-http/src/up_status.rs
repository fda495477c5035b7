//! [`UpStatus`]: which response statuses count as up.

use std::fmt;
use std::ops::RangeInclusive;

use checkup_core::ConfigError;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Which response statuses count as up: `200`, `"2xx"`, `"200-299"`, or a list of these.
///
/// ```
/// use checkup_http::{Http, UpStatus};
///
/// let _ = Http::new("https://example.com").up_status(204);
/// let _ = Http::new("https://example.com").up_status("2xx");
/// let _ = Http::new("https://example.com").up_status(200..=399);
/// let _ = Http::new("https://example.com").up_status(UpStatus::any([UpStatus::from("2xx"), UpStatus::from(404)]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum UpStatus {
    /// This status: `200`. 0 is the default, 200 to 204.
    Code(u16),
    /// A class (`"2xx"`) or a range (`"200-299"`) of statuses, or one (`"200"`).
    Range(String),
    /// Any of these.
    Any(Vec<UpStatus>),
}

impl UpStatus {
    /// Any of these.
    pub fn any(statuses: impl IntoIterator<Item = impl Into<UpStatus>>) -> Self {
        Self::Any(statuses.into_iter().map(Into::into).collect())
    }
}

// Implemented by hand, because the error of a derived implementation says neither what was found nor where.
impl<'de> Deserialize<'de> for UpStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UpStatusVisitor;

        impl<'de> Visitor<'de> for UpStatusVisitor {
            type Value = UpStatus;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_u64<E: de::Error>(self, code: u64) -> Result<UpStatus, E> {
                let code = u16::try_from(code).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(code), &self))?;
                Ok(UpStatus::Code(code))
            }

            fn visit_i64<E: de::Error>(self, code: i64) -> Result<UpStatus, E> {
                let code = u16::try_from(code).map_err(|_| E::invalid_value(de::Unexpected::Signed(code), &self))?;
                Ok(UpStatus::Code(code))
            }

            fn visit_str<E: de::Error>(self, range: &str) -> Result<UpStatus, E> {
                Ok(UpStatus::from(range))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<UpStatus, A::Error> {
                let mut statuses = Vec::new();
                while let Some(status) = list.next_element()? {
                    statuses.push(status);
                }
                Ok(UpStatus::Any(statuses))
            }
        }

        deserializer.deserialize_any(UpStatusVisitor)
    }
}

impl Default for UpStatus {
    fn default() -> Self {
        Self::Code(0)
    }
}

impl From<u16> for UpStatus {
    fn from(code: u16) -> Self {
        Self::Code(code)
    }
}

impl From<&str> for UpStatus {
    fn from(range: &str) -> Self {
        Self::Range(range.to_owned())
    }
}

impl From<RangeInclusive<u16>> for UpStatus {
    fn from(range: RangeInclusive<u16>) -> Self {
        Self::Range(format!("{}-{}", range.start(), range.end()))
    }
}

const EXPECTED: &str = "a status such as 200, \"2xx\" or \"200-299\", or a list of these";

/// The statuses that count as up. Upstream's default, 200 to 204, takes no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatusSet(Box<[RangeInclusive<u16>]>);

/// Upstream's default.
const DEFAULT: RangeInclusive<u16> = 200..=204;

impl StatusSet {
    pub(crate) fn parse(setting: &UpStatus) -> Result<Self, ConfigError> {
        if *setting == UpStatus::default() {
            return Ok(Self::default());
        }
        let mut ranges = Vec::new();
        collect(setting, &mut ranges).map_err(|found| ConfigError::expected("up_status", EXPECTED).found(found))?;
        Ok(Self(ranges.into()))
    }

    pub(crate) fn contains(&self, status: u16) -> bool {
        match &*self.0 {
            [] => DEFAULT.contains(&status),
            ranges => ranges.iter().any(|range| range.contains(&status)),
        }
    }
}

/// Adds the ranges of a setting. The error is the part that is not a range.
fn collect(setting: &UpStatus, ranges: &mut Vec<RangeInclusive<u16>>) -> Result<(), String> {
    match setting {
        UpStatus::Code(code) => ranges.push(range(*code, *code).ok_or_else(|| code.to_string())?),
        UpStatus::Range(text) => ranges.push(parse_range(text).ok_or_else(|| format!("{text:?}"))?),
        UpStatus::Any(settings) if settings.is_empty() => return Err("an empty list".to_owned()),
        UpStatus::Any(settings) => settings.iter().try_for_each(|setting| collect(setting, ranges))?,
    }
    Ok(())
}

fn parse_range(text: &str) -> Option<RangeInclusive<u16>> {
    let text = text.trim();
    if let Some((first, last)) = text.split_once('-') {
        return range(first.trim().parse().ok()?, last.trim().parse().ok()?);
    }
    if let Some(class) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
        let class: u16 = class.parse().ok().filter(|class| *class < 10)?;
        return range(class * 100, class * 100 + 99);
    }
    let code = text.parse().ok()?;
    range(code, code)
}

/// Makes a range of statuses, if they are valid in HTTP (RFC 9110, section 15).
fn range(first: u16, last: u16) -> Option<RangeInclusive<u16>> {
    (first >= 100 && last <= 999 && first <= last).then_some(first..=last)
}

/// Formats a status with its reason, which is the server's or else the standard one: `301 Moved Permanently`.
#[derive(Debug)]
pub(crate) struct StatusLine<'a>(pub(crate) http::StatusCode, pub(crate) &'a [u8]);

impl fmt::Display for StatusLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())?;
        match self.1 {
            [] => self.0.canonical_reason().map_or(Ok(()), |reason| write!(f, " {reason}")),
            reason => write!(f, " {}", checkup_net::excerpt(reason, 80)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(setting: impl Into<UpStatus>) -> Result<StatusSet, ConfigError> {
        StatusSet::parse(&setting.into())
    }

    #[test]
    fn the_default_is_that_of_upstream() {
        let set = set(0).unwrap();
        let up: Vec<u16> = (100..600).filter(|status| set.contains(*status)).collect();
        assert_eq!(up, [200, 201, 202, 203, 204]);
    }

    #[test]
    fn reads_codes_classes_ranges_and_lists() {
        let json = r#"["2xx", "300-302", 404, "410"]"#;
        let setting: UpStatus = serde_json::from_str(json).unwrap();
        let set = set(setting.clone()).unwrap();
        let up = [200, 299, 300, 302, 404, 410].iter().all(|status| set.contains(*status));
        assert!(up && ![199, 303, 399, 403, 405].iter().any(|status| set.contains(*status)));
        assert_eq!(serde_json::to_string(&setting).unwrap(), r#"["2xx","300-302",404,"410"]"#);
    }

    #[test]
    fn refuses_other_values_and_names_them() {
        for text in ["", "xx", "2x", "20xx", "abc", "300-200", "0-99", "1000", "-", "200-"] {
            let error = set(text).unwrap_err().to_string();
            assert!(
                error.starts_with("up_status: expected a status") && error.contains(&format!("{text:?}")),
                "{error}"
            );
        }
        assert!(set(99).is_err() && set(1000).is_err());
        assert!(StatusSet::parse(&UpStatus::Any(vec![])).is_err());
        assert!(StatusSet::parse(&UpStatus::any([0_u16])).is_err());
    }
}
