//! Each behaviour of the conformance suites accepts the good doubles and rejects implementations that break it.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod broken_checker;
mod broken_named_files;
mod broken_notifier;
mod broken_storage;
mod doubles;
mod page;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use checkup_testkit::conformance::{self, Behaviour};

/// A faulty implementation: its fault, what the suite must say about it, and its fixture.
struct Broken<F> {
    fault: String,
    says: &'static str,
    factory: Box<dyn Fn() -> F>,
}

/// Checks whether the factory's implementation has a behaviour. If not, the error is what the suite says.
fn check<F>(factory: impl FnOnce() -> F, behaviour: &Behaviour<F>) -> Result<(), String> {
    let checked = catch_unwind(AssertUnwindSafe(|| conformance::run(factory, behaviour.check)));
    checked.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or_default().to_owned(),
    })
}

/// Asserts that the good implementation has every behaviour, and that each implementation in `broken`, at least one per
/// behaviour, is rejected for the right reason.
fn each_behaviour_is_caught<F: 'static>(
    behaviours: &'static [Behaviour<F>],
    good: fn() -> F,
    broken: fn(&str) -> Vec<Broken<F>>,
) {
    // Concurrently, since faults that are only found by waiting take seconds.
    let wrong: Vec<String> = thread::scope(|scope| {
        let checks: Vec<_> =
            behaviours.iter().map(|behaviour| scope.spawn(move || what_is_wrong(behaviour, good, broken))).collect();
        checks.into_iter().flat_map(|checked| checked.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn what_is_wrong<F>(behaviour: &Behaviour<F>, good: fn() -> F, broken: fn(&str) -> Vec<Broken<F>>) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Err(said) = check(good, behaviour) {
        wrong.push(format!("{} fails the good implementation: {said}", behaviour.name));
    }
    let broken = broken(behaviour.name);
    if broken.is_empty() {
        wrong.push(format!("{} has no broken implementation", behaviour.name));
    }
    for Broken { fault, says, factory } in broken {
        match check(factory, behaviour) {
            Err(said) if said.contains(says) => {}
            Err(said) => wrong.push(format!("{} says of {fault} not that {says:?}, but: {said}", behaviour.name)),
            Ok(()) => wrong.push(format!("{} passes {fault}", behaviour.name)),
        }
    }
    wrong
}

/// A capability cannot be declared away.
#[test]
fn what_is_declared_as_missing_must_be_missing() {
    use conformance::{checker, named_files, notifier, storage};
    for without in [storage::without::reader, storage::without::maintainer, storage::without::files] {
        assert!(catch_unwind(|| conformance::run(broken_storage::good, without)).is_err());
    }
    for without in [storage::without::failing, storage::without::hanging, storage::without::secret] {
        assert!(catch_unwind(|| conformance::run(broken_storage::good, without)).is_err());
    }
    for without in [named_files::without::failing, named_files::without::hanging, named_files::without::secret] {
        assert!(catch_unwind(|| conformance::run(broken_named_files::good, without)).is_err());
    }
    for without in [checker::without::failing, checker::without::hanging, checker::without::endless] {
        assert!(catch_unwind(|| conformance::run(broken_checker::good, without)).is_err());
    }
    for without in [checker::without::tries, checker::without::open, checker::without::secret] {
        assert!(catch_unwind(|| conformance::run(broken_checker::good, without)).is_err());
    }
    for without in [notifier::without::failing, notifier::without::hanging, notifier::without::secret] {
        assert!(catch_unwind(|| conformance::run(broken_notifier::good, without)).is_err());
    }
    assert!(catch_unwind(|| conformance::run(broken_notifier::good, notifier::without::escaping)).is_err());
}
