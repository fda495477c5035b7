//! Reports what goes wrong with the runs of a monitor.

use checkup_core::{Checkup, ErrorChain, Run, StorageErrorKind};

use crate::exit::Error;
use crate::output::stderr::complain;
use crate::spool::Backlog;

/// Reports failed stores and notifications run by run, and remembers how the last store went.
#[derive(Debug)]
pub(super) struct Outcome {
    quiet: bool,
    /// What is in the spool.
    backlog: Backlog,
    /// How the store of the last report went.
    last: Result<(), Error>,
}

impl Outcome {
    /// Before the first run.
    pub(super) async fn new(checkup: &Checkup, quiet: bool) -> Self {
        Self { quiet, backlog: Backlog::new(checkup).await, last: Ok(()) }
    }

    /// Continues with another configuration.
    pub(super) async fn reload(&mut self, checkup: &Checkup) {
        self.backlog = Backlog::new(checkup).await;
    }

    /// Takes in a run. Cancel-safe.
    pub(super) async fn take(&mut self, run: &Run) {
        self.last = match &run.stored {
            Some(Err(error)) if error.kind() == StorageErrorKind::Spooled => {
                complain(&format!("the report is not stored yet: {}", ErrorChain(error)));
                Err(Error::Spooled { what: "the last report is not stored yet: it is in the spool", source: None })
            }
            Some(Err(error)) => {
                complain(&format!("could not confirm that the report was stored: {}", ErrorChain(error)));
                Err(Error::failed("could not confirm that the last report was stored"))
            }
            Some(Ok(())) | None => Ok(()),
        };
        for error in &run.notify_errors {
            complain(&format!("could not confirm that a notification was delivered: {}", ErrorChain(error)));
        }
        // Last, so that a cancellation loses nothing else; the next run makes up for it.
        self.backlog.update(self.last.is_ok(), !self.quiet).await;
    }

    /// How the store of the last report went.
    pub(super) fn last(self) -> Result<(), Error> {
        self.last
    }
}
