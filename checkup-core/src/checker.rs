//! [`Checker`]: what is checked, and what one try of it yields.

mod failure;
mod observation;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use failure::Failure;
pub use observation::Observation;

use crate::ConfigError;

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
