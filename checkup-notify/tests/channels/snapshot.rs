//! Comparing what is sent with a file that a person has read.
//!
//! `ACCEPT=1 cargo test --workspace --test channels` writes the files again.

use std::fs;
use std::path::PathBuf;

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
