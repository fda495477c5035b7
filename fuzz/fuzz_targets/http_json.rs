//! Reads a JSON body, and compares two numbers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_http::fuzzing::json(bytes));
