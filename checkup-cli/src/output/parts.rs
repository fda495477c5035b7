//! [`Parts`]: a text that is printed while it is made.

use std::io;

/// How long a part is, at least: enough to print rarely.
const PART: usize = 32 << 10;

/// A text that is printed in parts, since a report may have a hundred thousand lines. Write to its [`text`](Self::text), and call
/// [`print_if_long`](Self::print_if_long) from time to time.
pub(crate) struct Parts<'a> {
    /// What is not printed yet.
    pub(crate) text: String,
    print: &'a mut dyn FnMut(&str) -> io::Result<()>,
}

impl<'a> Parts<'a> {
    /// No text yet.
    pub(crate) fn new(print: &'a mut dyn FnMut(&str) -> io::Result<()>) -> Self {
        Self { text: String::new(), print }
    }

    /// Prints what there is, if it is long enough.
    pub(crate) fn print_if_long(&mut self) -> io::Result<()> {
        if self.text.len() < PART {
            return Ok(());
        }
        (self.print)(&self.text)?;
        self.text.clear();
        Ok(())
    }

    /// Prints the rest.
    pub(crate) fn finish(self) -> io::Result<()> {
        (self.print)(&self.text)
    }
}
