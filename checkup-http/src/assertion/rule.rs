//! [`JsonRule`] and [`HeaderRule`]: parsed conditions on a response, and how a response is judged by them.

use checkup_core::{ConfigError, ConfigProblems, Failure};
use http::HeaderMap;
use http::header::HeaderName;
use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use regex::Regex;
use serde_json::Value;

use super::json::Json;
use super::number::{Decimal, JsonNumber, is_exact};
use super::settings::{HeaderAssertion, JsonAssertion};
use crate::text::{self, Hidden, Text};

/// A [`JsonAssertion`], parsed.
#[derive(Debug)]
pub(crate) struct JsonRule {
    path: Text,
    query: Hidden<JpQuery>,
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
    /// The value, and the form in which it is shown.
    equals: Option<(Hidden<Json>, String)>,
    contains: Option<Text>,
    matches: Option<(Hidden<Regex>, Text)>,
    at_least: Option<Bound>,
    at_most: Option<Bound>,
}

/// A number, in the forms in which it is compared and shown.
#[derive(Debug)]
struct Bound {
    value: Decimal,
    shown: String,
}

impl JsonRule {
    pub(crate) fn parse(assertion: &JsonAssertion) -> Result<Self, ConfigError> {
        let JsonAssertion { path, equals, contains, matches, at_least, at_most, exists } = assertion;
        let mut problems = ConfigProblems::new();
        let query = problems.take(parse_json_path(path).map_err(|error| {
            // The parser names rules of its grammar. Only the position helps: `--> 1:9`.
            let error = error.to_string();
            let position = error.split_once("--> 1:").map(|(_, rest)| rest.lines().next().unwrap_or_default().trim());
            let wrong = match position {
                _ if !path.starts_with('$') => " that begins with `$`".to_owned(),
                Some(character) => format!(" (this one is wrong from character {character} on)"),
                None => String::new(),
            };
            let expected = format_args!("a JSONPath (RFC 9535) such as \"$.status\"{wrong}");
            ConfigError::expected("path", expected).found(format_args!("{path:?}"))
        }));
        let equals = problems.take(equals.as_ref().map(exact).transpose());
        let matches = problems.take(matches.as_deref().map(parse_matches).transpose());
        let at_least = problems.take(at_least.as_ref().map(|bound| Bound::parse("at_least", bound)).transpose());
        let at_most = problems.take(at_most.as_ref().map(|bound| Bound::parse("at_most", bound)).transpose());
        let has_conditions = assertion.equals.is_some()
            || contains.is_some()
            || assertion.matches.is_some()
            || assertion.at_least.is_some()
            || assertion.at_most.is_some();
        problems.take(check_exists(*exists, has_conditions));
        problems.finish(|| {
            let conditions = Conditions {
                exists: exists.unwrap_or(true),
                equals: equals?,
                contains: contains.as_deref().map(Text::new),
                matches: matches?,
                at_least: at_least?,
                at_most: at_most?,
            };
            Some(Self { path: Text::new(path), query: Hidden(query?), conditions })
        })
    }

    pub(crate) fn check(&self, body: &Json) -> Result<(), Failure> {
        let path = self.path.shown();
        bound_paths(body, path)?;
        let found = js_path_process(&self.query.0, body)
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
        let HeaderAssertion { name, equals, contains, matches, exists } = assertion;
        let mut problems = ConfigProblems::new();
        let parsed = problems.take(name.parse().map_err(|_| {
            ConfigError::expected("name", "a header's name such as \"content-type\"").found(format_args!("{name:?}"))
        }));
        let regex = problems.take(matches.as_deref().map(parse_matches).transpose());
        problems.take(check_exists(*exists, equals.is_some() || contains.is_some() || matches.is_some()));
        problems.finish(|| {
            let conditions = Conditions {
                exists: exists.unwrap_or(true),
                equals: equals
                    .as_ref()
                    .map(|text| (Hidden(Json::from(text.as_str())), format!("\"{}\"", excerpt_of(text)))),
                contains: contains.as_deref().map(Text::new),
                matches: regex?,
                at_least: None,
                at_most: None,
            };
            Some(Self { name: parsed?, conditions })
        })
    }

    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let name = &self.name;
        let lines: Vec<_> = headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        match (lines.is_empty(), self.conditions.exists) {
            (true, true) => return Err(Failure::assertion(format!("response header {name} is missing"))),
            (true, false) => return Ok(()),
            (false, _) => {}
        }
        let value = Json::Text(lines.join(", "));
        if !self.conditions.exists {
            return Err(Failure::assertion(format!("response header {name} is {}, expected none", shown(&value))));
        }
        self.conditions.check(&value).map_err(|expected| {
            Failure::assertion(format!("response header {name} is {}, expected {expected}", shown(&value)))
        })
    }
}

