//! The JSON Schema of config files.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::Registry;
use crate::Spool;

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
        let Value::Object(schema) = duration("") else { return Schema::default() };
        schema.into()
    }

    fn inline_schema() -> bool {
        true
    }
}

fn duration(description: &str) -> Value {
    let number = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
    let mut schema = json!({
        "anyOf": [
            { "type": "string", "pattern": format!("^(0|({number} ?(ns|us|µs|μs|ms|s|m|h|d|w) ?)+|.*\\$\\{{.*)$") },
            { "type": "integer", "minimum": 0 },
        ],
        "examples": ["500ms", "1m30s", "336h"],
    });
    if !description.is_empty() {
        schema["description"] = description.into();
    }
    schema
}

/// The schema of one type's settings.
pub(super) fn of_type<C: JsonSchema>() -> Value {
    // Inlined, so that types of the same name in two crates cannot meet.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<C>().to_value();
    if let Value::Object(object) = &mut schema {
        object.remove("$schema");
    }
    schema
}

/// The schema of the whole file.
pub(super) fn of(registry: &Registry) -> Value {
    let mut definitions = Map::new();
    let checkers = any_of("checker", registry.checkers.schemas(), &check_properties(), &mut definitions);
    let storages = any_of("storage", registry.storages.schemas(), &Map::new(), &mut definitions);
    let notifiers = any_of("notifier", registry.notifiers.schemas(), &Map::new(), &mut definitions);
    for (name, schema) in [("checker", checkers), ("storage", storages), ("notifier", notifiers)] {
        definitions.insert(name.to_owned(), schema);
    }
    let spool = of_type::<Spool>();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Checkup",
        "description": "Health checks: what is checked, where results are stored, and who is told.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "$schema": { "type": "string", "description": "The schema of this file, for editors." },
            "checkers": { "type": "array", "description": "The checks.", "items": { "$ref": "#/$defs/checker" } },
            "storage": { "description": "Where reports are stored.", "anyOf": [{ "$ref": "#/$defs/storage" }, { "type": "null" }] },
            "spool": { "description": "Where reports wait while the storage cannot be reached; false for nowhere.", "anyOf": [spool, { "const": false }, { "type": "null" }] },
            "notifiers": { "type": "array", "description": "Who is told of changes.", "items": { "$ref": "#/$defs/notifier" } },
            "notifier": { "description": "Upstream's older form of one notifier; it goes first.", "anyOf": [{ "$ref": "#/$defs/notifier" }, { "type": "null" }] },
            "concurrent_checks": { "type": "integer", "minimum": 0, "description": "How many checks run at once; 0 or absent for 256." },
            "location": { "type": "string", "description": "Where this node is; every result says it." },
            "shard": {
                "description": "This node's share of the checks: part `index`, from 1 on, of `count`. A check's name tells which part it is in.",
                "type": ["object", "null"],
                "properties": { "index": { "type": "integer", "minimum": 1 }, "count": { "type": "integer", "minimum": 1 } },
                "required": ["index", "count"],
                "additionalProperties": false,
            },
            "quorum": { "type": "integer", "minimum": 1, "description": "How many locations must say that a check is down, for it to be down. Default: more than half." },
            "timestamp": { "type": "string", "description": "An RFC 3339 time that replaces that of every result; 0001-01-01T00:00:00Z for none." },
        },
        "$defs": {},
    });
    for (key, section) in registry.sections.schemas() {
        schema["properties"][key] = hoist(section, &format!("section.{key}"), &mut definitions);
    }
    schema["$defs"] = definitions.into();
    schema
}

