//! [`Format`]: JSON, YAML or TOML.

use std::fmt;
use std::path::Path;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{ConfigError, ConfigErrorKind};

/// The language of a config file, by the file's extension.
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
    /// If the file has another extension, or none.
    pub fn of(path: &Path) -> Result<Self, ConfigError> {
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Ok(Self::Json),
            Some("yaml" | "yml") => Ok(Self::Yaml),
            Some("toml") => Ok(Self::Toml),
            _ => Err(ConfigError::invalid("", "expected a file that ends with .json, .yaml, .yml or .toml")),
        }
    }

    /// Parses `text`. Each check is handed to `on_check` with its place in `checkers`, and is not kept; the rest is returned.
    pub(super) fn read(self, text: &str, on_check: OnCheck<'_>) -> Result<Value, ConfigError> {
        // The error has only a message and a position. Parsers would also show the lines around it, which may contain secrets.
        let syntax = |message: String| ConfigError::new(ConfigErrorKind::Syntax, "", message);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match self {
            Format::Json => {
                let mut parser = serde_json::Deserializer::from_str(text);
                let root = Root(on_check).deserialize(&mut parser).and_then(|root| parser.end().map(|()| root));
                root.map_err(|error| syntax(format!("not valid JSON: {error}{}", json_remedy(text, &error))))
            }
            Format::Yaml => {
                let parsed =
                    serde_saphyr::with_deserializer_from_str(text, |parser| Root(on_check).deserialize(parser));
                parsed.map_err(|error| {
                    let place = error
                        .location()
                        .map_or(String::new(), |at| format!(" at line {} column {}", at.line(), at.column()));
                    syntax(format!("not valid YAML{place}: {}", yaml_message(&error)))
                })
            }
            Format::Toml => {
                let table = toml::from_str::<toml::Table>(text).map_err(|error| {
                    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                    let line = before.matches('\n').count() + 1;
                    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                    syntax(format!("not valid TOML at line {line} column {column}: {}", error.message()))
                })?;
                let mut root = from_toml(toml::Value::Table(table))
                    .ok_or_else(|| syntax("`nan` and `inf` are not possible in a config".to_owned()))?;
                if let Some(Value::Array(checks)) = root.get_mut("checkers") {
                    let checks = std::mem::take(checks).into_iter().enumerate();
                    checks.for_each(|(index, check)| on_check(index, check));
                }
                Ok(root)
            }
        }
    }
}

/// Called with each check.
pub(super) type OnCheck<'a> = &'a mut dyn FnMut(usize, Value);

/// What a value is, in errors.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The remedy for syntax that JSON lacks but other formats have.
fn json_remedy(text: &str, error: &serde_json::Error) -> &'static str {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let rest = line.get(error.column().saturating_sub(1)..).unwrap_or_default().trim_start();
    let is_comment =
        ["//", "/*", "#"].iter().any(|start| rest.starts_with(start) || line.trim_start().starts_with(start));
    if is_comment { "; JSON has no comments: name the file .yaml, which has them (`#`)" } else { "" }
}

/// The message of an error of the YAML parser, without the place, the lines around it, and advice for programmers.
fn yaml_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    let end = line.find(" at line ").unwrap_or(line.len());
    let message = line[..end].trim_end_matches(':');
    if message.contains("tabs disallowed") || message.contains("tab character") {
        return "a tab cannot indent YAML; use spaces".to_owned();
    }
    if let Some(key) = message.strip_prefix("duplicate mapping key: ").and_then(|rest| rest.split(", set ").next()) {
        return format!("the key `{key}` is in one object twice");
    }
    if message.starts_with("multiple YAML documents") {
        return "expected one document; remove the line `---`, and what is before or after it".to_owned();
    }
    message.to_owned()
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

/// The root of a file, whose `checkers` are not kept.
struct Root<'a>(OnCheck<'a>);

/// The list of checks.
struct Checkers<'a>(OnCheck<'a>);

/// A value that refuses an object with the same key twice: parsers silently use one of them.
struct Unique;

macro_rules! seed {
    ($($seed:ty),*) => {$(
        impl<'de> DeserializeSeed<'de> for $seed {
            type Value = Value;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
                deserializer.deserialize_any(self)
            }
        }
    )*};
}

seed!(Root<'_>, Checkers<'_>, Unique);

macro_rules! scalars {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value")
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
    };
}

impl<'de> Visitor<'de> for Unique {
    type Value = Value;

    scalars!();

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Value, A::Error> {
        list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        object(entries, None)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = Value;

    scalars!();

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Value, A::Error> {
        list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        object(entries, Some(self.0))
    }
}

impl<'de> Visitor<'de> for Checkers<'_> {
    type Value = Value;

