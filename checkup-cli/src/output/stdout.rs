use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;

use crate::args::Color;

/// Standard output: knows whether it is a terminal, takes colours out where nobody wants them, and takes a reader
/// that has gone away (`checkup | head -1`) for one that has seen enough.
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

    /// Whether people look at it directly.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// How many columns the terminal has; `None` if it is no terminal, or does not tell.
    pub(crate) fn width(&self) -> Option<usize> {
        let (_, columns) = self.terminal.then(|| console::Term::stdout().size_checked())??;
        // A terminal of a few columns tells nonsense.
        Some(usize::from(columns)).filter(|columns| *columns >= 20)
    }

    /// Whether the reader has gone away.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes all of `text` at once.
    pub(crate) fn print(&mut self, text: &str) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}
