//! The parts that all fixtures have in common.

use std::any::Any;
use std::fmt;

/// Values that live as long as a fixture.
#[derive(Default)]
pub(super) struct Guards(Vec<Box<dyn Any>>);

impl Guards {
    pub(super) fn keep(&mut self, guard: impl Any) {
        self.0.push(Box::new(guard));
    }
}

/// The secret in the settings of a fixture's instances.
#[derive(Default)]
pub(super) struct KnownSecret(Option<String>);

impl KnownSecret {
    pub(super) fn set(&mut self, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(!secret.is_empty(), "a secret to look for has at least one character");
        self.0 = Some(secret);
    }

    #[track_caller]
    pub(super) fn expose(&self) -> &str {
        offered(self.0.as_deref(), "secret")
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

/// Returns something optional that a behaviour needs.
#[track_caller]
pub(super) fn offered<T>(part: Option<T>, name: &str) -> T {
    part.unwrap_or_else(|| panic!("this needs the fixture's `{name}`; give it, or declare `without: [{name}]`"))
}

/// Asserts that something declared as missing is really missing.
#[track_caller]
pub(super) fn assert_not_offered(is_offered: bool, name: &str) {
    assert!(!is_offered, "the fixture has `{name}`: take it out of `without`");
}

/// Shows which optional parts a fixture has.
pub(super) fn debug(f: &mut fmt::Formatter<'_>, name: &str, parts: &[(&str, bool)]) -> fmt::Result {
    let mut debug = f.debug_struct(name);
    for (part, is_set) in parts {
        debug.field(part, is_set);
    }
    debug.finish_non_exhaustive()
}