    scalars!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut index = 0;
        while let Some(check) = items.next_element_seed(Unique)? {
            (self.0)(index, check);
            index += 1;
        }
        Ok(Value::Array(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        object(entries, None)
    }
}

fn list<'de, A: SeqAccess<'de>>(mut items: A) -> Result<Value, A::Error> {
    let mut array = Vec::new();
    while let Some(item) = items.next_element_seed(Unique)? {
        array.push(item);
    }
    Ok(Value::Array(array))
}

/// Reads an object; only the root has checks.
fn object<'de, A: MapAccess<'de>>(mut entries: A, mut on_check: Option<OnCheck<'_>>) -> Result<Value, A::Error> {
    let mut object = Map::new();
    while let Some(key) = entries.next_key::<String>()? {
        if object.contains_key(&key) {
            return Err(de::Error::custom(format_args!("the key `{key}` is in one object twice")));
        }
        let entry = match &mut on_check {
            Some(on_check) if key == "checkers" => entries.next_value_seed(Checkers(&mut **on_check))?,
            _ => entries.next_value_seed(Unique)?,
        };
        object.insert(key, entry);
    }
    Ok(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(format: Format, text: &str) -> Result<Value, ConfigError> {
        format.read(text, &mut |_, _| {})
    }

    #[test]
    fn the_three_formats_mean_the_same() {
        let same = json!({"a": 1, "b": [true, "x"], "c": {"d": 1.5}});
        assert_eq!(parse(Format::Json, r#"{"a": 1, "b": [true, "x"], "c": {"d": 1.5}}"#).unwrap(), same);
        assert_eq!(parse(Format::Yaml, "a: 1\nb: [true, x]\nc:\n  d: 1.5\n").unwrap(), same);
        assert_eq!(parse(Format::Toml, "a = 1\nb = [true, \"x\"]\n[c]\nd = 1.5\n").unwrap(), same);
    }

    #[test]
    fn a_toml_date_is_its_text() {
        let value = parse(Format::Toml, "timestamp = 2016-09-08T07:00:00Z").unwrap();
        assert_eq!(value, json!({"timestamp": "2016-09-08T07:00:00Z"}));
    }

    #[test]
    fn a_key_that_appears_twice_is_refused_in_every_format() {
        for (format, text) in
            [(Format::Json, r#"{"a": {"b": 1, "b": 2}}"#), (Format::Yaml, "b: 1\nb: 2"), (Format::Toml, "b = 1\nb = 2")]
        {
            let error = parse(format, text).unwrap_err();
            assert_eq!(error.problems()[0].kind, ConfigErrorKind::Syntax, "{format:?}: {error}");
        }
    }

    #[test]
    fn a_syntax_error_has_line_and_column() {
        let error = parse(Format::Json, "{\n  \"a\": 1,\n}").unwrap_err();
        assert!(error.to_string().contains("line 3 column 1"), "{error}");
    }

    #[test]
    fn syntax_errors_have_a_remedy_and_no_parser_jargon() {
        for (format, text, expected) in [
            (Format::Yaml, "a:\n\t- b: 1\n", "not valid YAML at line 2 column 2: a tab cannot indent YAML; use spaces"),
            (Format::Yaml, "a: 1\na: 2\n", "not valid YAML at line 2 column 1: the key `a` is in one object twice"),
            (
                Format::Yaml,
                "a: 1\n---\nb: 2\n",
                "not valid YAML at line 3 column 1: expected one document; remove the line `---`, and what is before or after it",
            ),
            (
                Format::Json,
                "{\n  // why\n  \"a\": 1\n}",
                "not valid JSON: key must be a string at line 2 column 3; JSON has no comments: name the file .yaml, which has them (`#`)",
            ),
            (
                Format::Json,
                "# why\n{}",
                "not valid JSON: expected value at line 1 column 1; JSON has no comments: name the file .yaml, which has them (`#`)",
            ),
        ] {
            assert_eq!(parse(format, text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_syntax_error_shows_no_line_of_the_file() {
        for (format, text) in [
            (Format::Yaml, "a:\n  Authorization: [\"Bearer hunter2\"\nb: 1\n"),
            (Format::Yaml, "send: AUTH hunter2\nsend: AUTH hunter2\n"),
            (Format::Toml, "a = 1\nurl = \"https://user:hunter2@host\nb = 2\n"),
            (Format::Json, "{\"a\": \"hunter2\" \"b\"}"),
        ] {
            let error = parse(format, text).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && error.contains("line "), "{format:?}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn toml_refuses_nan_and_a_byte_order_mark_is_skipped() {
        assert!(parse(Format::Toml, "attempts = nan").is_err());
        assert!(parse(Format::Toml, "a = [{ timeout = inf }]").is_err());
        assert_eq!(parse(Format::Json, "\u{feff}{}").unwrap(), json!({}));
    }

    #[test]
    fn other_extensions_are_refused() {
        assert_eq!(Format::of(Path::new("x/checkup.YML")), Ok(Format::Yaml));
        assert!(Format::of(Path::new("checkup.ini")).is_err());
    }
}
