//! Values of environment variables in every setting that takes a text, of every checker, storage and notifier: none is shown where it can be a secret.

use checkup::config::Format;
use checkup::{Alert, AlertStep, Checkup, Notification, Timestamp};
use serde_json::{Map, Value, json};

/// A part of every value, which must not be shown.
const SECRET: &str = "S3CRETs3cr3t";

/// What was meant for another setting, or has more than the setting takes.
fn values() -> [String; 4] {
    [
        format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"),
        format!("https://user:{SECRET}@127.0.0.1:1/p/{SECRET}?token={SECRET}#{SECRET}"),
        format!("{SECRET}\u{1b}[2J/?#@ :"),
        format!("two\n{SECRET}"),
    ]
}

/// Names are made to be shown, whatever they are.
const NAMES: [&str; 5] = ["depends_on", "endpoint_name", "group", "name", "tags"];

/// The place of the first entry of a list.
const FIRST: &str = "0";

#[tokio::test(flavor = "multi_thread")]
async fn no_setting_shows_a_value_of_the_environment_that_can_be_a_secret() {
    let schema = checkup::default_registry().schema();
    let (mut tried, mut leaks) = (0, Vec::new());
    for kind in ["checker", "storage", "notifier"] {
        for one in schema["$defs"][kind]["oneOf"].as_array().unwrap() {
            let one = resolved(one, &schema);
            let type_name = one["properties"]["type"]["const"].as_str().unwrap();
            let mut paths = Vec::new();
            settings(one, &schema, &[], &mut paths);
            paths.retain(|path| !NAMES.contains(&path[0].as_str()) && path[0] != "type");
            paths.dedup();
            // Many webhooks are only a URL.
            assert!(paths.len() >= if kind == "notifier" { 1 } else { 3 }, "{type_name}: {paths:?}");
            for path in paths {
                for value in values() {
                    let config = config(kind, type_name, &path);
                    let shown = shown(&config, &value).await;
                    let place = path.join(".");
                    if let Some((before, after)) = shown.split_once(SECRET) {
                        let (before, after) =
                            (before.chars().rev().take(80), after.chars().take(40).collect::<String>());
                        let before: String = before.collect::<Vec<_>>().into_iter().rev().collect();
                        leaks.push(format!("{type_name}.{place} shows {value:?}: …{before}{SECRET}{after}…"));
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    assert!(tried > 300, "{tried}");
}

/// Everything that is shown of a config: its problems, or the checkup and its results, and the errors of its storage and its notifier.
async fn shown(config: &Value, value: &str) -> String {
    let registry = checkup::default_registry();
    match registry.parse_with(&config.to_string(), Format::Json, |_| Some(value.to_owned())) {
        Err(error) => format!("{error}\n{error:?}"),
        Ok(checkup) => {
            let report = checkup.check().await;
            let results = serde_json::to_string(&report.results).unwrap();
            let errors = [stored(&checkup, &report).await, notified(&checkup).await].join("\n");
            format!("{checkup:?}\n{report}\n{report:?}\n{results}\n{errors}")
        }
    }
}

/// The error of storing a report.
async fn stored(checkup: &Checkup, report: &checkup::Report) -> String {
    let Some(storage) = checkup.storage() else { return String::new() };
    match storage.store(report).await {
        Ok(()) => format!("{storage:?}"),
        Err(error) => format!("{} {error:?}", checkup::ErrorChain(&error)),
    }
}

/// The error of sending a message.
async fn notified(checkup: &Checkup) -> String {
    let Some(notifier) = checkup.notifiers().first() else { return String::new() };
    let now = Timestamp::now();
    match notifier.notify(&Notification::new(vec![Alert::test(AlertStep::Down, now)])).await {
        Ok(()) => format!("{notifier:?}"),
        Err(error) => format!("{notifier:?} {} {error:?}", checkup::ErrorChain(&error)),
    }
}

/// A config with a variable at this place of its only check, its storage or its notifier, and everything that the place needs.
fn config(kind: &str, type_name: &str, path: &[String]) -> Value {
    let mut object = match type_name {
        "http" => json!({ "endpoint_url": "http://127.0.0.1:1/" }),
        "s3" => json!({
            "bucket": "status", "endpoint": "http://127.0.0.1:1", "timeout": "1s",
            "access_key_id": "AKIAEXAMPLE", "secret_access_key": "B"
        }),
        "fs" => json!({ "dir": concat!(env!("CARGO_TARGET_TMPDIR"), "/secrets") }),
        // It prints its arguments and fails.
        "exec" => json!({ "command": "sh", "arguments": ["-c", "echo $0; exit 1"] }),
        "heartbeat" => json!({ "job": "backup", "every": "1h" }),
        _ if kind == "notifier" => notifier(type_name),
        _ => json!({ "endpoint_url": "127.0.0.1:1" }),
    };
    object["type"] = type_name.into();
    if type_name == "dns" && !path[0].starts_with("tls") {
        object["hostname_fqdn"] = "example.test".into();
    }
    match path[0].as_str() {
        "dnssec_trust_anchor_file" => object["dnssec"] = true.into(),
        "tls" if type_name == "http" => object["endpoint_url"] = "https://127.0.0.1:1/".into(),
        "tls" if type_name == "dns" => object["transport"] = "tls".into(),
        "json" => object["json"] = json!([{ "path": "$.a" }]),
        _ => {}
    }
    set(&mut object, path);
    if type_name == "heartbeat" {
        let storage = json!({ "type": "fs", "dir": concat!(env!("CARGO_TARGET_TMPDIR"), "/secrets") });
        return json!({ "checkers": [object], "storage": storage, "spool": false });
    }
    match kind {
        "checker" => return json!({ "checkers": [object] }),
        "notifier" => return json!({ "checkers": [], "notifiers": [object] }),
        _ => {}
    }
    json!({ "checkers": [{ "type": "tcp", "endpoint_url": "127.0.0.1:1" }], "storage": object, "spool": false })
}

/// What a notifier needs at least, for a server that cannot be reached.
fn notifier(type_name: &str) -> Value {
    let closed = "http://127.0.0.1:1/";
    let mail = json!({ "from": "a@example.com", "to": ["b@example.com"] });
    let with = |more: Value| {
        let mut object = mail.clone();
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    match type_name {
        "slack" | "discord" | "teams" | "googlechat" => json!({ "webhook": closed }),
        "telegram" => json!({ "token": "token", "chat_id": "1", "url": closed }),
        "matrix" => json!({ "url": closed, "room": "!room:example.com", "token": "token" }),
        "mail" => {
            with(json!({ "smtp": { "server": "127.0.0.1", "port": 1, "username": "user", "password": "password" } }))
        }
        "mailgun" => with(json!({ "apikey": "key-1", "domain": "example.com", "url": closed })),
        "pagerduty" => json!({ "routing_key": "0".repeat(32), "url": closed }),
        "jsm" => json!({ "api_key": "key-1", "url": closed }),
        "alertmanager" | "webhook" => json!({ "url": closed }),
        "ntfy" => json!({ "topic": "alerts", "url": closed }),
        "pushover" => json!({ "token": "token", "recipient": "user", "url": closed }),
        "gotify" => json!({ "url": closed, "token": "token" }),
        "twilio" => json!({
            "account_sid": "AC0000", "auth_token": "token", "from": "+15005550006", "to": "+15005550010", "url": closed
        }),
        other => panic!("what does the notifier {other} need?"),
    }
}

fn set(object: &mut Value, path: &[String]) {
    let Some((key, rest)) = path.split_first() else {
        *object = "${SECRET}".into();
        return;
    };
    if key == FIRST {
        if !object.is_array() {
            *object = json!([null]);
        }
        return set(&mut object[0], rest);
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    set(&mut object[key.as_str()], rest);
}

/// The places of all settings that take a text.
fn settings(schema: &Value, root: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    let schema = resolved(schema, root);
    if path.len() > 5 {
        return;
    }
    let is_text = match &schema["type"] {
        Value::String(kind) => kind == "string",
        Value::Array(kinds) => kinds.contains(&"string".into()),
        _ => false,
    };
    if is_text && !path.is_empty() {
        found.push(path.to_vec());
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for one in schema[key].as_array().into_iter().flatten() {
            settings(one, root, path, found);
        }
    }
    let below = |key: &str| [path, &[key.to_owned()]].concat();
    for (key, one) in schema["properties"].as_object().into_iter().flatten() {
        settings(one, root, &below(key), found);
    }
    if schema["items"].is_object() {
        settings(&schema["items"], root, &below(FIRST), found);
    }
    if schema["additionalProperties"].is_object() {
        settings(&schema["additionalProperties"], root, &below("X-Key"), found);
    }
}

fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => resolved(root.pointer(place.trim_start_matches('#')).unwrap(), root),
        None => schema,
    }
}