impl Conditions {
    /// Returns what the value should be, if it is not that.
    fn check(&self, value: &Json) -> Result<(), String> {
        if let Some((_, shown)) = self.equals.as_ref().filter(|(expected, _)| expected.0 != *value) {
            return Err(shown.clone());
        }
        let json;
        let text = match value {
            Json::Text(text) => text.as_str(),
            other if self.contains.is_some() || self.matches.is_some() => {
                json = other.to_string();
                &json
            }
            _ => "",
        };
        if let Some(part) = self.contains.as_ref().filter(|part| !text.contains(part.as_str())) {
            return Err(format!("to contain {:?}", part.shown()));
        }
        if let Some((_, shown)) = self.matches.as_ref().filter(|(pattern, _)| !pattern.0.is_match(text)) {
            return Err(format!("to match {:?}", shown.shown()));
        }
        if self.at_least.is_none() && self.at_most.is_none() {
            return Ok(());
        }
        let number = value.as_decimal();
        let breaks = |bound: &&Bound, is_broken: fn(&Decimal, &Decimal) -> bool| {
            number.as_ref().is_none_or(|number| is_broken(number, &bound.value))
        };
        if let Some(minimum) = self.at_least.as_ref().filter(|minimum| breaks(minimum, |number, bound| number < bound))
        {
            return Err(format!("at least {}", minimum.shown));
        }
        if let Some(maximum) = self.at_most.as_ref().filter(|maximum| breaks(maximum, |number, bound| number > bound)) {
            return Err(format!("at most {}", maximum.shown));
        }
        Ok(())
    }
}

impl Bound {
    fn parse(key: &str, number: &JsonNumber) -> Result<Self, ConfigError> {
        let shown = number.to_string();
        let value = Decimal::parse(&shown).ok_or_else(|| {
            let found = checkup_net::excerpt(shown.as_bytes(), 60);
            ConfigError::expected(key, "a number such as 100 or 0.25").found(format_args!("\"{found}\""))
        })?;
        Ok(Self { value, shown })
    }
}

/// With `exists: false`, there is no value that could meet another condition.
fn check_exists(exists: Option<bool>, has_conditions: bool) -> Result<(), ConfigError> {
    if exists == Some(false) && has_conditions {
        return Err(ConfigError::reason("exists", "expected no other condition next to `exists: false`"));
    }
    Ok(())
}

/// Reads the value that a JSON value must equal. Refuses it if a number in it may have been rounded while the config
/// was read.
fn exact(value: &Value) -> Result<(Hidden<Json>, String), ConfigError> {
    match rounded(value) {
        Some(number) => Err(ConfigError::invalid(
            "equals",
            format!(
                "expected numbers of at most 64 bits or 15 digits, found one that may have been rounded to {number}; \
                 in code, make it a `JsonNumber`"
            ),
        )),
        None => Ok((Hidden(Json::from(value)), shown(&Json::from(&redacted(value))))),
    }
}

/// Replaces what came from the environment with `[redacted]`.
fn redacted(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text::shown(text)),
        Value::Array(values) => values.iter().map(redacted).collect(),
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), redacted(value))).collect(),
        other => other.clone(),
    }
}

fn excerpt_of(text: &str) -> String {
    checkup_net::excerpt(text::shown(text).as_bytes(), 100)
}

fn parse_matches(pattern: &str) -> Result<(Hidden<Regex>, Text), ConfigError> {
    Ok((Hidden(parse_regex("matches", pattern)?), Text::new(pattern)))
}

/// Finds a number in the value that may have been rounded.
fn rounded(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().filter(|number| !is_exact(*number)),
        Value::Array(values) => values.iter().find_map(rounded),
        Value::Object(members) => members.values().find_map(rounded),
        _ => None,
    }
}

/// Reads a regular expression from the settings.
pub(crate) fn parse_regex(key: &str, pattern: &str) -> Result<Regex, ConfigError> {
    Regex::new(pattern).map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        ConfigError::expected(key, format_args!("a regular expression ({reason})")).found(format_args!("{pattern:?}"))
    })
}

/// Formats a value for a message.
fn shown(value: &Json) -> String {
    // `excerpt` escapes the content, so a text only needs quotes around it.
    match value {
        Json::Text(text) => format!("\"{}\"", checkup_net::excerpt(text.as_bytes(), 100)),
        other => checkup_net::excerpt(other.to_string().as_bytes(), 100),
    }
}

/// The maximum total length of the paths of all values of a body, in bytes.
const MAX_PATHS: usize = 64 << 20;

