//! The command line of Checkup, over whatever checkers, storages and notifiers a registry has.
//!
//! The binary `checkup` is this function over the facade's `default_registry()`. A binary of your own, with your
//! own checkers in every command, config file and schema, is as short:
//!
//! ```no_run
//! use std::borrow::Cow;
//! use std::process::ExitCode;
//!
//! use checkup_core::config::Registry;
//! use checkup_core::{Checker, Failure, Observation, async_trait};
//!
//! /// A file must exist.
//! #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct FileExists {
//!     path: String,
//! }
//!
//! #[async_trait]
//! impl Checker for FileExists {
//!     fn endpoint(&self) -> Cow<'_, str> {
//!         (&self.path).into()
//!     }
//!
//!     async fn attempt(&self) -> Result<Observation, Failure> {
//!         if std::path::Path::new(&self.path).exists() { Ok(Observation::new()) } else { Err(Failure::assertion("the file is missing")) }
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     let mut registry = Registry::new();
//!     registry.checker::<FileExists>("file");
//!     checkup_cli::main(registry)
//! }
//! ```
//!
//! Such a binary has every command, and needs none of the project's checkers: depend on this crate with `default-features = false`.
//!
//! # Exit codes
//!
//! | Code | |
//! |---|---|
//! | 0 | Every check is healthy, or the command did what it was asked. |
//! | 1 | A check is degraded or down; of `wait`: in the last run, when the time was over. |
//! | 2 | Usage or configuration: nothing was checked. |
//! | 3 | The report may not be stored (of `every` and `serve`: the last one), or the command itself failed. A panic of the command is that too. |
//! | 4 | The report (of `every` and `serve`: the last one) is not stored yet: it is kept in the spool, and is stored later. |
//! | 130, 143 | SIGINT or SIGTERM ended `wait` or `maintain`, or a second one `every` or `serve`. (The first ends those in order, with 0, 3 or 4.) |
//!
//! A reader that closes standard output early (`checkup | head -1`) is no error.
//!
//! # Output
//!
//! Data goes to standard output, diagnostics to standard error. Symbols, shortened columns and the progress bar are
//! for terminals only; colours too, unless `--color`, `CLICOLOR_FORCE`, `CLICOLOR` or `NO_COLOR` say otherwise. What
//! comes from config files and endpoints has its control characters escaped: it cannot write to the terminal.
//!
//! Reports come in these formats (`--format`), of a plain run (with and without `--store`) and of `wait`:
//!
//! | Format | |
//! |---|---|
//! | `text` | A table for people; the default. |
//! | `json` | An array of results, as in a check file. |
//! | `junit` | JUnit's XML for CI systems. A test case per check, of the class that its group or else its type names. It takes as long as the check's attempts; it fails if the check is down, with the cause as the type, *or degraded*, since the command exits with 1 then. |
//! | `github` | Workflow commands of GitHub Actions: `::error` for each check that is down, `::warning` for each that is degraded, and the summary. GitHub annotates the first ten of each kind in a step, and logs all. |
//!
//! # Waiting
//!
//! `wait` runs the checks until every one is healthy in one run. What it waits for, and why, is on standard error: one line
//! whenever the set of unhealthy checks changes, or one line that lives on a terminal. The last report is printed, and
//! nothing is stored. If the time is over before the first run, the checks that still run are down in the report.
//!
//! # The config file
//!
//! Without `--config` the command looks for `checkup.json`, `checkup.yaml`, `checkup.yml` or `checkup.toml` in the
//! current folder and its parents, up to the root of the repository (the folder that holds `.git`) or of the file
//! system, and then works in the folder where the file is, so that relative paths in it mean the same from
//! everywhere below. With `--config FILE` paths are relative to the current folder, as upstream. `--config -` reads JSON or
//! YAML from standard input.
//!
//! A config file without a check is an error, also of `validate`: it is empty or truncated, and must not pass as healthy.
//!
//! # Many nodes
//!
//! `--location`, or else the variable `CHECKUP_LOCATION`, replaces `location` of the config file, and `--shard`, or else `CHECKUP_SHARD`,
//! replaces `shard`, so that nodes may share one file. A variable that is empty counts as not set. `--only` selects among the checks of
//! this node; `history`, `message`, `serve` and `statuspage` are about those of all nodes.
//!
//! # The history
//!
//! `history` reads any storage that can be read, and shows each check over its locations: the state and since when, uptime, a bar of the
//! days (of the hours, up to `--since 24h`), round-trip times, incidents, messages and maintenance. `--format json` has the same in one
//! document, with times as RFC 3339 has them and round-trip times in nanoseconds. It exits with 0, whatever the state is.
//!
//! # The status page
//!
//! `serve` serves it, with `--every` it runs and stores the checks too, and with `--demo` its data are made up. It listens on
//! 127.0.0.1:3000: other machines reach it only with `--public`, or with an address of `--listen`. `statuspage export` and
//! `statuspage deploy` write the static page. `status_page` of the config file has the settings.
//!
//! # The spool
//!
//! A report that cannot be stored (`--store`, `every`, `message`) is kept in a local folder: in that of `spool` in the config
//! file, or else in one of its own below `$XDG_STATE_HOME/checkup/spool` (`~/.local/state/checkup/spool`). Standard error says so, and
//! why, and the command exits with 4. Whatever stores next stores what waits first; `maintain` does so too. `"spool": false` is for none:
//! then what cannot be stored is lost, and the command exits with 3.
//!
//! Each config file has its own folder there, named after the file's path: whatever is changed in the storage's settings, what waits
//! goes where they say then. (With a relative `dir` of the storage and `--config`, the folder that the command works in is part of the
//! name.) So nodes with one file that store in different places, by `${VARIABLE}`, each need a `spool`. A config from standard input
//! has the folder of its storage: of its `type`, `bucket`, `prefix` and `dir`. `maintain` tells of other folders in which reports wait; to
//! store those of a file that has been moved, set `spool: {dir: …}` to the folder and run `checkup maintain`.
//!
//! # Differences from upstream
//!
//! - `--store` exits with 1 if a check is not healthy and with 3 if the report may not be stored; upstream exits with 0 in
//!   the first case, so that nothing could ever notice. Like upstream it prints nothing (cron mails what is
//!   printed), except on a terminal or with `--format`, where somebody reads.
//! - `serve` listens on loopback only, unless asked otherwise.
//! - `every` ends in order on SIGINT and SIGTERM: what is in flight is finished and stored. It prints a line per run.
//! - `message` does not check anything if no check has the name, and needs `--about` unless there is only one check. It checks nothing
//!   either if the latest stored result is not older than three of the check's usual intervals, or than ten minutes: it is attached to that.

mod args;
mod commands;
mod config;
mod descriptors;
mod discover;
mod exit;
mod history;
mod listen;
mod node;
mod output;
mod spool;
mod tracing;

use std::process::ExitCode;

use checkup_core::config::Registry;

/// Runs the command line of this process over `registry`, and gives the exit code.
///
/// It builds a tokio runtime of its own, and sets the global `tracing` subscriber if there is none; call it from `main` and
/// from nowhere else.
#[must_use]
pub fn main(mut registry: Registry) -> ExitCode {
    // For `serve` and `statuspage`, which every such command has.
    checkup_statuspage::register(&mut registry);
    commands::run(&registry)
}
