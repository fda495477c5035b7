//! The JSON Schema of config files.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::Registry;
use super::root::{Name, Plugins};
use super::type_schema::of_type;
use crate::Policy;
use crate::checkup::Options;

/// The properties of a settings struct.
fn properties<C: JsonSchema>() -> Map<String, Value> {
    match of_type::<C>()["properties"].take() {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

impl Registry {
    /// The JSON Schema (2020-12) of config files with the types that are registered, for editors.
    pub fn schema(&self) -> Value {
        of(self)
    }
}

/// The schema of the whole file.
fn of(registry: &Registry) -> Value {
    let mut definitions = Map::new();
    let mut of_checks = properties::<Name>();
    of_checks.extend(properties::<Policy>());
    let checkers = any_of("checker", registry.checkers.schemas(), &of_checks, &mut definitions);
    let defaults = defaults(registry, &of_checks);
    let storages = any_of("storage", registry.storages.schemas(), &Map::new(), &mut definitions);
    let notifiers = any_of("notifier", registry.notifiers.schemas(), &Map::new(), &mut definitions);
    for (name, schema) in [("checker", checkers), ("storage", storages), ("notifier", notifiers)] {
        definitions.insert(name.to_owned(), schema);
    }
    definitions.insert("defaults".to_owned(), defaults);
    definitions.insert("every_check".to_owned(), json!({ "type": "object", "properties": of_checks }));
    let mut of_root = properties::<Plugins>();
    of_root.extend(properties::<Options>());
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Checkup",
        "description": "Health checks: what is checked, where results are stored, and what is notified.",
        "type": "object",
        "additionalProperties": false,
        "properties": of_root,
        "patternProperties": { "^x-": true },
        "$defs": {},
    });
    for (key, section) in registry.sections.schemas() {
        schema["properties"][key] = hoist(section, &format!("section.{key}"), &mut definitions);
    }
    schema["$defs"] = definitions.into();
    schema
}

/// What `defaults` may have: any key of the checks of each type, except for what names a check. References point to the definitions of
/// the types of checkers.
fn defaults(registry: &Registry, of_checks: &Map<String, Value>) -> Value {
    let types = registry.checkers.schemas().map(|(name, schema)| {
        let schema = hoist(schema, &format!("checker.{name}"), &mut Map::new());
        let mut properties = schema["properties"].as_object().cloned().unwrap_or_default();
        properties.extend(of_checks.clone());
        properties.retain(|key, _| !["endpoint_name", "name"].contains(&key.as_str()));
        let settings = json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false });
        (name.to_owned(), settings)
    });
    json!({ "type": "object", "properties": types.collect::<Map<_, _>>(), "additionalProperties": false })
}

/// One of the types, distinguished by `type`.
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
        // `oneOf` must not be empty. If no type is compiled in, no value is valid.
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

/// Moves the definitions inside one type's schema (of types that contain themselves, which cannot be inlined) to those of
/// the whole file, where references find them, with names that no other type has.
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
