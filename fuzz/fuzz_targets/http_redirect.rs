//! Follows a redirect with a cookie, and parses a value of `NO_PROXY`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_http::fuzzing::redirect(bytes));
