//! [`Checker`]: what is checked, and what one try of it yields.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Cause, ConfigError};

/// The timeout of an attempt where neither the check nor its checker has another: 10 seconds, upstream's.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Tries once whether something works. Repeating, timing, timeouts, thresholds and the verdict are the engine's.
///
/// # Contract
///
/// For whoever implements it:
/// - [`attempt`](Self::attempt) makes one try and does not repeat it.
/// - It may be cancelled (dropped) at any `.await`, because the engine owns the timeout. Whatever it opened, it closes on drop.
/// - It may be called again at any time, also concurrently with itself; one attempt leaves nothing behind that changes the next.
/// - It does not block the thread: blocking work goes through `tokio::task::spawn_blocking`.
/// - It reads and keeps no more of an answer than it needs; a hostile endpoint cannot make it use unbounded memory.
/// - What it returns is shown to people and stored: no credentials in endpoints, failures or notices.
///
/// For whoever calls it: a panic may come out of an attempt; the engine turns it into a failed attempt.
///
/// # Example
///
/// A checker of one's own. With `serde` derives it is a `type` in config files too: see `Registry`.
///
/// ```
/// use std::borrow::Cow;
/// use std::path::PathBuf;
/// use checkup_core::{Check, Checker, Failure, Observation, async_trait};
///
/// /// A file must exist.
/// #[derive(Debug)]
/// struct FileExists {
///     path: PathBuf,
/// }
///
/// #[async_trait]
/// impl Checker for FileExists {
///     fn endpoint(&self) -> Cow<'_, str> {
///         self.path.to_string_lossy()
///     }
///
///     async fn attempt(&self) -> Result<Observation, Failure> {
///         match self.path.try_exists()? {
///             true => Ok(Observation::new()),
///             false => Err(Failure::assertion("the file is missing")),
///         }
///     }
/// }
///
/// let check = Check::new("lock file", FileExists { path: "/run/app.lock".into() });
/// assert_eq!(check.endpoint(), "/run/app.lock");
/// ```
#[async_trait]
pub trait Checker: fmt::Debug + Send + Sync + 'static {
    /// What is checked, as people read it: a URL, a `host:port`, a path. Never credentials.
    fn endpoint(&self) -> Cow<'_, str>;

    /// Tries once, now.
    ///
    /// # Errors
    ///
    /// A [`Failure`] with its cause if what is checked does not work.
    async fn attempt(&self) -> Result<Observation, Failure>;

    /// How long an attempt may take unless the check says otherwise.
    fn default_timeout(&self) -> Duration {
        DEFAULT_TIMEOUT
    }
}

/// What a [`Check`](crate::Check) can be made of: any [`Checker`], or settings that become one.
///
/// Every checker is one. Implement this for settings that must be parsed or verified first, once, and put
/// the parsed form into the checker.
///
/// # Contract
///
/// For whoever implements it: refuse settings that cannot work, with [`ConfigError::invalid`] naming the key;
/// do no I/O on the network, and load nothing that the first attempt could load.
///
/// # Example
///
/// ```
/// use std::borrow::Cow;
/// use std::sync::Arc;
/// use checkup_core::{Check, Checker, Checkup, ConfigError, Failure, IntoChecker, Observation, async_trait};
///
/// /// The settings, as people write them.
/// struct Port {
///     port: String,
/// }
///
/// /// The same, parsed.
/// #[derive(Debug)]
/// struct PortIsTaken(u16);
///
/// impl IntoChecker for Port {
///     fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
///         let expected = |_| ConfigError::invalid("port", format!("expected a number up to 65535, found {:?}", self.port));
///         Ok(Arc::new(PortIsTaken(self.port.parse().map_err(expected)?)))
///     }
/// }
///
/// #[async_trait]
/// impl Checker for PortIsTaken {
///     fn endpoint(&self) -> Cow<'_, str> {
///         format!("port {}", self.0).into()
///     }
///
///     async fn attempt(&self) -> Result<Observation, Failure> {
///         match std::net::TcpListener::bind(("127.0.0.1", self.0)) {
///             Ok(_) => Err(Failure::assertion("nobody listens")),
///             Err(_) => Ok(Observation::new()),
///         }
///     }
/// }
///
/// let error = Checkup::builder().check(Check::new("shop", Port { port: "http".into() })).build().unwrap_err();
/// assert_eq!(error.to_string(), "checkers[0].port: expected a number up to 65535, found \"http\"");
/// ```
pub trait IntoChecker {
    /// The checker with these settings.
    ///
    /// # Errors
    ///
    /// If the settings cannot work, with the key and the remedy.
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError>;
}

impl<T: Checker> IntoChecker for T {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        Ok(Arc::new(self))
    }
}

// A method that the trait gains later must not fall back to its default here.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Checker for Arc<dyn Checker> {
    fn endpoint(&self) -> Cow<'_, str> {
        self.as_ref().endpoint()
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        self.as_ref().attempt().await
    }

    fn default_timeout(&self) -> Duration {
        self.as_ref().default_timeout()
    }
}

/// What a successful attempt saw.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::Observation;
///
/// let plain = Observation::new();
/// let timed = Observation::new().rtt(Duration::from_millis(12));
/// let noticed = Observation::new().degraded("certificate expiring soon (72h0m0s)");
/// # let _ = (plain, timed, noticed);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// The round-trip time that the checker measured itself, when set-up must not count.
    /// `None`: the time of the whole attempt, which the engine measures.
    pub rtt: Option<Duration>,
    /// Why the check is degraded although the attempt succeeded.
    pub notice: Option<String>,
}

impl Observation {
    /// It works, and there is nothing more to say.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the time that the engine measures.
    #[must_use]
    pub fn rtt(mut self, rtt: Duration) -> Self {
        self.rtt = Some(rtt);
        self
    }

    /// Makes the check degraded, for this reason.
    #[must_use]
    pub fn degraded(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }
}

impl From<()> for Observation {
    fn from((): ()) -> Self {
        Self::new()
    }
}

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
            Err(error) => Self::other(chain(error.as_ref())),
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
            _ => (Cause::Other, chain(&error)),
        };
        Self::new(cause, message)
    }
}

/// The message of an error and its sources, each once: `outer: inner: innermost`.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let message = inner.to_string();
        // Many errors repeat their source in their own text.
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = inner.source();
    }
    text
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

    #[test]
    fn the_chain_of_sources_is_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read the answer")]
        struct Outer(#[source] io::Error);
        let failure = Failure::from_error(Outer(io::Error::other("bit rot")));
        assert_eq!(failure.message(), "cannot read the answer: bit rot");
    }
}
