//! Prints the JSON Schema of config files.

use checkup_core::config::Registry;

use crate::exit::{Error, Exit};
use crate::output::Stdout;

/// Print the JSON Schema of config files, for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(registry: &Registry, stdout: &mut Stdout) -> Result<Exit, Error> {
    stdout.print(&format!("{:#}\n", registry.schema()))?;
    Ok(Exit::Healthy)
}
