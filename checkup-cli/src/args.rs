//! The command line's grammar.

use std::path::PathBuf;
use std::time::Duration;

use checkup_core::{Shard, duration};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::commands::{ProvisionArgs, Window};
use crate::listen::{self, Listen};
use crate::{exit, node};

/// Health checks of HTTP, TCP, DNS and whatever else there is a checker for.
///
/// Without a command: runs every check of the config file once, and prints the report.
#[derive(Debug, Parser)]
#[command(name = "checkup", version, after_help = exit::HELP, subcommand_help_heading = "Commands")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) check: Check,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The config file, or `-` for JSON or YAML from standard input
    ///
    /// Default: checkup.json, .yaml, .yml or .toml, here or in a parent folder of the repository.
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Whether to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Print nothing but errors: the exit code tells
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Tell what happens on standard error; twice for more. RUST_LOG chooses in detail
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The options of a run without a command.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Store the report too, and print it only on a terminal or with --format
    #[arg(long)]
    pub(crate) store: bool,
    /// How to print the report; text unless set
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<OutputFormat>,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) node: Node,
    /// Print statistics of the round-trip times, and where the time went
    #[arg(long)]
    pub(crate) stats: bool,
}

/// Which checks are meant.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Only checks with this name, or `tag:TAG` for all with a tag; may be repeated
    #[arg(long, value_name = "NAME|tag:TAG")]
    pub(crate) only: Vec<String>,
}

/// Which of many nodes this is.
#[derive(Debug, Args)]
pub(crate) struct Node {
    /// Where this node is, which every result says; or CHECKUP_LOCATION
    ///
    /// Default: `location` of the config file.
    #[arg(long, value_name = "NAME", value_parser = node::location)]
    pub(crate) location: Option<String>,
    /// This node's share of the checks, such as `2/8`; or CHECKUP_SHARD
    ///
    /// Each check is in just one shard, by its name. Default: `shard` of the config file.
    #[arg(long, value_name = "SHARD", value_parser = node::shard)]
    pub(crate) shard: Option<Shard>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the checks again and again, store every report, and print a line for each run
    ///
    /// The first run is at once. SIGINT (Ctrl-C) or SIGTERM lets what is in flight finish, and stores it.
    ///
    /// A second one ends it at once.
    ///
    /// Exits with 3 if the last report may not be stored. Nothing is stored without a `storage` in the config file.
    Every(Every),
    /// Run the checks again and again until every one is healthy, then print the last report
    ///
    /// Exits with 0 as soon as all are healthy, and with 1 if they are not in time. Stores nothing.
    Wait(Wait),
    /// Post a message, or a time of maintenance, for those who read the status
    ///
    /// It is stored with the latest result of the check; the checks run first if that is too old to tell of now.
    Message(Message),
    /// Show the history of the checks: state, uptime, a bar of days, round-trip times, incidents, messages
    History(History),
    /// Serve the status page, and with --every run the checks too
    ///
    /// It ends in order on SIGINT (Ctrl-C) or SIGTERM.
    ///
    /// Beside the page: check files, /api/v1/, /feed.atom, /badge/, /healthz, /readyz, /health and /metrics.
    Serve(Serve),
    /// Write the static status page, which needs no server of its own
    #[command(subcommand)]
    Statuspage(StatusPageCommand),
    /// Keep the storage in shape: store what waits in the spool, compact, and remove what has expired
    ///
    /// Runs do a piece of this after each store; this does all of it, and tells what it did.
    ///
    /// A config file has a spool of its own, by its path, unless `spool` says where.
    ///
    /// Reports that wait in those of other files are noted.
    Maintain,
    /// Make what the storage needs before its first store, such as a bucket, and let a status page read it
    ///
    /// What is there as asked stays as it is, and what others have set is kept: it may run again at any time.
    ///
    /// Marks: + for created, ~ for updated, = for unchanged, - for what the server does not have.
    Provision(ProvisionArgs),
    /// Check config files without checking anything else
    Validate(Validate),
    /// Write a commented sample of a config file
    Init(Init),
    /// Print the JSON Schema of config files, for editors
    Schema,
    /// Print a script that completes this command in a shell
    Completions(Completions),
}

