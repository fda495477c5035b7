use std::fmt;

/// The verdict on a check, from best to worst: `Healthy < Degraded < Unknown < Down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Every attempt succeeded, in time.
    Healthy,
    /// It works, but slower than its threshold, or with a notice (a certificate that expires soon).
    Degraded,
    /// There is no verdict: the monitor itself had trouble, such as too many open files, and could not make an attempt.
    ///
    /// Such a result is not stored, changes no status, and is no notification: it says nothing about the check.
    Unknown,
    /// An attempt failed.
    Down,
}

impl Status {
    /// The word for it: `healthy`, `degraded`, `unknown` or `down`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Healthy => "healthy",
            Status::Degraded => "degraded",
            Status::Unknown => "unknown",
            Status::Down => "down",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
