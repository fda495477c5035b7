//! How the command ends: its result or its error, and the exit code of each.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::process::ExitCode;

use checkup_core::{ConfigError, ErrorChain, Report, StorageError, StorageErrorKind};

use crate::exit_codes;
use crate::output::stderr::{complain, complain_in_lines};

/// The exit codes, as `--help` lists them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  all checks are healthy, or the command succeeded
  1  a check is degraded or down
  2  invalid arguments or configuration; nothing was checked
  3  the report might not have been stored, or the command failed
  4  the report is not stored yet: it is in the spool";

/// How the command ends if it did what it was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All checks are healthy, or the command succeeded.
    Healthy,
    /// A check is degraded or down.
    Unhealthy,
    /// No check is degraded or down, but some have no verdict: the command itself had trouble.
    Unknown,
    /// A command was run, and gives this exit code.
    Command(u8),
}

/// Why the command did not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request is invalid.
    #[error("{0}")]
    Usage(String),
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A report is not stored yet, but not lost: it is in the spool.
    #[error("{what}")]
    Spooled { what: &'static str, source: Option<StorageError> },
    /// The command failed.
    #[error("{what}")]
    Failed { what: Cow<'static, str>, source: Option<Box<dyn StdError + Send + Sync>> },
}

impl Exit {
    /// How a run with this report ends. Checks that are degraded or down take precedence over those without a verdict.
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
        Self::from(match exit {
            Exit::Healthy => exit_codes::HEALTHY,
            Exit::Unhealthy => exit_codes::UNHEALTHY,
            Exit::Unknown => exit_codes::FAILED,
            Exit::Command(code) => code,
        })
    }
}

impl Error {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// A failure that has no other cause.
    pub(crate) fn failed(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed { what: what.into(), source: None }
    }

    /// A failure with its cause.
    pub(crate) fn because(
        what: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Failed { what: what.into(), source: Some(source.into()) }
    }

    /// The error of the command for the error of a store.
    pub(crate) fn not_stored(error: StorageError) -> Self {
        match error.kind() {
            StorageErrorKind::Spooled => Self::Spooled { what: "the report is not stored yet", source: Some(error) },
            _ => Self::because("could not confirm that the report was stored", error),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Config(_) => exit_codes::USAGE,
            Self::Spooled { .. } => exit_codes::SPOOLED,
            Self::Failed { .. } => exit_codes::FAILED,
        })
    }

    /// Prints it on standard error: one diagnostic per problem, with the errors that caused it.
    pub(crate) fn print(&self) {
        match self {
            Self::Config(error) => error.problems().iter().for_each(|problem| complain_in_lines(&problem.to_string())),
            error => complain(&ErrorChain(error).to_string()),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::because("cannot write to standard output", error)
    }
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
    fn an_error_is_shown_with_each_of_its_sources_once() {
        let disk = io::Error::other("disk full");
        let error = Error::not_stored(StorageError::new("cannot write 1-check.json").with_source(disk));
        assert_eq!(
            ErrorChain(&error).to_string(),
            "could not confirm that the report was stored: cannot write 1-check.json: disk full"
        );
    }
}
