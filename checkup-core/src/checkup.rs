//! [`Checkup`]: the checks, where their results go, and who is told.

mod dependencies;
mod shard;
mod wait;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use dependencies::Dependencies;
pub use shard::{Shard, ShardError};
pub use wait::{NotHealthy, Wait};

use crate::ConfigProblems;
use crate::engine::{self, Context};
use crate::spool::Spooled;
use crate::{
    Check, ConfigError, IntoNotifier, IntoStorage, Notification, Notifier, NotifyError, Progress, Quorum, Report,
    Spool, Storage, StorageError, StorageErrorKind, Timestamp,
};

/// How many checks run at once unless set otherwise: hundreds of endpoints take one round, and the connections
/// fit the usual limit of 1,024 open files.
pub const DEFAULT_CONCURRENT_CHECKS: usize = 256;

/// The most checks that may run at once.
const MAX_CONCURRENT_CHECKS: usize = 100_000;

/// How many characters a location may have. File names have all of it then.
const MAX_LOCATION: usize = 64;

/// How long a store, a maintenance or a notification may take, whatever limits its implementation has.
const SINK_TIMEOUT: Duration = Duration::from_secs(60);

/// Health checks that run together, where their results are stored, and who is told of changes.
///
/// Cloning is cheap; clones share the bound on concurrent checks.
///
/// Embedded in a service, or in a test:
///
/// ```
/// use std::time::Duration;
/// use checkup_core::{Checkup, check_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let checkup = Checkup::builder()
///     .check(check_fn("database", || async { Ok::<_, std::io::Error>(()) }).tag("readiness"))
///     .build()?;
///
/// let report = checkup.check().await;
/// report.assert_healthy();
///
/// // Or, while a service starts:
/// checkup.wait_until_healthy(Duration::from_secs(10)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Checkup {
    checks: Arc<[Arc<Check>]>,
    storage: Option<Arc<dyn Storage>>,
    spool: Option<Spool>,
    notifiers: Arc<[Arc<dyn Notifier>]>,
    context: Context,
    shard: Option<Shard>,
    /// The checks that these are a share of.
    whole: Option<(Arc<[Arc<Check>]>, Dependencies)>,
    quorum: Quorum,
    #[cfg(feature = "config")]
    pub(crate) settings: crate::config::RootSettings,
}

impl Checkup {
    /// Begins a checkup with no checks.
    pub fn builder() -> CheckupBuilder {
        CheckupBuilder::default()
    }

    /// The checks, in order.
    pub fn checks(&self) -> impl ExactSizeIterator<Item = &Check> {
        self.checks.iter().map(AsRef::as_ref)
    }

    /// Where reports are stored: with its spool before it, if there is one.
    pub fn storage(&self) -> Option<&Arc<dyn Storage>> {
        self.storage.as_ref()
    }

    /// Where reports wait while the storage cannot be reached.
    pub fn spool(&self) -> Option<&Spool> {
        self.spool.as_ref()
    }

    /// The same checkup with this spool, unless it has one, its config file says `"spool": false`, or it stores nowhere. It is for
    /// programs that read other people's config files, as the command line.
    #[must_use]
    pub fn with_default_spool(mut self, spool: Spool) -> Self {
        #[cfg(feature = "config")]
        let is_refused = self.settings.spool.is_some();
        #[cfg(not(feature = "config"))]
        let is_refused = false;
        if let Some(storage) = self.storage.take_if(|_| self.spool.is_none() && !is_refused) {
            self.storage = Some(Arc::new(Spooled::new(storage, spool.clone())));
            self.spool = Some(spool);
        }
        self
    }

    /// The `type` of the storage in the config file; `None` without a storage, or for one that was made in code.
    pub fn storage_type(&self) -> Option<&str> {
        #[cfg(feature = "config")]
        let name = self.settings.storage.as_ref().map(crate::config::Settings::type_name);
        #[cfg(not(feature = "config"))]
        let name = None;
        name
    }

