//! [`Check`]: a named checker and its policy, which defines how the engine runs it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize};

#[cfg(feature = "config")]
use crate::config::DurationSchema;
use crate::source::Source;
use crate::{Checker, ConfigError, ConfigProblems, Failure, Hidden, IntoChecker, Observation, Storage, duration};

/// A named, configured check: a [`Checker`], with its attempts, timeouts, thresholds and interval.
///
/// Invalid settings are all reported together when the [`Checkup`](crate::Checkup) is built.
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
    name: Box<str>,
    checker: Result<Arc<dyn Checker>, Box<ConfigError>>,
    /// Shared, because most checks in a file have the same policy.
    policy: Arc<Policy>,
    /// Replaces the endpoint that the checker gives. Few checks have one.
    endpoint: Option<Box<Endpoint>>,
    source: Option<Source>,
}

/// An endpoint that was set.
#[derive(Clone, Debug)]
struct Endpoint(Box<str>);

/// How the engine runs a check: the config keys common to all checks.
///
/// To add a key, add a field here, its default, and a setter on [`Check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct Policy {
    /// How many attempts a run makes, one after another; any that fails makes the check down. Default: 1.
    #[serde(deserialize_with = "zero_is_one")]
    #[cfg_attr(feature = "config", schemars(with = "u32"))]
    pub attempts: NonZeroU32,
    /// The pause between attempts. Default: 0.
    #[serde(with = "duration")]
    #[cfg_attr(feature = "config", schemars(with = "DurationSchema"))]
    pub attempt_spacing: Duration,
    /// The time limit of each attempt. Default: that of the type, usually 10 seconds.
    #[serde(serialize_with = "duration::option::serialize", deserialize_with = "zero_is_none")]
    #[cfg_attr(feature = "config", schemars(with = "Option<DurationSchema>"))]
    pub timeout: Option<Duration>,
    /// The check is degraded if the median round-trip time is longer. Default: 0 (never).
    #[serde(with = "duration")]
    #[cfg_attr(feature = "config", schemars(with = "DurationSchema"))]
    pub threshold_rtt: Duration,
    /// How often a failed attempt is repeated before it counts as failed. Default: 0.
    pub retries: u32,
    /// The pause before the first retry, doubled before each further retry, up to the timeout. Default: 1 second.
    #[serde(with = "duration")]
    #[cfg_attr(feature = "config", schemars(with = "DurationSchema"))]
    pub retry_spacing: Duration,
    /// The time from run to run in a monitor, more than 0. Default: that of the monitor.
    #[serde(with = "duration::option")]
    #[cfg_attr(feature = "config", schemars(with = "Option<DurationSchema>"))]
    pub interval: Option<Duration>,
    /// How many consecutive bad results begin an incident at a location, 1 or more. Default: 2, or 1 if results are ten minutes or more apart.
    pub failures: Option<NonZeroU32>,
    /// How many consecutive good results end an incident at a location, 1 or more. Default: 2, or 1 if results are ten minutes or more apart.
    pub successes: Option<NonZeroU32>,
    /// What views for the public leave out: `endpoint`, `reason`, `location`. Check files still have it. Default: none.
    pub hide: Vec<Hidden>,
    /// Tags for selecting checks (`readiness`, `team:search`). Default: none.
    pub tags: Vec<String>,
    /// The heading under which the check is shown. Default: none.
    pub group: Option<String>,
    /// The names of the checks that this one depends on. If one of them is down while this check is down,
    /// this check is *down because of* it and sends no separate notifications. Default: none.
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
            retry_spacing: Duration::from_secs(1),
            interval: None,
            failures: None,
            successes: None,
            hide: Vec::new(),
            tags: Vec::new(),
            group: None,
            depends_on: Vec::new(),
        }
    }
}

impl Policy {
    /// All invalid settings, each with its key.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        match self.interval {
            Some(Duration::ZERO) => Err(ConfigError::reason(
                "interval",
                "expected more than 0; leave it out for the interval of all checks",
            )),
            _ => Ok(()),
        }
    }

    fn shared_default() -> Arc<Self> {
        static DEFAULT: LazyLock<Arc<Policy>> = LazyLock::new(Arc::default);
        Arc::clone(&DEFAULT)
    }
}

/// Upstream writes zero for an unset duration.
fn zero_is_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    Ok(NonZeroU32::new(u32::deserialize(deserializer)?).unwrap_or(NonZeroU32::MIN))
}

fn zero_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(duration::option::deserialize(deserializer)?.filter(|duration| !duration.is_zero()))
}

impl Check {
    /// Makes a check from a [`Checker`], or from settings that become one.
    pub fn new(name: impl Into<String>, checker: impl IntoChecker) -> Self {
        Self {
            name: name.into().into(),
            checker: checker.into_checker().map_err(Box::new),
            policy: Policy::shared_default(),
            endpoint: None,
            source: None,
        }
    }

    /// A check that was read from a config file.
    #[cfg(feature = "config")]
    pub(crate) fn from_source(name: String, checker: Arc<dyn Checker>, policy: Arc<Policy>, source: Source) -> Self {
        Self { name: name.into(), checker: Ok(checker), policy, endpoint: None, source: Some(source) }
    }

    fn policy_mut(&mut self) -> &mut Policy {
        Arc::make_mut(&mut self.policy)
    }

