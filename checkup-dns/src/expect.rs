//! [`Expect`]: what an answer must contain.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use checkup_core::{ConfigError, ConfigProblems, Failure, Sourced};
use hickory_proto::rr::RecordType;
use regex::Regex;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// What the answer of a DNS server must contain, for the check to be healthy.
///
/// Records are compared by their text, as in zone files: an address, `10 mail.example.org` for MX, `0 5 5060 sip.example.org`
/// for SRV, and the joined texts of a TXT record. Names and hexadecimal data are compared in lower case, names without their
/// trailing dot, and addresses by value (`2001:DB8:0::1` equals `2001:db8::1`).
///
/// ```
/// use checkup_dns::Expect;
///
/// let all: Expect = serde_json::from_str(r#"["192.0.2.1", "192.0.2.2"]"#)?;
/// assert_eq!(all, Expect::Contains(vec!["192.0.2.1".into(), "192.0.2.2".into()]));
///
/// let exactly: Expect = serde_json::from_str(r#"{"exactly": ["192.0.2.1"]}"#)?;
/// assert_eq!(exactly, Expect::Exactly(vec!["192.0.2.1".into()]));
///
/// let matches: Expect = serde_json::from_str(r#"{"matches": "^v=spf1 "}"#)?;
/// assert_eq!(matches, Expect::Matches("^v=spf1 ".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expect {
    /// The answer contains all of these records, and possibly others. In JSON, an array.
    Contains(Vec<String>),
    /// The answer contains exactly these records, in any order, or none if the list is empty. In JSON, `{"exactly": […]}`.
    Exactly(Vec<String>),
    /// At least one record of the answer matches this regular expression. In JSON, `{"matches": "…"}`.
    ///
    /// The syntax is that of the crate `regex`, including Unicode classes. The expression is tried on each record.
    Matches(String),
}

impl From<&str> for Expect {
    fn from(record: &str) -> Self {
        Self::Contains(vec![record.to_owned()])
    }
}

impl<S: Into<String>> FromIterator<S> for Expect {
    fn from_iter<I: IntoIterator<Item = S>>(records: I) -> Self {
        Self::Contains(records.into_iter().map(Into::into).collect())
    }
}

/// The variants of [`Expect`] that are objects in JSON.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Object {
    /// These records and no others.
    Exactly(Vec<String>),
    /// A regular expression that at least one record matches.
    Matches(String),
}

impl Serialize for Expect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Expect::Contains(records) => records.serialize(serializer),
            Expect::Exactly(records) => Object::Exactly(records.clone()).serialize(serializer),
            Expect::Matches(pattern) => Object::Matches(pattern.clone()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Implemented by hand, because the errors of `untagged` do not say what is wrong.
        struct ExpectVisitor;

        impl<'de> Visitor<'de> for ExpectVisitor {
            type Value = Expect;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"an array of records, {"exactly": [records]} or {"matches": "regex"}"#)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Expect, A::Error> {
                let mut records = Vec::new();
                while let Some(record) = seq.next_element()? {
                    records.push(record);
                }
                Ok(Expect::Contains(records))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expect, A::Error> {
                Ok(match Object::deserialize(MapAccessDeserializer::new(map))? {
                    Object::Exactly(records) => Expect::Exactly(records),
                    Object::Matches(pattern) => Expect::Matches(pattern),
                })
            }
        }

        deserializer.deserialize_any(ExpectVisitor)
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for Expect {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                {"type": "array", "items": {"type": "string"}, "description": "Records that the answer must contain."},
                generator.subschema_for::<Object>(),
            ]
        })
    }
}

/// [`Expect`], ready to judge answers.
#[derive(Clone, Debug)]
pub(crate) enum Expectation {
    /// At least one record.
    Any,
    Contains(Vec<Wanted>),
    /// Sorted, each once.
    Exactly(Vec<Wanted>),
    Matches(Pattern),
}

/// The canonical text of an expected record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    text: String,
    /// As messages show it, if that is different: without values from the environment.
    shown: Option<Box<str>>,
}

#[derive(Clone)]
pub(crate) struct Pattern {
    regex: Regex,
    /// As messages show it.
    shown: Box<str>,
}

impl Wanted {
    fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.text)
    }
}

impl From<String> for Wanted {
    fn from(text: String) -> Self {
        Self { text, shown: None }
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), f)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, f)
    }
}

impl Expectation {
    pub(crate) fn new(expect: Option<&Expect>, record_type: RecordType) -> Result<Self, ConfigError> {
        match expect {
            None => Ok(Self::Any),
            Some(Expect::Contains(records)) if records.is_empty() => Err(ConfigError::invalid(
                "expect",
                "expected at least one record, found an empty array; leave `expect` out for any record, \
                 or write {\"exactly\": []} for none",
            )),
            Some(Expect::Contains(records)) => Ok(Self::Contains(canonical_all(records, record_type, "expect")?)),
            Some(Expect::Exactly(records)) => {
                let mut records = canonical_all(records, record_type, "expect.exactly")?;
                records.sort_unstable();
                records.dedup_by(|a, b| a.text == b.text);
                Ok(Self::Exactly(records))
            }
            Some(Expect::Matches(pattern)) => {
                let regex = Regex::new(pattern).map_err(|error| {
                    let message = format!("expected a regular expression, found {pattern:?}: {error}");
                    ConfigError::invalid("expect.matches", message)
                })?;
                Ok(Self::Matches(Pattern { regex, shown: Sourced::of_settings(pattern).redacted().into() }))
            }
        }
    }

