//! Reports that a job ran, and runs it if it is given.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;

use checkup_core::config::Registry;
use checkup_core::{Checkup, Storage, StorageError};
use checkup_heartbeat::{Beat, Job};
use tokio::process::Command;
use tokio::time::Instant;

use super::jobs;
use super::signal::Signals;
use crate::args::Global;
use crate::config::{self, needs_storage};
use crate::exit::{Error, Exit};
use crate::exit_codes;
use crate::node::{self, Node};
use crate::output::stderr::complain;

/// Report that a job ran, for the check of type `heartbeat` that reads it
///
/// With a COMMAND, runs it, reports when it begins and how it ends, and exits with its exit code.
///
/// A command that a signal ends gives 128 and the number of the signal, one that cannot be run 126 or 127.
///
/// The command runs even if its report cannot be stored. If it succeeds, the exit code is then 2 or 3.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The name of the job, as in `job` of the check
    #[arg(value_parser = name)]
    name: String,
    /// Report that the job has failed
    #[arg(long, conflicts_with_all = ["begin", "command"])]
    fail: bool,
    /// Report that the job begins
    #[arg(long, conflicts_with = "command")]
    begin: bool,
    /// A text that the check shows if the job has failed
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// What to run, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) async fn run(registry: &Registry, global: &Global, args: &Args) -> Result<Exit, Error> {
    let reporter = Reporter::new(registry, global, &args.name);
    let Some((program, arguments)) = args.command.split_first() else {
        let beat = match (args.fail, args.begin) {
            (true, _) => Beat::failed(),
            (_, true) => Beat::began(),
            _ => Beat::ok(),
        };
        reporter?.report(with_text(beat, args.message.as_deref())).await?;
        return Ok(Exit::Healthy);
    };
    // A mistake in the configuration of the monitor must not stop the job.
    let reporter = reporter.inspect_err(Error::print);
    let mut signals = Signals::new()?;
    let begin = Instant::now();
    let began = reporter.as_ref().ok().map(|reporter| tokio::spawn(reporter.clone().report(Beat::began())));
    let ended = Ended::of(Command::new(program).args(arguments), &mut signals).await;
    let took = begin.elapsed();
    if let Some(began) = began {
        // The report of the end shows the same problem, if it lasts.
        let _ = began.await;
    }
    let reported = match reporter {
        Ok(reporter) => reporter.report(ended.beat(args.message.as_deref()).took(took)).await,
        Err(_) if ended.code == 0 => return Ok(Exit::Command(exit_codes::USAGE)),
        Err(_) => Ok(()),
    };
    match reported {
        Err(error) if ended.code != 0 => error.print(),
        reported => reported?,
    }
    Ok(Exit::Command(ended.code))
}

/// Stores the reports of a job.
#[derive(Clone)]
struct Reporter {
    job: Job,
    storage: Arc<dyn Storage>,
    location: Option<String>,
}

impl Reporter {
    fn new(registry: &Registry, global: &Global, name: &str) -> Result<Self, Error> {
        let checkup = config::load_for(registry, global, false)?;
        let checkup = node::place(checkup, &Node { location: None, shard: None })?;
        let storage = Arc::clone(needs_storage(&checkup, "a report of a job")?);
        if !global.quiet {
            warn_if_unknown(&checkup, name);
        }
        Ok(Self { job: Job::new(name), storage, location: checkup.location().map(ToOwned::to_owned) })
    }

    async fn report(self, beat: Beat) -> Result<(), Error> {
        let beat = match self.location {
            Some(location) => beat.location(location),
            None => beat,
        };
        let not_stored =
            |error: StorageError| Error::because("could not confirm that the report of the job was stored", error);
        self.job.report(&*self.storage, &beat).await.map_err(not_stored)
    }
}

/// How a command ended.
struct Ended {
    /// The exit code that it gives to this command.
    code: u8,
    /// What to say about it, if it failed.
    text: String,
}

impl Ended {
    /// Runs a command to its end. Signals that only this process gets are passed on to it.
    async fn of(command: &mut Command, signals: &mut Signals) -> Self {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Self::not_started(command, &error),
        };
        loop {
            tokio::select! {
                status = child.wait() => return match status {
                    Ok(status) => Self::with(status),
                    Err(error) => Self { code: exit_codes::FAILED, text: format!("cannot wait for it: {error}") },
                },
                () = signals.any() => signals.pass_on(child.id()),
            }
        }
    }

    fn not_started(command: &Command, error: &io::Error) -> Self {
        let program = command.as_std().get_program().display().to_string();
        let (code, why) = match error.kind() {
            io::ErrorKind::NotFound => (127, "there is no such command".to_owned()),
            io::ErrorKind::PermissionDenied => (126, "permission denied".to_owned()),
            _ => (126, error.to_string()),
        };
        let text = format!("cannot run {program}: {why}");
        complain(&text);
        Self { code, text }
    }

    fn with(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            let code = u8::try_from(signal).unwrap_or(0).saturating_add(128);
            return Self { code, text: format!("killed by signal {signal}") };
        }
        let code = status.code().unwrap_or(i32::from(exit_codes::FAILED));
        // Other systems have larger codes.
        Self { code: u8::try_from(code).unwrap_or(exit_codes::FAILED), text: format!("exit status {code}") }
    }

    fn beat(&self, message: Option<&str>) -> Beat {
        match (self.code, message) {
            (0, message) => with_text(Beat::ok(), message),
            (_, None) => Beat::failed().message(&self.text),
            (_, Some(message)) => Beat::failed().message(format!("{}: {message}", self.text)),
        }
    }
}

fn with_text(beat: Beat, message: Option<&str>) -> Beat {
    message.into_iter().fold(beat, Beat::message)
}

/// Warns if no check reads the job, which is probably a mistake. It is not an error: that check may be in the file of another machine.
fn warn_if_unknown(checkup: &Checkup, name: &str) {
    let mut known: Vec<_> = jobs::of(checkup).into_iter().map(|known| format!("`{}`", known.job.name())).collect();
    if known.contains(&format!("`{name}`")) {
        return;
    }
    known.sort_unstable();
    known.dedup();
    let others = match known.is_empty() {
        true => String::new(),
        false => format!("; the file has checks of {}", known.join(", ")),
    };
    complain(&format!("warning: no check of type `heartbeat` in the config file reads the job `{name}`{others}"));
}

fn name(name: &str) -> Result<String, String> {
    match name.trim() {
        "" => Err("expected the name of a job".into()),
        _ if name.chars().count() > 200 || name.chars().any(char::is_control) => {
            Err("expected one line of at most 200 characters".into())
        }
        _ => Ok(name.to_owned()),
    }
}
