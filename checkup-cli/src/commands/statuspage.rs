//! Writes the static status page: into a directory, or next to the check files.

use std::path::PathBuf;

use checkup_core::{Published, config::Registry};
use checkup_statuspage::{PublishError, PublishedFile, StatusPage};
use clap::{Subcommand, ValueHint};

use crate::args::Global;
use crate::config::{self, needs_storage};
use crate::exit::{Error, Exit};
use crate::node;
use crate::output::figures::count;
use crate::output::{Stdout, escape, progress};

/// Write the static status page, for any web server or a bucket
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the page into a directory, for any web server
    ///
    /// In the directory of an `fs` storage, the page reads the check files and is always up to date.
    ///
    /// The same is true in any other directory if `status_page.storage` has the URL of the check files.
    ///
    /// Otherwise it shows the history up to the time of the export.
    ///
    /// The feed and the badges never update themselves: export again regularly, from cron for example.
    Export {
        /// The directory; it is created if it is missing
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Put the page next to the check files: into the bucket, or the directory, of the storage
    ///
    /// The page reads the check files there, and is always up to date.
    ///
    /// The feed and the badges never update themselves: deploy again regularly, from cron for example.
    Deploy,
}

pub(crate) async fn run(
    registry: &Registry,
    global: &Global,
    command: &Command,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    // The page shows all checks, not only this node's share.
    let checkup = node::whole(&config::load(registry, global)?);
    needs_storage(&checkup, "a page")?;
    let page = checkup.section::<StatusPage>().cloned().unwrap_or_default();
    let (published, place) = match command {
        Command::Export { dir } => {
            let exporting = checkup_statuspage::export(dir, &page, &checkup);
            (progress::spin("writing the page", exporting, global).await, dir.display().to_string())
        }
        Command::Deploy => {
            let deploying = checkup_statuspage::deploy(&page, &checkup);
            (progress::spin("writing the page", deploying, global).await, "the storage".to_owned())
        }
    };
    let published = published.map_err(|error| match error {
        PublishError::Config(error) => Error::Config(error),
        error => Error::because("the page is not written", error),
    })?;
    if !global.quiet {
        stdout.print(&format!("{} in {}\n", describe(&published), escape::line(&place)))?;
    }
    Ok(Exit::Healthy)
}

/// `5 files written, 2 unchanged`
fn describe(files: &[PublishedFile]) -> String {
    let unchanged = files.iter().filter(|file| file.published == Published::Unchanged).count();
    let written = count(files.len() - unchanged, "file");
    match unchanged {
        0 => format!("{written} written"),
        unchanged => format!("{written} written, {unchanged} unchanged"),
    }
}
