//! The behaviours that the contract of a notifier requires.

use std::sync::Arc;
use std::time::Duration;

use checkup_core::{Alert, AlertStep, Delivery, Notification, Notifier, NotifyError, Status, Timestamp};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::super::drive::{
    MAX_POLLS, all_of, assert_without, block_on, block_on_apart, block_on_paused, cancelled_after, eventually,
    leaves_the_thread, never_blocks, settled_len, soon,
};
use super::{NotifierFixture, offered};

/// How many alerts a large outage has.
const HUNDREDS: usize = 400;

/// A long text with characters of several bytes.
const LONG: &str = "the quick brown fox jumps over the lazy dog – größer und länger, 日本語 & <more> ";

/// Longer than any notifier waits, with all its retries; the engine gives up after a minute.
const NETWORK_LIMIT: Duration = Duration::from_secs(600);

/// How many calls run concurrently.
const MANY: usize = 8;

/// Text that a hostile endpoint may put into a message: HTML, header lines, mentions, markup, ends of strings, and
/// control characters.
pub const HOSTILE: &str = "<script>alert(1)</script>\r\nBcc: all@example.com\r\n\r\n<!channel> @everyone *bold* [x](y) \"q\" 'q' & \\ \u{7} \u{202e}";

/// Everything that is due is delivered: checks that went down and checks that recovered.
pub fn every_alert_is_delivered(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    let alerts =
        [("conformance-a", Status::Down), ("conformance-b", Status::Degraded), ("conformance-c", Status::Healthy)];
    let alerts = alerts.map(|(name, status)| alert(name, status, "it broke"));
    block_on(async {
        soon("a call", deliver(&*notifier, &alerts)).await.expect("the message can be delivered");
        let outcome = arrived(fixture, 1).await.join("\n");
        for alert in &alerts {
            assert!(outcome.contains(&alert.name), "{} is missing in what was delivered: {outcome}", alert.name);
        }
    });
}

/// Down, still down, flapping, up again, "was down" and closed: all of them can be delivered, and so can a test.
pub fn every_step_is_delivered(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    let steps =
        [AlertStep::Down, AlertStep::Again, AlertStep::Flapping, AlertStep::Up, AlertStep::Was, AlertStep::Closed];
    block_on(async {
        for step in steps {
            let name = format!("conformance-{step}-");
            let alert = Alert::new(step, &name, "endpoint", Timestamp::now());
            let outcome = soon("a call", notifier.notify(&Notification::new(vec![alert]))).await;
            outcome.unwrap_or_else(|error| panic!("the step `{step}` can be delivered: {error:?}"));
            let what = format!("the step `{step}` did not arrive");
            eventually(&what, || (fixture.deliveries)().iter().any(|text| text.contains(&name))).await;
        }
        for step in [AlertStep::Down, AlertStep::Up] {
            let alert = Alert::test(step, Timestamp::now());
            let outcome = soon("a call", notifier.notify(&Notification::new(vec![alert]))).await;
            outcome.unwrap_or_else(|error| panic!("a test of the channel can be delivered: {error:?}"));
        }
    });
}

/// "One call is one delivery", with any number of alerts.
pub fn one_call_is_one_delivery(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    let alerts = [("conformance-a", Status::Down), ("conformance-b", Status::Down), ("conformance-c", Status::Healthy)];
    let alerts = alerts.map(|(name, status)| alert(name, status, "it broke"));
    let alerts = if notifier.delivery() == Delivery::Each { &alerts[..1] } else { &alerts[..] };
    block_on(async {
        for count in 1..=2 {
            let outcome = soon("a call", notifier.notify(&Notification::new(alerts.to_vec()))).await;
            outcome.expect("the message can be delivered");
            let deliveries = arrived(fixture, count).await.len();
            assert_eq!(deliveries, count, "{count} calls made {deliveries} deliveries");
        }
    });
}

/// A large outage is one delivery too: the message fits into the limits of the medium.
pub fn hundreds_of_alerts_are_delivered(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    if notifier.delivery() == Delivery::Each {
        // It never gets more than one; see `text_from_outside_is_escaped` and this for its size.
        let mut long = alert("conformance-long", Status::Down, &LONG.repeat(1000));
        long.also_affected = vec![LONG.repeat(10); HUNDREDS];
        return block_on(async {
            soon("a call", notifier.notify(&Notification::new(vec![long]))).await.expect("long texts can be delivered");
            arrived(fixture, 1).await;
        });
    }
    let alerts = (0..HUNDREDS).map(|number| alert(&format!("conformance-{number}-{LONG}"), Status::Down, LONG));
    let notification = Notification::new(alerts.collect());
    block_on(async {
        soon("a call", notifier.notify(&notification)).await.expect("hundreds of alerts can be delivered");
        assert_eq!(arrived(fixture, 1).await.len(), 1, "one call is one delivery");
    });
}

