//! Pagers: services that track incidents by a key, and get one event per alert.

mod alertmanager;
mod jsm;
mod pagerduty;

use checkup_core::{Alert, Notification, NotifyError};

pub use alertmanager::Alertmanager;
pub use jsm::Jsm;
pub use pagerduty::PagerDuty;

/// The alert of a notification for a notifier whose delivery is [`Each`](checkup_core::Delivery::Each).
fn only(notification: &Notification) -> Result<&Alert, NotifyError> {
    match notification.alerts.as_slice() {
        [alone] => Ok(alone),
        all => Err(NotifyError::permanent(format!("expected one alert per delivery, found {}", all.len()))),
    }
}
