//! `${VAR}` and `${VAR:-default}` in strings.

use serde_json::Value;

use super::place::is_inside;
use crate::error::VariablesAt;
use crate::source::Texts;
use crate::sourced::Variable;
use crate::{ConfigError, ConfigErrorKind, ConfigProblems};

/// Which parts of which texts came from environment variables. Their values may be secrets, and are never shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Replaced {
    places: Vec<(String, Vec<String>)>,
    texts: Texts,
}

impl Replaced {
    /// The variables at a place.
    pub(super) fn at(&self, place: &str) -> VariablesAt {
        let mut found = VariablesAt::default();
        for (replaced, names) in &self.places {
            let list = match () {
                () if replaced == place || is_inside(place, replaced) => &mut found.here,
                () if is_inside(replaced, place) => &mut found.within,
                () => continue,
            };
            list.extend(names.iter().cloned());
        }
        found.here.dedup();
        found.within.dedup();
        found
    }

    /// The texts that variables were replaced in.
    pub(super) fn texts(&self) -> &Texts {
        &self.texts
    }
}

/// Replaces variables in every string of `value`, and gives the places where it did.
pub(super) fn interpolate(
    value: &mut Value,
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut ConfigProblems,
) -> Replaced {
    let mut replaced = Replaced::default();
    if has_variables(value) {
        walk(value, String::new(), lookup, problems, &mut replaced);
    }
    replaced
}

/// Most objects have none, and need no places.
fn has_variables(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Array(items) => items.iter().any(has_variables),
        Value::Object(entries) => entries.values().any(has_variables),
        _ => false,
    }
}

fn walk(
    value: &mut Value,
    place: String,
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut ConfigProblems,
    replaced: &mut Replaced,
) {
    match value {
        Value::String(text) if text.contains("${") => match expand(text, lookup) {
            Ok((expanded, variables)) => {
                if !variables.is_empty() {
                    replaced.places.push((place, variables.iter().map(|variable| variable.name.clone()).collect()));
                    replaced.texts.insert(expanded.clone(), variables.into());
                }
                *text = expanded;
            }
            Err((kind, message)) => problems.push(ConfigError::new(kind, place, message).without_values()),
        },
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(item, format!("{place}[{index}]"), lookup, problems, replaced);
            }
        }
        Value::Object(entries) => {
            for (key, entry) in entries {
                let dot = if place.is_empty() { "" } else { "." };
                walk(entry, format!("{place}{dot}{key}"), lookup, problems, replaced);
            }
        }
        _ => {}
    }
}

/// The text with its variables replaced, and where it has their values. A default is not a value of the environment.
fn expand(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, Vec<Variable>), (ConfigErrorKind, String)> {
    let mut expanded = String::new();
    let mut variables = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let before = &rest[..start];
        if let Some(escaped) = before.strip_suffix('$') {
            expanded.push_str(escaped);
            expanded.push_str("${");
            rest = &rest[start + 2..];
            continue;
        }
        expanded.push_str(before);
        let inside = &rest[start + 2..];
        let end = inside.find('}').ok_or_else(|| {
            (ConfigErrorKind::Invalid, "`${` without its `}`; write `$${` for a plain `${`".to_owned())
        })?;
        let reference = &inside[..end];
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(plain) {
            // The text is not shown: it may be part of a secret that contains `${`.
            let message = "expected a variable's name in `${…}`, as in `${TOKEN}`; write `$${` for a plain `${`";
            return Err((ConfigErrorKind::Invalid, message.to_owned()));
        }
        match (lookup(name), default) {
            (Some(value), Some(default)) if value.is_empty() => expanded.push_str(default),
            (Some(value), _) => {
                let start = expanded.len();
                expanded.push_str(&value);
                variables.push(Variable::new(name, start..expanded.len()));
            }
            (None, Some(default)) => expanded.push_str(default),
            (None, None) => {
                let message =
                    format!("the environment variable {name} is not set; set it, or write `${{{name}:-default}}`");
                return Err((ConfigErrorKind::UnsetVariable, message));
            }
        }
        rest = &inside[end + 1..];
    }
    expanded.push_str(rest);
    Ok((expanded, variables))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "TOKEN" => Some("t0ken".into()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${TOKEN}".into()),
            _ => None,
        }
    }

    fn ok(text: &str) -> String {
        expand(text, &env).unwrap().0
    }

    #[test]
    fn variables_and_defaults_are_replaced() {
        assert_eq!(ok("Bearer ${TOKEN}!"), "Bearer t0ken!");
        assert_eq!(ok("${TOKEN}${TOKEN}"), "t0kent0ken");
        assert_eq!(ok("${NONE:-fall back}"), "fall back");
        assert_eq!(ok("${EMPTY:-x}${NONE:-}"), "x");
    }

    #[test]
    fn a_value_is_not_expanded_again() {
        assert_eq!(ok("${NESTED}"), "${TOKEN}");
    }

    #[test]
    fn a_double_dollar_is_plain() {
        assert_eq!(ok("$${TOKEN} costs $5"), "${TOKEN} costs $5");
    }

    #[test]
    fn an_invalid_variable_is_refused_with_the_reason() {
        assert_eq!(expand("${NONE}", &env).unwrap_err().0, ConfigErrorKind::UnsetVariable);
        for text in ["${TOKEN", "${}", "${1X}", "${A B}"] {
            assert_eq!(expand(text, &env).unwrap_err().0, ConfigErrorKind::Invalid, "{text}");
        }
    }
}
