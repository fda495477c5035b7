//! The JSON Schema of one type: of a duration, of a plugin's settings.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

/// The schema of a duration in a config file, for `#[schemars(with = "DurationSchema")]` on fields that are read
/// with [`duration`](mod@crate::duration).
#[derive(Debug)]
#[non_exhaustive]
pub struct DurationSchema;

impl JsonSchema for DurationSchema {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
        schemars::json_schema!({
            "anyOf": [
                { "type": "string", "pattern": format!("^(0|({number} ?(ns|us|µs|μs|ms|s|m|h|d|w) ?)+|.*\\$\\{{.*)$") },
                { "type": "integer", "minimum": 0 },
            ],
            "examples": ["500ms", "1m30s", "336h"],
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The schema of one type's settings.
pub(super) fn of_type<C: JsonSchema>() -> Value {
    // Inlined, to keep types with the same name in two crates apart.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<C>().to_value();
    if let Value::Object(object) = &mut schema {
        object.remove("$schema");
    }
    lists_of_one(&mut schema);
    schema
}

/// Accepts a single scalar in place of a list.
fn lists_of_one(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let scalar = object.get("items").and_then(|items| items["type"].as_str()).map(str::to_owned);
            if let (Some(scalar @ ("string" | "number" | "integer" | "boolean")), Some("array")) =
                (scalar.as_deref(), object.get("type").and_then(Value::as_str))
            {
                object.insert("type".to_owned(), json!(["array", scalar]));
            }
            object.values_mut().for_each(lists_of_one);
        }
        Value::Array(items) => items.iter_mut().for_each(lists_of_one),
        _ => {}
    }
}

/// The path of the registered checkers in the schema of the whole file.
pub(super) fn checkers(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "array", "items": { "$ref": "#/$defs/checker" } })
}

pub(super) fn defaults(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "anyOf": [{ "$ref": "#/$defs/defaults" }, { "type": "null" }] })
}

pub(super) fn storage(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "anyOf": [{ "$ref": "#/$defs/storage" }, { "type": "null" }] })
}

pub(super) fn notifiers(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "array", "items": { "$ref": "#/$defs/notifier" } })
}

pub(super) fn notifier(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "anyOf": [{ "$ref": "#/$defs/notifier" }, { "type": "null" }] })
}
