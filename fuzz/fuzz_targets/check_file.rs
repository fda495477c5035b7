//! Reads a check file that another node wrote.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_core::fuzzing::check_file(bytes));
