//! Comparing what is sent with a file that a person has read.
//!
//! `ACCEPT=1 cargo test --workspace --test channels` writes the files again.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};

/// Panics if the text differs from the file `snapshots/NAME.txt`.
#[track_caller]
pub(crate) fn assert_matches(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/channels/snapshots").join(format!("{name}.txt"));
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os("ACCEPT").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} differs; it should be:\n{text}", path.display());
}

/// The document with its keys in alphabetical order: whether serde_json keeps another one depends on what else is compiled.
pub(crate) fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(&in_order(json)).unwrap()
}

fn in_order(json: &Value) -> Value {
    match json {
        Value::Object(object) => {
            let mut pairs: Vec<_> = object.iter().map(|(key, value)| (key.clone(), in_order(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(in_order).collect(),
        other => other.clone(),
    }
}
