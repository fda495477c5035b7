//! [`Done`]: what a maintenance has done so far, and what failed.

use crate::{ErrorChain, Maintenance, MaintenanceFailure, StorageError, StorageErrorKind};

/// What a maintenance has done so far.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) maintenance: Maintenance,
    errors: Vec<(&'static str, StorageError)>,
    /// Whether a request timed out: the other steps would wait as long.
    pub(super) is_silent: bool,
}

impl Done {
    pub(super) fn check<T>(&mut self, step: &'static str, outcome: Result<T, StorageError>) -> Option<T> {
        outcome.map_err(|error| self.fail(step, error)).ok()
    }

    pub(super) fn fail(&mut self, step: &'static str, error: StorageError) {
        self.is_silent |= error.kind() == StorageErrorKind::Timeout;
        let message = ErrorChain(&error).to_string();
        // Several steps may fail for the same reason, such as a folder that cannot be listed.
        if !self.errors.iter().any(|(_, other)| ErrorChain(other).to_string() == message) {
            self.errors.push((step, error));
        }
    }

    pub(super) fn into_result(mut self) -> Result<Maintenance, StorageError> {
        if self.maintenance.is_idle()
            && self.errors.len() == 1
            && let Some((_, error)) = self.errors.pop()
        {
            return Err(error);
        }
        self.maintenance.failures =
            self.errors.iter().map(|(step, error)| MaintenanceFailure::new(*step, error)).collect();
        Ok(self.maintenance)
    }
}
