//! `${VAR}` and `${VAR:-default}` in strings.

use std::collections::HashSet;

use serde_json::Value;

use crate::ConfigProblems;
use crate::{ConfigError, ConfigErrorKind};

/// Replaces variables in every string of `value`, and gives the places where it did: their values
/// may be secrets, which errors must not show.
pub(super) fn interpolate(
    value: &mut Value,
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut ConfigProblems,
) -> HashSet<String> {
    let mut replaced = HashSet::new();
    walk(value, String::new(), lookup, problems, &mut replaced);
    replaced
}

fn walk(
    value: &mut Value,
    place: String,
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut ConfigProblems,
    replaced: &mut HashSet<String>,
) {
    match value {
        Value::String(text) if text.contains("${") => match expand(text, lookup) {
            Ok(expanded) => {
                *text = expanded;
                replaced.insert(place);
            }
            Err((kind, message)) => problems.push(ConfigError::new(kind, place, message)),
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

fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, (ConfigErrorKind, String)> {
    let mut expanded = String::new();
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
            // What stands there is not shown: it may be a part of a secret that has `${` in it.
            let message = "expected a variable's name in `${…}`, as in `${TOKEN}`; write `$${` for a plain `${`";
            return Err((ConfigErrorKind::Invalid, message.to_owned()));
        }
        match (lookup(name), default) {
            (Some(value), Some(default)) if value.is_empty() => expanded.push_str(default),
            (Some(value), _) => expanded.push_str(&value),
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
    Ok(expanded)
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
        expand(text, &env).unwrap()
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
    fn what_cannot_be_replaced_says_why() {
        assert_eq!(expand("${NONE}", &env).unwrap_err().0, ConfigErrorKind::UnsetVariable);
        for text in ["${TOKEN", "${}", "${1X}", "${A B}"] {
            assert_eq!(expand(text, &env).unwrap_err().0, ConfigErrorKind::Invalid, "{text}");
        }
    }
}
