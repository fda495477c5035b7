use std::fmt;

/// The verdict on a check, from best to worst: `Healthy < Degraded < Unknown < Down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Every attempt succeeded within the threshold.
    Healthy,
    /// The target works, but is slower than its threshold, or has a notice (for example, a certificate that expires
    /// soon).
    Degraded,
    /// There is no verdict: the monitor itself had trouble, such as too many open files, and could not make an attempt.
    ///
    /// Such a result is not stored, does not change the status, and causes no notification: it says nothing about the
    /// check.
    Unknown,
    /// An attempt failed.
    Down,
}

impl Status {
    /// The name of the status: `healthy`, `degraded`, `unknown` or `down`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Healthy => "healthy",
            Status::Degraded => "degraded",
            Status::Unknown => "unknown",
            Status::Down => "down",
        }
    }

    /// Whether the target works: healthy or degraded.
    ///
    /// ```
    /// use checkup_core::Status;
    ///
    /// assert!(Status::Healthy.is_up() && Status::Degraded.is_up());
    /// assert!(!Status::Unknown.is_up() && !Status::Down.is_up());
    /// ```
    pub const fn is_up(self) -> bool {
        matches!(self, Status::Healthy | Status::Degraded)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
