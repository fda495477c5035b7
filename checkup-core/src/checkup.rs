//! [`Checkup`]: checks, where their results are stored, and what is notified of changes.

mod builder;
mod checks;
mod dependencies;
mod options;
mod shard;
mod sinks;
mod wait;

use std::sync::Arc;

#[cfg(feature = "config")]
pub(crate) use builder::Section;
use builder::Sources;
pub(crate) use checks::Checks;
pub(crate) use dependencies::Dependencies;
pub use options::DEFAULT_CONCURRENT_CHECKS;
pub(crate) use options::Options;
pub use shard::{Shard, ShardError};
pub use wait::{NotHealthy, Wait};

use crate::engine::{self, Context};
use crate::{Check, ConfigError, Notifier, Progress, Report, Spool, Storage};

/// Health checks that run together, where their results are stored, and what is notified of changes.
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
    checks: Checks,
    storage: Option<Arc<dyn Storage>>,
    spool: Option<Spool>,
    notifiers: Arc<[Arc<dyn Notifier>]>,
    context: Context,
    /// All checks, if these are a share of them.
    whole: Option<(Checks, Dependencies)>,
    pub(crate) options: Options,
    #[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only config files have something to write back"))]
    pub(crate) sources: Sources,
}

/// Builds a [`Checkup`]. Invalid settings are reported by [`build`](Self::build), all of them together.
#[derive(Debug, Default)]
pub struct CheckupBuilder {
    pub(crate) checks: Vec<Check>,
    storage: Option<Result<Arc<dyn Storage>, ConfigError>>,
    notifiers: Vec<Result<Arc<dyn Notifier>, ConfigError>>,
    pub(crate) options: Options,
    pub(crate) sources: Sources,
}

impl Checkup {
    /// Starts a checkup with no checks.
    pub fn builder() -> CheckupBuilder {
        CheckupBuilder::default()
    }

    /// The checks, in order.
    pub fn checks(&self) -> impl ExactSizeIterator<Item = &Check> {
        self.checks.iter()
    }

    /// Where reports are stored, including the spool before it, if there is one.
    pub fn storage(&self) -> Option<&Arc<dyn Storage>> {
        self.storage.as_ref()
    }

    /// The `type` of the storage in the config file; `None` without a storage, or for one that was made in code.
    pub fn storage_type(&self) -> Option<&str> {
        self.sources.storage.as_ref().map(crate::source::Source::type_name)
    }

    /// What is notified of changes.
    pub fn notifiers(&self) -> &[Arc<dyn Notifier>] {
        &self.notifiers
    }

    /// The same checkup with only the checks for which `keep` returns true.
    #[must_use]
    pub fn only(&self, mut keep: impl FnMut(&Check) -> bool) -> Self {
        let kept = self.checks.iter().enumerate().filter(|(_, check)| keep(check));
        let places: Vec<_> = kept.map(|(place, _)| place).collect();
        self.at(&places)
    }

    /// The same checkup with the checks at these places.
    pub(crate) fn at(&self, places: &[usize]) -> Self {
        let mut part = self.clone();
        part.whole = None;
        part.checks = self.checks.at(places);
        part.context.dependencies = self.context.dependencies.at(places);
        part
    }

    pub(crate) fn dependencies(&self) -> &Dependencies {
        &self.context.dependencies
    }

    /// Runs every check once and reports. Stores nothing and notifies nobody.
    ///
    /// The report has one result per check, in the order of the checks, even if some checks fail or panic. Dropping the
    /// future cancels the checks.
    ///
    /// # Panics
    ///
    /// If it is polled outside of a tokio runtime with time and I/O enabled.
    pub async fn check(&self) -> Report {
        engine::run(&self.context, &self.checks).await
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
        engine::run_each(&self.context, &self.checks, on_result).await
    }
}
