//! [`Failure`]: why an attempt failed.

use std::error::Error;
use std::fmt;
use std::io;

use crate::text::excerpt;
use crate::{Cause, ErrorChain};

/// How many characters of an answer a message shows.
const MAX_FOUND: usize = 100;

/// Why an attempt failed: a cause to match on, and a message for people, which never contains credentials.
///
/// ```
/// use checkup_core::{Cause, Failure};
///
/// let failure = Failure::assertion("response does not contain 'ok'");
/// assert_eq!(failure.cause(), Cause::Assertion);
/// assert_eq!(failure.to_string(), "response does not contain 'ok'");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    cause: Cause,
    message: String,
}

impl Failure {
    /// A failure with this cause.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }

    /// A failure because the answer is not what the check expects.
    pub fn assertion(message: impl Into<String>) -> Self {
        Self::new(Cause::Assertion, message)
    }

    /// A failure because the answer is not what was expected, in the form that this project's own messages have. Add what was
    /// [found](Self::found). The configuration's counterpart is [`ConfigError::expected`](crate::ConfigError::expected).
    ///
    /// ```
    /// use checkup_core::Failure;
    ///
    /// let failure = Failure::expected("a version").found("ERROR\r\n");
    /// assert_eq!(failure.message(), r#"expected a version, found "ERROR\r\n""#);
    /// assert_eq!(Failure::expected("PONG").found("").message(), "expected PONG, found nothing");
    /// ```
    pub fn expected(expected: impl fmt::Display) -> Self {
        Self::assertion(format!("expected {expected}"))
    }

    /// The same failure with the answer that was found: its first 100 characters on one line, with escapes for what could mislead.
    /// Redact what is secret first.
    #[must_use]
    pub fn found(mut self, answer: impl AsRef<[u8]>) -> Self {
        let answer = answer.as_ref();
        match answer.is_empty() {
            true => self.message.push_str(", found nothing"),
            false => self.message.push_str(&format!(", found \"{}\"", excerpt(answer, MAX_FOUND))),
        }
        self
    }

    /// A failure because the other side does not speak the protocol.
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(Cause::Protocol, message)
    }

    /// A failure with any other cause.
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(Cause::Other, message)
    }

    /// A failure with the message of an error and of all its sources. An error that already is a [`Failure`] is
    /// returned as it is.
    pub fn from_error(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = match error.into().downcast::<Failure>() {
            Ok(failure) => return *failure,
            Err(error) => error,
        };
        match error.downcast::<io::Error>() {
            Ok(error) => (*error).into(),
            Err(error) => {
                let cause = if has_own_trouble(error.as_ref()) { Cause::Monitor } else { Cause::Other };
                Self::new(cause, ErrorChain(error.as_ref()).to_string())
            }
        }
    }

    /// The cause.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The message, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Puts `context` in front of the message: `context: message`.
    #[must_use]
    pub fn context(self, context: impl fmt::Display) -> Self {
        Self { message: format!("{context}: {}", self.message), ..self }
    }

    pub(crate) fn into_parts(self) -> (Cause, String) {
        (self.cause, self.message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        if let Some(trouble) = own_trouble(&error) {
            return Self::new(Cause::Monitor, trouble);
        }
        let (cause, message) = match error.kind() {
            Kind::TimedOut => (Cause::Timeout, "timed out by the system".to_owned()),
            Kind::ConnectionRefused => (Cause::Refused, "connection refused".to_owned()),
            Kind::ConnectionReset => (Cause::Network, "connection reset by the other side".to_owned()),
            Kind::ConnectionAborted | Kind::BrokenPipe | Kind::NotConnected => {
                (Cause::Network, "connection closed by the other side".to_owned())
            }
            Kind::UnexpectedEof => (Cause::Network, "connection closed in the middle of an answer".to_owned()),
            Kind::HostUnreachable => (Cause::Network, "no route to the host".to_owned()),
            Kind::NetworkUnreachable | Kind::NetworkDown => (Cause::Network, "the network is unreachable".to_owned()),
            _ => (Cause::Other, ErrorChain(&error).to_string()),
        };
        Self::new(cause, message)
    }
}

