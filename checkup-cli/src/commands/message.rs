//! Attaches a message of an operator's to a check's result.

use checkup_core::Checkup;
use checkup_core::config::Registry;

use super::needs_storage;
use crate::args::{Global, Message};
use crate::config;
use crate::exit::{Error, Exit};
use crate::node;
use crate::output::{Stdout, progress};

pub(super) async fn run(
    registry: &Registry,
    global: &Global,
    args: &Message,
    stdout: &mut Stdout,
) -> Result<Exit, Error> {
    let checkup = node::place(config::load(registry, global)?, &args.node)?;
    needs_storage(&checkup, "a message")?;
    let index = about(&checkup, args)?;
    let mut report = progress::check(&checkup, global.quiet).await;
    report.results[index].message = Some(args.text.clone());
    checkup.store(&report).await.map_err(Error::Storage)?;
    if !global.quiet {
        stdout.print("Message posted\n")?;
    }
    Ok(Exit::Healthy)
}

/// Which check the message is about.
fn about(checkup: &Checkup, args: &Message) -> Result<usize, Error> {
    match &args.about {
        Some(name) => config::position(checkup, name),
        None if checkup.checks().len() == 1 => Ok(0),
        None => Err(config::which(checkup, "name the check that the message is about with --about")),
    }
}
