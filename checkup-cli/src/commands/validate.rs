//! Parses config files, and checks nothing.

use checkup_core::config::Registry;
use checkup_core::{Checkup, ConfigError};
use serde_json::Value;

use crate::args::{Global, Validate};
use crate::config::Source;
use crate::exit::{Error, Exit};
use crate::output::{Stdout, escape};

pub(super) fn run(registry: &Registry, global: &Global, args: &Validate, stdout: &mut Stdout) -> Result<Exit, Error> {
    let sources = match args.files.as_slice() {
        [] => vec![Source::find(global.config.as_deref())?],
        files => files.iter().map(|file| Source::named(file)).collect(),
    };
    // Every file is read, so that people see every problem at once.
    let mut problems: Option<ConfigError> = None;
    for source in &sources {
        match source.load(registry) {
            Ok(_) if global.quiet => {}
            Ok(checkup) => {
                stdout.print(&format!("{}: {}\n", escape::line(&source.label), describe(&checkup)))?;
                source.warn(&checkup);
            }
            Err(error) => match &mut problems {
                Some(all) => all.extend(error),
                none => *none = Some(error),
            },
        }
    }
    problems.map_or(Ok(Exit::Healthy), |problems| Err(problems.into()))
}

/// `7 checks, storage fs, 1 notifier`
fn describe(checkup: &Checkup) -> String {
    let mut parts = vec![count(checkup.checks().len(), "check")];
    if checkup.storage().is_some() {
        // The type stands in the form that goes back to a file. Storages of a type have one; this is for safety.
        let config = serde_json::to_value(checkup).unwrap_or_default();
        let name = config.pointer("/storage/type").and_then(Value::as_str).unwrap_or("of its own").to_owned();
        parts.push(format!("storage {}", escape::line(&name)));
    }
    if !checkup.notifiers().is_empty() {
        parts.push(count(checkup.notifiers().len(), "notifier"));
    }
    parts.join(", ")
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
