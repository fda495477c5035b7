//! Reads, refuses and writes back whole files.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Format, Kind, Registry};
use crate::{
    Check, Checker, Checkup, ConfigError, Failure, IntoChecker, Notification, Notifier, NotifyError, Observation,
    Report, Secret, Spool, Storage, StorageError,
};

mod root_keys;

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ping {
    endpoint_url: String,
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    password: Secret,
}

#[derive(Debug)]
struct PingChecker(String);

impl IntoChecker for Ping {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        if self.endpoint_url.starts_with("bad ") {
            let message = format!("expected a host, found {:?}", self.endpoint_url);
            return Err(ConfigError::invalid("endpoint_url", message));
        }
        if self.endpoint_url.contains('\n') {
            return Err(ConfigError::reason("endpoint_url", "expected a host without line breaks"));
        }
        if self.endpoint_url.is_empty() {
            return Err(ConfigError::invalid("endpoint_url", "expected a host, found nothing"));
        }
        Ok(Arc::new(PingChecker(self.endpoint_url)))
    }
}

#[async_trait]
impl Checker for PingChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        Ok(Observation::new())
    }
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Null {}

#[async_trait]
impl Storage for Null {
    async fn store(&self, _: &Report) -> Result<(), StorageError> {
        Ok(())
    }
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shout {
    webhook: Secret,
}

#[async_trait]
impl Notifier for Shout {
    async fn notify(&self, _: &Notification) -> Result<(), NotifyError> {
        Ok(())
    }
}

pub(super) fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.checker::<Ping>("ping").storage::<Null>("null").notifier::<Shout>("shout");
    registry.absent(Kind::Checker, "dns", "enable the feature `dns`");
    registry
}

pub(super) fn parse(value: &Value) -> Result<Checkup, ConfigError> {
    let lookup = |name: &str| match name {
        "PASSWORD" => Some("hunter2".to_owned()),
        "NEWLINE" => Some("hunter2\n".to_owned()),
        _ => None,
    };
    registry().parse_with(&value.to_string(), Format::Json, lookup)
}

pub(super) fn problems(value: &Value) -> Vec<String> {
    parse(value).unwrap_err().problems().iter().map(ToString::to_string).collect()
}

/// In the order of the places: whether the map of `serde_json` keeps that of the file depends on its features.
pub(super) fn sorted(mut problems: Vec<String>) -> Vec<String> {
    problems.sort_unstable();
    problems
}

#[test]
fn a_check_knows_its_type() {
    let checkup = parse(&json!({"checkers": [{"type": "ping", "endpoint_url": "a"}]})).unwrap();
    assert_eq!(checkup.checks().next().and_then(|check| check.type_name()), Some("ping"));
    assert_eq!(crate::check_fn("a", || async { Ok::<_, String>(()) }).type_name(), None);
}

#[test]
fn a_whole_file_reads_and_writes_back_redacted_or_with_its_secrets() {
    let file = json!({
        "checkers": [{
            "type": "ping", "endpoint_name": "db", "endpoint_url": "db:1", "password": "${PASSWORD}",
            "attempts": 3, "attempt_spacing": 1_000_000_000, "timeout": "2s", "threshold_rtt": "500ms",
            "retries": 1, "interval": "10m", "tags": ["a", "b"],
        }],
        "storage": { "type": "null" },
        "spool": { "dir": "/var/lib/checkup/spool", "max_bytes": 1_000_000 },
        "notifier": { "type": "shout", "webhook": "first" },
        "notifiers": [{ "type": "shout", "webhook": "second" }],
        "concurrent_checks": 7,
        "location": "eu",
        "timestamp": "2016-09-08T07:00:00Z",
    });
    let checkup = parse(&file).unwrap();
    let check = checkup.checks().next().unwrap();
    assert_eq!(check.policy().attempt_spacing, Duration::from_secs(1));
    assert_eq!(check.policy().interval, Some(Duration::from_secs(600)));
    assert_eq!(checkup.concurrent_checks(), 7);

    let redacted = serde_json::to_value(&checkup).unwrap();
    assert_eq!(redacted["checkers"][0]["password"], "[redacted]");
    assert_eq!(redacted["notifiers"][0]["webhook"], "[redacted]");
    assert_eq!(redacted["checkers"][0]["interval"], "10m0s");

    let exposed = Secret::exposing(|| serde_json::to_value(&checkup)).unwrap();
    assert_eq!(exposed["checkers"][0]["password"], "hunter2");
    assert_eq!([&exposed["notifiers"][0]["webhook"], &exposed["notifiers"][1]["webhook"]], ["first", "second"]);
    let again = parse(&exposed).unwrap();
    assert_eq!(Secret::exposing(|| serde_json::to_value(&again)).unwrap(), exposed);
}

