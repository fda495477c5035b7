//! Reads and judges the answer of a DNS server.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_dns::fuzzing::answer(bytes));
