//! [`Notifier`]: sends a message when checks go down and recover.

mod alert;
mod error;
mod function;
mod message;
mod section;
mod wording;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use alert::{Alert, AlertKind, AlertStep};
pub use error::{NotifyError, NotifyErrorKind};
pub use function::notify_fn;
pub use message::Message;
pub use section::{Line, Link, Section, Severity};

use crate::ConfigError;
use crate::fnv::Fnv;

/// Sends messages about checks that go down and recover.
///
/// The [`Monitor`](crate::Monitor) calls it when something is due, recoveries included, and not on every run. Failed deliveries are
/// retried. [`notify_fn`] makes one of a closure.
///
/// # Contract
///
/// For implementors:
/// - One call is one delivery. With [`Delivery::Together`], the default, it is one message about all alerts of the notification; with
///   [`Delivery::Each`] there is exactly one alert.
/// - `Ok` means delivered. A message that might not have been delivered is an error; its [kind](NotifyErrorKind) says whether and when
///   another try is worthwhile.
/// - It does not block the thread: blocking work goes through `tokio::task::spawn_blocking`.
/// - Every network wait is bounded; in addition, the monitor cancels a call that takes longer than a minute.
/// - The texts in alerts (names, endpoints, reasons) are untrusted, and are escaped for the medium. [`Message`] has them in words and
///   limits their length.
/// - Errors contain no credentials.
///
/// For callers: an error or a panic never stops a run, a store, or another notifier.
///
/// # Example
///
/// ```
/// use checkup_core::{Notification, Notifier, NotifyError, async_trait};
///
/// /// Prints one message about everything that is due.
/// #[derive(Debug)]
/// struct Console;
///
/// #[async_trait]
/// impl Notifier for Console {
///     async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
///         println!("{}", notification.message());
///         Ok(())
///     }
/// }
/// ```
///
/// A pager that tracks incidents wants them one by one, with a key:
///
/// ```
/// use checkup_core::{Delivery, Notification, Notifier, NotifyError, async_trait};
///
/// #[derive(Debug)]
/// struct Pager;
///
/// #[async_trait]
/// impl Notifier for Pager {
///     fn delivery(&self) -> Delivery {
///         Delivery::Each
///     }
///
///     async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
///         for alert in &notification.alerts {
///             let action = if alert.step.is_over() { "resolve" } else { "trigger" };
///             println!("{action} {}: {alert}", alert.key);
///         }
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Notifier: fmt::Debug + Send + Sync + 'static {
    /// Sends a message about the alerts.
    ///
    /// # Errors
    ///
    /// If the message might not have been delivered.
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError>;

    /// How it wants to be called. Default: [`Delivery::Together`].
    fn delivery(&self) -> Delivery {
        Delivery::Together
    }

    /// How often an open alert must be sent again so that the service does not close it, as Alertmanager does. It replaces reminders.
    /// Default: `None`, for services that need no repetition.
    fn keep_alive(&self) -> Option<Duration> {
        None
    }
}

/// How a notifier wants to be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// With everything that is due, for one message: chat and mail.
    #[default]
    Together,
    /// With one alert at a time: services that track incidents by a [key](Alert::key).
    Each,
}

/// What is due for a notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The alerts, worst first. Never empty; exactly one if the notifier's delivery is [`Each`](Delivery::Each).
    pub alerts: Vec<Alert>,
}

impl Notification {
    /// A notification of these alerts. It sorts them: the worst first, then the older ones, then by name.
    pub fn new(mut alerts: Vec<Alert>) -> Self {
        alerts.sort_by(|a, b| {
            let order = b.severity().cmp(&a.severity()).then(a.kind.cmp(&b.kind)).then(a.onset.cmp(&b.onset));
            order.then_with(|| a.name.cmp(&b.name)).then_with(|| a.endpoint.cmp(&b.endpoint))
        });
        Self { alerts }
    }

    /// All of it in words.
    pub fn message(&self) -> Message {
        Message::of(&self.alerts)
    }

    /// Identifies the delivery: the same in every repeated try, on any node. See [`Alert::delivery_id`].
    pub fn id(&self) -> String {
        match self.alerts.as_slice() {
            [alone] => alone.delivery_id(),
            all => {
                let mut ids: Vec<_> = all.iter().map(Alert::delivery_id).collect();
                ids.sort_unstable();
                let hash = ids.iter().fold(Fnv::default(), |hash, id| hash.add(id.as_bytes()));
                format!("{:016x}", hash.value())
            }
        }
    }
}

/// Anything that can be used as a notifier: a [`Notifier`], or settings that become one.
pub trait IntoNotifier {
    /// Makes the notifier from these settings.
    ///
    /// # Errors
    ///
    /// If the settings are invalid; the error names the key and the remedy.
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError>;
}

impl<T: Notifier> IntoNotifier for T {
    fn into_notifier(self) -> Result<Arc<dyn Notifier>, ConfigError> {
        Ok(Arc::new(self))
    }
}

// If the trait gains a method, it must not fall back to its default here.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Notifier for Arc<dyn Notifier> {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        self.as_ref().notify(notification).await
    }

    fn delivery(&self) -> Delivery {
        self.as_ref().delivery()
    }

    fn keep_alive(&self) -> Option<Duration> {
        self.as_ref().keep_alive()
    }
}
