//! Runs the checks repeatedly, until a signal ends it.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use checkup_core::config::Registry;
use checkup_core::{Checkup, Run, Status};
use clap::ValueEnum;

use super::monitors::Monitors;
use super::outcome::Outcome;
use super::signal::{Request, Signals};
use crate::args::{Global, interval};
use crate::config::Source;
use crate::exit::{Error, Exit};
use crate::node::{self, Node};
use crate::output::stderr::complain;
use crate::output::{Stdout, json, text};
use crate::selection::{self, Selection};

/// Run the checks repeatedly, store every report, and print a line for each run
///
/// The first run starts immediately.
///
/// SIGINT (Ctrl-C) or SIGTERM lets running checks finish and stores their results.
///
/// A second signal stops it immediately. Closing the terminal is like SIGTERM.
///
/// Without a terminal, SIGHUP reads the config file again. Running checks finish, and their results are stored.
///
/// Exits with 3 if the last report might not have been stored. Without a `storage`, nothing is stored.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The time from run to run, such as `30s` or `1m30s`; or second, minute, hour, day, week
    #[arg(value_name = "INTERVAL", value_parser = interval)]
    interval: Duration,
    /// How to print each run; default: text
    #[arg(long, value_name = "FORMAT")]
    format: Option<LineFormat>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    node: Node,
}

/// How one of many runs is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LineFormat {
    /// One line: how many checks are healthy, and what has changed
    Text,
    /// An array of results, as in a check file
    Json,
}

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    let source = Source::find(global.config.as_deref())?;
    let mut checkup = args.select(source.load_with_spool(registry, global)?, global)?;
    // Before the first check, so that no signal can end the process in the middle of a check.
    let mut signals = Signals::new()?;
    let outcome = Outcome::new(&checkup, global.quiet).await;
    let mut monitors = Monitors::start(checkup.clone(), args.interval)?;
    let format = args.format.unwrap_or(LineFormat::Text);
    let lines = Lines { format, stdout, known: HashMap::new(), is_reported: false };
    let mut printer = Printer { quiet: global.quiet, stores: checkup.storage().is_some(), lines, outcome };

    let watched = loop {
        tokio::select! {
            run = monitors.next() => match run {
                Ok(Some(run)) => match printer.take(&run).await {
                    Ok(()) if printer.is_unread() => break Ok(()),
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            },
            request = signals.next() => match request {
                Request::End => break Ok(()),
                Request::Reload => {
                    let select = |checkup| args.select(checkup, global);
                    if let Some(new) = source.reload(registry, global, select) {
                        checkup = new;
                        monitors.replace(checkup.clone())?;
                        printer.stores = checkup.storage().is_some();
                        printer.outcome.reload(&checkup).await;
                    }
                }
            },
        }
    };
    if !global.quiet && io::stderr().is_terminal() {
        complain("finishing running checks; press Ctrl-C again to stop now");
    }
    // Whatever the reason to stop, running checks finish and are stored.
    monitors.stop();
    let drained = async {
        let mut printed = Ok(());
        while let Some(run) = monitors.next().await? {
            printed = printed.and(printer.take(&run).await);
        }
        printed
    };
    tokio::select! {
        drained = drained => watched.and(drained)?,
        () = signals.end() => signals.exit(),
    }
    printer.outcome.last().map(|()| Exit::Healthy)
}

impl Args {
    /// The checks to run, with notes for people.
    fn select(&self, checkup: Checkup, global: &Global) -> Result<Checkup, Error> {
        let checkup = selection::select(node::place(checkup, &self.node)?, &self.selection)?;
        if !global.quiet {
            if checkup.storage().is_none() {
                complain("nothing is stored: the config file has no `storage`");
            }
            node::warn_if_idle(&checkup);
        }
        Ok(checkup)
    }
}

struct Printer<'a> {
    quiet: bool,
    /// Whether reports are stored. If so, a broken standard output does not stop the runs.
    stores: bool,
    lines: Lines<'a>,
    outcome: Outcome,
}

impl Printer<'_> {
    async fn take(&mut self, run: &Run) -> Result<(), Error> {
        let printed = if self.quiet { Ok(()) } else { self.lines.print(run) };
        self.outcome.take(run).await;
        match printed {
            Err(error) if self.stores => {
                self.lines.report(&format!("cannot write to standard output: {error}"));
                Ok(())
            }
            Ok(()) if self.stores && self.lines.stdout.is_closed() => {
                self.lines.report("standard output was closed");
                Ok(())
            }
            printed => Ok(printed?),
        }
    }

    /// Whether further runs are useless: `checkup every 1m | head -3` needs only three.
    fn is_unread(&self) -> bool {
        !self.stores && self.lines.stdout.is_closed()
    }
}

struct Lines<'a> {
    format: LineFormat,
    stdout: &'a mut Stdout,
    /// The last status of each check.
    known: HashMap<(String, String), Status>,
    /// Whether it was reported that lines cannot be printed.
    is_reported: bool,
}

impl Lines<'_> {
    fn print(&mut self, run: &Run) -> io::Result<()> {
        let line = match self.format {
            LineFormat::Text => text::run_line(&run.report, &mut self.known),
            LineFormat::Json => json::line(&run.report)?,
        };
        self.stdout.print(&line)
    }

    /// Reports once that lines cannot be printed.
    fn report(&mut self, problem: &str) {
        if !std::mem::replace(&mut self.is_reported, true) {
            complain(&format!("{problem}; the checks continue, and their reports are stored"));
        }
    }
}
