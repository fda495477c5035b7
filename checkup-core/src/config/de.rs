//! Reads settings structs from values, with errors that name the place and what may have been meant.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::{schema, suggest};
use crate::{ConfigError, ConfigErrorKind, sourced};

/// The names of the environment variables whose values are at a place: they may be secrets.
pub(super) type Hidden<'a> = &'a dyn Fn(&str) -> Vec<String>;

/// Reads a `T` from an object. `common` are keys that the object may have but that others read: they are in
/// the list of what there is. `hidden` gives the variables whose values must not be shown.
pub(super) fn read<T: DeserializeOwned>(
    object: &Map<String, Value>,
    common: &[&str],
    hidden: Hidden<'_>,
) -> Result<T, ConfigError> {
    deserialize::<T>(object).map_err(|problem| problem.into_config_error(common, hidden))
}

/// Reads settings, which know their keys by their schema. That holds for parts that are flattened into them too, whose problems
/// serde reports without a place and whose keys it does not list.
pub(super) fn read_settings<T: DeserializeOwned + JsonSchema>(
    object: &Map<String, Value>,
    common: &[&str],
    hidden: Hidden<'_>,
) -> Result<T, ConfigError> {
    let problem = match deserialize::<T>(object) {
        Ok(settings) => return Ok(settings),
        Err(problem) => problem,
    };
    let key = match &problem {
        Problem { place: Some(place), what: What::Mismatch { .. } | What::Custom(_) } if place.is_empty() => {
            flattened_key::<T>(object, &problem)
        }
        _ => None,
    };
    let Some(key) = key else { return Err(problem.into_config_error(common, hidden)) };
    let schema = schema::of_type::<T>();
    let known = schema["properties"].as_object();
    if known.is_some_and(|known| !known.contains_key(key)) {
        let all = || known.into_iter().flat_map(Map::keys).map(String::as_str).chain(common.iter().copied());
        return Err(unknown_key(key.to_owned(), key, all));
    }
    Err(Problem { place: Some(key.to_owned()), ..problem }.into_config_error(common, hidden))
}

fn deserialize<T: DeserializeOwned>(object: &Map<String, Value>) -> Result<T, Problem> {
    T::deserialize(ObjectDeserializer { object, place: &Place::Root })
}

/// The key that has this problem, or whose presence is it: the one without which there is none, or another.
fn flattened_key<'a, T: DeserializeOwned>(object: &'a Map<String, Value>, problem: &Problem) -> Option<&'a str> {
    object.keys().map(String::as_str).find(|key| {
        let mut rest = object.clone();
        rest.remove(*key);
        let other = deserialize::<T>(&rest).err();
        other.is_none_or(|other| !matches!(other.what, What::MissingKey(_)) && other != *problem)
    })
}

fn unknown_key<'a, I: Iterator<Item = &'a str>>(place: String, key: &str, all: impl Fn() -> I) -> ConfigError {
    let message = format!("unknown key{} (there are: {})", suggest::did_you_mean(key, all()), suggest::list(all()));
    ConfigError::new(ConfigErrorKind::UnknownKey, place, message)
}

/// Reads a `T` from one value; places in errors are relative to it.
pub(super) fn read_value<T: DeserializeOwned>(value: &Value, hidden: Hidden<'_>) -> Result<T, ConfigError> {
    T::deserialize(Node { value, place: &Place::Root }).map_err(|problem| problem.into_config_error(&[], hidden))
}

enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Key(Place::Root, key) => f.write_str(key),
            Place::Key(parent, key) => write!(f, "{parent}.{key}"),
            Place::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// What went wrong, and where once an enclosing object has told.
#[derive(Debug, PartialEq)]
struct Problem {
    place: Option<String>,
    what: What,
}

#[derive(Debug, PartialEq)]
enum What {
    Mismatch { expected: String, found: String },
    UnknownKey { key: String, known: &'static [&'static str] },
    UnknownVariant { variant: String, known: &'static [&'static str] },
    MissingKey(&'static str),
    Custom(String),
}

