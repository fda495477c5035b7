//! The behaviours that the contract of a checker requires.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::{Cause, Check, CheckResult, Checker, Checkup, Status};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::super::drive::{
    MAX_POLLS, PATIENCE, all_of, assert_without, block_on, block_on_apart, cancelled_after, eventually,
    leaves_the_thread, never_blocks, settled, soon,
};
use super::{CheckerFixture, Count, offered};

/// How many attempts run concurrently.
const MANY: usize = 16;

/// The size limit of a failure message.
const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// An attempt at a working target succeeds, in the engine as well.
pub fn a_healthy_attempt_succeeds(fixture: &CheckerFixture) {
    let result = block_on(in_engine((fixture.healthy)(), None));
    assert_ne!(result.status, Status::Down, "the healthy instance is down: {:?}", result.reason());
}

/// An attempt at a failing target fails, with a reason.
pub fn a_failing_attempt_fails_with_a_reason(fixture: &CheckerFixture) {
    let result = block_on(in_engine(fixture.make_failing(), None));
    assert_eq!(result.status, Status::Down, "the failing instance is not down");
    assert_ne!(result.attempts[0].cause, Some(Cause::Panic), "it panics: {:?}", result.reason());
    assert!(result.reason().is_some_and(|reason| !reason.trim().is_empty()), "the failure has no message");
}

/// An attempt that waits forever is cancelled by the engine's timeout.
pub fn a_hanging_attempt_times_out_in_the_engine(fixture: &CheckerFixture) {
    let result = block_on_apart(in_engine(fixture.make_hanging(), Some(Duration::from_millis(100))));
    assert_eq!(result.attempts[0].cause, Some(Cause::Timeout), "expected a timeout: {:?}", result.reason());
}

/// "`attempt` tries once": each call makes one try, and none is answered from memory.
pub fn an_attempt_tries_once(fixture: &CheckerFixture) {
    let (checker, tries) = ((fixture.healthy)(), fixture.count_tries());
    block_on(each_attempt_tries_once(&*checker, &tries));
}

/// "… and does not retry."
pub fn a_failed_attempt_is_not_repeated(fixture: &CheckerFixture) {
    let (checker, tries) = (fixture.make_failing(), fixture.count_tries());
    block_on(each_attempt_tries_once(&*checker, &tries));
}

async fn each_attempt_tries_once(checker: &dyn Checker, tries: &Count) {
    for number in 1..=3 {
        let before = settled(&**tries).await;
        let _ = soon("an attempt", checker.attempt()).await;
        eventually(&format!("attempt {number} made no try"), || tries() > before).await;
        let made = settled(&**tries).await - before;
        assert_eq!(made, 1, "attempt {number} made {made} tries");
    }
}

/// "It may be cancelled (dropped) at any `.await`. Dropping it closes everything that it opened."
pub fn a_cancelled_attempt_releases_what_it_opened(fixture: &CheckerFixture) {
    let (checker, open) = (fixture.make_hanging(), fixture.count_open());
    block_on_apart(async move {
        for polls in 0..MAX_POLLS {
            // Dropped after this many polls, or when it hangs: nothing has happened since it opened something.
            let hangs = async {
                eventually("a hanging attempt opened nothing that `open` counts", || open() > 0).await;
                settled(&*open).await;
                sleep(Duration::from_millis(50)).await;
            };
            let dropped_early = tokio::select! {
                biased;
                outcome = cancelled_after(polls, checker.attempt()) => {
                    assert!(outcome.is_none(), "the hanging attempt ended: {outcome:?}");
                    true
                }
                () = hangs => false,
            };
            let what = format!("an attempt that was dropped after {polls} polls still holds what it opened");
            settled(&*open).await;
            eventually(&what, || open() == 0).await;
            if !dropped_early {
                return;
            }
        }
    });
}

/// "An attempt leaves nothing behind that affects the next", even if it was cancelled.
pub fn a_cancelled_attempt_does_not_change_the_next(fixture: &CheckerFixture) {
    let checker = (fixture.healthy)();
    block_on(async {
        for polls in 0..MAX_POLLS {
            let ended = cancelled_after(polls, checker.attempt()).await.is_some();
            let outcome = soon("the attempt after a cancelled one", checker.attempt()).await;
            assert!(outcome.is_ok(), "after an attempt that was dropped after {polls} polls: {outcome:?}");
            if ended {
                return;
            }
        }
    });
}

/// "It may be called again at any time, even while another call is running."
pub fn attempts_run_at_once(fixture: &CheckerFixture) {
    let checker = (fixture.healthy)();
    block_on(soon("attempts at once", async {
        let mut attempts = JoinSet::new();
        for _ in 0..MANY {
            let checker = Arc::clone(&checker);
            attempts.spawn(async move { checker.attempt().await });
        }
        for outcome in attempts.join_all().await {
            assert!(outcome.is_ok(), "one of {MANY} attempts at once: {outcome:?}");
        }
    }));
}

