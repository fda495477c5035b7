//! The contract of settings of every plugin: all of their problems are reported together.

use checkup_core::ConfigError;

/// Checks that settings with several invalid values are refused with a problem for each, so that a person who made two mistakes sees
/// both. `made` is what `into_checker`, `into_storage` or `into_notifier` returned; `keys` are the keys of the invalid settings.
///
/// # Panics
///
/// If the settings are accepted, or if a key is not the place of a problem.
///
/// ```
/// use checkup_core::{ConfigError, ConfigProblems};
/// use checkup_testkit::conformance::all_problems_are_reported;
///
/// fn into_checker(host: &str, port: u16) -> Result<(), ConfigError> {
///     let mut problems = ConfigProblems::new();
///     if host.is_empty() {
///         problems.push(ConfigError::expected("host", "a host").found("nothing"));
///     }
///     if port == 0 {
///         problems.push(ConfigError::expected("port", "1 to 65535").found(port));
///     }
///     problems.into_result()
/// }
///
/// all_problems_are_reported(into_checker("", 0), &["host", "port"]);
/// ```
#[track_caller]
pub fn all_problems_are_reported<T>(made: Result<T, ConfigError>, keys: &[&str]) {
    assert!(keys.len() > 1, "two invalid settings or more show whether all of them are reported");
    let Err(error) = made else { panic!("the settings are accepted although {} are invalid", keys.join(", ")) };
    let is_about = |place: &str, key: &str| {
        place.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let missing: Vec<_> = keys
        .iter()
        .filter(|key| !error.problems().iter().any(|problem| is_about(&problem.place, key)))
        .copied()
        .collect();
    assert!(missing.is_empty(), "the problems of {} are not reported, only:\n{error}", missing.join(", "));
}