    /// How many attempts a run makes, one after another; 0 means 1. Default: 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.policy_mut().attempts = NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN);
        self
    }

    /// The pause between attempts. Default: zero.
    #[must_use]
    pub fn attempt_spacing(mut self, spacing: Duration) -> Self {
        self.policy_mut().attempt_spacing = spacing;
        self
    }

    /// The time limit of each attempt. Zero means the default. Default: the checker's, usually 10 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy_mut().timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        self
    }

    /// The check is degraded if the median round-trip time is longer than this. Default: zero (never).
    #[must_use]
    pub fn threshold_rtt(mut self, threshold: Duration) -> Self {
        self.policy_mut().threshold_rtt = threshold;
        self
    }

    /// How often a failed attempt is repeated before it counts as failed. Default: 0.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.policy_mut().retries = retries;
        self
    }

    /// The pause before the first retry, doubled before each further retry, up to the timeout. Default: 1 second.
    #[must_use]
    pub fn retry_spacing(mut self, spacing: Duration) -> Self {
        self.policy_mut().retry_spacing = spacing;
        self
    }

    /// The time from run to run in a [`Monitor`](crate::Monitor), more than zero. Default: the monitor's.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.policy_mut().interval = Some(interval);
        self
    }

    /// Sets the endpoint that results show, instead of the one that the checker gives. Never credentials. Default: the checker's; for
    /// [`check_fn`], `function`.
    ///
    /// Use it to say what a closure checks, or to hide an internal address.
    ///
    /// ```
    /// use checkup_core::check_fn;
    ///
    /// let check = check_fn("database", || async { Ok::<_, std::io::Error>(()) }).endpoint("postgres main pool");
    /// assert_eq!(check.shown_endpoint(), "postgres main pool");
    /// ```
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(Box::new(Endpoint(endpoint.into().into())));
        self
    }

    /// How many consecutive bad results begin an incident at a location; 0 for the default: 2, or 1 if results are ten minutes or more apart.
    ///
    /// ```
    /// use checkup_core::check_fn;
    ///
    /// // A queue that is often full for a moment, and once it was, must be empty for a while to count as recovered.
    /// let check = check_fn("queue", || async { Ok::<_, std::io::Error>(()) }).failures(5).successes(10);
    /// assert_eq!(check.policy().failures.map(u32::from), Some(5));
    /// ```
    #[must_use]
    pub fn failures(mut self, count: u32) -> Self {
        self.policy_mut().failures = NonZeroU32::new(count);
        self
    }

    /// How many consecutive good results end an incident at a location; 0 for the default: 2, or 1 if results are ten minutes or more apart.
    #[must_use]
    pub fn successes(mut self, count: u32) -> Self {
        self.policy_mut().successes = NonZeroU32::new(count);
        self
    }

    /// Hides a fact of the check from its status page, API, feed, badges and metrics. Check files still have it.
    #[must_use]
    pub fn hide(mut self, fact: Hidden) -> Self {
        self.policy_mut().hide.push(fact);
        self
    }

    /// Adds a tag for selecting checks.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.policy_mut().tags.push(tag.into());
        self
    }

    /// The heading under which the check is shown.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.policy_mut().group = Some(group.into());
        self
    }

    /// Adds the name of a check that this one depends on: if both are down, this check is down because of that one.
    ///
    /// In a [`Monitor`](crate::Monitor) the latest result of that check counts, so give it an interval no longer than
    /// this one's.
    #[must_use]
    pub fn depends_on(mut self, name: impl Into<String>) -> Self {
        self.policy_mut().depends_on.push(name.into());
        self
    }

    /// Replaces the whole policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// The name. If the check has an empty name, this is the endpoint.
    pub fn name(&self) -> Cow<'_, str> {
        if self.name.is_empty() { self.shown_endpoint() } else { Cow::Borrowed(&*self.name) }
    }

    /// The name that was given, without calling the checker.
    pub(crate) fn given_name(&self) -> &str {
        &self.name
    }

    /// The endpoint in readable form, as results show it: the one that was [set](Self::endpoint), or that of the checker. Empty if the
    /// check's settings are invalid.
    pub fn shown_endpoint(&self) -> Cow<'_, str> {
        match &self.endpoint {
            Some(endpoint) => Cow::Borrowed(&endpoint.0),
            None => self.checker.as_ref().map_or(Cow::Borrowed(""), |checker| checker.endpoint()),
        }
    }

    #[cfg(feature = "config")]
    pub(crate) fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The check's `type` in its config file; `None` for a check that was made in code.
    pub fn type_name(&self) -> Option<&str> {
        self.source.as_ref().map(Source::type_name)
    }

    /// How the engine runs the check.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the check has this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.policy.tags.iter().any(|own| own == tag)
    }

    /// The checker.
    ///
    /// # Errors
    ///
    /// If its settings are invalid.
    pub fn checker(&self) -> Result<&Arc<dyn Checker>, &ConfigError> {
        self.checker.as_ref().map_err(AsRef::as_ref)
    }

    /// Gives the storage of the checkup to a checker that reads what is stored.
    pub(crate) fn use_storage(&mut self, storage: Option<&Arc<dyn Storage>>) -> Result<(), ConfigError> {
        if let Ok(checker) = &self.checker
            && let Some(checker) = checker.with_storage(storage)?
        {
            self.checker = Ok(checker);
        }
        Ok(())
    }

    /// Validates the check: returns all problems, each with its key.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = ConfigProblems::new();
        problems.take(self.checker.as_ref().map_err(|error| (**error).clone()));
        problems.take(self.policy.validate());
        problems.into_result()
    }
}

/// Makes a check from an async closure. `Ok` means healthy; `Err` means down, with the error's message and sources.
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