/// One of the types, told apart by `type`.
fn any_of<'a>(
    kind: &str,
    types: impl Iterator<Item = (&'a str, Value)>,
    common: &Map<String, Value>,
    definitions: &mut Map<String, Value>,
) -> Value {
    let alternatives: Vec<_> = types
        .map(|(name, schema)| with_type(name, hoist(schema, &format!("{kind}.{name}"), definitions), common))
        .collect();
    if alternatives.is_empty() {
        // `oneOf` must not be empty; nothing is valid where no type is compiled in.
        return Value::Bool(false);
    }
    json!({ "type": "object", "required": ["type"], "oneOf": alternatives })
}

/// The schema of a type's object with its `type` and the common keys in it.
fn with_type(name: &str, mut schema: Value, common: &Map<String, Value>) -> Value {
    let Value::Object(object) = &mut schema else {
        return json!({ "properties": { "type": { "const": name } }, "required": ["type"] });
    };
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        properties.insert("type".to_owned(), json!({ "const": name }));
        properties.extend(common.clone());
    }
    if let Value::Array(required) = object.entry("required").or_insert_with(|| json!([])) {
        required.push("type".into());
    }
    object.insert("title".to_owned(), name.into());
    object.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// Moves the definitions inside of one type's schema (of what contains itself, which cannot be inlined) to those of
/// the whole, where references find them, under names that no other type has.
fn hoist(mut schema: Value, prefix: &str, definitions: &mut Map<String, Value>) -> Value {
    let own = schema.as_object_mut().and_then(|object| object.remove("$defs"));
    rename_references(&mut schema, prefix);
    if let Some(Value::Object(own)) = own {
        for (name, mut definition) in own {
            rename_references(&mut definition, prefix);
            definitions.insert(format!("{prefix}.{name}"), definition);
        }
    }
    schema
}

fn rename_references(schema: &mut Value, prefix: &str) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                let target = value.as_str().filter(|_| key == "$ref").and_then(|text| text.strip_prefix("#/$defs/"));
                match target {
                    Some(name) => *value = format!("#/$defs/{prefix}.{name}").into(),
                    None => rename_references(value, prefix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, prefix)),
        _ => {}
    }
}

/// The keys that every check has.
fn check_properties() -> Map<String, Value> {
    let properties = json!({
        "endpoint_name": { "type": "string", "description": "The check's name. Default: its endpoint." },
        "name": { "type": "string", "description": "The same as `endpoint_name`." },
        "attempts": { "type": "integer", "minimum": 0, "description": "How many attempts a run makes; any that fails makes the check down. Default 1." },
        "attempt_spacing": duration("The pause between attempts. Default 0."),
        "timeout": duration("The limit of each attempt. Default: that of the type."),
        "threshold_rtt": duration("The check is degraded if the median round-trip time is longer. Default 0: never."),
        "retries": { "type": "integer", "minimum": 0, "description": "How often a failed attempt is repeated before it counts. Default 0." },
        "interval": duration("The time from run to run, if it is not that of all checks."),
        "tags": { "type": "array", "items": { "type": "string" }, "description": "What the check belongs to, to select by." },
        "group": { "type": "string", "description": "Under which heading the check is shown." },
        "depends_on": { "type": "array", "items": { "type": "string" }, "description": "The names of the checks that this one cannot work without; while one is down, this one is down because of it." },
    });
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Settings {
        ranges: Ranges,
    }

    #[derive(JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    enum Ranges {
        One(u16),
        Many(Vec<Ranges>),
    }

    #[test]
    fn references_of_a_type_that_contains_itself_find_their_definition() {
        let mut definitions = Map::new();
        let types = [("a", of_type::<Settings>()), ("b", of_type::<Settings>())].into_iter();
        let schema = any_of("checker", types, &Map::new(), &mut definitions);
        assert_eq!(definitions.keys().collect::<Vec<_>>(), ["checker.a.Ranges", "checker.b.Ranges"]);
        let own = "#/$defs/checker.b.Ranges";
        assert!(schema["oneOf"][1].to_string().contains(own), "{schema}");
        assert!(definitions["checker.b.Ranges"].to_string().contains(own), "{definitions:?}");
    }
}
