//! A single run: checks, prints, and stores if asked to.

use checkup_core::config::Registry;

use super::needs_storage;
use crate::args::{Check, Global, OutputFormat};
use crate::config;
use crate::exit::{Error, Exit};
use crate::output::{Stdout, json, progress, text};

pub(super) async fn run(
    registry: &Registry,
    global: &Global,
    args: &Check,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    let checkup = config::load(registry, global.config.as_deref())?;
    if args.store {
        needs_storage(&checkup, "--store")?;
    }
    let checkup = config::select(checkup, &args.selection)?;
    let report = progress::check(&checkup, global.quiet).await;

    let stored = if args.store { checkup.store(&report).await.map_err(Error::Storage) } else { Ok(()) };
    // Cron mails whatever is printed: a run that stores is silent where nobody reads.
    let wanted = !args.store || args.format.is_some() || stdout.is_terminal();
    if wanted && !global.quiet {
        match args.format.unwrap_or(OutputFormat::Text) {
            OutputFormat::Json => json::print(&report, stdout)?,
            OutputFormat::Text => {
                let layout = text::Layout::new(stdout, args.stats);
                stdout.print(&text::report(&checkup, &report, layout))?;
            }
        }
    }
    stored?;
    Ok(if report.is_healthy() { Exit::Healthy } else { Exit::Unhealthy })
}
