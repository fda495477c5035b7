//! Arguments that several commands share.

use std::path::PathBuf;
use std::time::Duration;

use checkup_core::duration;
use clap::{ArgAction, Args, ValueEnum, ValueHint};

/// The options that every command accepts.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The config file, or `-` for JSON or YAML from standard input
    ///
    /// Default: checkup.json, .yaml, .yml or .toml in this folder or a parent of it.
    ///
    /// Parents are searched up to the root of the repository or the home folder.
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Print errors only; rely on the exit code
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Log to standard error; repeat for more detail. RUST_LOG gives finer control
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are respected
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// A table for people
    Text,
    /// An array of results, as in a check file
    Json,
    /// A JUnit test report: one test case per check, which fails if the check is degraded or down
    Junit,
    /// GitHub Actions annotations: an error per check that is down, a warning per degraded one
    Github,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

impl Global {
    /// Why `--config` is rejected in this place, if it is set.
    pub(crate) fn config_has_no_effect(&self, place: &str) -> Option<String> {
        self.config.as_ref().map(|_| format!("--config has no effect {place}"))
    }
}

/// The time from run to run.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let interval = match text.to_lowercase().as_str() {
        "second" => Duration::from_secs(1),
        "minute" => Duration::from_secs(60),
        "hour" => Duration::from_secs(3_600),
        "day" => Duration::from_secs(86_400),
        "week" => Duration::from_secs(604_800),
        _ => duration::parse(text).map_err(|error| match error.to_string() {
            // There is a better guess.
            message if message.ends_with('?') => message,
            message => format!("{message}, or second, minute, hour, day, week"),
        })?,
    };
    if interval.is_zero() {
        return Err("expected more than 0: checks without a pause would only load their endpoints".into());
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_durations_or_the_words_of_the_original_checkup() {
        assert_eq!(interval("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(interval("day"), Ok(Duration::from_secs(86_400)));
        assert!(interval("0s").unwrap_err().starts_with("expected more than 0"));
        assert!(interval("fortnight").unwrap_err().contains("found \"fortnight\", or second"));
    }
}