/// Runs may end at the same time: concurrent calls do not affect each other.
pub fn calls_at_once_are_all_delivered(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    block_on(async {
        let mut calls = JoinSet::new();
        for number in 0..MANY {
            let notifier = Arc::clone(&notifier);
            let notification = one(&format!("conformance-{number}-"), "it broke");
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
            let dropped = one("dropped", "it broke");
            let ended = cancelled_after(polls, notifier.notify(&dropped)).await.is_some();
            let name = format!("conformance-{polls}-");
            let next = one(&name, "it broke");
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
    let alerts = [Status::Down, Status::Degraded, Status::Healthy].map(|status| {
        let mut alert = alert(HOSTILE, status, HOSTILE);
        alert.endpoint = HOSTILE.to_owned();
        alert.group = Some(HOSTILE.to_owned());
        alert.cause = Some(HOSTILE.to_owned());
        alert.also_affected = vec![HOSTILE.to_owned()];
        alert.locations = vec![Some(HOSTILE.to_owned())];
        alert
    });
    block_on(async {
        soon("a call", deliver(&*notifier, &alerts)).await.expect("hostile text can be delivered too");
        for delivery in arrived(fixture, 1).await {
            is_escaped(&delivery);
        }
    });
}

/// A message that might not have been delivered is an error, not a success or a panic.
pub fn what_is_not_delivered_is_an_error(fixture: &NotifierFixture) {
    let notifier = offered(fixture.failing.as_ref(), "failing")();
    let outcome = block_on(async { notifier.notify(&one("failing", "it broke")).await });
    assert!(outcome.is_err(), "nothing was delivered, but the call succeeds");
}

/// "It does not block the thread."
pub fn a_call_does_not_block_the_thread(fixture: &NotifierFixture) {
    let (notifier, notification) = ((fixture.notifier)(), one("short", "it broke"));
    block_on(never_blocks("a call", || notifier.notify(&notification)));
}

/// "It does not block the thread": while a call hangs, another task on its thread goes on.
pub fn a_hanging_call_does_not_block_the_thread(fixture: &NotifierFixture) {
    let notifier = offered(fixture.hanging.as_ref(), "hanging")();
    let notification = one("hanging", "it broke");
    block_on_apart(async move { leaves_the_thread(notifier.notify(&notification)).await });
}

/// "Every wait on a network is bounded."
///
/// On a paused clock, so that it takes no time. (Waits in blocking threads take theirs.)
pub fn a_silent_network_is_an_error_in_time(fixture: &NotifierFixture) {
    let silent = offered(fixture.hanging.as_ref(), "hanging");
    block_on_paused(async {
        let (notifier, notification) = (silent(), one("hanging", "it broke"));
        let outcome = timeout(NETWORK_LIMIT, notifier.notify(&notification)).await;
        let outcome = outcome.unwrap_or_else(|_| panic!("the call waits for a silent network forever"));
        assert!(outcome.is_err(), "the server has not answered, but the call succeeds");
    });
}

/// `Debug` goes to logs, and into the engine's errors: no credentials.
pub fn debug_holds_no_secret(fixture: &NotifierFixture) {
    let notifier = (fixture.notifier)();
    // Lazily created parts could show it too.
    let _ = block_on(notifier.notify(&one("debug", "it broke")));
    assert_without(fixture.secret.expose(), "`Debug`", &format!("{notifier:?} {notifier:#?}"));
}

/// "Errors hold no credentials."
pub fn errors_hold_no_secret(fixture: &NotifierFixture) {
    let notifier = offered(fixture.failing.as_ref(), "failing")();
    let outcome = block_on(async { notifier.notify(&one("failing", "it broke")).await });
    let error = outcome.expect_err("the failing notifier fails");
    assert_without(fixture.secret.expose(), "the error", &all_of(&error));
}

/// Returns the deliveries, once there are at least this many and no more arrive.
async fn arrived(fixture: &NotifierFixture, count: usize) -> Vec<String> {
    eventually(&format!("fewer than {count} deliveries"), || (fixture.deliveries)().len() >= count).await;
    settled_len(&fixture.deliveries).await
}

/// Delivers the alerts as the notifier wants them.
async fn deliver(notifier: &dyn Notifier, alerts: &[Alert]) -> Result<(), NotifyError> {
    match notifier.delivery() {
        Delivery::Each => {
            for alert in alerts {
                notifier.notify(&Notification::new(vec![alert.clone()])).await?;
            }
            Ok(())
        }
        _ => notifier.notify(&Notification::new(alerts.to_vec())).await,
    }
}

/// A notification that one check is down.
fn one(name: &str, reason: &str) -> Notification {
    Notification::new(vec![alert(name, Status::Down, reason)])
}

/// An alert about a check with this status; one that is healthy now was down before.
fn alert(name: &str, status: Status, reason: &str) -> Alert {
    let step = if status == Status::Healthy { AlertStep::Up } else { AlertStep::Down };
    let mut alert = Alert::new(step, name, format!("endpoint of {name}"), Timestamp::now());
    if status != Status::Healthy {
        alert.status = status;
    }
    alert.reason = Some(reason.to_owned());
    alert
}
