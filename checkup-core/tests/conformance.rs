//! Checkers that `check_fn` makes from closures pass the conformance suite.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use checkup_core::{Checker, Failure, check_fn};
use checkup_testkit::conformance::CheckerFixture;

/// What the closures hold while they run.
struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn factory() -> CheckerFixture {
    let (tries, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let making = |outcome: Option<Result<(), Failure>>| {
        let (tries, open) = (Arc::clone(&tries), Arc::clone(&open));
        move || -> Arc<dyn Checker> {
            let (outcome, tries, open) = (outcome.clone(), Arc::clone(&tries), Arc::clone(&open));
            let check = check_fn("conformance", move || {
                tries.fetch_add(1, Ordering::SeqCst);
                open.fetch_add(1, Ordering::SeqCst);
                let (outcome, held) = (outcome.clone(), Held(Arc::clone(&open)));
                async move {
                    let _held = held;
                    match outcome {
                        Some(outcome) => outcome,
                        None => pending().await,
                    }
                }
            });
            Arc::clone(check.checker().unwrap())
        }
    };
    CheckerFixture::new(making(Some(Ok(()))))
        .failing(making(Some(Err(Failure::assertion("17 messages are stuck")))))
        .hanging(making(None))
        .tries(move || tries.load(Ordering::SeqCst))
        .open(move || open.load(Ordering::SeqCst))
}

// What a closure reads, and what it says, is its own.
checkup_testkit::checker_conformance!(factory, without: [endless, secret]);
