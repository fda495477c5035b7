//! [`StorageError`]: why a storage did not do what it was asked.

/// Why a storage did not do what it was asked.
///
/// `Display` says what failed; [`source`](std::error::Error::source) says why, where there is more to say.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StorageError {
    kind: StorageErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of error it is, to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// What was asked for is not there.
    NotFound,
    /// What is there is not a check file.
    Corrupt,
    /// The storage did not answer in time.
    Timeout,
    /// The report is not stored yet: it waits in the [`Spool`](crate::Spool), and whoever stores next stores it. Why it is not
    /// stored is the source of the error.
    Spooled,
    /// Anything else.
    Other,
}

impl StorageError {
    /// An error of no listed kind. The message says what failed, in lower case and without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: StorageErrorKind::Other, message: message.into(), source: None }
    }

    /// The same error with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error with another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: StorageErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// What kind of error it is.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }
}
