//! Which phase an attempt is in, and how long each took.
//!
//! A task-local, not a parameter of [`Checker::attempt`](crate::Checker::attempt): phases are marked deep inside
//! (in a resolver, in a TLS session), most checkers have none, and when the engine cancels an attempt it
//! can still tell what the attempt was waiting for.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Phase, Phases};

tokio::task_local! {
    static TRACE: RefCell<Trace>;
}

#[derive(Debug, Default)]
pub(crate) struct Trace {
    current: Option<(Phase, Instant)>,
    phases: Phases,
    recorded: bool,
}

impl Trace {
    fn switch(&mut self, next: Option<Phase>) {
        let now = Instant::now();
        if let Some((phase, since)) = self.current.take() {
            let slot = self.phases.slot(phase);
            *slot = Some(slot.unwrap_or(Duration::ZERO) + now.duration_since(since));
            self.recorded = true;
        }
        self.current = next.map(|phase| (phase, now));
    }

    /// The phase that the attempt is in.
    pub(crate) fn current(&self) -> Option<Phase> {
        self.current.map(|(phase, _)| phase)
    }

    /// Ends the current phase and gives the times of all, if there were any.
    pub(crate) fn finish(mut self) -> Option<Box<Phases>> {
        self.switch(None);
        self.recorded.then(|| Box::new(self.phases))
    }
}

impl Phase {
    /// Begins this phase of the current attempt, and ends the one before. Outside an attempt (and in tasks that
    /// an attempt spawns) this does nothing.
    ///
    /// When the attempt times out, the failure says in which phase.
    pub fn begin(self) {
        switch(Some(self));
    }

    /// Ends the current phase without beginning another: what follows is the checker's own work.
    pub fn end() {
        switch(None);
    }

    /// What the attempt does in this phase, after "timed out".
    pub(crate) const fn activity(self) -> &'static str {
        match self {
            Phase::Dns => "resolving the name",
            Phase::Connect => "connecting",
            Phase::Tls => "in the TLS handshake",
            Phase::FirstByte => "waiting for the first byte of the answer",
            Phase::Transfer => "receiving the answer",
        }
    }
}

fn switch(next: Option<Phase>) {
    // An error means that no engine runs this: a checker that is called by itself.
    let _ = TRACE.try_with(|trace| trace.borrow_mut().switch(next));
}

/// Runs `future` with a trace of its own; take it out with `TaskLocalFuture::take_value`.
pub(crate) fn scope<F: Future>(future: F) -> tokio::task::futures::TaskLocalFuture<RefCell<Trace>, F> {
    TRACE.scope(RefCell::new(Trace::default()), future)
}
