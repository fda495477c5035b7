//! [`Checker`]: what is checked, and how to try it once.

mod failure;
mod observation;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use failure::Failure;
pub use observation::Observation;

use crate::{ConfigError, Storage};

/// The timeout of an attempt if neither the check nor its checker sets another: 10 seconds, as in the original Checkup.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Tries once whether something works. The engine does the rest: repetition, timing, timeouts, thresholds and the
/// verdict.
///
/// # Contract
///
/// For implementors:
/// - [`attempt`](Self::attempt) tries once and does not retry.
/// - It may be cancelled (dropped) at any `.await`, because the engine applies the timeout. Dropping it closes
///   everything that it opened.
/// - It may be called again at any time, even while another call is running. An attempt leaves nothing behind that
///   affects the next.
/// - It does not block the thread: blocking work goes through `tokio::task::spawn_blocking`.
/// - It reads and keeps no more of an answer than it needs, so a hostile endpoint cannot make it use unbounded memory.
/// - What it returns is shown to people and stored: no credentials in endpoints, failures or notices.
///
/// For callers: an attempt may panic. The engine turns the panic into a failed attempt.
///
/// # Example
///
/// A custom checker. If it also derives the `serde` traits, config files can use it as a `type`: see `Registry`.
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
/// assert_eq!(check.shown_endpoint(), "/run/app.lock");
/// ```
#[async_trait]
pub trait Checker: Any + fmt::Debug + Send + Sync {
    /// What is checked, in a form for people: a URL, a `host:port`, a path. Never credentials.
    fn endpoint(&self) -> Cow<'_, str>;

    /// Tries once, now.
    ///
    /// # Errors
    ///
    /// A [`Failure`] with its cause if the target does not work.
    async fn attempt(&self) -> Result<Observation, Failure>;

    /// How long an attempt may take if the check does not set a timeout.
    fn default_timeout(&self) -> Duration {
        DEFAULT_TIMEOUT
    }

    /// The same checker for a checkup with this storage, or with none. The builder of a checkup calls it once for each check. Checkers that
    /// read what is stored override it and keep the storage. Default: `None`, since other checkers need no storage.
    ///
    /// # Errors
    ///
    /// If the checker needs a storage, or a storage that can do more.
    fn with_storage(&self, storage: Option<&Arc<dyn Storage>>) -> Result<Option<Arc<dyn Checker>>, ConfigError> {
        let _ = storage;
        Ok(None)
    }
}

/// Anything that a [`Check`](crate::Check) can be made of: any [`Checker`], or settings that a checker can be made
/// from.
///
/// Every checker implements it. Implement it for settings that must be parsed or validated once, and keep the parsed
/// form in the checker.
///
/// # Contract
///
/// For implementors: refuse invalid settings with [`ConfigError::invalid`], which names the key. Do no I/O on the
/// network, and load nothing that the first attempt could load.
///
/// # Example
///
/// ```
/// use std::borrow::Cow;
/// use std::sync::Arc;
/// use checkup_core::{Check, Checker, Checkup, ConfigError, Failure, IntoChecker, Observation, async_trait};
///
/// /// The settings, as they are written in a config file.
/// struct Port {
///     port: String,
/// }
///
/// /// The parsed settings.
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
///             Ok(_) => Err(Failure::assertion("nothing listens there")),
///             Err(_) => Ok(Observation::new()),
///         }
///     }
/// }
///
/// let error = Checkup::builder().check(Check::new("shop", Port { port: "http".into() })).build().unwrap_err();
/// assert_eq!(error.to_string(), "checkers[0].port: expected a number up to 65535, found \"http\"");
/// ```
pub trait IntoChecker {
    /// Makes the checker.
    ///
    /// # Errors
    ///
    /// If the settings are invalid, with the key and the remedy.
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError>;
}

impl<T: Checker> IntoChecker for T {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        Ok(Arc::new(self))
    }
}

// A method that is added to the trait later must be forwarded too.
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

    fn with_storage(&self, storage: Option<&Arc<dyn Storage>>) -> Result<Option<Arc<dyn Checker>>, ConfigError> {
        self.as_ref().with_storage(storage)
    }
}