impl Problem {
    fn located(mut self, place: &Place<'_>) -> Self {
        self.place.get_or_insert_with(|| place.to_string());
        self
    }

    fn into_config_error(self, common: &[&str], hidden: Hidden<'_>) -> ConfigError {
        let place = self.place.unwrap_or_default();
        let join = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
        match self.what {
            What::Mismatch { expected, found } => ConfigError::expected(place, expected).found(found).hide(hidden),
            What::UnknownKey { key, known } => {
                // The common keys stand beside the settings' own, at the top only.
                let common = if place.is_empty() { common } else { &[] };
                let all = || known.iter().chain(common).copied();
                unknown_key(join(&key), &key, all)
            }
            What::UnknownVariant { variant, known } => {
                let hint = suggest::did_you_mean(&variant, known.iter().copied());
                let known = suggest::list(known.iter().copied());
                ConfigError::expected(place, format_args!("one of {known}"))
                    .found(format_args!("`{variant}`{hint}"))
                    .hide(hidden)
            }
            What::MissingKey(key) => ConfigError::invalid(place, format!("the key `{key}` is missing")),
            What::Custom(message) => ConfigError::invalid(place, message).hide(hidden),
        }
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

impl de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        What::Custom(message.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        What::Mismatch { expected: expected.to_string(), found: found.to_string() }.into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
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

struct Node<'a> {
    value: &'a Value,
    place: &'a Place<'a>,
}

impl<'a> Node<'a> {
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate(), place: self.place }),
            Value::Object(object) => ObjectDeserializer { object, place: self.place }.deserialize_any(visitor),
        }
    }

    fn located<T>(place: &Place<'_>, outcome: Result<T, Problem>) -> Result<T, Problem> {
        outcome.map_err(|problem| problem.located(place))
    }
}

/// Numbers and booleans may come as strings, since environment variables are text.
macro_rules! from_text {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            let place = self.place;
            let parsed = self.value.as_str().and_then(|text| text.trim().parse::<$type>().ok());
            Self::located(place, match parsed {
                Some(value) => visitor.$visit(value),
                None => self.visit(visitor),
            })
        }
    )*};
}

