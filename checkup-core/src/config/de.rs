//! Reads settings structs from values. It collects the problems of an object instead of stopping at the first.
//!
//! A settings struct's own deserialiser stops at the first error. So it is run again without the entry that the error is about, until
//! there are no further errors. This way every type reports all of its problems, including types of third parties.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::place::{Place, is_inside, join};
use super::problem::{Problem, What};
use super::type_schema;
use crate::{ConfigProblems, exact_number, sourced};

/// How many problems of one object are reported at most.
const MAX_PROBLEMS: usize = 50;

/// The outcome of reading an object.
#[derive(Debug)]
pub(super) struct Read<T> {
    /// The settings. If some of them have problems, and the others suffice, those have their defaults.
    pub(super) value: Option<T>,
    pub(super) problems: ConfigProblems,
    /// Whether unknown keys are the only problems.
    pub(super) is_whole: bool,
    /// Keys of the object that are known to be missing, or that a misspelt key probably means.
    pub(super) missing: Vec<String>,
}

/// Reads a plugin's settings, whose keys are also known by their schema. That includes the keys of parts that are flattened into
/// them, whose problems serde reports without a place.
pub(super) fn read_settings<T: DeserializeOwned + JsonSchema>(
    entries: &Map<String, Value>,
    others: &[&str],
) -> Read<T> {
    read_with(entries, others, &|| {
        let mut schema = type_schema::of_type::<T>();
        match schema["properties"].take() {
            Value::Object(properties) => properties.into_iter().map(|(key, _)| key).collect(),
            _ => Vec::new(),
        }
    })
}

/// Reads a `T` from an object. `others` are keys that the object may have and that were read already: they are suggested too.
pub(super) fn read<T: DeserializeOwned>(entries: &Map<String, Value>, others: &[&str]) -> Read<T> {
    read_with(entries, others, &Vec::new)
}

fn read_with<T: DeserializeOwned>(
    entries: &Map<String, Value>,
    others: &[&str],
    schema_keys: &dyn Fn() -> Vec<String>,
) -> Read<T> {
    let mut read = Read { value: None, problems: ConfigProblems::new(), is_whole: true, missing: Vec::new() };
    let mut skipped: Vec<String> = Vec::new();
    for _ in 0..MAX_PROBLEMS {
        match T::deserialize(Object { entries, place: &Place::Root, skipped: &skipped }) {
            Ok(value) => {
                read.value = Some(value);
                break;
            }
            Err(mut problem) => {
                if problem.is_without_place()
                    && let Some(key) = flattened_key::<T>(entries, &skipped, &problem)
                {
                    problem = problem.of_key(key, &schema_keys());
                }
                let own = if problem.is_unknown_key() { schema_keys() } else { Vec::new() };
                let others: Vec<_> = own.iter().map(String::as_str).chain(others.iter().copied()).collect();
                let place = problem.place().to_owned();
                let mut skip = problem.entry();
                // An entry that cannot be skipped, such as a variant: its parent is.
                let is_repeated = skipped.contains(&skip);
                while skipped.contains(&skip) {
                    skip.truncate(skip.rfind(['.', '[']).unwrap_or(0));
                }
                // What is left of an object or list without the entries that were skipped may lack something.
                let is_consequence = match problem.missing_key() {
                    Some(key) => {
                        let key = join(&place, key);
                        let is_known = skipped.contains(&key) || read.missing.contains(&key);
                        read.missing.push(key);
                        is_known
                    }
                    None => !problem.is_unknown_key() && skipped.iter().any(|inner| is_inside(inner, &place)),
                };
                read.is_whole &= problem.is_unknown_key();
                if !is_consequence && !is_repeated {
                    read.missing.extend(problem.meant_key(&others).map(|key| join(&place, key)));
                    read.problems.push(problem.into_config_error(&others));
                }
                if skip.is_empty() {
                    break;
                }
                skipped.push(skip);
            }
        }
    }
    read
}

/// The key of a flattened part that has this problem: the one without which there is none, or another.
fn flattened_key<'a, T: DeserializeOwned>(
    entries: &'a Map<String, Value>,
    skipped: &[String],
    problem: &Problem,
) -> Option<&'a str> {
    entries.keys().map(String::as_str).filter(|key| !skipped.iter().any(|skipped| skipped == key)).find(|key| {
        let skipped = [skipped, &[(*key).to_owned()]].concat();
        let other = T::deserialize(Object { entries, place: &Place::Root, skipped: &skipped }).err();
        other.is_none_or(|other| other.missing_key().is_none() && other != *problem)
    })
}

/// Takes the keys of `T` out of an object and reads them, except for nulls, which count as absent. Other keys stay.
pub(super) fn take<T: DeserializeOwned>(object: &mut Map<String, Value>) -> Read<T> {
    let mut own = Map::new();
    for key in keys_of::<T>() {
        if let Some((key, value)) = object.remove_entry(*key)
            && !value.is_null()
        {
            own.insert(key, value);
        }
    }
    read(&own, &[])
}

