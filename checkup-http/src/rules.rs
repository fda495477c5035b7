//! Assertions, parsed, and the verdict on a response by them.

use checkup_core::{ConfigError, Failure};
use http::HeaderMap;
use http::header::HeaderName;
use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use regex::Regex;
use serde_json::Value;

use crate::{HeaderAssertion, JsonAssertion};

/// A [`JsonAssertion`], parsed.
#[derive(Debug)]
pub(crate) struct JsonRule {
    path: String,
    query: JpQuery,
    conditions: Conditions,
}

/// A [`HeaderAssertion`], parsed.
#[derive(Debug)]
pub(crate) struct HeaderRule {
    name: HeaderName,
    conditions: Conditions,
}

#[derive(Debug)]
struct Conditions {
    exists: bool,
    equals: Option<Value>,
    contains: Option<String>,
    matches: Option<Regex>,
    at_least: Option<f64>,
    at_most: Option<f64>,
}

impl JsonRule {
    pub(crate) fn parse(assertion: &JsonAssertion) -> Result<Self, ConfigError> {
        let JsonAssertion { path, equals, contains, matches, at_least, at_most, exists } = assertion.clone();
        let query = parse_json_path(&path).map_err(|error| {
            let error = error.to_string();
            let reason = error.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim();
            ConfigError::invalid(
                "path",
                format!("expected a JSONPath (RFC 9535) such as \"$.status\", found {path:?} ({reason})"),
            )
        })?;
        let matches = matches.as_deref().map(|pattern| parse_regex("matches", pattern)).transpose()?;
        let conditions =
            Conditions { exists: exists.unwrap_or(true), equals, contains, matches, at_least, at_most }.validated()?;
        Ok(Self { path, query, conditions })
    }

    pub(crate) fn check(&self, body: &Value) -> Result<(), Failure> {
        let path = &self.path;
        bound_paths(body, path)?;
        let found = js_path_process(&self.query, body)
            .map_err(|error| Failure::assertion(format!("json {path} cannot be looked up: {error}")))?;
        match (found.first(), self.conditions.exists) {
            (None, true) => return Err(Failure::assertion(format!("json {path} is missing"))),
            (Some(found), false) => {
                return Err(Failure::assertion(format!("json {path} is {}, expected none", shown(found.val))));
            }
            _ => {}
        }
        found.iter().try_for_each(|found| {
            self.conditions.check(found.val).map_err(|expected| {
                Failure::assertion(format!("json {path} is {}, expected {expected}", shown(found.val)))
            })
        })
    }
}

impl HeaderRule {
    pub(crate) fn parse(assertion: &HeaderAssertion) -> Result<Self, ConfigError> {
        let HeaderAssertion { name, equals, contains, matches, exists } = assertion.clone();
        let name = name.parse().map_err(|_| {
            ConfigError::invalid("name", format!("expected a header's name such as \"content-type\", found {name:?}"))
        })?;
        let matches = matches.as_deref().map(|pattern| parse_regex("matches", pattern)).transpose()?;
        let (exists, equals) = (exists.unwrap_or(true), equals.map(Value::String));
        let conditions = Conditions { exists, equals, contains, matches, at_least: None, at_most: None }.validated()?;
        Ok(Self { name, conditions })
    }

    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let name = &self.name;
        let lines: Vec<_> = headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        match (lines.is_empty(), self.conditions.exists) {
            (true, true) => return Err(Failure::assertion(format!("response header {name} is missing"))),
            (true, false) => return Ok(()),
            (false, _) => {}
        }
        let value = Value::String(lines.join(", "));
        if !self.conditions.exists {
            return Err(Failure::assertion(format!("response header {name} is {}, expected none", shown(&value))));
        }
        self.conditions.check(&value).map_err(|expected| {
            Failure::assertion(format!("response header {name} is {}, expected {expected}", shown(&value)))
        })
    }
}

