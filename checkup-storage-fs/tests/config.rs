//! The storage in a config file.

#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use checkup_core::config::{Format, Registry};
use checkup_core::{Report, Timestamp};

fn registry() -> Registry {
    let mut registry = Registry::new();
    checkup_storage_fs::register(&mut registry);
    registry
}

#[tokio::test]
async fn upstreams_settings_are_valid() {
    let temporary = tempfile::tempdir().unwrap();
    let storage = serde_json::json!({
        "type": "fs",
        "dir": temporary.path(),
        "url": "http://127.0.0.1",
        "check_expiry": 604_800_000_000_000_u64,
    });
    let text = serde_json::json!({"checkers": [], "storage": storage}).to_string();
    let checkup = registry().parse(&text, Format::Json).unwrap();
    checkup.store(&Report::default()).await.unwrap();
    let reader = checkup.storage().unwrap().reader().unwrap();
    assert_eq!(reader.list(Timestamp::from_unix_nanos(0)).await.unwrap().len(), 1);
}

#[test]
fn a_wrong_setting_is_an_error_that_says_where_it_is() {
    for (storage, expected) in [
        (r#"{"type": "fs", "dir": ""}"#, "storage.dir: expected a directory"),
        (
            r#"{"type": "fs", "dir": "-----BEGIN CERTIFICATE-----"}"#,
            "storage.dir: expected a path, found the content of",
        ),
        (r#"{"type": "fs", "dir": "x\ny"}"#, "storage.dir: expected the path of a file or folder, found several lines"),
        (r#"{"type": "fs", "dir": "x", "check_expiry": "soon"}"#, "storage.check_expiry"),
        (r#"{"type": "fs", "dir": "x", "expiry": "1h"}"#, "storage.expiry"),
        (r#"{"type": "fs"}"#, "storage"),
    ] {
        let error = registry().parse(&format!(r#"{{"storage": {storage}}}"#), Format::Json).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_schema_describes_every_key() {
    let schema = registry().schema().to_string();
    for key in ["dir", "url", "check_expiry", "fsync", "compact"] {
        assert!(schema.contains(&format!("\"{key}\":{{")), "{key}: {schema}");
    }
    assert!(schema.contains("The age at which a check file is removed"));
}
