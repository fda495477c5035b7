//! Writes the manual pages.

use std::fs;
use std::path::PathBuf;

use clap::ValueHint;
use clap_mangen::Man;

use crate::args::Global;
use crate::exit::{Error, Exit};
use crate::output::{Stdout, escape};

/// Print the manual page of this command, or write those of all commands
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write the pages of all commands to this folder, such as ~/.local/share/man/man1
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, grammar: clap::Command, global: &Global, stdout: &mut Stdout) -> Result<Exit, Error> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        Man::new(grammar).render(&mut page)?;
        stdout.print(&String::from_utf8_lossy(&page))?;
        return Ok(Exit::Healthy);
    };
    let written = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(grammar, dir));
    written.map_err(|error| Error::because(format!("cannot write to {}", dir.display()), error))?;
    if !global.quiet {
        stdout.print(&format!("wrote the manual pages to {}\n", escape::line(&dir.display().to_string())))?;
    }
    Ok(Exit::Healthy)
}