/// Where a list or an object belongs, a text may be a secret with its brackets forgotten
/// (`Authorization: "Bearer …"`): it is not shown.
macro_rules! not_text {
    ($($method:ident($($argument:ident: $type:ty),*)),*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Problem> {
            let place = self.place;
            let outcome = match self.value {
                Value::String(_) => Err(What::Mismatch {
                    expected: (&visitor as &dyn Expected).to_string(),
                    found: "a text".to_owned(),
                }.into()),
                _ => self.visit(visitor),
            };
            Self::located(place, outcome)
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let place = self.place;
        Self::located(place, self.visit(visitor))
    }

    from_text! {
        deserialize_bool visit_bool bool,
        deserialize_u8 visit_u64 u64, deserialize_u16 visit_u64 u64,
        deserialize_u32 visit_u64 u64, deserialize_u64 visit_u64 u64,
        deserialize_i8 visit_i64 i64, deserialize_i16 visit_i64 i64,
        deserialize_i32 visit_i64 i64, deserialize_i64 visit_i64 i64,
        deserialize_f32 visit_f64 f64, deserialize_f64 visit_f64 f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let place = self.place;
        Self::located(
            place,
            match self.value {
                Value::Null => visitor.visit_none(),
                _ => visitor.visit_some(self),
            },
        )
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Problem> {
        let place = self.place;
        Self::located(place, visitor.visit_newtype_struct(self))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let place = self.place;
        let outcome = match self.value {
            Value::String(variant) => visitor.visit_enum(variant.as_str().into_deserializer()),
            Value::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((variant, value)) => visitor.visit_enum(Variant { variant, value, place }),
                None => self.visit(visitor),
            },
            _ => self.visit(visitor),
        };
        Self::located(place, outcome)
    }

    not_text! {
        deserialize_seq(),
        deserialize_tuple(_length: usize),
        deserialize_tuple_struct(_name: &'static str, _length: usize),
        deserialize_map(),
        deserialize_struct(_name: &'static str, _keys: &'static [&'static str])
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let place = self.place;
        let path = self.value.as_str().filter(|_| is_path(&visitor)).map(path);
        Self::located(
            place,
            match path {
                Some(path) => path.and_then(|path| visitor.visit_str(&path)),
                None => self.visit(visitor),
            },
        )
    }

    forward_to_deserialize_any! {
        i128 u128 char str bytes byte_buf unit unit_struct identifier ignored_any
    }
}

/// Whether this reads a [`PathBuf`](std::path::PathBuf): serde names what it expects. So every plugin's path is resolved, and none has to
/// do anything for it.
fn is_path<'de>(visitor: &impl Visitor<'de>) -> bool {
    /// Compares what is written with what is left of the expected text.
    struct Rest(&'static str);
    impl fmt::Write for Rest {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest("path string");
    fmt::Write::write_fmt(&mut rest, format_args!("{}", visitor as &dyn Expected)).is_ok() && rest.0.is_empty()
}

/// A path of a setting, relative to the folder of the config file. What is in a file (a key, say) is not shown where its path belongs.
fn path(text: &str) -> Result<String, Problem> {
    if text.contains(['\n', '\0']) {
        return Err(What::Mismatch {
            expected: "the path of a file or folder".to_owned(),
            found: "several lines, as if they were the content of the file (not shown)".to_owned(),
        }
        .into());
    }
    match sourced::resolve(text).map(PathBuf::into_os_string).map(OsString::into_string) {
        None => Ok(text.to_owned()),
        Some(Ok(resolved)) => Ok(resolved),
        Some(Err(_)) => Err(What::Custom(
            "the folder of the config file has a name that is not UTF-8; write an absolute path".to_owned(),
        )
        .into()),
    }
}

struct ObjectDeserializer<'a> {
    object: &'a Map<String, Value>,
    place: &'a Place<'a>,
}

impl<'de> Deserializer<'de> for ObjectDeserializer<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let entries = Entries { entries: self.object.iter(), value: None, place: self.place };
        visitor.visit_map(entries).map_err(|problem| problem.located(self.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries<'a> {
    entries: serde_json::map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
    place: &'a Place<'a>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, value));
        let key: StrDeserializer<'_, Problem> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let Some((key, value)) = self.value.take() else { return Err(de::Error::custom("a value without its key")) };
        // A type may also refuse what its visitor took.
        let place = Place::Key(self.place, key);
        Node::located(&place, seed.deserialize(Node { value, place: &place }))
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
    place: &'a Place<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some((index, value)) = self.items.next() else { return Ok(None) };
        let place = Place::Index(self.place, index);
        Node::located(&place, seed.deserialize(Node { value, place: &place })).map(Some)
    }
}

/// `{"variant": value}`
struct Variant<'a> {
    variant: &'a str,
    value: &'a Value,
    place: &'a Place<'a>,
}

struct VariantValue<'a> {
    value: &'a Value,
    place: Place<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Problem;
    type Variant = VariantValue<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, VariantValue<'a>), Problem> {
        let name: StrDeserializer<'_, Problem> = self.variant.into_deserializer();
        let value = VariantValue { value: self.value, place: Place::Key(self.place, self.variant) };
        Ok((seed.deserialize(name)?, value))
    }
}

impl VariantValue<'_> {
    fn node(&self) -> Node<'_> {
        Node { value: self.value, place: &self.place }
    }
}

