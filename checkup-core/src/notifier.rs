//! [`Notifier`]: sends a message when a check's status changes.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{CheckResult, ConfigError, Report, Status};

/// Sends a message when the status of checks changes.
///
/// The [`Monitor`](crate::Monitor) calls it when a status changes, recoveries included, and not on every run.
/// Failed deliveries are retried by the next run, together with the changes since then.
/// One-shot runs do not notify, because they do not know the result of the previous run.
///
/// [`notify_fn`] makes one of a closure.
///
/// # Contract
///
/// For implementors:
/// - One call has all changes of one run; the notifier should put them into one message.
/// - It does not block the thread: blocking work goes through `tokio::task::spawn_blocking`.
/// - Every network wait is bounded; in addition, the monitor cancels a call that takes longer than its limit.
/// - The texts in results (names, endpoints, reasons) are untrusted, and are escaped for the medium.
/// - Errors contain no credentials.
///
/// For callers: an error or a panic never stops a run, a store, or another notifier.
///
/// # Example
///
/// ```
/// use checkup_core::{Notification, Notifier, NotifyError, async_trait};
///
/// #[derive(Debug)]
/// struct Pager;
///
/// #[async_trait]
/// impl Notifier for Pager {
///     async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
///         for change in &notification.changes {
///             println!("{}: {}", change.result.name, change.result.status);
///         }
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Notifier: fmt::Debug + Send + Sync + 'static {
    /// Sends a message about the changes.
    ///
    /// # Errors
    ///
    /// If the message might not have been delivered.
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError>;
}

/// The changes of one run. Never empty.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Notification {
    /// The checks whose status changed, in the order of the checks.
    pub changes: Vec<Change>,
    /// The whole run's report.
    pub report: Arc<Report>,
}

/// One check whose status changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The previous status; `None` if this is the first result. (A healthy first result is not a change.)
    pub previous: Option<Status>,
    /// The result with the new status.
    pub result: CheckResult,
}

/// As one line for a message: `database is down: connection refused`. The texts in it are from outside: escape them for the medium.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.result.name, self.result.status)?;
        match self.result.reason() {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl Notification {
    /// The changes from the statuses that `previous` knows to those of the report; `None` if nothing changed. A result
    /// without a verdict is no change.
    pub fn between(previous: impl Fn(usize) -> Option<Status>, report: &Arc<Report>) -> Option<Self> {
        let changes: Vec<_> = report
            .results
            .iter()
            .enumerate()
            .filter_map(|(index, result)| {
                let before = previous(index);
                (before.unwrap_or(Status::Healthy) != result.status && result.status != Status::Unknown)
                    .then(|| Change { previous: before, result: result.clone() })
            })
            .collect();
        (!changes.is_empty()).then(|| Self { changes, report: Arc::clone(report) })
    }
}

/// Why a notifier might not have delivered its message.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct NotifyError {
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl NotifyError {
    /// An error. The message says what failed, in lower case and without a full stop, and holds no credentials.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// The same error with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Makes a notifier from an async closure, which is called with the changes of a run.
///
/// The error may be anything that becomes a boxed error; a [`NotifyError`] stays as it is. The next run then sends the changes again.
///
/// ```
/// use checkup_core::{Checkup, Monitor, check_fn, notify_fn};
/// use tokio::sync::mpsc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (sender, mut alerts) = mpsc::channel(16);
/// let alert = notify_fn(move |notification| {
///     let sender = sender.clone();
///     async move {
///         for change in &notification.changes {
///             sender.send(change.to_string()).await?;
///         }
///         Ok::<_, mpsc::error::SendError<String>>(())
///     }
/// });
/// let checkup = Checkup::builder()
///     .check(check_fn("worker", || async { Err::<(), _>("the worker is gone") }))
///     .notifier(alert)
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
}
