//! Reads the response of an HTTP server: its head, then its body.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_http::fuzzing::response(bytes));
