//! Prints a script that completes this command in a shell.

use clap::CommandFactory;

use crate::args::{Cli, Completions};
use crate::exit::{Error, Exit};
use crate::output::Stdout;

pub(super) fn run(args: &Completions, stdout: &mut Stdout) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), program(), &mut script);
    stdout.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Healthy)
}

/// What this binary is called: other programs have this command under names of their own.
fn program() -> String {
    let path = std::env::args_os().next().map(std::path::PathBuf::from).unwrap_or_default();
    path.file_stem().map_or_else(|| "checkup".to_owned(), |name| name.to_string_lossy().into_owned())
}
