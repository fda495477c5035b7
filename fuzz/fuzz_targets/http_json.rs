//! Searches a JSON body, and compares two numbers.
#![no_main]

use checkup_http::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    fuzzing::json(texts.0);
    fuzzing::numbers(texts.0, texts.1);
});