    /// Which share of the checks these are, if they are not all.
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// The same checkup with only those checks that are in this shard, instead of another that it has.
    #[must_use]
    pub fn with_shard(&self, shard: Shard) -> Self {
        let mut whole = self.clone();
        if let Some((checks, dependencies)) = whole.whole.take() {
            (whole.checks, whole.context.dependencies) = (checks, dependencies);
        }
        let mut part = whole.only(|check| shard.contains(&check.name()));
        part.shard = Some(shard);
        part.whole = Some((whole.checks, whole.context.dependencies));
        #[cfg(feature = "config")]
        {
            part.settings.shard = Some(shard);
        }
        part
    }

    /// How many locations must say that a check is down, for [verdicts](crate::Verdict) over them.
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// Who is told of changes.
    pub fn notifiers(&self) -> &[Arc<dyn Notifier>] {
        &self.notifiers
    }

    /// How many checks run at once.
    pub fn concurrent_checks(&self) -> usize {
        self.context.concurrent_checks
    }

    /// The same checkup with another limit on concurrent checks, at least 1. It shares the limit with its clones only.
    #[must_use]
    pub fn with_concurrent_checks(&self, count: usize) -> Self {
        let mut bounded = self.clone();
        bounded.context.concurrent_checks = count.clamp(1, MAX_CONCURRENT_CHECKS);
        bounded.context.limit = Arc::new(Semaphore::new(bounded.context.concurrent_checks));
        bounded
    }

    /// Where this node is, which every result says.
    pub fn location(&self) -> Option<&str> {
        self.context.location.as_deref()
    }

    /// The same checkup at another location, which every result then says; empty for none.
    #[must_use]
    pub fn with_location(&self, location: &str) -> Self {
        let location = Some(location).filter(|location| !location.is_empty());
        let mut moved = self.clone();
        moved.context.location = location.map(Into::into);
        #[cfg(feature = "config")]
        {
            moved.settings.location = location.map(str::to_owned);
        }
        moved
    }

    /// The same checkup with only those checks that `keep` keeps.
    #[must_use]
    pub fn only(&self, mut keep: impl FnMut(&Check) -> bool) -> Self {
        let places: Vec<_> = (0..self.checks.len()).filter(|place| keep(&self.checks[*place])).collect();
        self.at(&places)
    }

    /// The same checkup with the checks at these places.
    pub(crate) fn at(&self, places: &[usize]) -> Self {
        let mut part = self.clone();
        part.whole = None;
        part.checks = places.iter().map(|place| Arc::clone(&self.checks[*place])).collect();
        part.context.dependencies = self.context.dependencies.at(places);
        part
    }

    pub(crate) fn dependencies(&self) -> &Dependencies {
        &self.context.dependencies
    }

    /// Runs every check once and reports. Stores nothing and notifies nobody.
    ///
    /// The report has one result per check, in the order of the checks, whatever happens to any of them.
    /// Dropping the future cancels the checks.
    ///
    /// # Panics
    ///
    /// If it is polled outside of a tokio runtime with time and I/O enabled.
    pub async fn check(&self) -> Report {
        self.check_each(|_| {}).await
    }

