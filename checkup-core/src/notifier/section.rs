//! [`Section`]: one alert in words.

use std::fmt;

/// One alert in words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// How urgent it is.
    pub severity: Severity,
    /// What happened: `database is down`.
    pub title: String,
    /// The details, most important first.
    pub lines: Vec<Line>,
    /// Where to read on.
    pub links: Vec<Link>,
}

/// A detail of an alert, such as `Reason: connection refused`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// What it is, such as `Reason`.
    pub label: &'static str,
    /// The text.
    pub text: String,
}

/// A link of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Where it leads: `Runbook` or `Status page`.
    pub label: &'static str,
    /// The URL.
    pub url: String,
}

/// How urgent an alert is, least urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Over.
    Resolved,
    /// Degraded.
    Warning,
    /// Down.
    Critical,
}

impl Severity {
    /// The word for it in templates and JSON: `resolved`, `warning`, `critical`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label, self.text)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label, self.url)
    }
}