/// Attempts do not wait for each other: while some hang, the next one tries all the same.
pub fn a_hanging_attempt_holds_up_no_other(fixture: &CheckerFixture) {
    let (checker, tries) = (fixture.make_hanging(), fixture.count_tries());
    block_on_apart(async move {
        let before = settled(&*tries).await;
        let mut attempts = JoinSet::new();
        for number in 1..=3 {
            let checker = Arc::clone(&checker);
            attempts.spawn(async move { checker.attempt().await });
            let what = format!("while {} attempts hang, the next makes no try", number - 1);
            eventually(&what, || tries() >= before + number).await;
        }
    });
}

/// "An attempt leaves nothing behind that affects the next."
pub fn an_attempt_does_not_change_the_next(fixture: &CheckerFixture) {
    let (healthy, failing) = ((fixture.healthy)(), fixture.make_failing());
    block_on(async {
        for number in 1..=3 {
            let outcome = soon("an attempt", healthy.attempt()).await;
            assert!(outcome.is_ok(), "attempt {number} at what works: {outcome:?}");
        }
        let first = soon("an attempt", failing.attempt()).await.expect_err("the failing instance fails");
        for number in 2..=3 {
            let outcome = soon("an attempt", failing.attempt()).await;
            let cause = outcome.as_ref().map_err(|failure| failure.cause());
            assert_eq!(cause.err(), Some(first.cause()), "attempt {number} is not as the first: {outcome:?}");
        }
    });
}

/// "It does not block the thread."
pub fn an_attempt_does_not_block_the_thread(fixture: &CheckerFixture) {
    let checker = (fixture.healthy)();
    block_on(never_blocks("an attempt", || checker.attempt()));
}

/// "It does not block the thread": while an attempt hangs, another task on its thread goes on.
pub fn a_hanging_attempt_does_not_block_the_thread(fixture: &CheckerFixture) {
    let checker = fixture.make_hanging();
    block_on_apart(async move { leaves_the_thread(checker.attempt()).await });
}

/// "It reads and keeps no more of an answer than it needs": an endless answer does not keep it busy.
pub fn an_endless_answer_ends_the_attempt(fixture: &CheckerFixture) {
    let checker = offered(fixture.endless.as_ref(), "endless")();
    let outcome = block_on_apart(async move { tokio::time::timeout(PATIENCE, checker.attempt()).await });
    match outcome {
        Err(_) => panic!("the attempt reads an endless answer without end"),
        Ok(Err(failure)) => {
            let length = failure.message().len();
            assert!(length <= MAX_MESSAGE_BYTES, "the failure's message has {length} bytes of the answer");
        }
        Ok(Ok(_)) => {}
    }
}

/// The endpoint names what is checked: it is not empty, and the same before and after attempts.
pub fn the_endpoint_stays_the_same(fixture: &CheckerFixture) {
    let checker = (fixture.healthy)();
    let endpoint = checker.endpoint().into_owned();
    assert!(!endpoint.trim().is_empty(), "the endpoint is empty");
    for _ in 0..3 {
        let _ = block_on(soon("an attempt", checker.attempt()));
        assert_eq!(checker.endpoint(), endpoint);
    }
}

/// Every attempt has a time limit, which is long enough to try.
pub fn the_default_timeout_is_more_than_zero(fixture: &CheckerFixture) {
    let limit = (fixture.healthy)().default_timeout();
    assert!(!limit.is_zero(), "`default_timeout` is zero: an attempt would have no time");
}

/// "No credentials in endpoints", nor in `Debug`, which goes to logs.
pub fn debug_and_endpoint_hold_no_secret(fixture: &CheckerFixture) {
    let secret = fixture.secret.expose();
    let checker = (fixture.healthy)();
    assert_without(secret, "the endpoint", &checker.endpoint());
    assert_without(secret, "`Debug`", &format!("{checker:?} {checker:#?}"));
    // Lazily created parts could show it too.
    let _ = block_on(soon("an attempt", checker.attempt()));
    assert_without(secret, "`Debug` after an attempt", &format!("{checker:?}"));
}

/// "No credentials in failures or notices."
pub fn outcomes_hold_no_secret(fixture: &CheckerFixture) {
    let secret = fixture.secret.expose();
    for checker in [(fixture.healthy)(), fixture.make_failing()] {
        match block_on(soon("an attempt", checker.attempt())) {
            Ok(observation) => assert_without(secret, "the observation", &format!("{observation:?}")),
            Err(failure) => assert_without(secret, "the failure", &all_of(&failure)),
        }
    }
}

async fn in_engine(checker: Arc<dyn Checker>, timeout: Option<Duration>) -> CheckResult {
    let check = Check::new("conformance", checker).timeout(timeout.unwrap_or(PATIENCE));
    let checkup = Checkup::builder().check(check).build().expect("the settings can work");
    checkup.check().await.results.remove(0)
}
