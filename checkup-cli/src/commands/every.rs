//! Runs the checks again and again, until a signal ends it.

use std::collections::HashMap;
use std::io::{self, IsTerminal};

use checkup_core::config::Registry;
use checkup_core::{Monitor, Run, Runs};

use super::outcome::Outcome;
use super::signal::Signals;
use crate::args::{Every, Global, LineFormat};
use crate::config;
use crate::exit::{Error, Exit, complain};
use crate::node;
use crate::output::{Stdout, json, text};

pub(super) async fn run(
    registry: &Registry,
    global: &Global,
    args: &Every,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    let checkup = config::load(registry, global)?;
    let checkup = config::select(node::place(checkup, &args.node)?, &args.selection)?;
    if checkup.storage().is_none() && !global.quiet {
        complain("nothing is stored: the config file has no `storage`");
    }
    if !global.quiet {
        node::warn_if_idle(&checkup);
    }
    // Before the first check, so that no signal can end the process in the middle of one.
    let mut signals = Signals::new()?;
    let outcome = Outcome::new(&checkup, global.quiet).await;
    let (monitor, mut runs) = Monitor::builder(checkup.clone()).interval(args.interval).start_and_subscribe()?;
    let format = args.format.unwrap_or(LineFormat::Text);
    let mut printer = Printer { quiet: global.quiet, format, stdout, known: HashMap::new(), outcome };

    let watched = tokio::select! {
        watched = printer.watch(&mut runs) => watched,
        () = signals.next() => Ok(()),
    };
    if !global.quiet && io::stderr().is_terminal() {
        complain("finishing what is in flight; once more to end at once");
    }
    // Whatever the reason to end is, what is in flight is finished and stored.
    let drain = async { tokio::join!(monitor.shutdown(), printer.drain(&mut runs)) };
    tokio::select! {
        ((), drained) = drain => watched.and(drained)?,
        () = signals.next() => signals.exit(),
    }
    printer.outcome.last().map(|()| Exit::Healthy)
}

struct Printer<'a> {
    quiet: bool,
    format: LineFormat,
    stdout: &'a mut Stdout,
    /// The last status of each check.
    known: HashMap<(String, String), checkup_core::Status>,
    /// How it went to store them.
    outcome: Outcome<'a>,
}

impl Printer<'_> {
    /// Prints runs until nobody reads them any more: `checkup every 1m | head -3` has seen enough after three.
    async fn watch(&mut self, runs: &mut Runs) -> Result<(), Error> {
        while !self.stdout.is_closed() {
            let Some(run) = runs.next().await else {
                return Err(Error::Internal("the monitor ended by itself", None));
            };
            self.print(&run).await?;
        }
        Ok(())
    }

    /// Prints the runs that end while the monitor does.
    async fn drain(&mut self, runs: &mut Runs) -> Result<(), Error> {
        let mut printed = Ok(());
        while let Some(run) = runs.next().await {
            printed = printed.and(self.print(&run).await);
        }
        printed
    }

    async fn print(&mut self, run: &Run) -> Result<(), Error> {
        if !self.quiet {
            let line = match self.format {
                LineFormat::Text => text::run_line(&run.report, &mut self.known),
                LineFormat::Json => json::line(&run.report)?,
            };
            self.stdout.print(&line)?;
        }
        self.outcome.take(run).await;
        Ok(())
    }
}
