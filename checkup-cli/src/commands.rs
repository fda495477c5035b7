//! The commands, one module each.

mod check;
mod completions;
mod every;
mod history;
mod init;
mod maintain;
mod message;
mod outcome;
mod provision;
mod schema;
mod serve;
mod signal;
mod statuspage;
mod validate;
mod wait;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use checkup_core::config::Registry;
use checkup_core::{Checkup, Report, Storage};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command};
use crate::descriptors;
use crate::exit::{Error, Exit};
use crate::output::Stdout;
use crate::spool::{self, Backlog};
use crate::tracing;

pub(crate) use message::Window;
pub(crate) use provision::ProvisionArgs;

/// Runs the command that the arguments of this process ask for.
pub(crate) fn run(registry: &Registry) -> ExitCode {
    let cli = match Cli::try_parse().and_then(stray_options) {
        Ok(cli) => cli,
        // Help and the version are no errors, and go to standard output.
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match tracing::init(cli.global.verbose, cli.global.quiet).and_then(|()| in_runtime(registry, &cli)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            error.print();
            error.code()
        }
    }
}

/// Refuses options that would have no effect.
fn stray_options(cli: Cli) -> Result<Cli, clap::Error> {
    match cli.without_effect() {
        Some(message) => Err(Cli::command().error(ErrorKind::ArgumentConflict, message)),
        None => Ok(cli),
    }
}

fn in_runtime(registry: &Registry, cli: &Cli) -> Result<Exit, Error> {
    descriptors::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Internal("cannot start the runtime", Some(error)))?;
    // What panicked has told standard error why, and is not used again.
    let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on(dispatch(registry, cli)))).unwrap_or_else(|_| {
        Err(Error::Internal("the command panicked, which is a defect of it or of a plugin; please report it", None))
    });
    // Whatever still blocks (a system resolver that hangs) has been given up, and must not hold up the end.
    runtime.shutdown_background();
    result
}

async fn dispatch(registry: &Registry, cli: &Cli) -> Result<Exit, Error> {
    let stdout = &mut Stdout::new(cli.global.color);
    match &cli.command {
        None => check::run(registry, &cli.global, &cli.check, stdout).await,
        Some(Command::Every(args)) => every::run(registry, &cli.global, args, stdout).await,
        Some(Command::Wait(args)) => wait::run(registry, &cli.global, args, stdout).await,
        Some(Command::Message(args)) => message::run(registry, &cli.global, args, stdout).await,
        Some(Command::History(args)) => history::run(registry, &cli.global, args, stdout).await,
        Some(Command::Maintain) => maintain::run(registry, &cli.global, stdout).await,
        Some(Command::Serve(args)) => serve::run(registry, &cli.global, args, stdout).await,
        Some(Command::Statuspage(args)) => statuspage::run(registry, &cli.global, args, stdout).await,
        Some(Command::Provision(args)) => provision::run(registry, &cli.global, args, stdout).await,
        Some(Command::Validate(args)) => validate::run(registry, &cli.global, args, stdout),
        Some(Command::Init(args)) => init::run(registry, &cli.global, args, stdout),
        Some(Command::Schema) => schema::run(registry, stdout),
        Some(Command::Completions(args)) => completions::run(args, stdout),
    }
}

/// Stores a report. Tells people, if there are any, that what waited in the spool has been stored with it.
async fn store(checkup: &Checkup, report: &Report, readers: bool) -> Result<(), Error> {
    // Of a node whose share of the checks is none.
    if report.results.is_empty() {
        return Ok(());
    }
    let mut backlog = Backlog::new(checkup).await;
    let stored = checkup.store(report).await;
    backlog.update(stored.is_ok(), readers).await;
    stored.map_err(spool::not_stored)
}

/// Refuses to check what could then not be stored.
fn needs_storage<'a>(checkup: &'a Checkup, what: &str) -> Result<&'a Arc<dyn Storage>, Error> {
    let missing = || Error::usage(format!("{what} needs a `storage` in the config file, and there is none"));
    checkup.storage().ok_or_else(missing)
}