impl Conditions {
    fn validated(self) -> Result<Self, ConfigError> {
        let others = self.equals.is_some()
            || self.contains.is_some()
            || self.matches.is_some()
            || self.at_least.is_some()
            || self.at_most.is_some();
        if !self.exists && others {
            return Err(ConfigError::invalid(
                "exists",
                "expected true beside other conditions, found false: what is not there cannot meet them",
            ));
        }
        Ok(self)
    }

    /// Whether the value meets all of them; otherwise what was expected.
    fn check(&self, value: &Value) -> Result<(), String> {
        if let Some(expected) = self.equals.as_ref().filter(|expected| !equal(expected, value)) {
            return Err(shown(expected));
        }
        let json;
        let text = match value {
            Value::String(text) => text,
            // Only these two conditions need the text of what is none.
            other if self.contains.is_some() || self.matches.is_some() => {
                json = other.to_string();
                &json
            }
            _ => "",
        };
        if let Some(part) = self.contains.as_ref().filter(|part| !text.contains(part.as_str())) {
            return Err(format!("to contain {part:?}"));
        }
        if let Some(pattern) = self.matches.as_ref().filter(|pattern| !pattern.is_match(text)) {
            return Err(format!("to match {:?}", pattern.as_str()));
        }
        let number = value.as_f64();
        if let Some(minimum) = self.at_least.filter(|minimum| number.is_none_or(|number| number < *minimum)) {
            return Err(format!("at least {minimum}"));
        }
        if let Some(maximum) = self.at_most.filter(|maximum| number.is_none_or(|number| number > *maximum)) {
            return Err(format!("at most {maximum}"));
        }
        Ok(())
    }
}

/// Reads a regular expression of the settings.
pub(crate) fn parse_regex(key: &str, pattern: &str) -> Result<Regex, ConfigError> {
    Regex::new(pattern).map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        ConfigError::invalid(key, format!("expected a regular expression, found {pattern:?} ({reason})"))
    })
}

/// Equality of JSON, for which 1 and 1.0 are the same number.
fn equal(expected: &Value, value: &Value) -> bool {
    match (expected, value) {
        (Value::Number(expected), Value::Number(value)) => expected == value || expected.as_f64() == value.as_f64(),
        _ => expected == value,
    }
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    // `excerpt` escapes what is in it; the quotes of a text are enough to add.
    match value {
        Value::String(text) => format!("\"{}\"", checkup_net::excerpt(text.as_bytes(), 100)),
        other => checkup_net::excerpt(other.to_string().as_bytes(), 100),
    }
}

/// The most bytes that the paths of all values of a body may have together.
const MAX_PATHS: usize = 64 << 20;

/// Refuses a body whose look-up would take very much memory: the query keeps the path of each value that it visits
/// as a text, so that one huge key over many small values multiplies.
fn bound_paths(body: &Value, path: &str) -> Result<(), Failure> {
    // A path with neither visits no more values than it names.
    if !path.contains(['*', '?', ':']) && !path.contains("..") {
        return Ok(());
    }
    // Each further descendant segment visits a value once for each value above it.
    let descendants = path.matches("..").count().saturating_sub(1).min(4);
    let weight = 128_usize.saturating_pow(u32::try_from(descendants).unwrap_or(u32::MAX));
    let mut budget = MAX_PATHS / weight;
    spend(body, 1, &mut budget)
        .ok_or_else(|| Failure::assertion(format!("json {path} cannot be looked up: the body has too many values")))
}

