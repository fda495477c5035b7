//! [`Stdout`]: standard output, for data.

use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;

use crate::args::Color;

/// Standard output. It knows whether it is a terminal, strips colours where they are not wanted, and does not treat it as an error if the
/// reader closes it early (`checkup | head -1`).
#[derive(Debug)]
pub(crate) struct Stdout {
    stream: AutoStream<io::Stdout>,
    terminal: bool,
    closed: bool,
}

impl Stdout {
    /// Standard output, with colours as `color` says; by default the conventions of `NO_COLOR`, `CLICOLOR` and
    /// `CLICOLOR_FORCE` decide.
    pub(crate) fn new(color: Color) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self { stream: AutoStream::new(stdout, color.into()), terminal, closed: false }
    }

    /// Whether it is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The number of columns of the terminal; `None` if it is not a terminal, or if the number is unknown.
    pub(crate) fn width(&self) -> Option<usize> {
        let (_, columns) = self.terminal.then(|| console::Term::stdout().size_checked())??;
        // Some terminals report nonsense, such as zero columns.
        Some(usize::from(columns)).filter(|columns| *columns >= 20)
    }

    /// Whether the reader has gone away.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes all of `text`, and flushes it.
    pub(crate) fn print(&mut self, text: &str) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe || self.is_hung_up(&error) => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }

    /// Whether the terminal has been closed. Writing to it is an I/O error then.
    fn is_hung_up(&self, error: &io::Error) -> bool {
        const EIO: i32 = 5;
        cfg!(unix) && self.terminal && error.raw_os_error() == Some(EIO)
    }
}
