//! Writes a sample config file with the types that the registry has.

mod render;
mod sample;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use checkup_core::config::{Format, Registry};
use clap::ValueHint;

use crate::args::Global;
use crate::discover;
use crate::exit::{Error, Exit};
use crate::output::stderr::program;
use crate::output::{Stdout, escape};

/// The schema, in the folder of the config file.
const SCHEMA: &str = "checkup.schema.json";

/// Write a commented sample config file, and its JSON Schema for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to write, as JSON, YAML or TOML by its extension; it must not exist
    #[arg(value_name = "FILE", default_value = "checkup.yaml", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(crate) fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    let path = args.file.as_path();
    let shown = path.display();
    let format = Format::of(path).map_err(|error| error.in_file(&shown))?;
    refuse_second(path)?;
    let text = render::render(&sample::of(registry), format, SCHEMA);
    write_new(path, &text).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::usage(format!("{shown} already exists and is not overwritten")),
        _ => Error::usage(format!("{shown} cannot be written: {error}")),
    })?;
    let schema = path.with_file_name(SCHEMA);
    let also = match write_new(&schema, &format!("{:#}\n", registry.schema())) {
        Ok(()) => format!(", and {} for editors", schema.display()),
        // It is of an earlier sample, or the user's own.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            format!("; {} already exists, and `{} schema` prints the current one", schema.display(), program())
        }
        Err(error) => return Err(Error::usage(format!("{} cannot be written: {error}", schema.display()))),
    };
    if !global.quiet {
        stdout.print(&format!("wrote {}\n", escape::line(&format!("{shown}{also}"))))?;
    }
    Ok(Exit::Healthy)
}

/// Refuses to write a second config file into a folder, which would make the choice ambiguous.
fn refuse_second(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names = discover::names_in(folder);
    let is_found = path.file_name().is_some_and(discover::is_name);
    match names.find(|name| is_found && path.file_name() != Some(name.as_ref())) {
        Some(other) => Err(Error::usage(format!(
            "{} already exists; with a second config file in that folder, the choice would be ambiguous",
            folder.join(other).display()
        ))),
        None => Ok(()),
    }
}

/// Creates a new file. Fails if it exists, even if another process creates it at the same moment.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    File::create_new(path)?.write_all(text.as_bytes())
}