    /// Like [`check`](Self::check), and calls `on_result` for each check as it finishes, in the task that polls the future.
    ///
    /// ```
    /// # use checkup_core::{Checkup, check_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let checkup = Checkup::builder().check(check_fn("a", || async { Ok::<_, String>(()) })).build()?;
    /// checkup.check_each(|progress| eprintln!("{} of {}", progress.finished, progress.total)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_each(&self, on_result: impl FnMut(Progress<'_>)) -> Report {
        engine::run(&self.context, Arc::clone(&self.checks), on_result).await
    }

    /// Runs every check once and stores the report.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store). To have the report also then, call [`check`](Self::check) and `store`.
    pub async fn check_and_store(&self) -> Result<Report, StorageError> {
        let report = self.check().await;
        self.store(&report).await?;
        Ok(report)
    }

    /// Stores a report, then lets the storage do its maintenance (retention).
    ///
    /// Results without a verdict ([`Unknown`](crate::Status::Unknown)) are not stored: they say nothing about the check.
    ///
    /// Maintenance that fails is logged, and is no error: the report is stored. A storage that takes longer
    /// than a minute is given up.
    ///
    /// # Errors
    ///
    /// If there is no storage, or it fails. Of kind [`Spooled`](StorageErrorKind::Spooled) if the report waits in the
    /// [spool](CheckupBuilder::spool), from where it is stored later.
    pub async fn store(&self, report: &Report) -> Result<(), StorageError> {
        let storage = self.storage.as_ref().ok_or_else(|| StorageError::new("no storage is configured"))?;
        let known = report.with_verdicts();
        if known.results.is_empty() && !report.results.is_empty() {
            tracing::warn!("no check has a verdict: there is nothing to store");
            return Ok(());
        }
        contain_storage("store", storage.store(&known)).await?;
        if let Some(maintainer) = storage.maintainer() {
            match contain_storage("maintenance", maintainer.maintain()).await {
                Ok(maintenance) => {
                    for failure in &maintenance.failures {
                        tracing::warn!(%failure, "a step of the maintenance failed");
                    }
                    tracing::debug!(?maintenance, "storage maintained");
                }
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "maintenance failed"),
            }
        }
        tracing::debug!(results = report.results.len(), "report stored");
        Ok(())
    }

    /// Tells every notifier, all at once. A notifier that panics or takes longer than a minute is an error of its own.
    pub async fn notify(&self, notification: &Notification) -> Vec<NotifyError> {
        let calls = (0..self.notifiers.len()).map(|index| self.notify_one(index, notification));
        futures_util::future::join_all(calls).await.into_iter().filter_map(Result::err).collect()
    }

    /// Tells one notifier, by its place.
    pub(crate) async fn notify_one(&self, index: usize, notification: &Notification) -> Result<(), NotifyError> {
        let call = AssertUnwindSafe(async { self.notifiers[index].notify(notification).await }).catch_unwind();
        // By place, not with its `Debug`: that of a third party's may show a webhook.
        let outcome = match timeout(SINK_TIMEOUT, call).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(NotifyError::new(format!("notifiers[{index}] panicked"))),
            Err(_) => Err(NotifyError::new(format!("notifiers[{index}] did not end within a minute"))),
        };
        if let Err(error) = &outcome {
            tracing::warn!(error = error as &dyn std::error::Error, "notification failed");
        }
        outcome
    }
}

/// A location as people may name it.
fn location(text: &str) -> Result<&str, ConfigError> {
    let location = text.trim();
    let message = match location.chars().count() {
        0 => "expected the name of a place, such as `eu-west`".to_owned(),
        _ if location.chars().any(char::is_control) => format!("expected no control characters, found {location:?}"),
        1..=MAX_LOCATION => return Ok(location),
        length => format!("expected at most {MAX_LOCATION} characters, found {length}"),
    };
    Err(ConfigError::invalid("location", message))
}

/// Makes an error of a storage that panics or does not end.
async fn contain_storage<T>(
    what: &str,
    call: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    match timeout(SINK_TIMEOUT, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(StorageError::new(format!("the storage panicked in its {what}"))),
        Err(_) => Err(StorageError::new(format!("the storage's {what} did not end within a minute"))
            .with_kind(StorageErrorKind::Timeout)),
    }
}

/// Builds a [`Checkup`]. Settings that cannot work show in [`build`](Self::build), all at once.
#[derive(Debug, Default)]
pub struct CheckupBuilder {
    checks: Vec<Check>,
    storage: Option<Result<Arc<dyn Storage>, ConfigError>>,
    spool: Option<Spool>,
    notifiers: Vec<Result<Arc<dyn Notifier>, ConfigError>>,
    concurrent_checks: Option<usize>,
    timestamp: Option<Timestamp>,
    location: Option<String>,
    shard: Option<Shard>,
    quorum: Quorum,
    #[cfg(feature = "config")]
    pub(crate) settings: crate::config::RootSettings,
}

impl CheckupBuilder {
    /// Adds a check.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Adds checks.
    #[must_use]
    pub fn checks(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.checks.extend(checks);
        self
    }

