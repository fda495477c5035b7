//! [`ErrorChain`]: an error and its sources on one line.

use std::error::Error;
use std::fmt;

/// Displays an error and all of its sources, each once: `outer: inner: innermost`.
///
/// A source whose message the text already ends with is left out, since many errors repeat their source.
///
/// ```
/// use checkup_core::{ErrorChain, StorageError};
///
/// let error = StorageError::new("cannot list the bucket").with_source(std::io::Error::other("no route to the host"));
/// assert_eq!(ErrorChain(&error).to_string(), "cannot list the bucket: no route to the host");
/// ```
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a wrapper, complete as it is")]
pub struct ErrorChain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut source = self.0.source();
        while let Some(inner) = source {
            let message = inner.to_string();
            if !last.ends_with(&message) {
                write!(f, ": {message}")?;
                last = message;
            }
            source = inner.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Outer {
        text: &'static str,
        #[source]
        source: io::Error,
    }

    #[test]
    fn each_message_appears_once() {
        let chain = |text| ErrorChain(&Outer { text, source: io::Error::other("bit rot") }).to_string();
        assert_eq!(chain("cannot read the answer"), "cannot read the answer: bit rot");
        assert_eq!(chain("cannot read the answer: bit rot"), "cannot read the answer: bit rot");
    }
}