/// Takes what the paths of a value and all in it have from the budget; `None` if it is not enough.
fn spend(value: &Value, length: usize, budget: &mut usize) -> Option<()> {
    *budget = budget.checked_sub(length)?;
    match value {
        // The decoder refuses bodies that are nested deeper than 128 levels, so the recursion is bounded.
        Value::Array(values) => values.iter().try_for_each(|value| spend(value, length + 8, budget)),
        Value::Object(members) => {
            members.iter().try_for_each(|(key, value)| spend(value, length + key.len() + 4, budget))
        }
        _ => Some(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(assertion: JsonAssertion, body: Value) -> Result<(), String> {
        JsonRule::parse(&assertion).unwrap().check(&body).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn every_value_that_the_path_finds_must_meet_every_condition() {
        let body = json!({"checks": [{"state": "up"}, {"state": "starting"}], "depth": 7, "none": null});
        let states = JsonAssertion::new("$.checks[*].state");
        assert_eq!(check(states.clone(), body.clone()), Ok(()));
        assert_eq!(check(states.clone().matches("^(up|starting)$"), body.clone()), Ok(()));
        assert_eq!(
            check(states.equals("up"), body.clone()).unwrap_err(),
            "json $.checks[*].state is \"starting\", expected \"up\""
        );
        assert_eq!(check(JsonAssertion::new("$.depth").at_most(100).at_least(7), body.clone()), Ok(()));
        assert_eq!(
            check(JsonAssertion::new("$.depth").at_most(6.5), body.clone()).unwrap_err(),
            "json $.depth is 7, expected at most 6.5"
        );
        assert_eq!(check(JsonAssertion::new("$.depth").equals(7.0), body.clone()), Ok(()));
        assert_eq!(check(JsonAssertion::new("$.depth").contains("7"), body.clone()), Ok(()));
        assert_eq!(check(JsonAssertion::new("$.gone"), body.clone()).unwrap_err(), "json $.gone is missing");
        assert_eq!(check(JsonAssertion::new("$.gone").exists(false), body.clone()), Ok(()));
        assert_eq!(
            check(JsonAssertion::new("$.depth").exists(false), body.clone()).unwrap_err(),
            "json $.depth is 7, expected none"
        );
        let null: JsonAssertion = serde_json::from_str(r#"{"path": "$.none", "equals": null}"#).unwrap();
        assert_eq!(check(null.clone(), body.clone()), Ok(()));
        assert!(check(JsonAssertion { path: "$.depth".into(), ..null }, body).is_err());
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_their_key() {
        let place = |assertion: JsonAssertion| JsonRule::parse(&assertion).unwrap_err().problems()[0].place.clone();
        assert_eq!(place(JsonAssertion::new("status")), "path");
        assert_eq!(place(JsonAssertion::new("$.a").matches("(")), "matches");
        assert_eq!(place(JsonAssertion::new("$.a").equals(1).exists(false)), "exists");
        assert_eq!(HeaderRule::parse(&HeaderAssertion::new("a b")).unwrap_err().problems()[0].place, "name");
    }

    #[test]
    fn a_body_made_to_fill_the_memory_is_refused() {
        let body = json!({"k".repeat(500_000): vec![1; 250_000]});
        let error = check(JsonAssertion::new("$..status"), body).unwrap_err();
        assert!(error.ends_with("the body has too many values"), "{error}");
    }

    #[test]
    fn the_lines_of_a_header_are_one_value() {
        let mut headers = HeaderMap::new();
        headers.append("vary", "accept".parse().unwrap());
        headers.append("vary", "origin".parse().unwrap());
        let check = |assertion: HeaderAssertion| {
            HeaderRule::parse(&assertion).unwrap().check(&headers).map_err(|failure| failure.message().to_owned())
        };
        assert_eq!(check(HeaderAssertion::new("Vary").equals("accept, origin")), Ok(()));
        assert_eq!(check(HeaderAssertion::new("Vary").matches("^accept")), Ok(()));
        assert_eq!(
            check(HeaderAssertion::new("Vary").contains("cookie")).unwrap_err(),
            "response header vary is \"accept, origin\", expected to contain \"cookie\""
        );
        assert_eq!(check(HeaderAssertion::new("age")).unwrap_err(), "response header age is missing");
        assert_eq!(check(HeaderAssertion::new("age").exists(false)), Ok(()));
        assert!(check(HeaderAssertion::new("vary").exists(false)).is_err());
    }
}
