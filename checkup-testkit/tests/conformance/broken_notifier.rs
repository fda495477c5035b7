//! Notifiers that break their contract, one way each.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkup_core::{AlertStep, Notification, Notifier, NotifyError, async_trait};
use checkup_testkit::conformance::NotifierFixture;
use checkup_testkit::conformance::notifier::BEHAVIOURS;

use crate::{Broken, each_behaviour_is_caught};

const SECRET: &str = "hunter2";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    DeliversTheFirstOnly,
    KnowsOnlyDownAndUp,
    HasNoRoom,
    DeliversEach,
    RefusesASecond,
    StaysBusy,
    DoesNotEscape,
    Swallows,
    WaitsForever,
    Blocks,
    ShowsItself,
    ShowsErrors,
}

/// What the other side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Accepts,
    Refuses,
    IsSilent,
}

struct Pager {
    fault: Fault,
    side: Side,
    delivered: Arc<Mutex<Vec<String>>>,
    busy: Mutex<bool>,
}

#[async_trait]
impl Notifier for Pager {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        if self.fault == Fault::Blocks {
            std::thread::sleep(Duration::from_millis(500));
        }
        match self.side {
            Side::Accepts => {}
            Side::IsSilent if self.fault == Fault::Blocks => return Err(NotifyError::new("no answer within 500ms")),
            Side::Refuses if self.fault == Fault::Swallows => return Ok(()),
            Side::Refuses if self.fault == Fault::ShowsErrors => {
                return Err(NotifyError::new("refused").with_source(format!("401 for token {SECRET}")));
            }
            Side::Refuses => return Err(NotifyError::new("refused")),
            Side::IsSilent if self.fault == Fault::WaitsForever => pending().await,
            Side::IsSilent => {
                tokio::time::sleep(Duration::from_secs(30)).await;
                return Err(NotifyError::new("no answer within 30s"));
            }
        }
        if self.fault == Fault::RefusesASecond || self.fault == Fault::StaysBusy {
            let was_busy = std::mem::replace(&mut *self.busy.lock().unwrap(), true);
            if was_busy {
                return Err(NotifyError::new("busy"));
            }
        }
        tokio::task::yield_now().await;
        if self.fault == Fault::RefusesASecond || self.fault == Fault::StaysBusy {
            *self.busy.lock().unwrap() = false;
        }
        let alerts = &notification.alerts;
        if self.fault == Fault::KnowsOnlyDownAndUp && matches!(alerts[0].step, AlertStep::Flapping) {
            return Err(NotifyError::permanent("unknown step"));
        }
        if self.fault == Fault::HasNoRoom && alerts.len() > 100 {
            return Err(NotifyError::permanent("the message is too long"));
        }
        let mut lines: Vec<_> = alerts
            .iter()
            .map(|alert| {
                let line = format!("{} {} {:?}", alert.name, alert.status, alert.reason);
                match self.fault {
                    Fault::DoesNotEscape => line,
                    _ => line.escape_debug().to_string().replace('<', "&lt;"),
                }
            })
            .collect();
        if self.fault == Fault::DeliversTheFirstOnly {
            lines.truncate(1);
        }
        let mut delivered = self.delivered.lock().unwrap();
        match self.fault {
            Fault::DeliversEach => delivered.extend(lines),
            _ => delivered.push(lines.join(", ")),
        }
        Ok(())
    }
}

impl fmt::Debug for Pager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.fault == Fault::ShowsItself { SECRET } else { "Pager" })
    }
}

fn fixture(fault: Fault) -> NotifierFixture {
    let delivered = Arc::new(Mutex::new(Vec::new()));
    let arrived = Arc::clone(&delivered);
    let at = move |side| {
        let delivered = Arc::clone(&delivered);
        move || Pager { fault, side, delivered: Arc::clone(&delivered), busy: Mutex::new(false) }
    };
    NotifierFixture::new(at(Side::Accepts), move || arrived.lock().unwrap().clone())
        .failing(at(Side::Refuses))
        .hanging(at(Side::IsSilent))
        .escaping(|delivery| assert!(!delivery.contains(['<', '\n', '\r']), "{delivery}"))
        .secret(SECRET)
}

pub(crate) fn good() -> NotifierFixture {
    fixture(Fault::None)
}

fn broken(behaviour: &str) -> Vec<Broken<NotifierFixture>> {
    let faults: &[(Fault, &'static str)] = match behaviour {
        "every_alert_is_delivered" => &[(Fault::DeliversTheFirstOnly, "conformance-b is missing")],
        "every_step_is_delivered" => &[(Fault::KnowsOnlyDownAndUp, "the step `flapping` can be delivered")],
        "hundreds_of_alerts_are_delivered" => &[
            (Fault::HasNoRoom, "hundreds of alerts can be delivered"),
            (Fault::DeliversEach, "one call is one delivery"),
        ],
        "one_call_is_one_delivery" => &[(Fault::DeliversEach, "1 calls made 3 deliveries")],
        "calls_at_once_are_all_delivered" => &[(Fault::RefusesASecond, "busy")],
        "a_cancelled_call_does_not_spoil_the_next" => {
            &[(Fault::StaysBusy, "after a call that was dropped after 1 polls")]
        }
        "text_from_outside_is_escaped" => &[(Fault::DoesNotEscape, "<script>")],
        "what_is_not_delivered_is_an_error" => &[(Fault::Swallows, "nothing was delivered")],
        "a_call_does_not_block_the_thread" => &[(Fault::Blocks, "a call blocks the thread")],
        "a_hanging_call_does_not_block_the_thread" => &[(Fault::Blocks, "the thread was blocked")],
        "a_silent_network_is_an_error_in_time" => &[(Fault::WaitsForever, "forever")],
        "debug_holds_no_secret" => &[(Fault::ShowsItself, "`Debug` shows the secret")],
        "errors_hold_no_secret" => &[(Fault::ShowsErrors, "the error shows the secret")],
        _ => &[],
    };
    let broken = faults.iter().map(|&(fault, says)| {
        let factory = Box::new(move || fixture(fault));
        Broken { fault: format!("{fault:?}"), says, factory }
    });
    broken.collect()
}

#[test]
fn each_behaviour_of_a_notifier_is_caught() {
    each_behaviour_is_caught(BEHAVIOURS, good, broken);
}
