//! Keeps the storage in shape: stores what is in the spool, compacts, and removes what has expired.

use std::io::{self, IsTerminal};
use std::pin::pin;

use checkup_core::config::Registry;
use checkup_core::{Maintenance, Storage, StorageError, StorageMaintainer, Timestamp};

use super::signal::Signals;
use crate::args::Global;
use crate::config::{self, needs_storage};
use crate::exit::{Error, Exit};
use crate::output::figures::{count, thousands};
use crate::output::stderr::{complain, program};
use crate::output::{Maintaining, Stdout};
use crate::spool;

/// How many steps in a row may do nothing, although the storage reports that there is more to do.
const IDLE: usize = 1000;

/// Maintain the storage: store what is in the spool, compact, and remove what has expired
///
/// Runs do part of this after each store; this command does all of it and reports what it did.
///
/// Each config file has its own spool, unless `spool` sets another folder.
///
/// If the spools of other config files hold reports, it says so.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(registry: &Registry, global: &Global, stdout: &mut Stdout) -> Result<Exit, Error> {
    let checkup = config::load(registry, global)?;
    let storage = needs_storage(&checkup, "maintenance")?;
    let Some(maintainer) = storage.maintainer() else {
        return done("nothing to do: this storage needs no maintenance\n", global, stdout);
    };
    let mut signals = Signals::new()?;
    let before = files(storage.as_ref()).await?;
    let bar = Maintaining::new(global, before);
    let mut all = Maintenance::default();
    let worked = tokio::select! {
        worked = work(maintainer, &bar, &mut signals, &mut all) => worked,
        never = bar.show() => match never {},
    };
    bar.clear();
    // Reports what was done, even if the rest failed.
    let after = match &worked {
        Ok(_) => files(storage.as_ref()).await?,
        Err(_) => None,
    };
    if !global.quiet && (worked.is_ok() || describe(&all, None, None).is_some()) {
        stdout.print(&describe(&all, before, after).unwrap_or_else(|| nothing(after)))?;
    }
    if !global.quiet {
        if let Some((dir, reports)) = spool::set_aside(&checkup).await {
            let were = if reports == 1 { "was" } else { "were" };
            complain(&format!(
                "note: {} {were} set aside in {}: files ending in `.broken` are unreadable; the storage rejected those ending in \
                 `.refused` (remove that suffix to retry them)",
                count(reports, "report"),
                dir.display()
            ));
        }
        for (dir, reports) in spool::others(&checkup).await {
            let (reports, are) = (count(reports, "report"), if reports == 1 { "is" } else { "are" });
            complain(&format!(
                "note: {reports} of another config file {are} in the spool {dir}; to store them, run `{program} maintain` with that \
                 file, or, if it no longer exists, with `spool: {{dir: {dir}}}` in a file with its storage",
                dir = dir.display(),
                program = program(),
            ));
        }
    }
    if let End::Interrupted = worked? {
        complain("interrupted; run it again to continue");
        signals.exit();
    }
    let Some(last) = all.failures.pop() else { return Ok(Exit::Healthy) };
    for failure in &all.failures {
        complain(&failure.to_string());
    }
    Err(Error::because("the maintenance is not finished", last.to_string()))
}

/// How the work ended.
enum End {
    /// There is nothing left to do.
    Finished,
    /// A signal came, and the step that was running has finished.
    Interrupted,
}

