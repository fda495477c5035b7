//! [`Expect`]: what an answer must contain.

use std::fmt;

use checkup_core::{ConfigError, Sourced};
use checkup_net::excerpt;
use regex_lite::Regex;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// How much of an expectation a message shows, in characters.
const MAX_SHOWN: usize = 80;

/// What the answer of a TCP server must contain, for the check to be healthy.
///
/// ```
/// use checkup_tcp::Expect;
///
/// let contains: Expect = serde_json::from_str(r#""+PONG""#)?;
/// assert_eq!(contains, Expect::Contains("+PONG".into()));
///
/// let matches: Expect = serde_json::from_str(r#"{"matches": "^220 .*ESMTP"}"#)?;
/// assert_eq!(matches, Expect::Matches("^220 .*ESMTP".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expect {
    /// The answer contains this text. In JSON, a string.
    Contains(String),
    /// The answer matches this regular expression. In JSON, `{"matches": "…"}`.
    ///
    /// The syntax is that of the crate `regex-lite`, as in HTTP checks, which has no Unicode classes. The answer is read as
    /// UTF-8, with U+FFFD for invalid bytes. The expression is tried on what has arrived so far, so `$` is the end of that, not
    /// of the whole answer.
    Matches(String),
}

impl From<&str> for Expect {
    fn from(text: &str) -> Self {
        Self::Contains(text.to_owned())
    }
}

impl From<String> for Expect {
    fn from(text: String) -> Self {
        Self::Contains(text)
    }
}

/// The variant of [`Expect`] that is an object in JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Object {
    /// A regular expression that the answer matches.
    Matches(String),
}

impl Serialize for Expect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Contains(text) => serializer.serialize_str(text),
            Self::Matches(pattern) => Object::Matches(pattern.clone()).serialize(serializer),
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
                f.write_str(r#"a text or {"matches": "regex"}"#)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Expect, E> {
                Ok(Expect::Contains(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expect, A::Error> {
                let Object::Matches(pattern) = Object::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Expect::Matches(pattern))
            }
        }

        deserializer.deserialize_any(ExpectVisitor)
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for Expect {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TcpExpect".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                {"type": "string", "description": "A text that the answer contains."},
                {
                    "type": "object",
                    "properties": {
                        "matches": {"type": "string", "description": "A regular expression that the answer matches."},
                    },
                    "required": ["matches"],
                    "additionalProperties": false,
                },
            ]
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// [`Expect`], ready to search with.
pub(crate) struct Search {
    pattern: Pattern,
    /// What is expected as messages show it: without values from the environment.
    shown: Box<str>,
}

enum Pattern {
    Text(String),
    Regex(Regex),
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Search").field(&self.shown).finish()
    }
}

impl Search {
    pub(crate) fn new(expect: &Expect) -> Result<Self, ConfigError> {
        match expect {
            // Every answer contains the empty text, even before it has arrived.
            Expect::Contains(text) | Expect::Matches(text) if text.is_empty() => Err(ConfigError::invalid(
                "expect",
                "expected a text, found an empty one; remove `expect` if the answer does not matter",
            )),
            Expect::Contains(text) => Ok(Self { pattern: Pattern::Text(text.clone()), shown: shown(text) }),
            Expect::Matches(pattern) => {
                let regex = Regex::new(pattern).map_err(|error| {
                    ConfigError::invalid("expect.matches", format!("expected a regular expression, found {error}"))
                })?;
                Ok(Self { pattern: Pattern::Regex(regex), shown: shown(pattern) })
            }
        }
    }

    /// Whether the answer so far meets the expectation. Everything before `new` has been searched already.
    pub(crate) fn is_in(&self, answer: &[u8], new: usize) -> bool {
        match &self.pattern {
            Pattern::Text(text) => {
                let text = text.as_bytes();
                // A match may begin in the part that has been searched.
                let start = new.saturating_sub(text.len() - 1);
                answer[start..].windows(text.len()).any(|window| window == text)
            }
            Pattern::Regex(regex) => regex.is_match(&String::from_utf8_lossy(answer)),
        }
    }

    /// Says how an answer does not meet the expectation.
    pub(crate) fn missing(&self) -> String {
        let verb = match self.pattern {
            Pattern::Text(_) => "contain",
            Pattern::Regex(_) => "match",
        };
        format!("does not {verb} '{}'", excerpt(self.shown.as_bytes(), MAX_SHOWN))
    }
}

/// A text of the settings without values from the environment.
fn shown(text: &str) -> Box<str> {
    Sourced::of_settings(text).redacted().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_wherever_reads_split_it() {
        let search = Search::new(&"+PONG".into()).unwrap();
        let answer = b"-LOADING\r\n+PONG\r\n";
        for split in 0..answer.len() {
            let early = search.is_in(&answer[..split], 0);
            assert_eq!(early, split >= 15, "{split}");
            assert!(early || search.is_in(answer, split), "{split}");
        }
    }

    #[test]
    fn a_regex_searches_answers_that_are_not_utf_8() {
        let search = Search::new(&Expect::Matches(r"^\x00.ready".into())).unwrap();
        assert!(search.is_in(b"\x00\xffready", 2));
        assert!(!search.is_in(b"a\x00\xffready", 0));
    }

    #[test]
    fn invalid_expectations_are_refused() {
        for expect in [Expect::from(""), Expect::Matches(String::new())] {
            assert_eq!(Search::new(&expect).unwrap_err().problems()[0].place, "expect");
        }
        let error = Search::new(&Expect::Matches("(".into())).unwrap_err();
        assert_eq!(error.problems()[0].place, "expect.matches");
    }

    #[test]
    fn json_round_trips() {
        for json in [r#""a\r\n""#, r#"{"matches":"^a"}"#] {
            let expect: Expect = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&expect).unwrap(), json);
        }
        for (json, part) in [("1", r#"a text or {"matches": "regex"}"#), (r#"{"regex": "a"}"#, "`matches`")] {
            let error = serde_json::from_str::<Expect>(json).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
