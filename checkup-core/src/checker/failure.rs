//! [`Failure`]: why an attempt failed.

use std::error::Error;
use std::fmt;
use std::io;

use crate::{Cause, ErrorChain};

/// Why an attempt failed: a cause to match on, and a message for people, which never holds credentials.
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
    /// A failure of this cause.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }

    /// The answer is not what the check expects.
    pub fn assertion(message: impl Into<String>) -> Self {
        Self::new(Cause::Assertion, message)
    }

    /// The other side does not speak the protocol.
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(Cause::Protocol, message)
    }

    /// A failure of no listed cause.
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(Cause::Other, message)
    }

    /// A failure with the message of an error and of all its sources, unless it is a [`Failure`] already.
    pub fn from_error(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = match error.into().downcast::<Failure>() {
            Ok(failure) => return *failure,
            Err(error) => error,
        };
        match error.downcast::<io::Error>() {
            Ok(error) => (*error).into(),
            Err(error) => Self::other(ErrorChain(error.as_ref()).to_string()),
        }
    }

    /// What kind of failure it is.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The message, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same failure with `context` in front of its message: `context: message`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_cause_on_the_way_through_a_box() {
        let boxed: Box<dyn Error + Send + Sync> = Failure::new(Cause::Dns, "no such name").into();
        assert_eq!(Failure::from_error(boxed), Failure::new(Cause::Dns, "no such name"));
        let io = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(Failure::from_error(io).cause(), Cause::Refused);
        assert_eq!(Failure::from_error("plain text").message(), "plain text");
    }
}
