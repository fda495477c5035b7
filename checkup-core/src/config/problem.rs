//! [`Problem`]: what is wrong with a value, in plain words rather than those of a parser or of Rust.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::place::{Place, join};
use super::suggest;
use crate::{ConfigError, ConfigErrorKind};

/// The kind of problem, and its place.
#[derive(Debug, PartialEq)]
pub(super) struct Problem {
    /// Set by the innermost value that the error passes.
    place: Option<String>,
    what: What,
}

#[derive(Debug, PartialEq)]
pub(super) enum What {
    Mismatch { expected: String, found: String },
    UnknownKey { key: String, known: &'static [&'static str] },
    UnknownVariant { variant: String, known: &'static [&'static str] },
    MissingKey(&'static str),
    Custom(String),
}

impl Problem {
    pub(super) fn located(mut self, place: &Place<'_>) -> Self {
        self.place.get_or_insert_with(|| place.to_string());
        self
    }

    pub(super) fn place(&self) -> &str {
        self.place.as_deref().unwrap_or_default()
    }

    /// Whether the problem is about a value in an object whose key is unknown.
    pub(super) fn is_without_place(&self) -> bool {
        self.place().is_empty() && matches!(self.what, What::Mismatch { .. } | What::Custom(_))
    }

    /// The same problem, of this key. If no such key exists, that is the problem.
    pub(super) fn of_key(self, key: &str, known: &[String]) -> Self {
        if known.is_empty() || known.iter().any(|known| known == key) {
            return Self { place: Some(key.to_owned()), ..self };
        }
        Self { place: Some(String::new()), what: What::UnknownKey { key: key.to_owned(), known: &[] } }
    }

    /// The place of the entry that is to blame.
    pub(super) fn entry(&self) -> String {
        match &self.what {
            What::UnknownKey { key, .. } => join(self.place(), key),
            _ => self.place().to_owned(),
        }
    }

    pub(super) fn is_unknown_key(&self) -> bool {
        matches!(self.what, What::UnknownKey { .. })
    }

    pub(super) fn missing_key(&self) -> Option<&'static str> {
        match self.what {
            What::MissingKey(key) => Some(key),
            _ => None,
        }
    }

    /// The key that an unknown one probably means.
    pub(super) fn meant_key<'a>(&'a self, others: &[&'a str]) -> Option<&'a str> {
        match &self.what {
            What::UnknownKey { key, known } => suggest::closest(key, self.candidates(known, others)),
            _ => None,
        }
    }

    /// The keys that an object may have. Keys read elsewhere are at the top only.
    fn candidates<'a>(&self, known: &'a [&'a str], others: &[&'a str]) -> Vec<&'a str> {
        let others = if self.place().is_empty() { others } else { &[] };
        let mut all: Vec<_> = known.to_vec();
        all.extend(others.iter().filter(|key| !known.contains(key)));
        all
    }

    pub(super) fn into_config_error(self, others: &[&str]) -> ConfigError {
        match &self.what {
            What::Mismatch { expected, found } => ConfigError::expected(self.place(), expected).found(found),
            What::UnknownKey { key, known } => {
                unknown_key(join(self.place(), key), key, &self.candidates(known, others))
            }
            What::UnknownVariant { variant, known } => {
                let hint = suggest::did_you_mean(variant, known.iter().copied());
                let expected = format!("one of {}", suggest::list(known.iter().copied()));
                ConfigError::expected(self.place(), expected).found(format_args!("`{variant}`{hint}"))
            }
            What::MissingKey(key) => missing_key(self.place(), key),
            What::Custom(message) => ConfigError::invalid(self.place(), in_words(message)),
        }
    }
}

/// A key that does not exist. The keys that do are listed only if it is like none of them.
pub(super) fn unknown_key(place: String, key: &str, known: &[&str]) -> ConfigError {
    let hint = match suggest::did_you_mean(key, known.iter().copied()) {
        hint if hint.is_empty() && known.is_empty() => "; remove it".to_owned(),
        hint if hint.is_empty() => format!(" (expected one of {})", suggest::list(known.iter().copied())),
        hint => hint,
    };
    ConfigError::new(ConfigErrorKind::UnknownKey, place, format!("unknown key{hint}")).without_values()
}

pub(super) fn missing_key(place: &str, key: &str) -> ConfigError {
    ConfigError::reason(place, format!("the key `{key}` is missing"))
}

/// Rewrites serde's own messages in plain words.
fn in_words(message: &str) -> String {
    if message.starts_with("data did not match any variant of untagged enum") {
        return "the value has none of the forms that are possible here".to_owned();
    }
    match message.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(key) => format!("`{key}` is set twice, under two names that mean the same; leave one out"),
        None => message.to_owned(),
    }
}

/// Describes the expected value. Rust's number types become their ranges.
fn expectation(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let words = match text.as_str() {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a borrowed string" | "string" | "a character" | "borrowed bytes" => "a string",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "path string" => "the path of a file or folder",
        "unit" | "any value" => "null",
        "option" => "a value",
        "variant identifier" | "string or map" => "one of the names that are possible here",
        _ => text.as_str(),
    };
    if words != text {
        return words.to_owned();
    }
    let length = |prefix: &str, suffix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix));
    if text.starts_with("a nonzero ") {
        "a whole number, 1 or more".to_owned()
    } else if let Some(length) = length("a tuple of size ", "").or_else(|| length("an array of length ", "")) {
        format!("a list of {length}")
    } else if text.starts_with("struct ") {
        "an object".to_owned()
    } else if text.starts_with("enum ") {
        "one of the names that are possible here".to_owned()
    } else {
        text
    }
}

fn found(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(flag) => flag.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => format!("{number:?}"),
        Unexpected::Str(text) => format!("{text:?}"),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map | Unexpected::Enum | Unexpected::StructVariant => "an object".to_owned(),
        other => other.to_string(),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Problem {}

impl From<What> for Problem {
    fn from(what: What) -> Self {
        Self { place: None, what }
    }
}

impl Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        What::Custom(message.to_string()).into()
    }

    fn invalid_type(value: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expectation(expected);
        // Where a list or an object belongs, a text may be a secret that was meant for one of its values.
        let found = match value {
            // Of these, YAML makes no text: `name: yes`, `must_contain: 5`.
            Unexpected::Bool(_) | Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_)
                if ["a string", "a text"].contains(&expected.as_str()) =>
            {
                format!("{}; put it in quotes", found(value))
            }
            // `3.0`. Larger ones have been rounded.
            Unexpected::Float(number)
                if number.fract() == 0.0 && number.abs() < 1e15 && expected.starts_with("a whole number") =>
            {
                format!("{}; write {number}", found(value))
            }
            Unexpected::Str(_) if ["an object", "a list"].iter().any(|start| expected.starts_with(start)) => {
                "a string".to_owned()
            }
            value => found(value),
        };
        What::Mismatch { expected, found }.into()
    }

    fn invalid_value(value: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(value, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        What::Mismatch { expected: expectation(expected), found: length.to_string() }.into()
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        What::UnknownVariant { variant: variant.to_owned(), known }.into()
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        What::UnknownKey { key: key.to_owned(), known }.into()
    }

    fn missing_field(key: &'static str) -> Self {
        What::MissingKey(key).into()
    }
}
