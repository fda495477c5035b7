//! A single run: checks, prints, and stores if asked to.

use std::io::{self, IsTerminal};

use checkup_core::config::Registry;

use super::{needs_storage, store};
use crate::args::{Check, Global};
use crate::config;
use crate::exit::{Error, Exit};
use crate::node;
use crate::output::{self, Stdout, progress};

pub(super) async fn run(
    registry: &Registry,
    global: &Global,
    args: &Check,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    // Cron mails whatever is printed: a run that stores is silent where nobody reads.
    let readers = !args.store || io::stderr().is_terminal();
    let checkup = config::load_for(registry, global, readers)?;
    if args.store {
        needs_storage(&checkup, "--store")?;
    }
    let checkup = config::select(node::place(checkup, &args.node)?, &args.selection)?;
    if readers && !global.quiet {
        node::warn_if_idle(&checkup);
    }
    let report = progress::check(&checkup, global.quiet).await;

    let stored = if args.store { store(&checkup, &report, readers && !global.quiet).await } else { Ok(()) };
    // As above.
    let wanted = !args.store || args.format.is_some() || stdout.is_terminal();
    if wanted && !global.quiet {
        output::print(&checkup, &report, args.format, args.stats, stdout)?;
    }
    stored?;
    Ok(Exit::of(&report))
}
