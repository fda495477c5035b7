//! Tests the check that settings report all of their problems, with settings that do and settings that stop at the
//! first.

use std::panic::catch_unwind;

use checkup_core::{ConfigError, ConfigProblems};
use checkup_testkit::conformance::all_problems_are_reported;

fn host(host: &str) -> Result<(), ConfigError> {
    if host.is_empty() { Err(ConfigError::expected("host", "a host").found("nothing")) } else { Ok(()) }
}

fn port(port: u16) -> Result<(), ConfigError> {
    if port == 0 { Err(ConfigError::expected("port.number", "1 to 65535").found(port)) } else { Ok(()) }
}

/// Settings that keep the contract.
fn collecting() -> Result<(), ConfigError> {
    let mut problems = ConfigProblems::new();
    problems.take(host(""));
    problems.take(port(0));
    problems.into_result()
}

/// Settings that break it.
fn stopping() -> Result<(), ConfigError> {
    host("")?;
    port(0)
}

fn panic_of(check: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(check).expect_err("it must panic");
    panic.downcast::<String>().map_or_else(|_| "no text".to_owned(), |text| *text)
}

#[test]
fn settings_that_stop_at_the_first_problem_are_caught() {
    all_problems_are_reported(collecting(), &["host", "port"]);
    assert_eq!(
        panic_of(|| all_problems_are_reported(stopping(), &["host", "port"])),
        "the problems of port are not reported, only:\nhost: expected a host, found nothing"
    );
    assert_eq!(
        panic_of(|| all_problems_are_reported(host("db"), &["host", "port"])),
        "the settings are accepted although host, port are invalid"
    );
}