/// The keys of a settings struct, as its deserialiser lists them.
pub(super) fn keys_of<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Keys<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Keys<'_> {
        type Error = Problem;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Problem> {
            Err(de::Error::custom("only structs have keys"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            keys: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Problem> {
            *self.0 = keys;
            Err(de::Error::custom("only the keys are wanted"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut keys: &'static [&'static str] = &[];
    // It always fails; only the keys matter.
    let _ = T::deserialize(Keys(&mut keys));
    keys
}

struct Node<'a> {
    value: &'a Value,
    place: &'a Place<'a>,
    /// Places that are left out, since their problems are known.
    skipped: &'a [String],
}

impl<'a> Node<'a> {
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if let Some(number) = exact_number::text_of(self.value) {
            return visitor.visit_f64(number.parse().unwrap_or(f64::NAN));
        }
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items::of(items, self.place, self.skipped)),
            Value::Object(object) => {
                Object { entries: object, place: self.place, skipped: self.skipped }.deserialize_any(visitor)
            }
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

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Problem> {
        let place = self.place;
        let outcome = if name == exact_number::KEY && exact_number::is_in(self.value) {
            let exact = visitor.visit_newtype_struct(self.value.clone());
            exact.map_err(|error: serde_json::Error| de::Error::custom(error))
        } else {
            visitor.visit_newtype_struct(self)
        };
        Self::located(place, outcome)
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
                Some((variant, value)) => visitor.visit_enum(Variant { variant, value, place, skipped: self.skipped }),
                None => self.visit(visitor),
            },
            _ => self.visit(visitor),
        };
        Self::located(place, outcome)
    }

    /// A single value counts as a list of one: `tags: public`.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let place = self.place;
        let outcome = match self.value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                visitor.visit_seq(Items::of(std::slice::from_ref(self.value), &Place::Only(place), self.skipped))
            }
            _ => self.visit(visitor),
        };
        Self::located(place, outcome)
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
        i128 u128 char str bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

/// Whether this reads a [`PathBuf`](std::path::PathBuf), which serde names as the expected type. This way the paths of every plugin are
/// resolved without any code in the plugin.
fn is_path<'de>(visitor: &impl Visitor<'de>) -> bool {
    /// Compares the written text with the rest of the expected text.
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

/// A path of a setting, relative to the folder of the config file. File content (a key, say) that was given in place of a path is never shown.
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

struct Object<'a> {
    entries: &'a Map<String, Value>,
    place: &'a Place<'a>,
    skipped: &'a [String],
}

impl<'de> Deserializer<'de> for Object<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let entries = Entries { entries: self.entries.iter(), value: None, place: self.place, skipped: self.skipped };
        Node::located(self.place, visitor.visit_map(entries))
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
    skipped: &'a [String],
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        let (place, skipped) = (self.place, self.skipped);
        let Some((key, value)) = self.entries.find(|(key, _)| !Place::Key(place, key).is_in(skipped)) else {
            return Ok(None);
        };
        self.value = Some((key, value));
        let key: StrDeserializer<'_, Problem> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let Some((key, value)) = self.value.take() else { return Err(de::Error::custom("a value without its key")) };
        let place = Place::Key(self.place, key);
        // A type may also refuse what its visitor took.
        Node::located(&place, seed.deserialize(Node { value, place: &place, skipped: self.skipped }))
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
    place: &'a Place<'a>,
    skipped: &'a [String],
}

impl<'a> Items<'a> {
    fn of(items: &'a [Value], place: &'a Place<'a>, skipped: &'a [String]) -> Self {
        Self { items: items.iter().enumerate(), place, skipped }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let (list, skipped) = (self.place, self.skipped);
        let next = self.items.find(|(index, _)| !Place::Index(list, *index).is_in(skipped));
        let Some((index, value)) = next else { return Ok(None) };
        let place = Place::Index(list, index);
        Node::located(&place, seed.deserialize(Node { value, place: &place, skipped })).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// `{"variant": value}`
struct Variant<'a> {
    variant: &'a str,
    value: &'a Value,
    place: &'a Place<'a>,
    skipped: &'a [String],
}

struct VariantValue<'a> {
    value: &'a Value,
    place: Place<'a>,
    skipped: &'a [String],
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Problem;
    type Variant = VariantValue<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, VariantValue<'a>), Problem> {
        let name: StrDeserializer<'_, Problem> = self.variant.into_deserializer();
        let place = Place::Key(self.place, self.variant);
        let value = VariantValue { value: self.value, place, skipped: self.skipped };
        Ok((seed.deserialize(name)?, value))
    }
}

impl VariantValue<'_> {
    fn node(&self) -> Node<'_> {
        Node { value: self.value, place: &self.place, skipped: self.skipped }
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
#[path = "de_tests.rs"]
mod tests;