/// Refuses a body on which the query would need a lot of memory: it keeps the path of every visited value as text, so
/// the size of one huge key is multiplied by the number of values below it.
fn bound_paths(body: &Json, path: &str) -> Result<(), Failure> {
    // A path without wildcards, filters, slices and descendant segments visits no more values than it names.
    if !path.contains(['*', '?', ':']) && !path.contains("..") {
        return Ok(());
    }
    // Every additional descendant segment visits a value once for each value above it.
    let descendants = path.matches("..").count().saturating_sub(1).min(4);
    let weight = 128_usize.saturating_pow(u32::try_from(descendants).unwrap_or(u32::MAX));
    let mut budget = MAX_PATHS / weight;
    spend(body, 1, &mut budget)
        .ok_or_else(|| Failure::assertion(format!("json {path} cannot be looked up: the body has too many values")))
}

/// Subtracts the length of the paths of a value and of all values in it from the budget; `None` if the budget is too
/// small.
fn spend(value: &Json, length: usize, budget: &mut usize) -> Option<()> {
    *budget = budget.checked_sub(length)?;
    match value {
        // Values are nested at most 128 levels deep, so the recursion is bounded.
        Json::Array(values) => values.iter().try_for_each(|value| spend(value, length + 8, budget)),
        Json::Object(members) => {
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
        JsonRule::parse(&assertion).unwrap().check(&Json::from(&body)).map_err(|failure| failure.message().to_owned())
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
    fn invalid_settings_are_refused_with_their_key() {
        let place = |assertion: JsonAssertion| JsonRule::parse(&assertion).unwrap_err().problems()[0].place.clone();
        assert_eq!(place(JsonAssertion::new("status")), "path");
        assert_eq!(place(JsonAssertion::new("$.a").matches("(")), "matches");
        assert_eq!(place(JsonAssertion::new("$.a").equals(1).exists(false)), "exists");
        assert_eq!(place(JsonAssertion::new("$.a").at_least("ten")), "at_least");
        assert_eq!(place(JsonAssertion::new("$.a").at_most(f64::NAN)), "at_most");
        assert_eq!(place(JsonAssertion::new("$.a").equals(json!([{"b": 1e20}]))), "equals");
        let all = JsonAssertion::new("a").matches("(").at_least("x").at_most("y").exists(false);
        assert_eq!(JsonRule::parse(&all).unwrap_err().problems().len(), 5);
        assert_eq!(HeaderRule::parse(&HeaderAssertion::new("a b")).unwrap_err().problems()[0].place, "name");
    }

    #[test]
    fn numbers_are_compared_exactly() {
        let check = |assertion: JsonAssertion, number: &str| {
            let body = Json::parse(&format!("{{\"n\": {number}}}")).unwrap();
            JsonRule::parse(&assertion).unwrap().check(&body).map_err(|failure| failure.message().to_owned())
        };
        let n = || JsonAssertion::new("$.n");
        assert_eq!(
            check(n().equals(9_007_199_254_740_993_u64), "9007199254740992").unwrap_err(),
            "json $.n is 9007199254740992, expected 9007199254740993"
        );
        for (assertion, number) in [
            (n().equals(9_007_199_254_740_993_u64), "9007199254740993"),
            (n().equals(9_007_199_254_740_993_u64), "9007199254740993.0"),
            (n().equals(100), "1e2"),
            (n().equals(0.1), "0.10"),
            (n().equals(JsonNumber::from("0.10000000000000000001")), "0.10000000000000000001"),
            (n().equals(JsonNumber::from("1e20")), "100000000000000000000"),
            (n().at_least("18446744073709551617"), "18446744073709551617"),
            (n().at_most("0.3"), "0.3"),
            (n().at_least(u64::MAX), "1e400"),
        ] {
            assert_eq!(check(assertion, number), Ok(()), "{number}");
        }
        for (assertion, number) in [
            (n().equals(-9_007_199_254_740_993_i64), "-9007199254740992"),
            (n().equals(0.3), "0.30000000000000004"),
            (n().equals(JsonNumber::from("0.10000000000000000001")), "0.1"),
            (n().equals(JsonNumber::from("1e20")), "100000000000000000001"),
            (n().at_least("18446744073709551617"), "18446744073709551616"),
            (n().at_most("0.3"), "0.30000000000000004"),
            (n().at_most(1), "1e400"),
            (n().at_most(1), "1e99999999999999999999"),
            (n().at_least(1), "\"2\""),
        ] {
            assert!(check(assertion, number).is_err(), "{number}");
        }
    }

    #[test]
    fn a_body_designed_to_exhaust_memory_is_refused() {
        let body = json!({"k".repeat(500_000): vec![1; 250_000]});
        let error = check(JsonAssertion::new("$..status"), body).unwrap_err();
        assert!(error.ends_with("the body has too many values"), "{error}");
    }

    #[test]
    fn the_lines_of_a_repeated_header_are_one_value() {
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
