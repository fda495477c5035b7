//! Reads bytes as a config file, for the fuzz target `config` and for the test of what it found.

use checkup::config::Format;

/// The value of every variable, which no error shows.
const SECRET: &str = "s3cr3t/@:?#";

/// Reads bytes as a config file in each format.
pub(crate) fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let registry = checkup::default_registry();
    for format in [Format::Json, Format::Yaml, Format::Toml] {
        if let Err(error) = registry.parse_with(text, format, |_| Some(SECRET.to_owned())) {
            let shown = format!("{error} {error:?}");
            assert!(text.contains("s3cr3t") || !shown.contains("s3cr3t"), "an error shows a variable: {error}");
        }
    }
}
