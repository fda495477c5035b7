//! Reads a config file, with environment variables that look dangerous.
#![no_main]

use checkup::config::Format;
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "s3cr3t/@:?#";

fuzz_target!(|text: &str| {
    let registry = checkup::default_registry();
    for format in [Format::Json, Format::Yaml, Format::Toml] {
        if let Err(error) = registry.parse_with(text, format, |_| Some(SECRET.to_owned())) {
            assert!(text.contains(SECRET) || !error.to_string().contains(SECRET), "the error shows a variable");
        }
    }
});
