//! Parses config files without checking anything.

use std::path::PathBuf;

use checkup_core::config::Registry;
use checkup_core::{Checkup, ConfigProblems};
use clap::ValueHint;

use crate::args::Global;
use crate::config::Source;
use crate::exit::{Error, Exit};
use crate::output::figures::count;
use crate::output::{Stdout, escape};

/// Validate config files without running any checks
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The config files. Default: the one that a run would use
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
}

pub(crate) fn run(registry: &Registry, global: &Global, args: &Args, stdout: &mut Stdout) -> Result<Exit, Error> {
    let sources = match args.files.as_slice() {
        [] => vec![Source::find(global.config.as_deref())?],
        files => files.iter().map(|file| Source::named(file)).collect(),
    };
    // Every file is read, so that all problems are reported together.
    let mut problems = ConfigProblems::new();
    for source in &sources {
        let Some(checkup) = problems.take(source.load(registry)) else { continue };
        if !global.quiet {
            stdout.print(&format!("{}: {}\n", escape::line(&source.label), describe(&checkup)))?;
            source.warn(&checkup);
        }
    }
    Ok(problems.finish(|| Some(Exit::Healthy))?)
}

impl Args {
    pub(crate) fn without_effect(&self, global: &Global) -> Option<String> {
        if self.files.is_empty() { None } else { global.config_has_no_effect("next to the files to validate") }
    }
}

/// `7 checks, storage fs, 1 notifier`
fn describe(checkup: &Checkup) -> String {
    let mut parts = vec![count(checkup.checks().len(), "check")];
    if checkup.storage().is_some() {
        // Every storage of a config file has a type.
        parts.push(format!("storage {}", escape::line(checkup.storage_type().unwrap_or_default())));
    }
    if !checkup.notifiers().is_empty() {
        parts.push(count(checkup.notifiers().len(), "notifier"));
    }
    parts.join(", ")
}
