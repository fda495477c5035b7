//! How it went to store and to tell of the runs of a monitor.

use checkup_core::{Checkup, Run, StorageErrorKind};

use crate::exit::{Error, chain, complain};
use crate::spool::Backlog;

/// Tells what went wrong, run by run, and remembers how it went the last time.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    quiet: bool,
    /// What waits in the spool.
    backlog: Backlog<'a>,
    /// How it went to store the last report.
    last: Result<(), Error>,
}

impl<'a> Outcome<'a> {
    /// Before the first run.
    pub(super) async fn new(checkup: &'a Checkup, quiet: bool) -> Self {
        Self { quiet, backlog: Backlog::new(checkup).await, last: Ok(()) }
    }

    /// Takes in a run.
    pub(super) async fn take(&mut self, run: &Run) {
        self.last = match &run.stored {
            Some(Err(error)) if error.kind() == StorageErrorKind::Spooled => {
                complain(&format!("the report is not stored yet: {}", chain(error)));
                Err(Error::LastSpooled)
            }
            Some(Err(error)) => {
                complain(&format!("the report may not be stored: {}", chain(error)));
                Err(Error::LastReport)
            }
            Some(Ok(())) | None => Ok(()),
        };
        self.backlog.update(self.last.is_ok(), !self.quiet).await;
        for error in &run.notify_errors {
            complain(&format!("a notification may not be delivered: {}", chain(error)));
        }
    }

    /// How it went to store the last report.
    pub(super) fn last(self) -> Result<(), Error> {
        self.last
    }
}
