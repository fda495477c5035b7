//! Keeps the storage in shape: stores what waits in the spool, compacts, and removes what has expired.

use std::io::{self, IsTerminal};
use std::pin::pin;

use checkup_core::config::Registry;
use checkup_core::{Maintenance, Storage, StorageMaintainer, Timestamp};

use super::needs_storage;
use super::signal::Signals;
use crate::args::Global;
use crate::config;
use crate::exit::{Error, Exit, complain};
use crate::output::figures::{count, thousands};
use crate::output::{Maintaining, Stdout};
use crate::spool;

/// How many pieces of work in a row may do nothing, although there is said to be more.
const IDLE: usize = 1000;

pub(super) async fn run(registry: &Registry, global: &Global, stdout: &mut Stdout) -> Result<Exit, Error> {
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
    // What is done is done, also if the rest failed.
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
                "note: {} {were} set aside in {}: what ends with `.broken` cannot be read, and what ends with `.refused` the \
                 storage did not take; to have that tried again, take `.refused` off its name",
                count(reports, "report"),
                dir.display()
            ));
        }
        for (dir, reports) in spool::others(&checkup).await {
            let (reports, wait) = (count(reports, "report"), if reports == 1 { "waits" } else { "wait" });
            complain(&format!(
                "note: {reports} of another config file {wait} in {0}; `checkup maintain` with that file stores what waits, or, if \
                 it is gone, with `spool: {{dir: {0}}}` in one with its storage",
                dir.display()
            ));
        }
    }
    if let End::Interrupted = worked? {
        complain("interrupted; run it again to go on");
        signals.exit();
    }
    let Some(last) = all.failures.pop() else { return Ok(Exit::Healthy) };
    for failure in &all.failures {
        complain(&failure.to_string());
    }
    Err(Error::Maintenance(checkup_core::StorageError::new(last.to_string()).with_kind(last.kind)))
}

/// How the work ended.
enum End {
    /// There is nothing left to do.
    Finished,
    /// A signal came, and the piece that was in the works has been finished.
    Interrupted,
}

/// Does one bounded piece after the other, until nothing is left or a signal comes.
async fn work(
    maintainer: &dyn StorageMaintainer,
    bar: &Maintaining,
    signals: &mut Signals,
    all: &mut Maintenance,
) -> Result<End, Error> {
    let (mut idle, mut interrupted) = (0, false);
    while idle < IDLE {
        let mut piece = pin!(maintainer.maintain());
        let piece = loop {
            tokio::select! {
                piece = piece.as_mut() => break piece.map_err(Error::Maintenance)?,
                () = signals.next() => {
                    if std::mem::replace(&mut interrupted, true) {
                        signals.exit();
                    }
                    if io::stderr().is_terminal() {
                        bar.clear();
                        complain("finishing what is in the works; once more to end at once");
                    }
                }
            }
        };
        let Maintenance { expired, compacted, flushed, unfinished, failures, .. } = piece;
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
    Err(Error::Internal("the storage says that there is more to do, and does none of it", None))
}

/// How many check files there are, if the storage can tell.
async fn files(storage: &dyn Storage) -> Result<Option<usize>, Error> {
    let Some(reader) = storage.reader() else { return Ok(None) };
    let names = reader.list(Timestamp::default()).await.map_err(Error::Read)?;
    Ok(Some(names.len()))
}

/// What was done, in a line or two; `None` if it is nothing.
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
    fn what_was_done_is_told_in_check_files() {
        let told = |done, before, after| describe(&done, before, after);
        let (before, after) = (Some(38_892), Some(104));
        assert_eq!(told(maintenance(0, 0, 0), before, after), None);
        assert_eq!(
            told(maintenance(12, 38_880, 0), before, after).unwrap(),
            "38,892 check files became 104; 12 expired\n"
        );
        assert_eq!(told(maintenance(12, 0, 0), before, after).unwrap(), "12 of 38,892 check files expired\n");
        assert_eq!(told(maintenance(1, 2, 0), None, None).unwrap(), "2 check files compacted; 1 expired\n");
        assert_eq!(told(maintenance(0, 0, 1), before, after).unwrap(), "1 report from the spool stored\n");
        assert_eq!(nothing(after), "nothing to do: 104 check files\n");
    }
}
