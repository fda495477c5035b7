//! How the command ends: its exit codes and its errors.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use checkup_core::{ConfigError, Report, StorageError};

use crate::output::escape;

/// What `--help` says of the exit codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  every check is healthy, or the command did what it was asked
  1  a check is degraded or down
  2  usage or configuration: nothing was checked
  3  the report may not be stored, or the command itself failed
  4  the report is not stored yet: it is kept in the spool";

/// How the command ends when nothing is wrong with the command itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every check is healthy, or the command did what it was asked.
    Healthy,
    /// A check is degraded or down.
    Unhealthy,
    /// No check is degraded or down, but some have no verdict: the command itself had trouble.
    Unknown,
}

impl Exit {
    /// How a run with this report ends. What is known to be degraded or down counts for more than what is not known.
    pub(crate) fn of(report: &Report) -> Self {
        match report.with_verdicts() {
            known if !known.is_healthy() => Self::Unhealthy,
            known if known.results.len() < report.results.len() => Self::Unknown,
            _ => Self::Healthy,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Healthy => ExitCode::SUCCESS,
            Exit::Unhealthy => ExitCode::from(1),
            Exit::Unknown => ExitCode::from(3),
        }
    }
}

/// Why the command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What was asked for cannot be done.
    #[error("{0}")]
    Usage(String),
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The report may not be stored.
    #[error("the report may not be stored")]
    Storage(#[source] StorageError),
    /// The report is not stored, and not lost either.
    #[error("the report is not stored yet")]
    Spooled(#[source] StorageError),
    /// The last report of many is not stored yet, which has been told when it happened.
    #[error("the last report is not stored yet: it is kept in the spool")]
    LastSpooled,
    /// The history cannot be read.
    #[error("the storage cannot be read")]
    Read(#[source] StorageError),
    /// Maintenance did not do all of its work.
    #[error("the maintenance is not finished")]
    Maintenance(#[source] StorageError),
    /// What the storage needs is not all there. The steps before have been told.
    #[error("the storage is not provisioned")]
    Provision(#[source] StorageError),
    /// Nobody can reach the page at this address.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, String),
    /// The page is not written, or not all of it.
    #[error("the page is not written")]
    Page(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The last report of many may not be stored, which has been told when it happened.
    #[error("the last report may not be stored")]
    LastReport,
    /// Output that cannot be written.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
    /// What should not happen.
    #[error("{0}")]
    Internal(&'static str, #[source] Option<io::Error>),
}

impl Error {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// The exit code, as [`HELP`] tells it.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Config(_) => 2,
            Self::Spooled(_) | Self::LastSpooled => 4,
            Self::Storage(_)
            | Self::Read(_)
            | Self::Maintenance(_)
            | Self::Provision(_)
            | Self::Listen(..)
            | Self::Page(_)
            | Self::LastReport
            | Self::Output(_)
            | Self::Internal(..) => 3,
        })
    }

    /// Tells people on standard error: one line per problem, with the errors that caused it.
    pub(crate) fn print(&self) {
        match self {
            Self::Config(error) => error.problems().iter().for_each(|problem| complain(&problem.to_string())),
            error => complain(&chain(error)),
        }
    }
}

/// Writes one diagnostic to standard error. What comes from outside cannot write to the terminal with it.
pub(crate) fn complain(message: &str) {
    // Syntax errors show the place in several lines.
    let message: Vec<_> = message.lines().map(escape::line).collect();
    // There is nobody left to tell if this fails.
    let _ = writeln!(io::stderr().lock(), "checkup: {}", message.join("\n"));
}

/// The message of an error and its sources, each once: `outer: inner: innermost`.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let message = inner.to_string();
        // Many errors repeat their source in their own text.
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use checkup_core::{CheckResult, Status};

    use super::*;

    #[test]
    fn a_known_outage_counts_for_more_than_a_result_without_a_verdict() {
        let of = |statuses: &[Status]| {
            let result = |status: &Status| {
                let mut result = CheckResult::new("db", "db:5432");
                result.status = *status;
                result
            };
            Exit::of(&Report::new(statuses.iter().map(result).collect()))
        };
        assert_eq!(of(&[Status::Healthy]), Exit::Healthy);
        assert_eq!(of(&[Status::Healthy, Status::Unknown]), Exit::Unknown);
        for known in [Status::Degraded, Status::Down] {
            assert_eq!(of(&[Status::Unknown, known]), Exit::Unhealthy);
        }
    }

    #[test]
    fn an_error_tells_its_sources_once() {
        let disk = io::Error::other("disk full");
        let error = Error::Storage(StorageError::new("cannot write 1-check.json").with_source(disk));
        assert_eq!(chain(&error), "the report may not be stored: cannot write 1-check.json: disk full");
    }
}
