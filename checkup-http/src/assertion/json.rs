//! [`Json`]: a JSON value that keeps numbers as they were written, however large or precise.

use std::collections::BTreeMap;
use std::fmt;

use checkup_core::exact_number;
use jsonpath_rust::query::queryable::Queryable;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::number::Decimal;

/// How deep values may be nested, as in `serde_json`.
const MAX_DEPTH: usize = 128;

/// A JSON value.
#[derive(Clone, Debug, Default)]
pub(crate) enum Json {
    #[default]
    Null,
    Bool(bool),
    /// The text of the number as it was written.
    Number(Box<str>),
    Text(String),
    Array(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// Reads a JSON document.
    ///
    /// # Errors
    ///
    /// If it is not JSON. The error says what is wrong, and on which line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // This finds and describes every syntax error, so the parser below only has to follow a valid document.
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| error.to_string())?;
        let mut parser = Parser { text, at: 0 };
        parser.value(MAX_DEPTH)
    }

    /// The value as a number, if it is one that can be compared.
    pub(crate) fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Number(text) => Decimal::parse(text),
            _ => None,
        }
    }

    /// The text of the number as it was written.
    fn number(&self) -> Option<&str> {
        match self {
            Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Number(number) => Self::Number(number.to_string().into()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(values) => Self::Array(values.iter().map(Self::from).collect()),
            Value::Object(members) => {
                if let Some(number) = exact_number::text_of(value) {
                    return Self::Number(number.into());
                }
                Self::Object(members.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
        }
    }
}

/// Numbers are equal if their values are: 1, 1.0 and 10e-1 are equal.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Number(one), Self::Number(other)) => {
                one == other || Decimal::parse(one).is_some_and(|one| Some(one) == Decimal::parse(other))
            }
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Array(one), Self::Array(other)) => one == other,
            (Self::Object(one), Self::Object(other)) => one == other,
            _ => false,
        }
    }
}

/// Compact JSON, with the keys of objects in alphabetical order.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => write_text(f, text),
            Self::Array(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (key, value)) in members.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    write_text(f, key)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// What the JSONPath crate needs.
impl Queryable for Json {
    fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<&Vec<Self>> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    fn as_object(&self) -> Option<Vec<(&str, &Self)>> {
        match self {
            Self::Object(members) => Some(members.iter().map(|(key, value)| (key.as_str(), value)).collect()),
            _ => None,
        }
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        self.number()?.parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.number()?.parse().ok()
    }

    fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    fn null() -> Self {
        Self::Null
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Number(number.to_string().into())
    }
}

impl From<f64> for Json {
    fn from(number: f64) -> Self {
        Self::from(&Value::from(number))
    }
}

impl From<Vec<Json>> for Json {
    fn from(values: Vec<Json>) -> Self {
        Self::Array(values)
    }
}

/// A parser for documents whose syntax is known to be valid.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Json, String> {
        let depth = depth.checked_sub(1).ok_or_else(|| format!("it is nested more than {MAX_DEPTH} levels deep"))?;
        match self.peek() {
            Some(b'{') => {
                let mut members = BTreeMap::new();
                self.at += 1;
                while !self.skip(b'}') {
                    self.skip(b',');
                    let key = self.string()?;
                    self.skip(b':');
                    members.insert(key, self.value(depth)?);
                }
                Ok(Json::Object(members))
            }
            Some(b'[') => {
                let mut values = Vec::new();
                self.at += 1;
                while !self.skip(b']') {
                    self.skip(b',');
                    values.push(self.value(depth)?);
                }
                Ok(Json::Array(values))
            }
            Some(b'"') => self.string().map(Json::Text),
            Some(b't') => Ok(self.word("true", Json::Bool(true))),
            Some(b'f') => Ok(self.word("false", Json::Bool(false))),
            Some(b'n') => Ok(self.word("null", Json::Null)),
            Some(_) => self.number(),
            None => Err(self.unexpected()),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let start = self.at;
        let mut escaped = false;
        let end = self.text.as_bytes()[start + 1..].iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        let end = start + 2 + end.ok_or_else(|| self.unexpected())?;
        self.at = end;
        let (text, column) = (&self.text[start..end], start + 1);
        serde_json::from_str(text).map_err(|error| format!("{error}, of the text at byte {column}"))
    }

    fn number(&mut self) -> Result<Json, String> {
        let rest = &self.text[self.at..];
        let is_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.bytes().position(|byte| !is_number(byte)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.unexpected());
        }
        self.at += length;
        Ok(Json::Number(rest[..length].into()))
    }

    fn word(&mut self, word: &str, value: Json) -> Json {
        self.at += word.len();
        value
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len());
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips this byte if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self) -> String {
        format!("unexpected character at byte {}", self.at + 1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_serde_json_reads() {
        let value = json!({
            "text": "a\"b\\c\n\u{1F600}ü", "empty": "", "key \"quoted\"": {"": []},
            "numbers": [0, -1, 1.5, 1e-7, 18446744073709551615_u64], "words": [true, false, null], "nested": [[[{}]]],
        });
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let json = Json::parse(&text).unwrap();
            assert_eq!(json, Json::from(&value));
            assert_eq!(serde_json::from_str::<serde_json::Value>(&json.to_string()).unwrap(), value);
        }
        assert_eq!(Json::parse(r#" "\u00fc\ud83d\ude00\/" "#).unwrap(), Json::from("ü😀/"));
        assert_eq!(Json::parse(r#"{"a": 1, "a": 2}"#).unwrap().to_string(), r#"{"a":2}"#);
    }

    #[test]
    fn numbers_stay_as_they_were_written() {
        let text = "[9007199254740993,1e400,0.10000000000000000000001,-0.0,123456789012345678901234567890]";
        assert_eq!(Json::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn invalid_json_is_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in ["", "{", "[1,]", "{\"a\"}", "t", "1 2", "\"\\ud800\"", "\"\\x\"", "01", "'a'", "NaN", &deep] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        assert!(Json::parse(&deep).unwrap_err().contains("nested more than 128 levels"));
        assert!(Json::parse(&("[".repeat(128) + &"]".repeat(128))).is_ok());
    }
}
