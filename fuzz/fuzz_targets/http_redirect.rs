//! Follows a redirect with a cookie, and parses a value of `NO_PROXY`.
#![no_main]

use checkup_http::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], &str, &str)| {
    let (location, cookie, list, host) = input;
    fuzzing::redirect(location, cookie);
    fuzzing::no_proxy(list, host);
});
