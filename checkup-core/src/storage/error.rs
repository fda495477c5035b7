//! [`StorageError`]: why a storage operation failed.

/// Why a storage operation failed.
///
/// `Display` says what failed; [`source`](std::error::Error::source) says why, if that is known.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StorageError {
    kind: StorageErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of a [`StorageError`], to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// The requested file does not exist.
    NotFound,
    /// The file is not a check file.
    Corrupt,
    /// The storage did not answer in time.
    Timeout,
    /// The report is not stored yet: it waits in the [`Spool`](crate::Spool), and the next store of any process that
    /// shares the spool stores it. The source of the error says why it is not stored.
    Spooled,
    /// The program ends, so the operation was given up halfway. It says nothing about the storage or a file, and is not worth a log line.
    Interrupted,
    /// Anything else.
    Other,
}

impl StorageError {
    /// An error of kind [`Other`](StorageErrorKind::Other). The message says what failed, in lower case and without a
    /// full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: StorageErrorKind::Other, message: message.into(), source: None }
    }

    /// Sets the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the kind.
    #[must_use]
    pub fn with_kind(mut self, kind: StorageErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// The kind of this error.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }
}
