//! Reads the XML of an S3 server: listings, results of deletions, errors.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checkup_storage_s3::fuzzing::document(bytes));
