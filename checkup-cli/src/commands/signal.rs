//! The signals that end or reload a long run.
//!
//! SIGINT and SIGTERM end it. SIGHUP has two meanings: the kernel and shells send it when the terminal of a process goes away, and
//! administrators send it so that a service reads its configuration again. A process that had a terminal when it started (as its
//! standard input, output or error) takes it for the former and ends; one without a terminal (a service, a container, `nohup` or
//! cron) takes it for the latter.

use std::process;

use crate::exit::Error;

#[cfg(unix)]
pub(super) use unix::Signals;

#[cfg(not(unix))]
pub(super) use other::Signals;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The end of the command.
    End,
    /// Reading the configuration again.
    Reload,
}

#[cfg(unix)]
mod unix {
    use std::io::{self, IsTerminal};

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::{Error, Request, process};

    /// SIGHUP, SIGINT and SIGTERM, from the moment this is created.
    pub(in super::super) struct Signals {
        hangup: Signal,
        interrupt: Signal,
        terminate: Signal,
        has_terminal: bool,
        /// The last one that arrived.
        last: i32,
    }

    impl Signals {
        pub(in super::super) fn new() -> Result<Self, Error> {
            let listen = |kind| signal(kind).map_err(|error| Error::because("cannot wait for signals", error));
            Ok(Self {
                hangup: listen(SignalKind::hangup())?,
                interrupt: listen(SignalKind::interrupt())?,
                terminate: listen(SignalKind::terminate())?,
                has_terminal: io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal(),
                last: 0,
            })
        }

        /// Waits for the next request. Cancel-safe.
        pub(in super::super) async fn next(&mut self) -> Request {
            let signal = tokio::select! {
                _ = self.hangup.recv() => SignalKind::hangup(),
                _ = self.interrupt.recv() => SignalKind::interrupt(),
                _ = self.terminate.recv() => SignalKind::terminate(),
            };
            self.last = signal.as_raw_value();
            if signal == SignalKind::hangup() && !self.has_terminal { Request::Reload } else { Request::End }
        }

        /// Waits for a request to end. One to reload is ignored. Cancel-safe.
        pub(in super::super) async fn end(&mut self) {
            while self.next().await != Request::End {}
        }

        /// Waits for any signal, for commands that have nothing to reload. Cancel-safe.
        pub(in super::super) async fn any(&mut self) {
            self.next().await;
        }

        /// Passes the last signal on to another process. The terminal sends an interrupt to both already.
        pub(in super::super) fn pass_on(&self, process: Option<u32>) {
            use rustix::process::{Pid, Signal, kill_process};

            let process = process.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            let signal = match SignalKind::from_raw(self.last) {
                kind if kind == SignalKind::hangup() => Signal::HUP,
                kind if kind == SignalKind::interrupt() && self.has_terminal => return,
                kind if kind == SignalKind::interrupt() => Signal::INT,
                _ => Signal::TERM,
            };
            // An error means that it has just ended.
            let _ = process.map(|process| kill_process(process, signal));
        }

        /// Ends the process with the code that shells give to the last signal: 128 plus its number.
        pub(in super::super) fn exit(&self) -> ! {
            process::exit(128 + self.last)
        }
    }
}

#[cfg(not(unix))]
mod other {
    use super::{Error, Request, process};
    use crate::exit_codes;

    /// Ctrl-C.
    pub(in super::super) struct Signals;

    impl Signals {
        pub(in super::super) fn new() -> Result<Self, Error> {
            Ok(Self)
        }

        /// Waits for the next Ctrl-C. Cancel-safe.
        pub(in super::super) async fn next(&mut self) -> Request {
            if tokio::signal::ctrl_c().await.is_err() {
                // Then the command can only be stopped by ending the process.
                std::future::pending::<()>().await;
            }
            Request::End
        }

        /// Waits for the next Ctrl-C. Cancel-safe.
        pub(in super::super) async fn end(&mut self) {
            self.next().await;
        }

        /// Waits for the next Ctrl-C. Cancel-safe.
        pub(in super::super) async fn any(&mut self) {
            self.next().await;
        }

        /// Does nothing: the console sends Ctrl-C to all of its processes.
        pub(in super::super) fn pass_on(&self, _process: Option<u32>) {}

        /// Ends the process as an interrupt would have.
        pub(in super::super) fn exit(&self) -> ! {
            process::exit(exit_codes::INTERRUPTED.into())
        }
    }
}
