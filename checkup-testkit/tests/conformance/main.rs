//! Each behaviour of the conformance suites passes the good doubles, and fails implementations that break it.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod broken_checker;
mod broken_notifier;
mod broken_storage;
mod doubles;

use std::panic::{AssertUnwindSafe, catch_unwind};

use checkup_testkit::conformance::{self, Behaviour};

/// A faulty implementation: its fault, and its fixture.
type Broken<F> = (String, Box<dyn Fn() -> F>);

/// Whether a behaviour is found in what the factory makes.
fn passes<F>(factory: impl FnOnce() -> F, behaviour: &Behaviour<F>) -> bool {
    catch_unwind(AssertUnwindSafe(|| conformance::run(factory, behaviour.check))).is_ok()
}

/// Every behaviour is found in the good implementation, and missed in each that `broken` gives for it, of which there is at
/// least one.
fn each_behaviour_is_caught<F>(
    behaviours: &[Behaviour<F>],
    good: impl Fn() -> F,
    broken: impl Fn(&str) -> Vec<Broken<F>>,
) {
    let mut wrong = Vec::new();
    for behaviour in behaviours {
        if !passes(&good, behaviour) {
            wrong.push(format!("{} fails the good implementation", behaviour.name));
        }
        let broken = broken(behaviour.name);
        if broken.is_empty() {
            wrong.push(format!("{} has no broken implementation", behaviour.name));
        }
        for (fault, factory) in broken {
            if passes(factory, behaviour) {
                wrong.push(format!("{} passes {fault}", behaviour.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether the suite fails, and only with the behaviour that is declared, when something is declared to be missing that is there.
#[test]
fn what_is_declared_as_missing_must_be_missing() {
    use conformance::{checker, notifier, storage};
    for without in [storage::without::reader, storage::without::maintainer, storage::without::files] {
        assert!(catch_unwind(|| conformance::run(broken_storage::good, without)).is_err());
    }
    for without in [storage::without::failing, storage::without::silent, storage::without::secret] {
        assert!(catch_unwind(|| conformance::run(broken_storage::good, without)).is_err());
    }
    for without in [checker::without::failing, checker::without::hanging, checker::without::endless] {
        assert!(catch_unwind(|| conformance::run(broken_checker::good, without)).is_err());
    }
    for without in [checker::without::tries, checker::without::open, checker::without::secret] {
        assert!(catch_unwind(|| conformance::run(broken_checker::good, without)).is_err());
    }
    for without in [notifier::without::failing, notifier::without::silent, notifier::without::secret] {
        assert!(catch_unwind(|| conformance::run(broken_notifier::good, without)).is_err());
    }
    assert!(catch_unwind(|| conformance::run(broken_notifier::good, notifier::without::escaping)).is_err());
}
