//! Writes the static status page: into a directory, or beside the check files.

use checkup_core::{Published, config::Registry};
use checkup_statuspage::{PublishError, PublishedFile, StatusPage};

use super::needs_storage;
use crate::args::{Global, StatusPageCommand};
use crate::config;
use crate::exit::{Error, Exit};
use crate::node;
use crate::output::figures::count;
use crate::output::{Stdout, escape, progress};

pub(super) async fn run(
    registry: &Registry,
    global: &Global,
    args: &StatusPageCommand,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    // Whatever share of the checks this node has: the page is of all.
    let checkup = node::whole(&config::load(registry, global)?);
    needs_storage(&checkup, "a page")?;
    let page = checkup.section::<StatusPage>().cloned().unwrap_or_default();
    let (published, place) = match args {
        StatusPageCommand::Export { dir } => {
            let exporting = checkup_statuspage::export(dir, &page, &checkup);
            (progress::spin("writing the page", exporting, global).await, dir.display().to_string())
        }
        StatusPageCommand::Deploy => {
            let deploying = checkup_statuspage::deploy(&page, &checkup);
            (progress::spin("writing the page", deploying, global).await, "the storage".to_owned())
        }
    };
    let published = published.map_err(|error| match error {
        PublishError::Config(error) => Error::Config(error),
        error => Error::Page(Box::new(error)),
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
