//! The behaviours that the contract of a notifier requires.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::{Attempt, Cause, CheckResult, Notification, Report, Status};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::super::drive::{
    MAX_POLLS, all_of, assert_without, block_on, block_on_apart, block_on_paused, cancelled_after, eventually,
    leaves_the_thread, never_blocks, settled_len, soon,
};
use super::{NotifierFixture, offered};

/// Longer than any notifier waits, with all its retries; the engine gives up after a minute.
const NETWORK_LIMIT: Duration = Duration::from_secs(600);

/// How many calls run concurrently.
const MANY: usize = 8;

/// Text that a hostile endpoint may put into a message: HTML, header lines, mentions, markup, ends of strings, and
/// control characters.
pub const HOSTILE: &str = "<script>alert(1)</script>\r\nBcc: all@example.com\r\n\r\n<!channel> @everyone *bold* [x](y) \"q\" 'q' & \\ \u{7} \u{202e}";

/// One call delivers all changes of one run: checks that went down and checks that recovered.
pub fn every_change_is_delivered(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    let changes =
        [("conformance-a", Status::Down), ("conformance-b", Status::Degraded), ("conformance-c", Status::Healthy)];
    let notification = notification(&changes, "it broke");
    block_on(async {
        soon("a call", notifier.notify(&notification)).await.expect("the message can be delivered");
        let outcome = arrived(fixture, 1).await.join("\n");
        for (name, _) in changes {
            assert!(outcome.contains(name), "{name} is missing in what was delivered: {outcome}");
        }
    });
}

/// "… It is for the notifier to put them into one message."
pub fn one_call_is_one_delivery(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    let changes =
        [("conformance-a", Status::Down), ("conformance-b", Status::Down), ("conformance-c", Status::Healthy)];
    block_on(async {
        for count in 1..=2 {
            let outcome = soon("a call", notifier.notify(&notification(&changes, "it broke"))).await;
            outcome.expect("the message can be delivered");
            let deliveries = arrived(fixture, count).await.len();
            assert_eq!(deliveries, count, "{count} calls made {deliveries} deliveries");
        }
    });
}

/// Runs may end at the same time: concurrent calls do not affect each other.
pub fn calls_at_once_are_all_delivered(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    block_on(async {
        let mut calls = JoinSet::new();
        for number in 0..MANY {
            let notifier = Arc::clone(&notifier);
            let notification = notification(&[(&format!("conformance-{number}-"), Status::Down)], "it broke");
            calls.spawn(async move { notifier.notify(&notification).await });
        }
        for outcome in soon("calls at once", calls.join_all()).await {
            outcome.expect("the message can be delivered");
        }
        let outcome = arrived(fixture, MANY).await.join("\n");
        for number in 0..MANY {
            assert!(outcome.contains(&format!("conformance-{number}-")), "call {number} of {MANY} at once was lost");
        }
    });
}

/// "The monitor also cancels a call": the next one is delivered all the same.
pub fn a_cancelled_call_does_not_spoil_the_next(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    block_on(async {
        for polls in 0..MAX_POLLS {
            let dropped = notification(&[("dropped", Status::Down)], "it broke");
            let ended = cancelled_after(polls, notifier.notify(&dropped)).await.is_some();
            let name = format!("conformance-{polls}-");
            let next = notification(&[(&name, Status::Down)], "it broke");
            let outcome = soon("the call after a cancelled one", notifier.notify(&next)).await;
            outcome.unwrap_or_else(|error| panic!("after a call that was dropped after {polls} polls: {error:?}"));
            let what = format!("the call after one that was dropped after {polls} polls did not arrive");
            eventually(&what, || (fixture.deliveries)().iter().any(|text| text.contains(&name))).await;
            if ended {
                return;
            }
        }
    });
}

/// "What comes in results (names, endpoints, reasons) is text from outside: it is escaped for the medium."
pub fn text_from_outside_is_escaped(fixture: &NotifierFixture) {
    let (notifier, is_escaped) = ((fixture.notifier)(), offered(fixture.escaping.as_ref(), "escaping"));
    let notification = notification(&[(HOSTILE, Status::Down), (HOSTILE, Status::Degraded)], HOSTILE);
    block_on(async {
        soon("a call", notifier.notify(&notification)).await.expect("hostile text can be delivered too");
        for delivery in arrived(fixture, 1).await {
            is_escaped(&delivery);
        }
    });
}

