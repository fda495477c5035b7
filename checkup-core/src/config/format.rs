use std::fmt;
use std::path::Path;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{ConfigError, ConfigErrorKind};

/// The language of a config file, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `.json`
    Json,
    /// `.yaml`, `.yml`
    Yaml,
    /// `.toml`
    Toml,
}

impl Format {
    /// The format of a file with this name.
    ///
    /// # Errors
    ///
    /// If the ending is none of those that there are.
    pub fn of(path: &Path) -> Result<Self, ConfigError> {
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Ok(Self::Json),
            Some("yaml" | "yml") => Ok(Self::Yaml),
            Some("toml") => Ok(Self::Toml),
            _ => Err(ConfigError::invalid("", "expected a file that ends with .json, .yaml, .yml or .toml")),
        }
    }

    /// Parses `text` into the common form.
    pub(super) fn parse(self, text: &str) -> Result<Value, ConfigError> {
        // Only what and where: the lines around it, which the parsers would show, may hold secrets.
        let syntax = |message: String| ConfigError::new(ConfigErrorKind::Syntax, "", message);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match self {
            Format::Json => serde_json::from_str::<Unique>(text)
                .map(|unique| unique.0)
                .map_err(|error| syntax(format!("not valid JSON: {error}"))),
            Format::Yaml => serde_saphyr::from_str(text).map_err(|error| {
                let place = error
                    .location()
                    .map_or(String::new(), |at| format!(" at line {} column {}", at.line(), at.column()));
                syntax(format!("not valid YAML{place}: {}", yaml_message(&error)))
            }),
            Format::Toml => {
                let table = toml::from_str::<toml::Table>(text).map_err(|error| {
                    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                    let line = before.matches('\n').count() + 1;
                    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                    syntax(format!("not valid TOML at line {line} column {column}: {}", error.message()))
                })?;
                from_toml(toml::Value::Table(table))
                    .ok_or_else(|| syntax("not a config: TOML's `nan` and `inf` are no values here".to_owned()))
            }
        }
    }
}

/// The message of an error of the YAML parser, without the place, the lines around it, and advice for programmers.
fn yaml_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    let end = line.find(" at line ").unwrap_or(line.len());
    line[..end].trim_end_matches(':').to_owned()
}

/// `None` if there is a number in it that JSON does not have.
fn from_toml(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::Number(number.into()),
        toml::Value::Float(number) => Value::Number(Number::from_f64(number)?),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(from_toml).collect::<Option<_>>()?),
        toml::Value::Table(entries) => {
            let entries = entries.into_iter().map(|(key, entry)| Some((key, from_toml(entry)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}

/// A JSON value that refuses a key which stands twice in an object: `serde_json` lets the last one win, silently.
/// YAML and TOML refuse it themselves.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        UniqueSeed.deserialize(deserializer).map(Unique)
    }
}

struct UniqueSeed;

impl<'de> DeserializeSeed<'de> for UniqueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(UniqueSeed)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(de::Error::custom(format_args!("the key `{key}` stands twice in one object")));
            }
            let entry = entries.next_value_seed(UniqueSeed)?;
            object.insert(key, entry);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_three_formats_say_the_same() {
        let same = json!({"a": 1, "b": [true, "x"], "c": {"d": 1.5}});
        assert_eq!(Format::Json.parse(r#"{"a": 1, "b": [true, "x"], "c": {"d": 1.5}}"#).unwrap(), same);
        assert_eq!(Format::Yaml.parse("a: 1\nb: [true, x]\nc:\n  d: 1.5\n").unwrap(), same);
        assert_eq!(Format::Toml.parse("a = 1\nb = [true, \"x\"]\n[c]\nd = 1.5\n").unwrap(), same);
    }

    #[test]
    fn a_toml_date_is_its_text() {
        let value = Format::Toml.parse("timestamp = 2016-09-08T07:00:00Z").unwrap();
        assert_eq!(value, json!({"timestamp": "2016-09-08T07:00:00Z"}));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_in_every_format() {
        for (format, text) in
            [(Format::Json, r#"{"a": {"b": 1, "b": 2}}"#), (Format::Yaml, "b: 1\nb: 2"), (Format::Toml, "b = 1\nb = 2")]
        {
            let error = format.parse(text).unwrap_err();
            assert_eq!(error.problems()[0].kind, ConfigErrorKind::Syntax, "{format:?}: {error}");
        }
    }

    #[test]
    fn a_syntax_error_tells_line_and_column() {
        let error = Format::Json.parse("{\n  \"a\": 1,\n}").unwrap_err();
        assert!(error.to_string().contains("line 3 column 1"), "{error}");
    }

    #[test]
    fn a_syntax_error_shows_no_line_of_the_file() {
        for (format, text) in [
            (Format::Yaml, "a:\n  Authorization: [\"Bearer hunter2\"\nb: 1\n"),
            (Format::Yaml, "send: AUTH hunter2\nsend: AUTH hunter2\n"),
            (Format::Toml, "a = 1\nurl = \"https://user:hunter2@host\nb = 2\n"),
            (Format::Json, "{\"a\": \"hunter2\" \"b\"}"),
        ] {
            let error = format.parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && error.contains("line "), "{format:?}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn a_number_that_is_none_is_refused_in_toml_and_a_byte_order_mark_is_passed_over() {
        assert!(Format::Toml.parse("attempts = nan").is_err());
        assert!(Format::Toml.parse("a = [{ timeout = inf }]").is_err());
        assert_eq!(Format::Json.parse("\u{feff}{}").unwrap(), json!({}));
    }

    #[test]
    fn other_endings_are_refused() {
        assert_eq!(Format::of(Path::new("x/checkup.YML")), Ok(Format::Yaml));
        assert!(Format::of(Path::new("checkup.ini")).is_err());
    }
}
