//! Reads a server's response.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_http::fuzzing::response(bytes));
