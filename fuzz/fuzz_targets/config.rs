//! Reads a config file, with environment variables that look dangerous.
#![no_main]

#[path = "../../tests/corpus/config.rs"]
mod config;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| config::read(bytes));