/// Does one bounded step after another, until nothing is left to do or a signal arrives.
async fn work(
    maintainer: &dyn StorageMaintainer,
    bar: &Maintaining,
    signals: &mut Signals,
    all: &mut Maintenance,
) -> Result<End, Error> {
    let (mut idle, mut interrupted) = (0, false);
    while idle < IDLE {
        let mut step = pin!(maintainer.maintain());
        let step = loop {
            tokio::select! {
                done = step.as_mut() => break done.map_err(|error| Error::because("the maintenance is not finished", error))?,
                () = signals.any() => {
                    if std::mem::replace(&mut interrupted, true) {
                        signals.exit();
                    }
                    if io::stderr().is_terminal() {
                        bar.clear();
                        complain("finishing the current step; press Ctrl-C again to stop now");
                    }
                }
            }
        };
        let Maintenance { expired, compacted, flushed, unfinished, failures, .. } = step;
        all.expired += expired;
        all.compacted += compacted;
        all.flushed += flushed;
        for failure in failures {
            if !all.failures.contains(&failure) {
                all.failures.push(failure);
            }
        }
        bar.update(all.expired + all.compacted);
        if !unfinished {
            return Ok(End::Finished);
        }
        if interrupted {
            return Ok(End::Interrupted);
        }
        idle = if expired + compacted + flushed > 0 { 0 } else { idle + 1 };
    }
    Err(Error::failed("the storage reports that there is more to do, but does nothing"))
}

/// The number of check files, if the storage can be read.
async fn files(storage: &dyn Storage) -> Result<Option<usize>, Error> {
    let Some(reader) = storage.reader() else { return Ok(None) };
    let names = reader
        .list(Timestamp::default())
        .await
        .map_err(|error: StorageError| Error::because("cannot read the storage", error))?;
    Ok(Some(names.len()))
}

/// What was done, in a line or two; `None` if nothing was.
fn describe(done: &Maintenance, before: Option<usize>, after: Option<usize>) -> Option<String> {
    let Maintenance { expired, compacted, flushed, .. } = *done;
    let mut out = String::new();
    if flushed > 0 {
        out.push_str(&format!("{} from the spool stored\n", count(flushed, "report")));
    }
    let became = match (before, after) {
        (Some(before), Some(after)) if compacted > 0 => {
            Some(format!("{} became {}", count(before, "check file"), thousands(after)))
        }
        _ if compacted > 0 => Some(format!("{} compacted", count(compacted, "check file"))),
        _ => None,
    };
    let expiry = match (&became, before) {
        _ if expired == 0 => None,
        (Some(_), _) => Some(format!("{} expired", thousands(expired))),
        (None, Some(before)) => Some(format!("{} of {} expired", thousands(expired), count(before, "check file"))),
        (None, None) => Some(format!("{} expired", count(expired, "check file"))),
    };
    let files: Vec<_> = became.into_iter().chain(expiry).collect();
    if !files.is_empty() {
        out.push_str(&files.join("; "));
        out.push('\n');
    }
    Some(out).filter(|out| !out.is_empty())
}

fn nothing(files: Option<usize>) -> String {
    files.map_or("nothing to do\n".to_owned(), |files| format!("nothing to do: {}\n", count(files, "check file")))
}

fn done(text: &str, global: &Global, stdout: &mut Stdout) -> Result<Exit, Error> {
    if !global.quiet {
        stdout.print(text)?;
    }
    Ok(Exit::Healthy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maintenance(expired: usize, compacted: usize, flushed: usize) -> Maintenance {
        let mut done = Maintenance::expired(expired);
        (done.compacted, done.flushed) = (compacted, flushed);
        done
    }

    #[test]
    fn what_was_done_is_described_in_check_files() {
        let described = |done, before, after| describe(&done, before, after);
        let (before, after) = (Some(38_892), Some(104));
        assert_eq!(described(maintenance(0, 0, 0), before, after), None);
        assert_eq!(
            described(maintenance(12, 38_880, 0), before, after).unwrap(),
            "38,892 check files became 104; 12 expired\n"
        );
        assert_eq!(described(maintenance(12, 0, 0), before, after).unwrap(), "12 of 38,892 check files expired\n");
        assert_eq!(described(maintenance(1, 2, 0), None, None).unwrap(), "2 check files compacted; 1 expired\n");
        assert_eq!(described(maintenance(0, 0, 1), before, after).unwrap(), "1 report from the spool stored\n");
        assert_eq!(nothing(after), "nothing to do: 104 check files\n");
    }
}