#[test]
fn all_problems_are_reported_together_with_their_places() {
    let file = json!({
        "chekers": [],
        "checkers": [
            { "type": "ping", "endpoint_url": "", "threshold_rtt": "fast" },
            { "type": "ping", "endpoint_url": "x", "interval": 0 },
            { "type": "pong" },
            { "type": "dns" },
            { "endpoint_url": "x" },
            7,
        ],
        "spool": { "dri": "x", "max_bytes": -1 },
        "concurrent_checks": -1,
        "timestamp": "now",
        "storage": { "type": "nul" },
    });
    assert_eq!(
        sorted(problems(&file)),
        sorted(
            [
                "chekers: unknown key; did you mean `checkers`?",
                "checkers[0].threshold_rtt: expected a duration such as \"500ms\" or \"1m30s\", found \"fast\"",
                "checkers[0].endpoint_url: expected a host, found nothing",
                "checkers[1].interval: expected more than 0; leave it out for the interval of all checks",
                "checkers[2].type: there is no checker `pong`; did you mean `ping`?",
                "checkers[3].type: the checker `dns` is not compiled in; enable the feature `dns`",
                "checkers[4]: the key `type` is missing (expected one of `ping`)",
                "checkers[5]: expected an object, found a number",
                "storage.type: there is no storage `nul`; did you mean `null`?",
                "concurrent_checks: expected a whole number, 0 or more, found -1",
                "spool.dri: unknown key; did you mean `dir`?",
                "spool.max_bytes: expected a whole number, 0 or more, found -1",
                "timestamp: expected a time such as \"2016-09-08T07:00:00Z\", found \"now\"",
            ]
            .map(str::to_owned)
            .to_vec()
        )
    );
}

#[test]
fn a_typo_in_a_common_key_is_recognised_among_the_keys_of_the_type() {
    let file = json!({ "checkers": [{ "type": "ping", "endpoint_url": "x", "treshold_rtt": 5 }] });
    let problems = problems(&file);
    assert!(
        problems[0].starts_with("checkers[0].treshold_rtt: unknown key; did you mean `threshold_rtt`?"),
        "{problems:?}"
    );
}

#[test]
fn a_value_from_the_environment_is_not_in_an_error() {
    let file = json!({ "checkers": [{ "type": "ping", "endpoint_url": "x", "timeout": "${PASSWORD}" }] });
    let problems = problems(&file);
    assert!(problems[0].starts_with("checkers[0].timeout: expected a duration"), "{problems:?}");
    assert!(!problems[0].contains("hunter2"), "{problems:?}");
}

#[test]
fn a_value_from_the_environment_that_a_plugin_refuses_is_not_in_the_error() {
    for file in [
        json!({ "checkers": [{ "type": "ping", "endpoint_url": "bad ${PASSWORD}" }] }),
        json!({ "checkers": [{ "type": "${PASSWORD}", "endpoint_url": "x" }] }),
        json!({ "checkers": [{ "type": ["${PASSWORD}"], "endpoint_url": "x" }] }),
        json!({ "checkers": [{ "type": { "${PASSWORD}": "${PASSWORD}" }, "endpoint_url": "x" }] }),
        json!({ "timestamp": "${PASSWORD}" }),
        json!({ "checkers": [{ "type": "ping", "endpoint_url": "x", "attempts": "${PASSWORD}" }] }),
        json!({ "checkers": [{ "type": "ping", "endpoint_url": "x", "depends_on": "${PASSWORD}" }] }),
        json!({ "checkers": [{ "type": "ping", "endpoint_url": "x", "timeout": ["${PASSWORD}"] }] }),
    ] {
        let problems = problems(&file);
        assert!(!problems.concat().contains("hunter2"), "{problems:?}");
    }
}

#[test]
fn a_value_from_the_environment_that_a_storage_refuses_is_not_in_the_error_and_is_not_expanded_again() {
    let of_storage = |key: &str| json!({ "checkers": [], "storage": { "type": "null", key: "${PASSWORD}" } });
    let of_notifier = |key: &str| json!({ "checkers": [], "notifiers": [{ "type": "shout", key: "${PASSWORD}" }] });
    for key in ["type", "webhook", "timeout"] {
        for file in [of_storage(key), of_notifier(key)] {
            let error = registry().parse_with(&file.to_string(), Format::Json, |_| Some("hunter2\n${OTHER}".into()));
            if let Err(error) = error {
                assert!(!format!("{error}{error:?}").contains("hunter2"), "{file}: {error}");
                assert!(!error.to_string().contains("OTHER"), "{file}: {error}");
            }
        }
    }
}

