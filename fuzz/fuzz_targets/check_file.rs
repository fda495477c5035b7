//! Decodes a check file that another node wrote.
#![no_main]

use checkup::check_file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(results) = check_file::decode(bytes) {
        let written = check_file::encode(&results).expect("results can be written");
        assert_eq!(check_file::decode(&written).ok(), Some(results), "results change when they are written");
    }
});
