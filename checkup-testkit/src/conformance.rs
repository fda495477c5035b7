//! The contracts of the plugin traits as tests, for every implementation.
//!
//! One macro call generates a named `#[test]` for each behaviour that a contract requires:
//! [`checker_conformance!`](crate::checker_conformance), [`storage_conformance!`](crate::storage_conformance),
//! [`named_files_conformance!`](crate::named_files_conformance) and
//! [`notifier_conformance!`](crate::notifier_conformance). Each test gets its own fixture from a factory:
//!
//! ```
//! use checkup_testkit::MemoryStorage;
//! use checkup_testkit::conformance::StorageFixture;
//!
//! fn factory() -> StorageFixture {
//!     let storage = MemoryStorage::new();
//!     let expiring = storage.clone();
//!     StorageFixture::new(move || storage.clone()).expiring(move |age| expiring.clone().check_expiry(age))
//! }
//!
//! // This storage holds no named files, cannot fail, and knows neither a network nor a secret.
//! checkup_testkit::storage_conformance!(factory, without: [files, failing, hanging, secret]);
//! # fn main() {}
//! ```
//!
//! List in `without` what an implementation lacks or its fixture cannot offer. Nothing is skipped silently: a separate test
//! asserts that it is really missing.
//!
//! # The factory
//!
//! It is called once for each test, inside a tokio runtime that exists only for the fixture: loopback servers that the factory
//! starts run there, in a separate thread, until the test ends. For asynchronous set-up, the factory can use
//! `tokio::runtime::Handle::current().block_on(…)`. Pass everything that must live as long as the test (a temporary directory,
//! a server) to `keep`.
//!
//! The behaviours themselves run in separate runtimes. Some runtimes are dropped in the middle, like a process that is killed.
//!
//! # All behaviours
//!
//! The [front page](crate#all-behaviours) lists them, with what each needs.
//!
//! # Settings
//!
//! [`all_problems_are_reported`] checks that settings with several invalid values are rejected, with a problem for each.
//!
//! # Without the macros
//!
//! Each behaviour is a function of its suite ([`checker`], [`storage`], [`named_files`], [`notifier`]), and `BEHAVIOURS` lists them
//! all, with what each needs. The suites' own tests hold each against an implementation that breaks it.

pub mod checker;
mod drive;
mod fixture;
mod macros;
pub mod named_files;
pub mod notifier;
mod settings;
pub mod storage;

pub use checker::CheckerFixture;
pub use named_files::NamedFilesFixture;
pub use notifier::NotifierFixture;
pub use settings::all_problems_are_reported;
pub use storage::StorageFixture;

/// One requirement of a contract, and how to check it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Behaviour<F> {
    /// The requirement: the name of the test and of the function.
    pub name: &'static str,
    /// What a fixture must offer for the check.
    pub needs: &'static [&'static str],
    /// Panics if the implementation does not behave this way.
    pub check: fn(&F),
}

impl<F> Behaviour<F> {
    #[doc(hidden)]
    pub const fn new(name: &'static str, needs: &'static [&'static str], check: fn(&F)) -> Self {
        Self { name, needs, check }
    }
}

/// Checks one behaviour of what `factory` makes, like the tests that the macros generate.
///
/// # Panics
///
/// If the implementation does not behave so. Within a tokio runtime.
pub fn run<F>(factory: impl FnOnce() -> F, behaviour: fn(&F)) {
    // Declared before the fixture, so that its servers run until the fixture is dropped.
    let place = drive::Place::new();
    let _entered = place.enter();
    behaviour(&factory());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A behaviour that is missing from its list would never be checked.
    #[test]
    fn every_behaviour_is_in_its_list() {
        let names = |names: &mut dyn Iterator<Item = &'static str>| names.collect::<Vec<_>>();
        let listed = [
            names(&mut checker::BEHAVIOURS.iter().map(|behaviour| behaviour.name)),
            names(&mut storage::BEHAVIOURS.iter().map(|behaviour| behaviour.name)),
            names(&mut named_files::BEHAVIOURS.iter().map(|behaviour| behaviour.name)),
            names(&mut notifier::BEHAVIOURS.iter().map(|behaviour| behaviour.name)),
        ];
        let storage = concat!(
            include_str!("conformance/storage/behaviours.rs"),
            include_str!("conformance/storage/reader.rs"),
            include_str!("conformance/storage/maintainer.rs"),
        );
        let named_files = concat!(
            include_str!("conformance/named_files/failing.rs"),
            include_str!("conformance/named_files/finding.rs"),
            include_str!("conformance/named_files/putting.rs"),
        );
        let sources = [
            include_str!("conformance/checker/behaviours.rs"),
            storage,
            named_files,
            include_str!("conformance/notifier/behaviours.rs"),
        ];
        for (mut listed, source) in listed.into_iter().zip(sources) {
            let functions = source.lines().filter_map(|line| line.strip_prefix("pub fn ")?.split('(').next());
            let mut functions: Vec<_> = functions.collect();
            listed.sort_unstable();
            functions.sort_unstable();
            assert_eq!(listed, functions);
        }
    }
}
