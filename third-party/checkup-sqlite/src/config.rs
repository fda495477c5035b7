use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::config::DurationSchema;
use checkup_core::{ConfigError, IntoStorage, Storage};

use crate::SqliteStorage;

/// The settings of the storage with the type `sqlite3` in a config file.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sqlite {
    /// The database file.
    pub dsn: PathBuf,
    /// Whether to create the table if it does not exist. Default: true.
    #[serde(default = "yes")]
    pub create: bool,
    /// How long runs are kept; 0 keeps them forever. Default: 0.
    #[serde(default, with = "checkup_core::duration", skip_serializing_if = "Duration::is_zero")]
    #[schemars(with = "DurationSchema")]
    pub check_expiry: Duration,
}

impl Sqlite {
    /// Stores in the database in this file.
    pub fn new(dsn: impl Into<PathBuf>) -> Self {
        Self { dsn: dsn.into(), create: true, check_expiry: Duration::ZERO }
    }

    /// Sets how long runs are kept. Default: zero, which keeps them forever.
    #[must_use]
    pub fn check_expiry(mut self, check_expiry: Duration) -> Self {
        self.check_expiry = check_expiry;
        self
    }
}

impl IntoStorage for Sqlite {
    fn into_storage(self) -> Result<Arc<dyn Storage>, ConfigError> {
        if self.dsn.as_os_str().is_empty() {
            return Err(ConfigError::invalid("dsn", "expected the database's file, found nothing"));
        }
        Ok(Arc::new(SqliteStorage::new(self)))
    }
}

fn yes() -> bool {
    true
}
