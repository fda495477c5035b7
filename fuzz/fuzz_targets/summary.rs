//! Reads a summary that another node wrote. Everything derived from it must end without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_core::fuzzing::summary(bytes));