    /// Whether the expectation is that there are no records.
    pub(crate) fn wants_none(&self) -> bool {
        matches!(self, Self::Exactly(records) if records.is_empty())
    }

    /// Judges the records of an answer, in canonical text.
    pub(crate) fn judge(&self, found: &[String]) -> Result<(), Failure> {
        let (answer, does, is) = if found.len() == 1 { ("answer", "does", "is") } else { ("answers", "do", "are") };
        let shown = list(found.iter().map(String::as_str));
        match self {
            Self::Any => Ok(()),
            Self::Contains(expected) => {
                let missing: Vec<_> = expected.iter().filter(|record| !found.contains(&record.text)).collect();
                if missing.is_empty() {
                    return Ok(());
                }
                let missing = list(missing.into_iter().map(Wanted::shown));
                Err(Failure::assertion(format!("{answer} {shown} {does} not contain {missing}")))
            }
            Self::Exactly(expected) => {
                let mut sorted = found.to_vec();
                sorted.sort_unstable();
                sorted.dedup();
                if sorted.iter().eq(expected.iter().map(|record| &record.text)) {
                    return Ok(());
                }
                let wanted = match expected.is_empty() {
                    true => "no records".to_owned(),
                    false => list(expected.iter().map(Wanted::shown)),
                };
                Err(Failure::assertion(format!("{answer} {shown} {is} not exactly {wanted}")))
            }
            Self::Matches(pattern) => {
                if found.iter().any(|record| pattern.regex.is_match(record)) {
                    return Ok(());
                }
                Err(Failure::assertion(format!("{answer} {shown} {does} not match '{}'", pattern.shown)))
            }
        }
    }
}

/// The text of a record, in the form that is compared.
pub(crate) fn canonical(text: &str, record_type: RecordType) -> String {
    match record_type {
        RecordType::A => text.trim().parse::<Ipv4Addr>().map_or_else(|_| text.to_owned(), |ip| ip.to_string()),
        RecordType::AAAA => text.trim().parse::<Ipv6Addr>().map_or_else(|_| text.to_owned(), |ip| ip.to_string()),
        RecordType::CNAME
        | RecordType::ANAME
        | RecordType::NS
        | RecordType::PTR
        | RecordType::MX
        | RecordType::SRV
        | RecordType::SOA
        | RecordType::DS
        | RecordType::CDS
        | RecordType::SSHFP
        | RecordType::TLSA
        | RecordType::SMIMEA => {
            let words: Vec<_> = text.split_whitespace().map(|word| without_dot(word).to_lowercase()).collect();
            words.join(" ")
        }
        _ => text.to_owned(),
    }
}

/// How many records a message shows.
const MAX_LISTED: usize = 8;

/// How much of a record a message shows, in characters.
const MAX_SHOWN: usize = 100;

/// Records for a message: bounded and escaped.
fn list<'a>(records: impl ExactSizeIterator<Item = &'a str>) -> String {
    let total = records.len();
    let shown: Vec<_> =
        records.take(MAX_LISTED).map(|record| checkup_net::excerpt(record.as_bytes(), MAX_SHOWN)).collect();
    let mut text = shown.join(", ");
    if total > MAX_LISTED {
        text.push_str(&format!(" and {} more", total - MAX_LISTED));
    }
    text
}

fn without_dot(name: &str) -> &str {
    match name.strip_suffix('.') {
        Some("") | None => name,
        Some(name) => name,
    }
}

/// The canonical texts of expected records, or all problems of them.
fn canonical_all(records: &[String], record_type: RecordType, place: &str) -> Result<Vec<Wanted>, ConfigError> {
    let mut problems = ConfigProblems::new();
    let place = |index: usize| format!("{place}[{index}]");
    let texts = records.iter().enumerate().map(|(index, record)| expected(record, record_type, &place(index)));
    let texts: Vec<_> = texts.filter_map(|text| problems.take(text)).collect();
    problems.finish(|| Some(texts))
}

