//! [`Defaults`]: settings for all checks of a type, under the root key `defaults`.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::format::kind_of;
use super::place::is_inside;
use super::problem::unknown_key;
use crate::{ConfigError, ConfigErrorKind, ConfigProblems};

/// Keys that each check sets for itself.
const OWN: [&str; 3] = ["type", "endpoint_name", "name"];

/// Settings for all checks of a type, and which of their problems were reported.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    of_types: BTreeMap<String, Map<String, Value>>,
    reported: HashSet<String>,
}

/// Which keys a check has from the defaults of its type.
#[derive(Debug)]
pub(super) struct Inherited {
    type_name: String,
    keys: Vec<String>,
}

impl Defaults {
    /// Reads the value of `defaults`. `keys_of` gives the keys of the checks of a type, if it exists, and `remedy` says what to do about a type
    /// that is known and does not.
    pub(super) fn read(
        value: Value,
        types: &[&str],
        remedy: impl Fn(&str) -> Option<String>,
        keys_of: impl Fn(&str) -> Option<Vec<String>>,
    ) -> (Self, ConfigProblems) {
        let mut defaults = Self::default();
        let mut problems = ConfigProblems::new();
        let Some(entries) = object("defaults", value, "an object with a `type` of checks as each key", &mut problems)
        else {
            return (defaults, problems);
        };
        for (type_name, value) in entries {
            let place = format!("defaults.{type_name}");
            let Some(known) = keys_of(&type_name) else {
                problems.push(match remedy(&type_name) {
                    Some(remedy) => ConfigError::new(ConfigErrorKind::UnknownType, place, remedy),
                    None => unknown_key(place, &type_name, types),
                });
                continue;
            };
            let Some(mut settings) = object(&place, value, "an object with settings", &mut problems) else { continue };
            for key in OWN.iter().filter(|key| settings.remove(**key).is_some()) {
                problems.push(ConfigError::reason(format!("{place}.{key}"), "each check sets its own; remove it here"));
            }
            let known: Vec<_> = known.iter().map(String::as_str).filter(|key| !OWN.contains(key)).collect();
            settings.retain(|key, _| {
                let is_known = known.contains(&key.as_str());
                if !is_known {
                    problems.push(unknown_key(format!("{place}.{key}"), key, &known));
                }
                is_known
            });
            defaults.of_types.insert(type_name, settings);
        }
        (defaults, problems)
    }

    /// Adds the defaults of its type to a check that does not have these keys.
    pub(super) fn fill(&self, check: &mut Value) -> Option<Inherited> {
        if self.of_types.is_empty() {
            return None;
        }
        let object = check.as_object_mut()?;
        let type_name = object.get("type").and_then(Value::as_str)?.to_owned();
        let mut keys = Vec::new();
        for (key, value) in self.of_types.get(&type_name)? {
            if !object.contains_key(key) {
                object.insert(key.clone(), value.clone());
                keys.push(key.clone());
            }
        }
        (!keys.is_empty()).then_some(Inherited { type_name, keys })
    }

    /// The problems of a check, those of what it inherited at the place of the defaults and only once for all checks.
    pub(super) fn located(
        &mut self,
        error: ConfigError,
        check: &str,
        inherited: &Inherited,
    ) -> Result<(), ConfigError> {
        let error = error.map_places(|place| {
            let inner = place.strip_prefix(check).and_then(|rest| rest.strip_prefix('.'))?;
            let is_own = !inherited.keys.iter().any(|key| key == inner || is_inside(inner, key));
            (!is_own).then(|| format!("defaults.{}.{inner}", inherited.type_name))
        });
        error.retain(|problem| !problem.place.starts_with("defaults.") || self.reported.insert(problem.to_string()))
    }
}

fn object(place: &str, value: Value, expected: &str, problems: &mut ConfigProblems) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        Value::Null => Some(Map::new()),
        other => {
            problems.push(ConfigError::expected(place, expected).found(kind_of(&other)).without_values());
            None
        }
    }
}

#[cfg(test)]
#[path = "defaults_tests.rs"]
mod tests;