impl<'de> VariantAccess<'de> for VariantValue<'_> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        de::Deserialize::deserialize(self.node())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Problem> {
        seed.deserialize(self.node())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        self.node().deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Problem> {
        self.node().deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only how it is read matters")]
    struct Settings {
        url: String,
        #[serde(default, with = "crate::duration::option")]
        pause: Option<Duration>,
        #[serde(default)]
        count: u16,
        #[serde(default)]
        inner: Vec<Inner>,
        #[serde(default)]
        mode: Option<Mode>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only how it is read matters")]
    struct Inner {
        path: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Limit(u8),
    }

    fn settings(value: &Value) -> Result<Settings, ConfigError> {
        read(value.as_object().unwrap(), &["attempts"], &|place| {
            if place == "pause" { vec!["PAUSE".to_owned()] } else { Vec::new() }
        })
    }

    fn error(value: Value) -> String {
        settings(&value).unwrap_err().to_string()
    }

    #[test]
    fn places_reach_into_lists_and_objects() {
        assert_eq!(
            error(json!({"url": "u", "inner": [{"path": "a"}, {"path": 7}]})),
            "inner[1].path: expected a string, found integer `7`"
        );
        assert_eq!(error(json!({"url": "u", "inner": [{}]})), "inner[0]: the key `path` is missing");
        assert_eq!(error(json!({"url": "u", "count": 70000})), "count: expected u16, found integer `70000`");
    }

    #[test]
    fn unknown_keys_get_a_suggestion_and_the_list_with_the_common_keys_at_the_top_only() {
        assert_eq!(
            error(json!({"url": "u", "atempts": 3})),
            "atempts: unknown key; did you mean `attempts`? (there are: `url`, `pause`, `count`, `inner`, `mode`, `attempts`)"
        );
        assert_eq!(
            error(json!({"url": "u", "inner": [{"pth": "a"}]})),
            "inner[0].pth: unknown key; did you mean `path`? (there are: `path`)"
        );
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only how it is read matters")]
    struct Table {
        name: String,
        #[serde(flatten)]
        retention: crate::archive::Retention,
    }

    #[test]
    fn a_problem_in_a_flattened_part_has_its_place_and_the_keys_are_all_known() {
        let read = |value: Value| {
            read_settings::<Table>(value.as_object().unwrap(), &["type"], &|place| {
                if place == "compact" { vec!["COMPACT".to_owned()] } else { vec![] }
            })
        };
        let table = read(json!({"name": "checks", "check_expiry": "30d", "compact": "false"})).unwrap();
        assert_eq!(table.retention.check_expiry, Duration::from_secs(30 * 24 * 3600));
        assert!(!table.retention.compact);
        let error = |value| read(value).unwrap_err().to_string();
        let text = error(json!({"compact": true, "name": "checks", "check_expiry": "soon"}));
        assert!(text.starts_with("check_expiry: expected a duration") && text.contains("soon"), "{text}");
        let text = error(json!({"compact": "hunter2", "name": "checks"}));
        assert!(text.starts_with("compact: expected a boolean") && !text.contains("hunter2"), "{text}");
        assert_eq!(
            error(json!({"check_expire": "1d", "name": "checks"})),
            "check_expire: unknown key; did you mean `check_expiry`? \
             (there are: `check_expiry`, `compact`, `name`, `summary_expiry`, `type`)"
        );
        assert_eq!(error(json!({"check_expiry": "1d"})), "the key `name` is missing");
    }

    #[test]
    fn numbers_may_be_text_where_a_number_belongs() {
        assert_eq!(settings(&json!({"url": "u", "count": "12"})).unwrap().count, 12);
        assert_eq!(error(json!({"url": "u", "count": "dozen"})), "count: expected u16, found string \"dozen\"");
    }

    #[test]
    fn enums_read_as_serde_writes_them() {
        let mode = |value| settings(&json!({"url": "u", "mode": value})).map(|s| s.mode);
        assert_eq!(mode(json!("fast")).unwrap(), Some(Mode::Fast));
        assert_eq!(mode(json!({"limit": 3})).unwrap(), Some(Mode::Limit(3)));
        assert_eq!(
            mode(json!("fats")).unwrap_err().to_string(),
            "mode: expected one of `fast`, `limit`, found `fats`; did you mean `fast`?"
        );
        assert_eq!(mode(json!({"limit": "x"})).unwrap_err().to_string(), "mode.limit: expected u8, found string \"x\"");
    }

    #[test]
    fn a_hidden_value_is_not_in_the_error() {
        let text = error(json!({"url": "u", "pause": "hunter2"}));
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.starts_with("pause: expected a duration"), "{text}");
    }
}
