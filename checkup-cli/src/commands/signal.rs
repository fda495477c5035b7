//! The signals that end a long run.

use std::process;

use crate::exit::Error;

#[cfg(unix)]
pub(super) use unix::Signals;

#[cfg(not(unix))]
pub(super) use other::Signals;

#[cfg(unix)]
mod unix {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::{Error, process};

    /// SIGINT and SIGTERM, from when this was made on.
    pub(in super::super) struct Signals {
        interrupt: Signal,
        terminate: Signal,
        last: i32,
    }

    impl Signals {
        pub(in super::super) fn new() -> Result<Self, Error> {
            let listen = |kind| signal(kind).map_err(|error| Error::Internal("cannot wait for signals", Some(error)));
            Ok(Self {
                interrupt: listen(SignalKind::interrupt())?,
                terminate: listen(SignalKind::terminate())?,
                last: 0,
            })
        }

        /// Waits for the next signal. Cancel-safe.
        pub(in super::super) async fn next(&mut self) {
            self.last = tokio::select! {
                _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
                _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            };
        }

        /// Ends the process as the last signal would have: shells know the code as 128 and its number.
        pub(in super::super) fn exit(&self) -> ! {
            process::exit(128 + self.last)
        }
    }
}

#[cfg(not(unix))]
mod other {
    use super::{Error, process};

    /// Ctrl-C.
    pub(in super::super) struct Signals;

    impl Signals {
        pub(in super::super) fn new() -> Result<Self, Error> {
            Ok(Self)
        }

        /// Waits for the next Ctrl-C. Cancel-safe.
        pub(in super::super) async fn next(&mut self) {
            if tokio::signal::ctrl_c().await.is_err() {
                // Nobody can ask for an end then, but for the end of the process.
                std::future::pending::<()>().await;
            }
        }

        /// Ends the process as an interrupt would have.
        pub(in super::super) fn exit(&self) -> ! {
            process::exit(130)
        }
    }
}