#[derive(Debug, Args)]
pub(crate) struct Every {
    /// The time from run to run: such as `30s` or `1m30s`; or second, minute, hour, day, week
    #[arg(value_name = "INTERVAL", value_parser = interval)]
    pub(crate) interval: Duration,
    /// How to print each run: in a line of text unless set
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<LineFormat>,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) node: Node,
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// How long to wait at most: such as `30s` or `1m30s`
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = limit)]
    pub(crate) timeout: Duration,
    /// The pause between two runs. Default: 50 ms after the first, doubled up to 2 s
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    pub(crate) interval: Option<Duration>,
    /// How to print the last report; text unless set
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<OutputFormat>,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) node: Node,
}

#[derive(Debug, Args)]
pub(crate) struct Message {
    /// What to tell those who read the status
    #[arg(value_parser = text)]
    pub(crate) text: String,
    /// The check that it is about, by name, regardless of case; needed unless there is only one
    #[arg(short, long, value_name = "NAME")]
    pub(crate) about: Option<String>,
    /// A time in which failures are expected and do not count; of all checks without --about
    ///
    /// A side is a time such as 2026-11-20T22:00Z or 2026-11-20T23:00+01:00, `now`, or relative.
    ///
    /// `-30m` is before now; `+2h` is after now, and as the end after the beginning.
    #[arg(long, value_name = "FROM..TO", value_parser = Window::parse, allow_hyphen_values = true)]
    pub(crate) maintenance: Option<Window>,
    #[command(flatten)]
    pub(crate) node: Node,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// The checks with this name, or `tag:TAG` for all with a tag; all unless set
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How much history: such as `24h`, `7d` or `90d`
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = period)]
    pub(crate) since: Duration,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: HistoryFormat,
    /// As NAME; may be repeated
    #[arg(long, value_name = "NAME|tag:TAG")]
    pub(crate) only: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen: an address with a port, or a port; 0 for any that is free [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDRESS", value_parser = listen::parse)]
    pub(crate) listen: Option<Listen>,
    /// Listen on all interfaces, so that other machines reach it
    #[arg(long)]
    pub(crate) public: bool,
    /// Run the checks too, and store every report: the time from run to run, as of `every`
    #[arg(long, value_name = "INTERVAL", value_parser = interval)]
    pub(crate) every: Option<Duration>,
    /// Show the page with made-up data, and check nothing; needs no config file
    #[arg(long, conflicts_with_all = ["every", "location", "shard", "config"])]
    pub(crate) demo: bool,
    #[command(flatten)]
    pub(crate) node: Node,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StatusPageCommand {
    /// Write the page into a directory, for any web server
    ///
    /// In the directory of an `fs` storage, or if `status_page.storage` has their URL, the page reads the check files, and is always up to
    /// date. Elsewhere it shows the history as it is now, until it is written again.
    ///
    /// The feed and the badges are as of now everywhere: write them again regularly, by cron for example.
    Export {
        /// The directory; it is made if it is missing
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Put the page beside the check files: into the bucket, or the directory, of the storage
    ///
    /// The page reads the check files there, and is always up to date.
    ///
    /// The feed and the badges are as of now: deploy again regularly, by cron for example.
    Deploy,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The config files. Default: the one that a run would use
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The file to write, as JSON, YAML or TOML by its ending; it must not exist
    #[arg(value_name = "FILE", default_value = "checkup.yaml", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are respected
    Auto,
    /// Always
    Always,
    /// Never
    Never,
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

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// A table for people
    Text,
    /// An array of results, as in a check file
    Json,
    /// A JUnit test report: a test case per check, which fails if the check is degraded or down
    Junit,
    /// GitHub Actions annotations: an error per check that is down, a warning per degraded one
    Github,
}

/// How a run is printed that is one of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineFormat {
    /// How many checks are healthy, and what has changed
    Text,
    /// An array of results, as in a check file
    Json,
}

/// How a history is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryFormat {
    /// Pictures and figures for people
    Text,
    /// One document, with times as in RFC 3339 and round-trip times in nanoseconds
    Json,
}

