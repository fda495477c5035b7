//! Check files: how results are named and written, so that the page and tool of the original Checkup (upstream, a Go
//! program) can read them.
//!
//! A check file is a JSON array of results, named `<nanoseconds since 1970>-check.json`. Check files never change.
//! Readers take the time from the digits before the first `-`, and consider every name that contains `-check.json` a
//! check file (upstream's rules).
//!
//! An entry may also be an operator's post. Then it has the additional key [`post`](crate::Post): `{"id", "at", "posted", "all", "incident",
//! "state", "ended"}`, with times in nanoseconds; only `id` and `at` are always present. Its `message` is the text and its `maintenance` the
//! window. If the latest result of its check is fresh, the entry is a copy of it, so that upstream's page shows the message with the right
//! state. Otherwise it has `"unknown": true` and the time of the post, and is not a measurement. A later version of a post is
//! another entry with the same `id` and a later `at`; a version with `ended` withdraws the post. An edit of a message that has no `post` has the id
//! `r<milliseconds>`, from the time of its result; one of a window without `post` has the id `w<from>-<to>`, with both times in milliseconds.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use crate::{CheckResult, StorageError, StorageErrorKind, Timestamp};

/// What the name of every check file contains.
const MARK: &str = "-check.json";

/// At most this many results are read from one file: several compacted files together, or a run with very many checks.
const MAX_RESULTS: usize = 250_000;

/// The number of digits of the time, for the years from 2001 to 2262.
const TIME_DIGITS: usize = 19;

/// What follows the time in the name of a compacted check file.
pub(crate) const COMPACTED: &str = "compacted-";

/// The name of a check file, which contains its time. Sorts by time, then by name.
///
/// ```
/// use checkup_core::Timestamp;
/// use checkup_core::check_file::FileName;
///
/// let name = FileName::at(Timestamp::from_unix_nanos(1_473_318_000_000_000_000));
/// assert_eq!(name.as_str(), "1473318000000000000-check.json");
/// assert!(FileName::parse("index.json").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    timestamp: Timestamp,
    name: String,
}

impl FileName {
    /// The name of a file that is stored at `moment`. Times before 1970 count as 1970.
    pub fn at(moment: Timestamp) -> Self {
        Self::with(moment, "")
    }

    /// The name of a file with this time, and `middle` between the time and the ending. The time has 19 digits, so that
    /// names sort as their times do. Times before 1970 count as 1970.
    pub(crate) fn with(moment: Timestamp, middle: &str) -> Self {
        let timestamp = moment.max(Timestamp::from_unix_nanos(0));
        let dash = if middle.is_empty() { "" } else { "-" };
        Self { timestamp, name: format!("{:019}{dash}{middle}{MARK}", timestamp.unix_nanos()) }
    }

    /// Parses the name of a check file; `None` for any other name. Names with control characters are refused.
    pub fn parse(name: &str) -> Option<Self> {
        let (digits, _) = name.split_once('-')?;
        if !name.contains(MARK)
            || name.contains(['/', '\\'])
            || name.chars().any(char::is_control)
            || !digits.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let timestamp = Timestamp::from_unix_nanos(digits.parse().ok()?);
        Some(Self { timestamp, name: name.to_owned() })
    }

    /// The time in the name: when the file was stored.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Whether the name has the form that storages write, so that they may remove the file: 19 digits of time, and
    /// `-check.json` at its end. Readers accept more names as check files, as in upstream; a
    /// `2024-01-01-check.json.bak` belongs to an operator.
    pub fn is_removable(&self) -> bool {
        self.name.ends_with(MARK) && self.name.find('-') == Some(TIME_DIGITS)
    }

    /// Whether the file was compacted from others, which are deleted once it exists ([`archive`](crate::archive)).
    pub fn is_compacted(&self) -> bool {
        self.after_the_time().starts_with(COMPACTED)
    }

    /// What follows the digits and the first `-`.
    pub(crate) fn after_the_time(&self) -> &str {
        self.name.split_once('-').map_or("", |(_, rest)| rest)
    }

    /// The name. It contains no path separators.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// The content of a check file: the array of results, and a newline.
///
/// # Errors
///
/// None in practice: every result can be written as JSON.
pub fn encode(results: &[CheckResult]) -> Result<Vec<u8>, StorageError> {
    let mut bytes =
        serde_json::to_vec(results).map_err(|e| StorageError::new("cannot encode results").with_source(e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Decodes the content of a check file.
///
/// # Errors
///
/// [`StorageErrorKind::Corrupt`] if it is not an array of results, or has more than 250,000 of them.
pub fn decode(content: &[u8]) -> Result<Vec<CheckResult>, StorageError> {
    serde_json::from_slice::<Bounded>(content)
        .map(|results| results.0)
        .map_err(|e| StorageError::new("not a check file").with_kind(StorageErrorKind::Corrupt).with_source(e))
}

/// At most [`MAX_RESULTS`] results, which limits the memory for one file.
struct Bounded(Vec<CheckResult>);

impl<'de> Deserialize<'de> for Bounded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Results;

        impl<'de> Visitor<'de> for Results {
            type Value = Bounded;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an array of at most {MAX_RESULTS} results")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bounded, A::Error> {
                let mut results = Vec::new();
                while let Some(result) = items.next_element()? {
                    if results.len() == MAX_RESULTS {
                        return Err(serde::de::Error::invalid_length(MAX_RESULTS + 1, &self));
                    }
                    results.push(result);
                }
                Ok(Bounded(results))
            }
        }

        deserializer.deserialize_seq(Results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        let name = FileName::at(Timestamp::from_unix_nanos(42));
        assert_eq!(FileName::parse(name.as_str()), Some(name));
        let located = FileName::parse("42-eu-check.json").unwrap();
        assert_eq!(located.timestamp().unix_nanos(), 42);
    }

    #[test]
    fn names_of_other_files_are_refused() {
        for name in [
            "index.json",
            "42.json",
            "x42-check.json",
            "-check.json",
            "../42-check.json",
            "42-check.json/..",
            "42-\u{1b}[2J-check.json",
            "42-x\n WARN forged-check.json",
            "42-\u{9b}-check.json",
            "99999999999999999999-check.json",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn only_names_that_storages_write_are_removable() {
        let removable = |name: &str| FileName::parse(name).unwrap().is_removable();
        assert!(removable("1473318000000000000-check.json") && removable("1473318000000000000-eu-check.json"));
        for name in
            ["2024-01-01-check.json.bak", "20240101-notes-check.json-old.txt", "1473318000000000000-check.jsonx"]
        {
            assert!(!removable(name), "{name}");
        }
        assert_eq!(FileName::at(Timestamp::from_unix_nanos(-5)).timestamp(), Timestamp::default());
    }

    #[test]
    fn a_file_of_too_many_results_is_refused() {
        let content = |count| format!("[{}]", vec![r#"{"down":true}"#; count].join(","));
        assert_eq!(decode(content(MAX_RESULTS).as_bytes()).unwrap().len(), MAX_RESULTS);
        assert_eq!(decode(content(MAX_RESULTS + 1).as_bytes()).unwrap_err().kind(), StorageErrorKind::Corrupt);
    }

    #[test]
    fn content_is_read_back_and_ends_with_a_newline() {
        let results = vec![CheckResult::new("a", "b"), CheckResult::new("c", "d")];
        let content = encode(&results).unwrap();
        assert_eq!(content.last(), Some(&b'\n'));
        assert_eq!(decode(&content).unwrap(), results);
        let torn = decode(&content[..content.len() / 2]).unwrap_err();
        assert_eq!(torn.kind(), StorageErrorKind::Corrupt);
    }
}