/// Describes what is wrong with the monitor itself, if the error is not about the target: a system resource is
/// exhausted. Every checker's errors become failures here, so none of them blames the target.
fn own_trouble(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::OutOfMemory => return Some("this machine is out of memory"),
        io::ErrorKind::AddrNotAvailable => {
            return Some("this machine has no free local address or port for the connection");
        }
        _ => {}
    }
    let code = error.raw_os_error()?;
    let is_any = |codes: &[i32]| codes.contains(&code);
    if is_any(codes::TOO_MANY_FILES) {
        Some("the monitor has too many open files; raise its limit (`ulimit -n`), or lower `concurrent_checks`")
    } else if is_any(codes::TOO_MANY_FILES_OF_ALL) {
        Some("this machine has too many open files; raise its limit (on Linux `fs.file-max`)")
    } else if is_any(codes::NO_BUFFERS) {
        Some("this machine has no memory left for network connections")
    } else {
        None
    }
}

/// Whether an error, or one of its sources, is about the monitor itself.
fn has_own_trouble(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|error| own_trouble(error).is_some()) {
            return true;
        }
        // `source` of an `io::Error` skips the error inside it.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source());
    }
    false
}

#[cfg(unix)]
mod codes {
    pub(super) const TOO_MANY_FILES: &[i32] = &[libc::EMFILE];
    pub(super) const TOO_MANY_FILES_OF_ALL: &[i32] = &[libc::ENFILE];
    pub(super) const NO_BUFFERS: &[i32] = &[libc::ENOBUFS];
}

/// Error codes of Windows: `ERROR_TOO_MANY_OPEN_FILES` and `WSAEMFILE`, `WSAENOBUFS`.
#[cfg(not(unix))]
mod codes {
    pub(super) const TOO_MANY_FILES: &[i32] = &[4, 10024];
    pub(super) const TOO_MANY_FILES_OF_ALL: &[i32] = &[];
    pub(super) const NO_BUFFERS: &[i32] = &[10055];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn trouble_of_the_monitor_is_not_blamed_on_the_target() {
        for (code, words) in [
            (libc::EMFILE, "the monitor has too many open files"),
            (libc::ENFILE, "this machine has too many open files"),
            (libc::ENOMEM, "out of memory"),
            (libc::ENOBUFS, "no memory left for network connections"),
            (libc::EADDRNOTAVAIL, "no free local address or port"),
        ] {
            let failure = Failure::from(io::Error::from_raw_os_error(code));
            assert_eq!(failure.cause(), Cause::Monitor, "{failure}");
            assert!(failure.message().contains(words), "{failure}");
            // Wrapped the way that HTTP clients, resolvers and third parties do it.
            let wrapped = io::Error::other(io::Error::other(io::Error::from_raw_os_error(code)));
            assert_eq!(Failure::from_error(Wrapped(wrapped)).cause(), Cause::Monitor, "{code}");
        }
        for code in [libc::ECONNREFUSED, libc::EACCES, libc::ENOENT] {
            assert_ne!(Failure::from(io::Error::from_raw_os_error(code)).cause(), Cause::Monitor);
        }
        assert_eq!(Failure::from_error(Wrapped(io::Error::other("else"))).cause(), Cause::Other);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("cannot send the request")]
    struct Wrapped(#[source] io::Error);

    #[test]
    fn what_was_found_is_bounded_and_cannot_mislead() {
        let failure = Failure::expected("PONG").found("x".repeat(1000));
        assert_eq!(failure.message(), format!("expected PONG, found \"{}…\"", "x".repeat(100)));
        let failure = Failure::expected("PONG").found(b"\x1b[31m\n\xff");
        assert_eq!(failure.message(), r#"expected PONG, found "\u{1b}[31m\n\xff""#);
        assert_eq!(failure.cause(), Cause::Assertion);
    }

    #[test]
    fn an_error_keeps_its_cause_on_the_way_through_a_box() {
        let boxed: Box<dyn Error + Send + Sync> = Failure::new(Cause::Dns, "no such name").into();
        assert_eq!(Failure::from_error(boxed), Failure::new(Cause::Dns, "no such name"));
        let io = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(Failure::from_error(io).cause(), Cause::Refused);
        assert_eq!(Failure::from_error("plain text").message(), "plain text");
    }
}
