//! [`Check`]: a named checker and the policy by which the engine runs it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Checker, ConfigError, Failure, IntoChecker, Observation};

/// What is wrong with an interval of zero.
pub(crate) const ZERO_INTERVAL: &str = "expected more than 0; leave it out for the interval of all checks";

/// A named, configured check: a [`Checker`] and when, how often and how long it is tried.
///
/// Settings that cannot work show when the [`Checkup`](crate::Checkup) is built, all at once.
///
/// ```
/// use std::time::Duration;
/// use checkup_core::check_fn;
///
/// let check = check_fn("queue", || async { Ok::<_, std::io::Error>(()) })
///     .attempts(3)
///     .attempt_spacing(Duration::from_millis(200))
///     .threshold_rtt(Duration::from_millis(50))
///     .timeout(Duration::from_secs(2))
///     .tag("readiness");
/// assert_eq!(check.name(), "queue");
/// ```
#[derive(Clone, Debug)]
pub struct Check {
    name: String,
    checker: Result<Arc<dyn Checker>, ConfigError>,
    policy: Policy,
    #[cfg(feature = "config")]
    pub(crate) settings: Option<crate::config::Settings>,
}

/// How the engine runs a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How many attempts a run makes, one after another. Any that fails makes the check down. Default 1.
    pub attempts: NonZeroU32,
    /// The pause between attempts. Default zero.
    pub attempt_spacing: Duration,
    /// The limit of each attempt; `None` for the checker's default. Every attempt has a limit. Default `None`.
    pub timeout: Option<Duration>,
    /// The check is degraded if the median round-trip time is longer than this; zero for never. Default zero.
    pub threshold_rtt: Duration,
    /// How often a failed attempt is repeated before it counts as failed. Default 0.
    pub retries: u32,
    /// The time from run to run in a [`Monitor`](crate::Monitor), more than zero; `None` for the monitor's. Default `None`.
    pub interval: Option<Duration>,
    /// What the check belongs to (`readiness`, `team:search`), to select by. Default none.
    pub tags: Vec<String>,
    /// Under which heading the check is shown. Default none.
    pub group: Option<String>,
    /// The names of the checks that this one cannot work without. While one of them is down, this one is
    /// *down because of* it, and nobody is told of it separately. Default none.
    pub depends_on: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN,
            attempt_spacing: Duration::ZERO,
            timeout: None,
            threshold_rtt: Duration::ZERO,
            retries: 0,
            interval: None,
            tags: Vec::new(),
            group: None,
            depends_on: Vec::new(),
        }
    }
}

impl Check {
    /// A check of a [`Checker`], or of settings that become one.
    pub fn new(name: impl Into<String>, checker: impl IntoChecker) -> Self {
        Self {
            name: name.into(),
            checker: checker.into_checker(),
            policy: Policy::default(),
            #[cfg(feature = "config")]
            settings: None,
        }
    }

    /// How many attempts a run makes, one after another; 0 counts as 1, as upstream. Default 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.policy.attempts = NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN);
        self
    }

    /// The pause between attempts. Default zero.
    #[must_use]
    pub fn attempt_spacing(mut self, spacing: Duration) -> Self {
        self.policy.attempt_spacing = spacing;
        self
    }

    /// The limit of each attempt. Default: the checker's, 10 seconds for most. Zero counts as not set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        self
    }

    /// The check is degraded if the median round-trip time is longer than this. Default zero: never.
    #[must_use]
    pub fn threshold_rtt(mut self, threshold: Duration) -> Self {
        self.policy.threshold_rtt = threshold;
        self
    }

    /// How often a failed attempt is repeated before it counts as failed. Default 0.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.policy.retries = retries;
        self
    }

    /// The time from run to run in a [`Monitor`](crate::Monitor), more than zero. Default: the monitor's.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.policy.interval = Some(interval);
        self
    }

    /// Adds a tag to select by.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.policy.tags.push(tag.into());
        self
    }

    /// Under which heading the check is shown.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.policy.group = Some(group.into());
        self
    }

    /// Adds the name of a check that this one cannot work without: while that is down, this one is down because of it.
    ///
    /// In a [`Monitor`](crate::Monitor) the latest result of that check counts, so give it an interval no longer than
    /// this one's.
    #[must_use]
    pub fn depends_on(mut self, name: impl Into<String>) -> Self {
        self.policy.depends_on.push(name.into());
        self
    }

    /// Replaces the whole policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The name; the endpoint if the check was given an empty one.
    pub fn name(&self) -> Cow<'_, str> {
        if self.name.is_empty() { self.endpoint() } else { Cow::Borrowed(&self.name) }
    }

    /// The name as it was given, which asks nothing of the checker.
    pub(crate) fn given_name(&self) -> &str {
        &self.name
    }

    /// What is checked, as people read it. Empty if the check's settings cannot work.
    pub fn endpoint(&self) -> Cow<'_, str> {
        self.checker.as_ref().map_or(Cow::Borrowed(""), |checker| checker.endpoint())
    }

    /// Its `type` in the config file that it comes from; `None` for a check that was made in code.
    pub fn type_name(&self) -> Option<&str> {
        #[cfg(feature = "config")]
        let name = self.settings.as_ref().map(crate::config::Settings::type_name);
        #[cfg(not(feature = "config"))]
        let name = None;
        name
    }

    /// How the engine runs it.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether it has this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.policy.tags.iter().any(|own| own == tag)
    }

    /// The checker.
    ///
    /// # Errors
    ///
    /// If its settings cannot work.
    pub fn checker(&self) -> Result<&Arc<dyn Checker>, &ConfigError> {
        self.checker.as_ref()
    }

    /// Whether it can run, with the problem's place named after the check if it cannot.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.checker.as_ref().map_err(Clone::clone)?;
        if self.policy.interval.is_some_and(|interval| interval.is_zero()) {
            return Err(ConfigError::invalid("interval", ZERO_INTERVAL));
        }
        Ok(())
    }
}

/// Makes a check of an async closure: `Ok` is healthy, `Err` is down with the error's message and sources.
///
/// The error may be anything that becomes a boxed error (text, `anyhow::Error`, any error type); a
/// [`Failure`] keeps its cause. The value may be `()` or an [`Observation`].
///
/// ```
/// use checkup_core::{Failure, Observation, check_fn};
///
/// async fn queue_depth() -> Result<u32, std::io::Error> { Ok(7) }
///
/// let check = check_fn("queue", || async {
///     match queue_depth().await? {
///         0..100 => Ok(Observation::new()),
///         100..1000 => Ok(Observation::new().degraded("the queue is long")),
///         depth => Err(Failure::assertion(format!("{depth} messages in the queue"))),
///     }
/// });
/// ```
pub fn check_fn<F, Fut, T, E>(name: impl Into<String>, function: F) -> Check
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Into<Observation> + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    Check::new(name, FnChecker(function))
}

/// The checker of a closure.
struct FnChecker<F>(F);

impl<F> fmt::Debug for FnChecker<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("check_fn")
    }
}

#[async_trait]
impl<F, Fut, T, E> Checker for FnChecker<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Into<Observation> + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed("function")
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        (self.0)().await.map(Into::into).map_err(Failure::from_error)
    }
}
