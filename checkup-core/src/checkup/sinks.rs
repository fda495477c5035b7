//! Stores reports and notifies of changes. Whatever a storage or a notifier does, the caller gets an answer in time.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::timeout;

use super::Checkup;
use crate::{Notification, NotifyError, Report, StorageError, StorageErrorKind};

/// How long a store, a maintenance or a notification may take, whatever limits its implementation has.
const SINK_TIMEOUT: Duration = Duration::from_secs(60);

impl Checkup {
    /// Runs every check once and stores the report.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store). To have the report even if storing fails, call [`check`](Self::check) and `store`.
    pub async fn check_and_store(&self) -> Result<Report, StorageError> {
        let report = self.check().await;
        self.store(&report).await?;
        Ok(report)
    }

    /// Stores a report, then lets the storage do its maintenance (retention).
    ///
    /// Results without a verdict ([`Unknown`](crate::Status::Unknown)) are not stored, except operators' posts: they say nothing about the check.
    ///
    /// Failed maintenance is logged and is not an error, since the report is stored. A storage that takes longer than a minute is abandoned.
    ///
    /// # Errors
    ///
    /// If there is no storage, or it fails. Of kind [`Spooled`](StorageErrorKind::Spooled) if the report waits in the
    /// [spool](crate::CheckupBuilder::spool), from where it is stored later.
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

    /// Notifies every notifier concurrently. One that panics or takes longer than a minute is reported as a separate error.
    pub async fn notify(&self, notification: &Notification) -> Vec<NotifyError> {
        let calls = (0..self.notifiers.len()).map(|index| self.notify_one(index, notification));
        futures::future::join_all(calls).await.into_iter().filter_map(Result::err).collect()
    }

    /// Calls one notifier, named by its place.
    pub(crate) async fn notify_one(&self, index: usize, notification: &Notification) -> Result<(), NotifyError> {
        let call = AssertUnwindSafe(async { self.notifiers[index].notify(notification).await }).catch_unwind();
        // By place and not with its `Debug`, which may show a webhook if a third party wrote it.
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

/// Turns a panic or a timeout of a storage into an error.
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
