//! [`NotifyError`]: why a message might not have been delivered, and when it is worth another try.

use std::error::Error;
use std::time::Duration;

/// Why a notifier might not have delivered its message.
///
/// The [kind](Self::kind) decides what happens next:
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{NotifyError, NotifyErrorKind};
///
/// let unreachable = NotifyError::temporary("connection refused by chat.example.com");
/// assert_eq!(unreachable.kind(), NotifyErrorKind::Temporary);
///
/// let busy = NotifyError::retry_after("the channel limits messages (429)", Duration::from_secs(30));
/// assert_eq!(busy.kind(), NotifyErrorKind::RetryAfter(Duration::from_secs(30)));
///
/// let revoked = NotifyError::permanent("the webhook was revoked (404 no_service): create a new one");
/// assert_eq!(revoked.kind(), NotifyErrorKind::Permanent);
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct NotifyError {
    message: String,
    kind: NotifyErrorKind,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a failed delivery means for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotifyErrorKind {
    /// It may succeed later: a timeout, a refused connection, an answer with a status of 5xx.
    #[default]
    Temporary,
    /// The service asks for a pause (429 or 503 with `Retry-After`): no delivery succeeds before it has passed.
    RetryAfter(Duration),
    /// It fails until a person changes the configuration: a revoked webhook, a wrong token, a channel that does not exist.
    Permanent,
}

impl NotifyError {
    /// A [temporary](NotifyErrorKind::Temporary) error. The message says what failed, in lower case and without a full stop, and contains
    /// no credentials.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: NotifyErrorKind::Temporary, source: None }
    }

    /// An error that may not occur later. The same as [`new`](Self::new).
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::new(message)
    }

    /// An error of a service that asks for a pause of this length.
    pub fn retry_after(message: impl Into<String>, pause: Duration) -> Self {
        Self { kind: NotifyErrorKind::RetryAfter(pause), ..Self::new(message) }
    }

    /// An error that occurs until the configuration is changed. The message says what to do.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { kind: NotifyErrorKind::Permanent, ..Self::new(message) }
    }

    /// The same error with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// When another try is worthwhile.
    pub fn kind(&self) -> NotifyErrorKind {
        self.kind
    }
}
