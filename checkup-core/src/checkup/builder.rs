//! [`CheckupBuilder`]: collects checks, storage and notifiers, and builds a [`Checkup`] from them.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Checkup, CheckupBuilder, Dependencies};
use crate::engine::Context;
use crate::source::Source;
use crate::spool::Spooled;
use crate::{Check, ConfigError, ConfigProblems, IntoNotifier, IntoStorage, Storage};

/// What the storage, the notifiers and the sections of a config file were made of.
#[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only config files have something to write back"))]
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    pub(crate) storage: Option<Source>,
    pub(crate) notifiers: Vec<Source>,
    /// Sections: the settings that programs have registered, and what they were made of.
    pub(crate) sections: Vec<(Source, Section)>,
}

/// The settings of a section, whatever their type.
#[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only config files have something to write back"))]
#[derive(Clone)]
pub(crate) struct Section(pub(crate) Arc<dyn std::any::Any + Send + Sync>);

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // They may be secret.
        f.write_str("Section")
    }
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

    /// Adds a [`Notifier`](crate::Notifier), or settings that become one, which is notified of changes.
    #[must_use]
    pub fn notifier(mut self, notifier: impl IntoNotifier) -> Self {
        self.notifiers.push(notifier.into_notifier());
        self
    }

    /// Builds the checkup.
    ///
    /// # Errors
    ///
    /// All invalid settings, each with its place in the config: `checkers[3]`, `storage`, `notifiers[0]`.
    pub fn build(mut self) -> Result<Checkup, ConfigError> {
        let mut problems = ConfigProblems::new();
        for (index, check) in self.checks.iter().enumerate() {
            problems.take(check.validate().map_err(|error| error.at(&format!("checkers[{index}]"))));
        }
        let is_invalid = self.storage.as_ref().is_some_and(Result::is_err);
        let storage = self.storage.and_then(|storage| problems.take(storage.map_err(|error| error.at("storage"))));
        // With an invalid storage, there would be problems that do not exist.
        for (index, check) in self.checks.iter_mut().enumerate().filter(|_| !is_invalid) {
            problems.take(check.use_storage(storage.as_ref()).map_err(|error| error.at(&format!("checkers[{index}]"))));
        }
        let mut notifiers = Vec::new();
        for (index, notifier) in self.notifiers.into_iter().enumerate() {
            notifiers.extend(problems.take(notifier.map_err(|error| error.at(&format!("notifiers[{index}]")))));
        }
        problems.take(self.options.validate());
        let dependencies = problems.take(Dependencies::resolve(&self.checks)).unwrap_or_default();
        problems.into_result()?;

        let options = self.options;
        let spool = options.spool().filter(|_| storage.is_some()).cloned();
        let storage = match (storage, &spool) {
            (Some(storage), Some(spool)) => Some(Arc::new(Spooled::new(storage, spool.clone())) as Arc<dyn Storage>),
            (storage, _) => storage,
        };
        let concurrent_checks = options.concurrent_checks();
        let shard = options.shard;
        let checkup = Checkup {
            checks: self.checks.into(),
            storage,
            spool,
            notifiers: notifiers.into(),
            context: Context {
                limit: Arc::new(Semaphore::new(concurrent_checks)),
                concurrent_checks,
                timestamp: options.timestamp,
                dependencies,
                location: options.location().map(Into::into),
            },
            whole: None,
            options,
            sources: self.sources,
        };
        Ok(match shard {
            Some(shard) => checkup.with_shard(shard),
            None => checkup,
        })
    }
}
