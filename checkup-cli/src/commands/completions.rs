//! Prints a script with which a shell completes this command.

use std::env;
use std::path::PathBuf;

use clap_complete::Shell;

use crate::exit::{Error, Exit};
use crate::output::Stdout;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, mut grammar: clap::Command, stdout: &mut Stdout) -> Result<Exit, Error> {
    let program = program(&grammar);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut grammar, program, &mut script);
    stdout.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Healthy)
}

/// What this binary is called: shells complete it by the name of its file.
fn program(grammar: &clap::Command) -> String {
    let path = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    path.file_stem().map_or_else(|| grammar.get_name().to_owned(), |name| name.to_string_lossy().into_owned())
}