impl Cli {
    /// What is wrong with the first option that is set and would have no effect.
    pub(crate) fn without_effect(&self) -> Option<String> {
        if let (Some(option), Some(_)) = (self.check.given(), &self.command) {
            return Some(format!(
                "{option} in front of a command has no effect; see the options of the command with --help"
            ));
        }
        if let Some(Command::Serve(serve)) = &self.command {
            return serve.without_effect();
        }
        let config = match &self.command {
            Some(Command::Validate(validate)) if !validate.files.is_empty() => "beside the files to validate",
            Some(Command::Provision(provision)) if provision.provider.is_some() => {
                "beside the provider, which takes the environment"
            }
            Some(Command::Init(_)) => "on `init`: name the file to write without it",
            Some(Command::Schema) => "on `schema`",
            Some(Command::Completions(_)) => "on `completions`",
            _ => return self.check.without_effect(),
        };
        self.global.config.as_ref().map(|_| format!("--config has no effect {config}"))
    }
}

impl Serve {
    fn without_effect(&self) -> Option<String> {
        if self.public && self.listen.is_some_and(|listen| listen.has_address()) {
            return Some("--public has no effect beside the address of --listen; name only the port there".into());
        }
        let node = [("--location", self.node.location.is_some()), ("--shard", self.node.shard.is_some())];
        let (option, _) = node.into_iter().find(|(_, given)| *given && self.every.is_none())?;
        Some(format!("{option} has no effect without --every: nothing is checked"))
    }
}

impl Check {
    /// The first option that is set.
    fn given(&self) -> Option<&'static str> {
        let options = [
            ("--store", self.store),
            ("--format", self.format.is_some()),
            ("--only", !self.selection.only.is_empty()),
            ("--stats", self.stats),
            ("--location", self.node.location.is_some()),
            ("--shard", self.node.shard.is_some()),
        ];
        options.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    fn without_effect(&self) -> Option<String> {
        let format = self.format.filter(|format| self.stats && *format != OutputFormat::Text)?;
        let format = format.to_possible_value()?;
        Some(format!("--stats has no effect with --format {}: statistics are for text", format.get_name()))
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = match text.to_lowercase().as_str() {
        "second" => Duration::from_secs(1),
        "minute" => Duration::from_secs(60),
        "hour" => Duration::from_secs(3_600),
        "day" => Duration::from_secs(86_400),
        "week" => Duration::from_secs(604_800),
        _ => duration::parse(text).map_err(|error| format!("{error}, or second, minute, hour, day, week"))?,
    };
    if interval.is_zero() {
        return Err("expected more than 0: checks that never pause would only load their endpoints".into());
    }
    Ok(interval)
}

fn period(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);
    let period = duration::parse(text).map_err(|error| error.to_string())?;
    if period.is_zero() || period > LONGEST {
        return Err("expected more than 0, and ten years at most".into());
    }
    Ok(period)
}

fn limit(text: &str) -> Result<Duration, String> {
    let limit = duration::parse(text).map_err(|error| error.to_string())?;
    if limit.is_zero() {
        return Err("expected more than 0: `checkup` without a command checks once".into());
    }
    Ok(limit)
}

fn text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected some text".into()),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn intervals_are_durations_and_upstreams_words() {
        assert_eq!(interval("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(interval("day"), Ok(Duration::from_secs(86_400)));
        assert!(interval("0s").unwrap_err().starts_with("expected more than 0"));
        assert_eq!(limit("1m30s"), Ok(Duration::from_secs(90)));
        assert!(limit("0s").unwrap_err().starts_with("expected more than 0"));
        assert!(interval("fortnight").unwrap_err().contains("found \"fortnight\", or second"));
    }
}