#[test]
fn an_error_without_the_value_is_shown_and_names_the_variable() {
    let file = json!({ "checkers": [{ "type": "ping", "endpoint_url": "${NEWLINE}" }] });
    assert_eq!(
        sorted(problems(&file)),
        sorted([
            "checkers[0].endpoint_url: expected a host without line breaks; the value comes from the environment variable NEWLINE, and is not shown"
        ].map(str::to_owned).to_vec())
    );
    let file = json!({ "checkers": [{ "type": "ping", "endpoint_url": "bad ${PASSWORD}" }] });
    assert_eq!(
        problems(&file),
        ["checkers[0].endpoint_url: the environment variable PASSWORD cannot be used here; the value is not shown"]
    );
}

#[test]
fn relative_paths_of_every_plugin_are_in_the_folder_of_the_file() {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    struct Paths {
        one: PathBuf,
        maybe: Option<PathBuf>,
        many: Vec<PathBuf>,
        text: String,
    }
    let mut registry = Registry::new();
    registry.section::<Paths>("paths", |_| Ok(()));
    let folder = tempfile::tempdir().unwrap();
    let file =
        json!({ "checkers": [], "paths": { "one": "./a", "maybe": "../b", "many": ["c/d", "/e"], "text": "./f" } });
    let paths = |one: &str, maybe: &str, c: &str| Paths {
        one: one.into(),
        maybe: Some(maybe.into()),
        many: vec![c.into(), "/e".into()],
        text: "./f".to_owned(),
    };
    let inside = |name: &str| folder.path().join(name).display().to_string();
    let expected = paths(&inside("a"), &inside("../b"), &inside("c/d"));

    let config = folder.path().join("checkup.json");
    std::fs::write(&config, file.to_string()).unwrap();
    assert_eq!(registry.load(&config).unwrap().section(), Some(&expected));
    assert_eq!(registry.parse_in(&file.to_string(), Format::Json, folder.path()).unwrap().section(), Some(&expected));
    let by_text = registry.parse(&file.to_string(), Format::Json).unwrap();
    assert_eq!(by_text.section(), Some(&paths("./a", "../b", "c/d")));

    let key = json!({ "checkers": [], "paths": { "one": "-----BEGIN KEY-----\nhunter2\n", "many": [], "text": "" } });
    let error = registry.parse(&key.to_string(), Format::Json).unwrap_err().to_string();
    assert!(
        error.starts_with("paths.one: expected the path of a file or folder") && !error.contains("hunter2"),
        "{error}"
    );
}

#[test]
fn all_problems_of_one_check_are_reported_together() {
    let file = json!({ "checkers": [{
        "type": "ping", "endpoint_url": "", "password": ["x"], "attempts": "many", "tag": "a", "interval": 0, "colour": 1,
    }] });
    assert_eq!(
        sorted(problems(&file)),
        sorted([
            "checkers[0].attempts: expected a whole number from 0 to 4294967295, found \"many\"",
            "checkers[0].interval: expected more than 0; leave it out for the interval of all checks",
            "checkers[0].colour: unknown key (expected one of `endpoint_url`, `password`, `type`, `endpoint_name`, `name`, `attempts`, \
             `attempt_spacing`, `timeout`, `threshold_rtt`, `retries`, `retry_spacing`, `interval`, `failures`, `successes`, `hide`, `tags`, `group`, `depends_on`)",
            "checkers[0].password: expected a text, found a list",
            "checkers[0].tag: unknown key; did you mean `tags`?",
        ].map(str::to_owned).to_vec())
    );
    let unknown = json!({ "checkers": [{ "type": "ping", "endpoint_url": "", "colour": 1, "shape": 2 }] });
    let problems = problems(&unknown);
    let places = ["colour: unknown key", "shape: unknown key", "endpoint_url: expected a host, found nothing"];
    assert!(places.iter().all(|place| problems.iter().any(|problem| problem.contains(place))), "{problems:?}");
    assert_eq!(problems.len(), 3);
}

#[test]
fn a_single_tag_needs_no_list_and_keys_that_begin_with_x_are_free() {
    let file = json!({
        "checkers": [{ "type": "ping", "endpoint_url": "x", "tags": "public", "name": "a" }, { "type": "ping", "endpoint_url": "y", "depends_on": "a" }],
        "x-anchors": { "whatever": 1 },
    });
    let checkup = parse(&file).unwrap();
    let policies: Vec<_> = checkup.checks().map(Check::policy).collect();
    assert_eq!((&*policies[0].tags, &*policies[1].depends_on), (&["public".to_owned()][..], &["a".to_owned()][..]));
    assert_eq!(
        problems(&json!({ "checkers": [], "interval": "1m", "checks": [] })),
        [
            "checks: unknown key; did you mean `checkers`?",
            "interval: unknown key; `interval` is a key of each check in `checkers`",
        ]
    );
}

