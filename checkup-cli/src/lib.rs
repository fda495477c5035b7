#![doc = include_str!("../README.md")]
//! # Exit codes
//!
//! [`exit_codes`] has them as constants.
//!
//! | Code | Meaning |
//! |---|---|
//! | 0 | All checks are healthy, or the command succeeded. |
//! | 1 | A check is degraded or down; for `wait`: in the last run before the time was up. |
//! | 2 | Invalid arguments or configuration; nothing was checked. |
//! | 3 | The report might not have been stored (for `every` and `serve`: the last one), or the command failed. A panic of the command counts as a failure, and so do checks without a verdict if no other check is degraded or down. |
//! | 4 | The report (for `every` and `serve`: the last one) is not stored yet: it is in the spool, and will be stored later. |
//! | 129, 130, 143 | SIGHUP, SIGINT or SIGTERM ended `wait` or `maintain`, or was the second signal to `every` or `serve`. (The first one lets these finish, with 0, 3 or 4.) |
//!
//! A reader that closes standard output early (`checkup | head -1`) is not an error.
//!
//! # Output
//!
//! Data goes to standard output, diagnostics go to standard error. Symbols, shortened columns and the progress bar are
//! for terminals only; so are colours, unless `--color`, `CLICOLOR_FORCE`, `CLICOLOR` or `NO_COLOR` say otherwise. Control
//! characters and invisible characters in texts from config files, file names and endpoints are escaped, in log events too: such
//! texts can neither control the terminal nor forge a line.
//!
//! Plain runs (with and without `--store`) and `wait` print reports in one of these formats (`--format`):
//!
//! | Format | |
//! |---|---|
//! | `text` | A table for people; the default. |
//! | `json` | An array of results, as in a check file. |
//! | `junit` | JUnit XML for CI systems, with a test case per check. Its class is the check's group, or else its type, and its time is that of the check's attempts. It fails if the check is down, with the cause as the type, *or degraded*, since the command then exits with 1. |
//! | `github` | Workflow commands of GitHub Actions: `::error` for each check that is down, `::warning` for each degraded one, and the summary. GitHub annotates the first ten of each kind in a step, and logs all. |
//!
//! # Signals
//!
//! SIGINT (Ctrl-C) and SIGTERM let `every`, `serve` and `maintain` finish what is running and store it; a second signal stops them
//! immediately. SIGHUP has two meanings. If the process had a terminal when it started (as its standard input, output or error),
//! it means that the terminal was closed, and is treated like SIGTERM. Otherwise (a service, a container, `nohup`) it makes `every` and `serve` read
//! their config file again, including the certificates that it names: running checks finish and are stored, and an invalid file is
//! reported and changes nothing.
//!
//! If `every` stores its reports, it continues even if standard output is closed or cannot be written to, and says so
//! once on standard error.
//!
//! # Waiting
//!
//! `wait` runs the checks until all are healthy in the same run. Standard error shows what it waits for and why: a line
//! whenever the set of unhealthy checks changes or, on a terminal, one line that is updated in place. The last report is printed;
//! nothing is stored. If the time is up before the first run has finished, the checks that are still running are down in the report.
//!
//! # Without a config file
//!
//! `checkup URL...` and `checkup wait URL...` check URLs such as `https://example.com`, `tcp://db:5432`, `tls://db:5432` or
//! `dns://192.0.2.53/example.com`. Each checker defines which schemes it reads; your own checkers do so with
//! [`FromUrl`](checkup_core::config::FromUrl).
//!
//! # The config file
//!
//! Without `--config` the command looks for `checkup.json`, `checkup.yaml`, `checkup.yml` or `checkup.toml` in the
//! current folder and then in its parents: up to the root of the repository (the folder that holds `.git`), or else up to the home
//! folder. Outside of both, only the current folder is searched. A file that is found this way must belong to the user or to root, since a
//! config file reads environment variables and chooses where results are sent. `--config FILE` accepts any file, and `--config -` reads
//! JSON or YAML from standard input.
//!
//! Relative paths in a config file are relative to its folder, and those from standard input to the current folder.
//!
//! A config file without checks is an error, for `validate` too: it may have been truncated, and must not pass as healthy.
//!
//! # Many nodes
//!
//! Nodes may share a config file: `--location`, or else the variable `CHECKUP_LOCATION`, replaces its `location`, and `--shard`, or else
//! `CHECKUP_SHARD`, replaces its `shard`. An empty variable counts as unset. `--only` selects among the checks of
//! this node; `history`, `message`, `serve` and `statuspage` are about the checks of all nodes.
//!
//! # The history
//!
//! `history` works with any storage that can be read. It shows each check at all of its locations: the state and when it began, uptime, a bar
//! of days (or of hours, up to `--since 24h`), round-trip times, incidents, messages and maintenance. `--format json` prints the same as one
//! document, with times as in RFC 3339 and round-trip times in nanoseconds. It exits with 0, regardless of the state.
//!
//! # The status page
//!
//! `serve` serves it; with `--every` it also runs and stores the checks, and with `--demo` the data is made up. It listens on
//! 127.0.0.1:3000: other machines can connect only with `--public`, or with an address in `--listen`. `statuspage export` and
//! `statuspage deploy` write the static page. Its settings are in `status_page` of the config file.
//!
//! # The spool
//!
//! A report that cannot be stored (by `--store`, `every` or `message`) is kept in a local folder: the one that `spool` in the config
//! file sets, or else one below `$XDG_STATE_HOME/checkup/spool` (`~/.local/state/checkup/spool`). Standard error says so, and
//! why, and the command exits with 4. The next store, or `maintain`, first stores what is in the spool. `"spool": false` turns it off:
//! then a report that cannot be stored is lost, and the command exits with 3.
//!
//! Each config file has its own folder there, named after the path of the file, so queued reports still reach the right storage after
//! its settings change. Nodes that share a file but store in different places, by `${VARIABLE}`, each need their own `spool`. For a
//! config from standard input, the folder is named after its storage. `maintain` points out other folders that hold reports; to
//! store the reports of a file that has been moved, set `spool: {dir: …}` to the folder and run `checkup maintain`.
//!
//! # Differences from the original Checkup
//!
//! Checkup was first a Go program. This command differs from it:
//!
//! - `--store` exits with 1 if a check is not healthy, and with 3 if the report might not have been stored. In the first case the original
//!   exits with 0, so scripts cannot notice. Like the original, it prints nothing (cron mails what is printed), except on a terminal or
//!   with `--format`.
//! - `serve` listens on loopback only, unless asked otherwise.
//! - `every` finishes and stores running checks on SIGINT and SIGTERM. It prints a line per run.
//! - `message` runs no checks and needs no results. It is about the check that `--about` names, or else about the only check, or about all checks.
//!   `message list` shows ids for `message edit` and `message end`. It exits with 2 if nothing has the id, with 3 if the message might not
//!   have been stored, and with 4 if it waits in the spool.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod args;
mod cli;
mod commands;
mod config;
mod descriptors;
mod discover;
mod exit;
pub mod exit_codes;
mod history;
mod listen;
mod node;
mod output;
mod program;
mod reference;
mod selection;
mod spool;
mod tracing;
mod urls;

use std::process::ExitCode;

use checkup_core::config::Registry;

pub use program::Program;

/// Runs the command line of this process over `registry`, as the program `checkup`, and returns the exit code.
///
/// See [`Program::main`].
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    Program::new("checkup", env!("CARGO_PKG_VERSION")).main(registry)
}

impl Program {
    /// Runs the command line of this process over `registry`, and returns the exit code.
    ///
    /// It builds its own tokio runtime, and sets the global `tracing` subscriber if there is none. Call it from `main`, and
    /// only once.
    #[must_use]
    pub fn main(self, mut registry: Registry) -> ExitCode {
        // For `serve` and `statuspage`, which every program has.
        checkup_statuspage::register(&mut registry);
        // No command writes a config back.
        registry.forget_settings();
        cli::run(self, &registry)
    }
}
