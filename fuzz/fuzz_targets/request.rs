//! Reads the target, the query and the headers of a visitor's request.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_statuspage::fuzzing::request(bytes));
