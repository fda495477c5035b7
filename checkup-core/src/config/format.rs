//! [`Format`]: JSON, YAML or TOML.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::syntax;
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

    /// Parses `text`. `defaults` is handed to `on_part`, and then each check, which is not kept; the rest is returned.
    pub(super) fn read(self, text: &str, on_part: OnPart<'_>) -> Result<Value, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // They may come after the checks, and most files have none. The key may be written with escapes.
        if (text.contains("defaults") || text.contains('\\'))
            && let Some(defaults) = self.defaults(text)
        {
            on_part(Part::Defaults(defaults));
        }
        match self {
            Format::Json => {
                let mut parser = serde_json::Deserializer::from_str(text);
                let root = Root(on_part).deserialize(&mut parser).and_then(|root| parser.end().map(|()| root));
                root.map_err(|error| syntax::json(text, &error))
            }
            Format::Yaml => {
                let parsed = serde_saphyr::with_deserializer_from_str(text, |parser| Root(on_part).deserialize(parser));
                parsed.map_err(|error| syntax::yaml(text, &error))
            }
            Format::Toml => {
                let table = toml::from_str::<toml::Table>(text).map_err(|error| syntax::toml(text, &error))?;
                let mut root = from_toml(toml::Value::Table(table)).ok_or_else(|| {
                    ConfigError::new(ConfigErrorKind::Syntax, "", "`nan` and `inf` are not possible in a config")
                })?;
                if let Some(Value::Array(checks)) = root.get_mut("checkers") {
                    let checks = std::mem::take(checks).into_iter().enumerate();
                    checks.for_each(|(index, check)| on_part(Part::Check(index, check)));
                }
                Ok(root)
            }
        }
    }
}

impl Format {
    /// The value of the root key `defaults`, if the text is valid as far as that.
    fn defaults(self, text: &str) -> Option<Value> {
        let found = match self {
            Format::Json => serde_json::from_str::<OnlyDefaults>(text).ok()?.defaults,
            Format::Yaml => {
                let parsed = serde_saphyr::with_deserializer_from_str(text, |parser| OnlyDefaults::deserialize(parser));
                parsed.ok()?.defaults
            }
            Format::Toml => from_toml(toml::from_str::<toml::Table>(text).ok()?.remove("defaults")?),
        };
        found.filter(|value| !value.is_null())
    }
}

/// The root of a file, of which only the defaults are kept.
#[derive(Deserialize)]
struct OnlyDefaults {
    defaults: Option<Value>,
}

/// A part of a file that is handed on while the file is read.
pub(super) enum Part {
    /// The value of `defaults`. It comes first.
    Defaults(Value),
    /// A check, with its place in `checkers`.
    Check(usize, Value),
}

/// Called with each part.
pub(super) type OnPart<'a> = &'a mut dyn FnMut(Part);

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
struct Root<'a>(OnPart<'a>);

/// The list of checks.
struct Checkers<'a>(OnPart<'a>);

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
            (self.0)(Part::Check(index, check));
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
fn object<'de, A: MapAccess<'de>>(mut entries: A, mut on_part: Option<OnPart<'_>>) -> Result<Value, A::Error> {
    let mut object = Map::new();
    while let Some(key) = entries.next_key::<String>()? {
        if object.contains_key(&key) {
            return Err(de::Error::custom(format_args!("the key `{key}` is in one object twice")));
        }
        let entry = match &mut on_part {
            Some(on_part) if key == "checkers" => entries.next_value_seed(Checkers(&mut **on_part))?,
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
        format.read(text, &mut |_| {})
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
