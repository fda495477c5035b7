//! Reads files that may have a number in them that `f64` does not preserve. Such files are rare, and are read as a whole.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use serde_saphyr::Spanned;
use toml::de::{DeFloat, DeInteger, DeValue};

use crate::exact_number;

/// The value of a JSON text, if it is valid.
pub(super) fn json(text: &str) -> Option<Value> {
    let text = text.trim_ascii();
    Some(match text.as_bytes().first()? {
        b'{' => {
            let entries: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            let entries = entries.into_iter().map(|(key, entry)| Some((key, json(entry.get())?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Value::Array(items.into_iter().map(|item| json(item.get())).collect::<Option<_>>()?)
        }
        b'-' | b'0'..=b'9' => exact_number::value_of(text)?,
        _ => serde_json::from_str(text).ok()?,
    })
}

/// The value of a YAML text, if it is valid.
pub(super) fn yaml(text: &str) -> Option<Value> {
    let root = serde_saphyr::with_deserializer_from_str(text, |parser| Spanned::<Node>::deserialize(parser)).ok()?;
    Some(from_yaml(root, text))
}

/// The value of a TOML value. `None` if there is a number in it that JSON does not have.
pub(super) fn toml(value: DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(number) => from_integer(&number)?,
        DeValue::Float(number) => from_float(&number)?,
        DeValue::Boolean(flag) => Value::Bool(flag),
        DeValue::Datetime(moment) => Value::String(moment.to_string()),
        DeValue::Array(items) => {
            Value::Array(items.into_iter().map(|item| toml(item.into_inner())).collect::<Option<_>>()?)
        }
        DeValue::Table(entries) => {
            let entries = entries
                .into_iter()
                .map(|(key, entry)| Some((key.into_inner().into_owned(), toml(entry.into_inner())?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}

/// A value in YAML. The positions of its parts lead to the texts of numbers.
enum Node {
    Number(Value),
    Other(Value),
    List(Vec<Spanned<Node>>),
    Object(Vec<(String, Spanned<Node>)>),
}

fn from_yaml(node: Spanned<Node>, text: &str) -> Value {
    match node.value {
        Node::Other(value) => value,
        Node::Number(rounded) => {
            // For an alias, this is the position of its anchor.
            let span = node.defined.span();
            let written = span.byte_offset().zip(span.byte_len()).and_then(|(start, length)| {
                let start = usize::try_from(start).ok()?;
                text.get(start..start.checked_add(usize::try_from(length).ok()?)?)
            });
            written.and_then(|written| exact_number::value_of(written.trim())).unwrap_or(rounded)
        }
        Node::List(items) => items.into_iter().map(|item| from_yaml(item, text)).collect(),
        Node::Object(entries) => entries.into_iter().map(|(key, entry)| (key, from_yaml(entry, text))).collect(),
    }
}

fn from_integer(number: &DeInteger<'_>) -> Option<Value> {
    match number.radix() {
        10 => exact_number::value_of(number.as_str().trim_start_matches('+')),
        radix => exact_number::value_of(&i128::from_str_radix(number.as_str(), radix).ok()?.to_string()),
    }
}

fn from_float(number: &DeFloat<'_>) -> Option<Value> {
    let text = number.as_str().trim_start_matches('+');
    let rounded: f64 = text.parse().ok()?;
    if text.contains(['i', 'n']) {
        return None;
    }
    exact_number::value_of(text).or_else(|| serde_json::Number::from_f64(rounded).map(Value::Number))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other(Value::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Other(flag.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Other(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Other(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Other(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(Node::Object(object))
    }
}