    /// Where reports are stored: a [`Storage`], or settings that become one. Default: nowhere.
    #[must_use]
    pub fn storage(mut self, storage: impl IntoStorage) -> Self {
        self.storage = Some(storage.into_storage());
        self
    }

    /// Where reports wait while the storage cannot be reached. Default: nowhere; then a report that cannot be stored is only
    /// with whoever called. Without a storage, it has no effect.
    #[must_use]
    pub fn spool(mut self, spool: Spool) -> Self {
        self.spool = Some(spool);
        self
    }

    /// Adds somebody who is told of changes: a [`Notifier`], or settings that become one.
    #[must_use]
    pub fn notifier(mut self, notifier: impl IntoNotifier) -> Self {
        self.notifiers.push(notifier.into_notifier());
        self
    }

    /// How many checks run at once, up to 100,000; 0 for the default, 256.
    #[must_use]
    pub fn concurrent_checks(mut self, count: usize) -> Self {
        self.concurrent_checks = Some(count).filter(|count| *count > 0);
        self
    }

    /// Gives every result this time instead of its own.
    #[must_use]
    pub fn timestamp(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Where this node is (`eu-west`), which every result then says: one line of at most 64 characters, without the white space
    /// around it; empty for none.
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into()).filter(|location| !location.is_empty());
        self
    }

    /// Keeps only this share of the checks, so that nodes with the same checks share them. Default: all.
    #[must_use]
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = Some(shard);
        self
    }

    /// How many locations must say that a check is down, for it to be down. Default: more than half.
    #[must_use]
    pub fn quorum(mut self, quorum: Quorum) -> Self {
        self.quorum = quorum;
        self
    }

    /// The checkup.
    ///
    /// # Errors
    ///
    /// All the settings that cannot work, each with its place: `checkers[3]`, `storage`, `notifiers[0]`.
    pub fn build(self) -> Result<Checkup, ConfigError> {
        let mut problems = ConfigProblems::new();
        for (index, check) in self.checks.iter().enumerate() {
            problems.take(check.validate().map_err(|error| error.at(&format!("checkers[{index}]"))));
        }
        let storage = self.storage.and_then(|storage| problems.take(storage.map_err(|error| error.at("storage"))));
        if let Some(spool) = &self.spool {
            problems.take(spool.validate().map_err(|error| error.at("spool")));
        }
        let mut notifiers = Vec::new();
        for (index, notifier) in self.notifiers.into_iter().enumerate() {
            notifiers.extend(problems.take(notifier.map_err(|error| error.at(&format!("notifiers[{index}]")))));
        }
        let concurrent_checks = self.concurrent_checks.unwrap_or(DEFAULT_CONCURRENT_CHECKS);
        if concurrent_checks > MAX_CONCURRENT_CHECKS {
            problems.push(ConfigError::invalid(
                "concurrent_checks",
                format!("expected at most {MAX_CONCURRENT_CHECKS}, found {concurrent_checks}"),
            ));
        }
        let location = problems.take(self.location.as_deref().map(location).transpose()).flatten();
        let dependencies = problems.take(Dependencies::resolve(&self.checks)).unwrap_or_default();
        problems.into_result()?;
        let spool = self.spool.filter(|_| storage.is_some());
        let storage = match (storage, &spool) {
            (Some(storage), Some(spool)) => Some(Arc::new(Spooled::new(storage, spool.clone())) as Arc<dyn Storage>),
            (storage, _) => storage,
        };
        let checkup = Checkup {
            checks: self.checks.into_iter().map(Arc::new).collect(),
            storage,
            spool,
            notifiers: notifiers.into(),
            context: Context {
                limit: Arc::new(Semaphore::new(concurrent_checks)),
                concurrent_checks,
                timestamp: self.timestamp,
                dependencies,
                location: location.map(Into::into),
            },
            shard: None,
            whole: None,
            quorum: self.quorum,
            #[cfg(feature = "config")]
            settings: self.settings,
        };
        Ok(match self.shard {
            Some(shard) => checkup.with_shard(shard),
            None => checkup,
        })
    }
}
