//! A single run: checks, prints, and stores if asked to.

use std::io::{self, IsTerminal};

use checkup_core::config::Registry;
use clap::ValueEnum;

use crate::args::{Global, OutputFormat};
use crate::config::{self, needs_storage};
use crate::exit::{Error, Exit};
use crate::node::{self, Node};
use crate::output::{self, Stdout, progress};
use crate::selection::{self, Selection};
use crate::spool;
use crate::urls::Urls;

/// The options of a run without a command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) urls: Urls,
    /// Store the report too; print it only on a terminal or with --format
    #[arg(long)]
    store: bool,
    /// How to print the report; default: text
    #[arg(long, value_name = "FORMAT")]
    format: Option<OutputFormat>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    node: Node,
    /// Print statistics of the round-trip times, and the time of each phase
    #[arg(long)]
    stats: bool,
}

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    // Cron mails all output, so a run that stores is silent unless someone is watching.
    let readers = !args.store || io::stderr().is_terminal();
    let checkup = match args.urls.is_empty() {
        true => config::load_for(registry, global, readers)?,
        false => args.urls.checkup(registry)?,
    };
    if args.store {
        needs_storage(&checkup, "--store")?;
    }
    let checkup = selection::select(node::place(checkup, &args.node)?, &args.selection)?;
    if readers && !global.quiet {
        node::warn_if_idle(&checkup);
    }
    let report = progress::check(&checkup, global.quiet).await;

    let stored = if args.store { spool::store(&checkup, &report, readers && !global.quiet).await } else { Ok(()) };
    // Again, for cron.
    let wanted = !args.store || args.format.is_some() || stdout.is_terminal();
    if wanted && !global.quiet {
        output::print(&checkup, &report, args.format, args.stats, stdout)?;
    }
    stored?;
    Ok(Exit::of(&report))
}

impl Args {
    /// The first option that is set.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let options = [
            ("a URL", !self.urls.is_empty()),
            ("--store", self.store),
            ("--format", self.format.is_some()),
            ("--only", !self.selection.only.is_empty()),
            ("--stats", self.stats),
            ("--location", self.node.location.is_some()),
            ("--shard", self.node.shard.is_some()),
        ];
        options.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    pub(crate) fn without_effect(&self, global: &Global) -> Option<String> {
        if self.store && !self.urls.is_empty() {
            return Some("--store needs a config file with a `storage`; list the URLs there".to_owned());
        }
        if let Some(message) = self.urls.without_effect(global, &self.selection) {
            return Some(message);
        }
        let format = self.format.filter(|format| self.stats && *format != OutputFormat::Text)?;
        let format = format.to_possible_value()?;
        Some(format!("--stats has no effect with --format {}; statistics are only in text", format.get_name()))
    }
}
