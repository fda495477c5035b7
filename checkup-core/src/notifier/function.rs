//! [`notify_fn`]: makes a notifier of a closure.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;

use super::{Notification, Notifier, NotifyError};

/// Makes a notifier from an async closure, which is called with everything that is due for it.
///
/// The error may be anything that becomes a boxed error; a [`NotifyError`] stays as it is. The message is then sent again later.
///
/// ```
/// use checkup_core::{Checkup, Monitor, check_fn, notify_fn};
/// use tokio::sync::mpsc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (sender, mut alerts) = mpsc::channel(16);
/// let chat = notify_fn(move |notification| {
///     let sender = sender.clone();
///     async move {
///         for alert in &notification.alerts {
///             sender.send(alert.to_string()).await?;
///         }
///         Ok::<_, mpsc::error::SendError<String>>(())
///     }
/// });
/// let checkup = Checkup::builder()
///     .check(check_fn("worker", || async { Err::<(), _>("the worker is gone") }))
///     .notifier(chat)
///     .build()?;
/// let monitor = Monitor::builder(checkup).start()?;
/// assert_eq!(alerts.recv().await.as_deref(), Some("worker is down: the worker is gone"));
/// # monitor.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub fn notify_fn<F, Fut, E>(function: F) -> impl Notifier
where
    F: Fn(Notification) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    FnNotifier(function)
}

/// The notifier of a closure.
struct FnNotifier<F>(F);

impl<F> fmt::Debug for FnNotifier<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("notify_fn")
    }
}

#[async_trait]
impl<F, Fut, E> Notifier for FnNotifier<F>
where
    F: Fn(Notification) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        (self.0)(notification.clone()).await.map_err(|error| match error.into().downcast::<NotifyError>() {
            Ok(error) => *error,
            Err(error) => NotifyError::new("the function that notifies failed").with_source(error),
        })
    }
}