/// The canonical text of an expected record. It must be a possible one for the type.
///
/// An address is shown even if it came from the environment; any other text may be a secret, such as a token in a TXT record.
fn expected(record: &str, record_type: RecordType, place: &str) -> Result<Wanted, ConfigError> {
    let what = match record_type {
        RecordType::A if record.trim().parse::<Ipv4Addr>().is_err() => "an IPv4 address",
        RecordType::AAAA if record.trim().parse::<Ipv6Addr>().is_err() => "an IPv6 address",
        _ if record.is_empty() => "the text of a record",
        _ => {
            let redacted = Sourced::of_settings(record).redacted();
            let is_shown = redacted == record || matches!(record_type, RecordType::A | RecordType::AAAA);
            let shown = (!is_shown).then(|| redacted.into());
            return Ok(Wanted { text: canonical(record, record_type), shown });
        }
    };
    Err(ConfigError::invalid(place, format!("expected {what}, since `record_type` is {record_type}, found {record:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(json: &str, record_type: RecordType) -> Result<Expectation, ConfigError> {
        Expectation::new(Some(&serde_json::from_str(json).unwrap()), record_type)
    }

    fn judge(json: &str, record_type: RecordType, found: &[&str]) -> Result<(), String> {
        let found: Vec<_> = found.iter().map(|text| canonical(text, record_type)).collect();
        expectation(json, record_type).unwrap().judge(&found).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn all_records_of_an_array_must_be_in_the_answer() {
        assert_eq!(judge(r#"["10.0.0.1"]"#, RecordType::A, &["10.0.0.2", "10.0.0.1"]), Ok(()));
        assert_eq!(
            judge(r#"["10.0.0.1"]"#, RecordType::A, &["10.0.0.2"]),
            Err("answer 10.0.0.2 does not contain 10.0.0.1".to_owned())
        );
        assert_eq!(
            judge(r#"["10.0.0.1", "10.0.0.2"]"#, RecordType::A, &["10.0.0.2", "10.0.0.3"]),
            Err("answers 10.0.0.2, 10.0.0.3 do not contain 10.0.0.1".to_owned())
        );
    }

    #[test]
    fn exactly_is_in_any_order_and_nothing_else() {
        let json = r#"{"exactly": ["10.0.0.1", "10.0.0.2"]}"#;
        assert_eq!(judge(json, RecordType::A, &["10.0.0.2", "10.0.0.1"]), Ok(()));
        assert_eq!(
            judge(json, RecordType::A, &["10.0.0.1"]),
            Err("answer 10.0.0.1 is not exactly 10.0.0.1, 10.0.0.2".to_owned())
        );
        assert_eq!(
            judge(r#"{"exactly": []}"#, RecordType::A, &["10.0.0.1"]),
            Err("answer 10.0.0.1 is not exactly no records".to_owned())
        );
    }

    #[test]
    fn a_regex_must_match_at_least_one_record() {
        let json = r#"{"matches": "^v=spf1 "}"#;
        assert_eq!(judge(json, RecordType::TXT, &["something", "v=spf1 -all"]), Ok(()));
        assert_eq!(
            judge(json, RecordType::TXT, &["v=spf2"]),
            Err("answer v=spf2 does not match '^v=spf1 '".to_owned())
        );
    }

    #[test]
    fn records_compare_by_value() {
        assert_eq!(judge(r#"["2001:DB8:0::1"]"#, RecordType::AAAA, &["2001:db8::1"]), Ok(()));
        assert_eq!(judge(r#"["10 Mail.example.test"]"#, RecordType::MX, &["10 mail.example.test."]), Ok(()));
        assert_eq!(judge(r#"["0 ."]"#, RecordType::MX, &["0 ."]), Ok(()));
        assert!(judge(r#"["Token"]"#, RecordType::TXT, &["token"]).is_err(), "the case of texts matters");
    }

    #[test]
    fn impossible_expectations_are_refused() {
        for (json, record_type, message) in [
            ("[]", RecordType::A, "expect: expected at least one record"),
            (
                r#"["::1"]"#,
                RecordType::A,
                "expect[0]: expected an IPv4 address, since `record_type` is A, found \"::1\"",
            ),
            (r#"["a.test"]"#, RecordType::AAAA, "expect[0]: expected an IPv6 address"),
            (r#"{"exactly": [""]}"#, RecordType::TXT, "expect.exactly[0]: expected the text of a record"),
            (r#"{"matches": "("}"#, RecordType::TXT, "expect.matches: expected a regular expression, found \"(\""),
        ] {
            let error = expectation(json, record_type).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let error = expectation(r#"["a", "192.0.2.1", "b"]"#, RecordType::A).unwrap_err();
        let places: Vec<_> = error.problems().iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["expect[0]", "expect[2]"]);
    }

    #[test]
    fn other_shapes_are_refused_with_the_valid_ones() {
        let error = serde_json::from_str::<Expect>("\"10.0.0.1\"").unwrap_err().to_string();
        assert!(error.contains(r#"expected an array of records, {"exactly": [records]}"#), "{error}");
        let error = serde_json::from_str::<Expect>(r#"{"contains": []}"#).unwrap_err().to_string();
        assert!(error.contains("expected `exactly` or `matches`"), "{error}");
    }

    #[test]
    fn messages_are_bounded_and_safe() {
        let long = "x".repeat(10_000);
        let many: Vec<_> = (0..1000).map(|_| long.clone()).collect();
        let message = Expectation::Contains(vec!["y".to_owned().into()]).judge(&many).unwrap_err().message().to_owned();
        assert!(message.len() < 2000 && message.contains("and 992 more"), "{message}");
        let hostile = vec!["\u{1b}[2J".to_owned()];
        let message =
            Expectation::Contains(vec!["y".to_owned().into()]).judge(&hostile).unwrap_err().message().to_owned();
        assert!(!message.contains('\u{1b}'), "{message:?}");
    }
}
