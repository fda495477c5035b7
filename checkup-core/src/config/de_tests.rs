//! What is read, and which problems are reported.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::ConfigError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only how it is read matters")]
struct Settings {
    url: String,
    #[serde(default, with = "crate::duration::option")]
    pause: Option<Duration>,
    #[serde(default)]
    count: u16,
    #[serde(default)]
    inner: Vec<Inner>,
    #[serde(default)]
    mode: Option<Mode>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only how it is read matters")]
struct Inner {
    path: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Limit(u8),
}

fn settings(value: &Value) -> Result<Settings, ConfigError> {
    let read = read(value.as_object().unwrap(), &["attempts"]);
    read.problems.finish(|| read.value)
}

fn error(value: Value) -> String {
    settings(&value).unwrap_err().to_string()
}

#[test]
fn places_reach_into_lists_and_objects() {
    assert_eq!(
        error(json!({"url": "u", "inner": [{"path": "a"}, {"path": 7}]})),
        "inner[1].path: expected a string, found 7; put it in quotes"
    );
    assert_eq!(error(json!({"url": "u", "inner": [{}]})), "inner[0]: the key `path` is missing");
    assert_eq!(
        error(json!({"url": "u", "count": 70000})),
        "count: expected a whole number from 0 to 65535, found 70000"
    );
}

#[test]
fn unknown_keys_get_a_suggestion_and_the_list_with_the_common_keys_at_the_top_only() {
    assert_eq!(error(json!({"url": "u", "atempts": 3})), "atempts: unknown key; did you mean `attempts`?");
    assert_eq!(error(json!({"url": "u", "inner": [{"pth": "a"}]})), "inner[0].pth: unknown key; did you mean `path`?");
}

#[test]
fn numbers_may_be_text_where_a_number_belongs() {
    assert_eq!(settings(&json!({"url": "u", "count": "12"})).unwrap().count, 12);
    assert_eq!(
        error(json!({"url": "u", "count": "dozen"})),
        "count: expected a whole number from 0 to 65535, found \"dozen\""
    );
}

#[test]
fn enums_read_as_serde_writes_them() {
    let mode = |value| settings(&json!({"url": "u", "mode": value})).map(|s| s.mode);
    assert_eq!(mode(json!("fast")).unwrap(), Some(Mode::Fast));
    assert_eq!(mode(json!({"limit": 3})).unwrap(), Some(Mode::Limit(3)));
    assert_eq!(
        mode(json!("fats")).unwrap_err().to_string(),
        "mode: expected one of `fast`, `limit`, found `fats`; did you mean `fast`?"
    );
    assert_eq!(
        mode(json!({"limit": "x"})).unwrap_err().to_string(),
        "mode.limit: expected a whole number from 0 to 255, found \"x\""
    );
}

#[test]
fn all_problems_of_an_object_are_reported_together() {
    let wrong = json!({
        "url": 7, "count": -1, "colour": "red", "shape": 1, "inner": [{"path": 1}, {"pth": "x"}, {}], "mode": "fats", "pause": "soon",
    });
    // In the order of the keys: whether the map of `serde_json` keeps that of the file depends on its features.
    let error = error(wrong);
    let mut lines: Vec<_> = error.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "colour: unknown key (expected one of `url`, `pause`, `count`, `inner`, `mode`, `attempts`)",
            "count: expected a whole number from 0 to 65535, found -1",
            "inner[0].path: expected a string, found 1; put it in quotes",
            "inner[1].pth: unknown key; did you mean `path`?",
            "inner[2]: the key `path` is missing",
            "mode: expected one of `fast`, `limit`, found `fats`; did you mean `fast`?",
            "pause: expected a duration such as \"500ms\" or \"1m30s\", found \"soon\"",
            "shape: unknown key (expected one of `url`, `pause`, `count`, `inner`, `mode`, `attempts`)",
            "url: expected a string, found 7; put it in quotes",
        ]
    );
}

#[test]
fn a_consequence_of_a_problem_is_not_another() {
    assert_eq!(error(json!({"ulr": "u"})), "ulr: unknown key; did you mean `url`?");
    assert_eq!(error(json!({"url": 7})), "url: expected a string, found 7; put it in quotes");
    assert_eq!(error(json!({"inner": [7]})), "inner[0]: expected an object, found 7\nthe key `url` is missing");
}

#[test]
fn a_single_value_is_a_list_of_one() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Lists {
        texts: Vec<String>,
        numbers: Vec<u8>,
    }
    let lists = |value: Value| read::<Lists>(value.as_object().unwrap(), &[]);
    let one = Lists { texts: vec!["a".to_owned()], numbers: vec![1] };
    assert_eq!(lists(json!({"texts": "a", "numbers": 1})).value, Some(one));
    let problems = lists(json!({"texts": 7, "numbers": 700})).problems.into_result().unwrap_err().to_string();
    let mut lines: Vec<_> = problems.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "numbers: expected a whole number from 0 to 255, found 700",
            "texts: expected a string, found 7; put it in quotes"
        ]
    );
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only how it is read matters")]
struct Table {
    name: String,
    #[serde(flatten)]
    retention: crate::archive::Retention,
}

#[test]
fn problems_in_a_flattened_part_have_their_places_and_the_keys_are_all_known() {
    let read = |value: Value| {
        let read = read_settings::<Table>(value.as_object().unwrap(), &["type"]);
        read.problems.finish(|| read.value)
    };
    let table = read(json!({"name": "checks", "check_expiry": "30d", "compact": "false"})).unwrap();
    assert_eq!(table.retention.check_expiry, Duration::from_secs(30 * 24 * 3600));
    assert!(!table.retention.compact);
    let error = |value| read(value).unwrap_err().to_string();
    let text = error(json!({"compact": "perhaps", "name": "checks", "check_expiry": "soon", "colour": 1}));
    let lines: Vec<_> = text.lines().collect();
    for start in [
        "check_expiry: expected a duration",
        "compact: expected true or false",
        "colour: unknown key (expected one of ",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{text}");
    }
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(
        error(json!({"check_expire": "1d", "name": "checks"})),
        "check_expire: unknown key; did you mean `check_expiry`?"
    );
    assert_eq!(error(json!({"check_expiry": "1d"})), "the key `name` is missing");
}
