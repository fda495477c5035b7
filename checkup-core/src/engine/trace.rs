//! Which phase an attempt is in, and how long each took.
//!
//! It is task-local instead of a parameter of [`Checker::attempt`](crate::Checker::attempt), because phases are marked deep
//! inside (in a resolver, in a TLS session), and most checkers have no phases. When the engine cancels an attempt, the trace
//! still knows what the attempt was waiting for.

use std::cell::RefCell;

use tokio::time::Instant;

use crate::{Phase, Phases};

tokio::task_local! {
    static TRACE: RefCell<Trace>;
}

#[derive(Debug, Default)]
pub(crate) struct Trace {
    current: Option<(Phase, Instant)>,
    /// What the attempt has seen in this phase.
    note: Option<String>,
    phases: Phases,
}

impl Trace {
    fn switch(&mut self, next: Option<Phase>) {
        if self.current.is_none() && next.is_none() {
            return;
        }
        let now = Instant::now();
        if let Some((phase, since)) = self.current.take() {
            self.phases.add(phase, now.duration_since(since));
        }
        self.current = next.map(|phase| (phase, now));
        self.note = None;
    }

    /// What the attempt was doing, to follow "timed out after 1s". Empty if it is not known.
    pub(crate) fn activity(&self) -> String {
        let phase = self.current.map_or(String::new(), |(phase, _)| format!(" {}", phase.activity()));
        self.note.as_ref().map_or(phase.clone(), |note| format!("{phase}: {note}"))
    }

    /// Ends the current phase and gives the times of all.
    pub(crate) fn finish(mut self) -> Phases {
        self.switch(None);
        self.phases
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

    /// Notes what the attempt has seen so far in the current phase, for the failure if it times out there:
    /// `timed out after 1s receiving the answer: it does not contain 'PONG' (got 'LOADING')`.
    ///
    /// Replaces the note before; the next phase begins without one. As in all failures: no credentials, and what
    /// the endpoint sent is shortened and escaped.
    pub fn note(text: impl Into<String>) {
        let _ = TRACE.try_with(|trace| trace.borrow_mut().note = Some(text.into()));
    }

    /// What the attempt does in this phase, after "timed out".
    const fn activity(self) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_note_lasts_as_long_as_its_phase() {
        let activity = || TRACE.with(|trace| trace.borrow().activity());
        scope(async {
            assert_eq!(activity(), "");
            Phase::Transfer.begin();
            assert_eq!(activity(), " receiving the answer");
            Phase::note("10 bytes");
            Phase::note("20 bytes");
            assert_eq!(activity(), " receiving the answer: 20 bytes");
            Phase::Tls.begin();
            assert_eq!(activity(), " in the TLS handshake");
        })
        .await;
    }
}