#[test]
fn the_documented_keys_are_those_of_the_schema() {
    let docs = include_str!("../config.rs");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("//! | `")?.split('`').next());
    let mut documented: Vec<_> = rows.collect();
    documented.sort_unstable();
    let schema = Registry::new().schema();
    let keys: Vec<_> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(documented, {
        let mut keys = keys;
        keys.sort_unstable();
        keys
    });
    assert!(schema["properties"].as_object().unwrap().values().all(|key| key["description"].is_string()), "{schema:#}");
    let of_checks = docs.split("//! Every check has ").nth(1).and_then(|rest| rest.split(": see").next()).unwrap();
    let schema = registry().schema();
    for key in schema["$defs"]["checker"]["oneOf"][0]["properties"].as_object().unwrap().keys() {
        let is_own = ["type", "endpoint_url", "password"].contains(&key.as_str());
        assert!(is_own || of_checks.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn an_unset_variable_is_reported_with_its_place_and_the_remedy() {
    let file = json!({ "checkers": [{ "type": "ping", "endpoint_url": "${HOST}" }] });
    assert_eq!(
        problems(&file),
        ["checkers[0].endpoint_url: the environment variable HOST is not set; set it, or write `${HOST:-default}`"]
    );
}

#[test]
fn upstreams_empty_values_are_accepted() {
    let file = json!({
        "checkers": [{ "type": "ping", "endpoint_url": "x", "attempts": 0, "threshold_rtt": 0, "endpoint_name": "" }],
        "storage": null, "notifier": null, "notifiers": null, "concurrent_checks": 0,
        "timestamp": "0001-01-01T00:00:00Z",
    });
    let checkup = parse(&file).unwrap();
    let check = checkup.checks().next().unwrap();
    assert_eq!((check.name().as_ref(), check.policy().attempts.get()), ("x", 1));
    assert_eq!(checkup.concurrent_checks(), crate::DEFAULT_CONCURRENT_CHECKS);
    assert!(checkup.storage().is_none());
}

#[test]
fn a_spool_is_an_object_or_false() {
    let file = |spool: Value| json!({ "checkers": [], "storage": { "type": "null" }, "spool": spool });
    for (spool, by_itself, by_default) in [
        (json!({ "dir": "a" }), Some("a"), Some("a")),
        (json!(false), None, None),
        (Value::Null, None, Some("default")),
    ] {
        let checkup = parse(&file(spool.clone())).unwrap();
        let dir = |checkup: &Checkup| checkup.spool().map(|spool| spool.dir.clone());
        assert_eq!(dir(&checkup), by_itself.map(Into::into), "{spool}");
        assert_eq!(serde_json::to_value(&checkup).unwrap().get("spool").unwrap_or(&Value::Null), &spool);
        let checkup = checkup.with_default_spool(Spool::new("default"));
        assert_eq!(dir(&checkup), by_default.map(Into::into), "{spool}");
        // The program sets the default, not the file.
        assert_eq!(serde_json::to_value(&checkup).unwrap().get("spool").unwrap_or(&Value::Null), &spool);
    }
    assert_eq!(
        problems(&file(json!(true))),
        ["spool: expected an object with `dir`, or false for no spool, found true"]
    );
    assert_eq!(
        problems(&file(json!("/tmp"))),
        ["spool: expected an object with `dir`, or false for no spool, found a string"]
    );
    assert_eq!(
        problems(&file(json!({ "dir": "" }))),
        [
            "spool.dir: expected a folder, found an empty text; set it to the folder where reports wait while the storage is unreachable"
        ]
    );
    let schema = registry().schema();
    let object = &schema["properties"]["spool"]["anyOf"][0];
    assert_eq!(object["required"], json!(["dir"]));
    assert_eq!(
        (&object["additionalProperties"], &object["properties"]["max_bytes"]["minimum"]),
        (&json!(false), &json!(1))
    );
}

#[test]
fn a_check_made_in_code_cannot_be_written_to_a_file() {
    let checkup = Checkup::builder().check(crate::check_fn("queue", || async { Ok::<_, String>(()) })).build().unwrap();
    let error = serde_json::to_string(&checkup).unwrap_err().to_string();
    assert!(error.contains("`queue`"), "{error}");
}

#[test]
fn a_file_error_names_the_file() {
    let error = registry().load("/nowhere/checkup.json").unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/checkup.json: cannot be read"), "{error}");
    let error = registry().load("/nowhere/checkup.ini").unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/checkup.ini: expected a file that ends with"), "{error}");
}

#[test]
fn the_schema_has_the_types_with_the_common_keys() {
    let schema = registry().schema();
    let ping = &schema["$defs"]["checker"]["oneOf"][0];
    assert_eq!(ping["properties"]["type"], json!({ "const": "ping" }));
    assert!(ping["properties"]["endpoint_url"].is_object() && ping["properties"]["threshold_rtt"].is_object());
    assert_eq!(ping["properties"]["password"]["writeOnly"], true);
    assert_eq!(ping["required"], json!(["endpoint_url", "type"]));
}
