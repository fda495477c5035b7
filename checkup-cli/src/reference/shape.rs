//! Which values a schema allows, in a few words.

use serde_json::Value;

/// The values, such as `duration`, `list of texts` or `4 or "any"`.
pub(super) fn values(schema: &Value) -> String {
    let mut all: Vec<String> = Vec::new();
    for kind in kinds(schema) {
        if !all.contains(&kind) {
            all.push(kind);
        }
    }
    if all.is_empty() { "any value".to_owned() } else { all.join(" or ") }
}

fn kinds(schema: &Value) -> Vec<String> {
    if let Some(name) = reference(schema) {
        return vec![match name {
            "checker" => "check".to_owned(),
            "storage" | "notifier" => name.to_owned(),
            "defaults" => "object with types of checks as keys".to_owned(),
            _ => "the same".to_owned(),
        }];
    }
    if let Some(value) = schema.get("const") {
        return vec![code(value)];
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().filter(|value| !value.is_null()).map(code).collect();
    }
    if let Some(alternatives) = ["anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array()) {
        let mut all: Vec<_> = alternatives.iter().flat_map(kinds).collect();
        // Of nanoseconds.
        if all.first().is_some_and(|first| first == "duration") {
            all.truncate(1);
        }
        return all;
    }
    let types: Vec<_> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let item = types.contains(&"array").then(|| values(&schema["items"]));
    let mut all: Vec<String> = Vec::new();
    for name in types {
        let kind = match name {
            "string" if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("ns|us|")) => {
                "duration".to_owned()
            }
            "string" if schema["writeOnly"] == Value::Bool(true) => "text (secret)".to_owned(),
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            "number" => "number".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "array" => format!("list of {}", plural(item.as_deref().unwrap_or_default())),
            "object" => match schema["additionalProperties"].as_object() {
                Some(_) => {
                    let each = values(&schema["additionalProperties"]);
                    format!("object with free keys, each with {}", with_article(&each))
                }
                None => "object".to_owned(),
            },
            _ => continue,
        };
        // A single value counts as a list of one.
        if !item.as_deref().is_some_and(|item| item.starts_with(&kind)) {
            all.push(kind);
        }
    }
    all
}

/// The named values of an enumeration that have a description, as entries of a list.
pub(super) fn choices(schema: &Value) -> Vec<String> {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    let described = alternatives.filter_map(|alternative| {
        let (value, about) = (alternative.get("const")?, alternative["description"].as_str()?);
        Some(format!("- {}: {}", code(value), about.replace('\n', " ")))
    });
    described.collect()
}

/// The objects whose keys a value has: itself, its forms, or the entries of its list.
pub(super) fn inner(schema: &Value) -> Vec<&Value> {
    if reference(schema).is_some() {
        return Vec::new();
    }
    if schema["properties"].is_object() {
        return vec![schema];
    }
    let forms = ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let parts = [&schema["items"], &schema["additionalProperties"]].into_iter().filter(|part| part.is_object());
    forms.chain(parts).flat_map(inner).collect()
}

/// The name of the definition that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn code(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        value => format!("`{value}`"),
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "text" | "check" | "storage" | "notifier" | "duration" | "object" | "whole number" | "number" => {
            format!("{kind}s")
        }
        "text (secret)" => "texts (secret)".to_owned(),
        "the same" => "the same".to_owned(),
        kind => kind.to_owned(),
    }
}

fn with_article(kind: &str) -> String {
    if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { format!("an {kind}") } else { format!("a {kind}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_named_in_a_few_words() {
        let duration = json!({ "anyOf": [{ "type": "string", "pattern": "(ns|us|ms)" }, { "type": "integer" }] });
        for (schema, expected) in [
            (duration.clone(), "duration"),
            (json!({ "anyOf": [duration, { "type": "null" }] }), "duration"),
            (json!({ "type": ["array", "string"], "items": { "type": "string" } }), "list of texts"),
            (json!({ "enum": ["any", 4, 6, "4"] }), "`any` or `4` or `6`"),
            (json!(true), "any value"),
            (
                json!({ "type": ["array", "string"], "items": { "type": "string", "writeOnly": true } }),
                "list of texts (secret)",
            ),
            (json!({ "type": ["string", "null"], "writeOnly": true }), "text (secret)"),
            (
                json!({ "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } } }),
                "object with free keys, each with a list of texts",
            ),
            (json!({ "type": "array", "items": { "$ref": "#/$defs/checker" } }), "list of checks"),
            (json!({ "type": "boolean" }), "`true` or `false`"),
        ] {
            assert_eq!(values(&schema), expected, "{schema}");
        }
    }
}