/// A message that might not have been delivered is an error, not a success or a panic.
pub fn what_is_not_delivered_is_an_error(fixture: &NotifierFixture) {
    let notifier = offered(fixture.failing.as_ref(), "failing")();
    let outcome = block_on(async { notifier.notify(&notification(&[("failing", Status::Down)], "it broke")).await });
    assert!(outcome.is_err(), "nothing was delivered, and yet the call succeeds");
}

/// "It does not block the thread."
pub fn a_call_does_not_block_the_thread(fixture: &NotifierFixture) {
    let (notifier, notification) = ((fixture.notifier)(), notification(&[("short", Status::Down)], "it broke"));
    block_on(never_blocks("a call", || notifier.notify(&notification)));
}

/// "It does not block the thread": while a call hangs, another task on its thread goes on.
pub fn a_hanging_call_does_not_block_the_thread(fixture: &NotifierFixture) {
    let notifier = offered(fixture.hanging.as_ref(), "hanging")();
    let notification = notification(&[("hanging", Status::Down)], "it broke");
    block_on_apart(async move { leaves_the_thread(notifier.notify(&notification)).await });
}

/// "Every wait on a network is bounded."
///
/// On a paused clock, so that it takes no time. (Waits in blocking threads take theirs.)
pub fn a_silent_network_is_an_error_in_time(fixture: &NotifierFixture) {
    let silent = offered(fixture.hanging.as_ref(), "hanging");
    block_on_paused(async {
        let (notifier, notification) = (silent(), notification(&[("hanging", Status::Down)], "it broke"));
        let outcome = timeout(NETWORK_LIMIT, notifier.notify(&notification)).await;
        let outcome = outcome.unwrap_or_else(|_| panic!("the call waits for a silent network without end"));
        assert!(outcome.is_err(), "nobody has answered, and yet the call succeeds");
    });
}

/// `Debug` goes to logs, and into the engine's errors: no credentials.
pub fn debug_holds_no_secret(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    // Lazily created parts could show it too.
    let _ = block_on(notifier.notify(&notification(&[("debug", Status::Down)], "it broke")));
    assert_without(fixture.secret.expose(), "`Debug`", &format!("{notifier:?} {notifier:#?}"));
}

/// "Errors hold no credentials."
pub fn errors_hold_no_secret(fixture: &NotifierFixture) {
    let notifier = offered(fixture.failing.as_ref(), "failing")();
    let outcome = block_on(async { notifier.notify(&notification(&[("failing", Status::Down)], "it broke")).await });
    let error = outcome.expect_err("the failing notifier fails");
    assert_without(fixture.secret.expose(), "the error", &all_of(&error));
}

/// Returns the deliveries, once there are at least this many and no more arrive.
async fn arrived(fixture: &NotifierFixture, count: usize) -> Vec<String> {
    eventually(&format!("fewer than {count} deliveries"), || (fixture.deliveries)().len() >= count).await;
    settled_len(&fixture.deliveries).await
}

/// Changes to these statuses; those that are healthy now were down before.
fn notification(changes: &[(&str, Status)], reason: &str) -> Notification {
    let results = changes.iter().map(|(name, status)| {
        let mut result = CheckResult::new(*name, format!("endpoint of {name}"));
        result.status = *status;
        match status {
            Status::Down => {
                let mut attempt = Attempt::success(Duration::from_millis(3));
                attempt.error = Some(reason.into());
                attempt.cause = Some(Cause::Assertion);
                result.attempts = vec![attempt];
            }
            Status::Degraded => result.notice = Some(reason.into()),
            _ => {}
        }
        result
    });
    let report = Arc::new(Report::new(results.collect()));
    let before = |index: usize| match changes[index].1 {
        Status::Healthy => Some(Status::Down),
        _ => Some(Status::Healthy),
    };
    Notification::between(before, &report).expect("every status has changed")
}
