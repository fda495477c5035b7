//! [`Format`]: JSON, YAML or TOML.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{exactly, syntax};
use crate::{ConfigError, ConfigErrorKind, exact_number};

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
        if self == Self::Toml || exact_number::may_be_in(text) {
            return self.read_exactly(text).map(|root| hand_on(root, on_part));
        }
        // They may come after the checks, and most files have none. The key may be written with escapes.
        if (text.contains("defaults") || text.contains('\\'))
            && let Some(defaults) = self.defaults(text)
        {
            on_part(Part::Defaults(defaults));
        }
        self.read_parts(text, on_part)
    }

    /// Reads JSON or YAML part by part.
    fn read_parts(self, text: &str, on_part: OnPart<'_>) -> Result<Value, ConfigError> {
        match self {
            Format::Yaml => {
                let parsed = serde_saphyr::with_deserializer_from_str(text, |parser| Root(on_part).deserialize(parser));
                parsed.map_err(|error| syntax::yaml(text, &error))
            }
            _ => {
                let mut parser = serde_json::Deserializer::from_str(text);
                let root = Root(on_part).deserialize(&mut parser).and_then(|root| parser.end().map(|()| root));
                root.map_err(|error| syntax::json(text, &error))
            }
        }
    }

    /// Reads the whole file, with numbers as they were written.
    fn read_exactly(self, text: &str) -> Result<Value, ConfigError> {
        let invalid = |reason| ConfigError::new(ConfigErrorKind::Syntax, "", reason);
        if self == Self::Toml {
            let table = DeTable::parse(text).map_err(|error| syntax::toml(text, &error))?.into_inner();
            let root = exactly::toml(DeValue::Table(table));
            return root.ok_or_else(|| invalid("`nan` and `inf` are not possible in a config"));
        }
        // This finds syntax errors and keys that appear twice.
        self.read_parts(text, &mut |_| {})?;
        let root = if self == Self::Json { exactly::json(text) } else { exactly::yaml(text) };
        root.ok_or_else(|| invalid("expected at most 15 digits in each number"))
    }

    /// The value of the root key `defaults`, if the text is valid as far as that.
    fn defaults(self, text: &str) -> Option<Value> {
        let found = match self {
            Format::Yaml => {
                let parsed = serde_saphyr::with_deserializer_from_str(text, |parser| OnlyDefaults::deserialize(parser));
                parsed.ok()?.defaults
            }
            _ => serde_json::from_str::<OnlyDefaults>(text).ok()?.defaults,
        };
        found.filter(|value| !value.is_null())
    }
}

/// Hands on the parts of a file that was read as a whole. The rest is returned.
fn hand_on(mut root: Value, on_part: OnPart<'_>) -> Value {
    if let Some(defaults) = root.get("defaults").filter(|defaults| !defaults.is_null()) {
        on_part(Part::Defaults(defaults.clone()));
    }
    if let Some(Value::Array(checks)) = root.get_mut("checkers") {
        let checks = std::mem::take(checks).into_iter().enumerate();
        checks.for_each(|(index, check)| on_part(Part::Check(index, check)));
    }
    root
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
        value if exact_number::text_of(value).is_some() => "a number",
        Value::Object(_) => "an object",
    }
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
    fn numbers_with_many_digits_are_kept_as_they_are_written() {
        let long = ["0.10000000000000000001", "-9223372036854775809", "123456789012345678901234567890", "1.0e-310"];
        for number in long {
            let exact = json!({"$checkup-number": number});
            let same = json!({"a": [exact, {"b": exact}], "c": 0.25, "text": number, "defaults": {"d": exact}});
            let mut parts = Vec::new();
            let mut read = |format: Format, text: String| {
                let root = format.read(&text, &mut |part| parts.push(part)).unwrap();
                let check = parts.pop();
                assert!(matches!(check, Some(Part::Check(0, check)) if check == exact), "{format:?} {number}");
                assert!(
                    matches!(parts.pop(), Some(Part::Defaults(value)) if value == json!({"d": exact})),
                    "{format:?}"
                );
                let mut root = root.as_object().unwrap().clone();
                assert_eq!(root.remove("checkers"), Some(json!([])));
                assert_eq!(Value::Object(root), same, "{format:?}");
            };
            read(
                Format::Json,
                format!(
                    r#"{{"a": [{number}, {{"b": {number}}}], "c": 0.25, "text": "{number}", "checkers": [{number}],
                        "defaults": {{"\u0064": {number}}}}}"#
                ),
            );
            read(
                Format::Yaml,
                format!(
                    "a:\n- &long {number}\n- {{b: *long}}\nc: 0.25 # ü 0.30000000000000000001\ntext: '{number}'\n\
                     checkers: [{number}]\ndefaults:\n  d:   {number}  # four\n"
                ),
            );
            read(
                Format::Toml,
                format!(
                    "a = [{number}, {{ b = {number} }}]\nc = 0.25\ntext = '{number}'\ncheckers = [{number}]\n\
                     [defaults]\nd = {number}\n"
                ),
            );
        }
        assert_eq!(parse(Format::Toml, "a = 0x20000000000001").unwrap(), json!({"a": 9_007_199_254_740_993_u64}));
        assert_eq!(parse(Format::Toml, "a = +1_000.5").unwrap(), json!({"a": 1000.5}));
        // The first line makes the file one that is read exactly.
        for text in ["a: 1234567890123456789\nb: 1\nb: 2", "a: 1234567890123456789\nb: [1"] {
            assert_eq!(parse(Format::Yaml, text).unwrap_err().problems()[0].kind, ConfigErrorKind::Syntax);
        }
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
