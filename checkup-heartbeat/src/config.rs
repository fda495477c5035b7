//! [`Heartbeat`]: the settings of a heartbeat check.

use std::time::Duration;

#[cfg(feature = "config")]
use checkup_core::config::DurationSchema;
use checkup_core::{Secret, Storage, StorageError, duration};
use serde::{Deserialize, Serialize};

use crate::{Beat, Job};

const DEFAULT_GRACE: Duration = Duration::from_secs(300);

/// The settings of a heartbeat check, and its JSON object (`"type": "heartbeat"`).
///
/// A job reports when it runs: with `checkup beat`, with `POST /beat/<token>` to `checkup serve`, or with [`beat`](Self::beat). The reports are
/// kept in the storage of the checks, so the job and the check can be on different machines, and no server is needed. The check is down if
/// the last beat is late, if the last run failed, or if it began and did not end. If the storage cannot be read, the check has no verdict. The
/// round-trip time of the check is how long the last run took.
///
/// ```
/// use std::time::Duration;
/// use checkup_heartbeat::Heartbeat;
///
/// let backup: Heartbeat = serde_json::from_str(r#"{"job": "backup", "every": "24h", "grace": "2h"}"#)?;
/// let day = Duration::from_secs(24 * 3600);
/// assert_eq!(backup, Heartbeat::new("backup", day).grace(Duration::from_secs(7200)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Heartbeat {
    /// The name that the job reports with, in one line of at most 200 characters: `backup` for `checkup beat backup`.
    pub job: String,

    /// How often the job runs, such as `1d`, more than 0.
    #[serde(with = "duration")]
    #[cfg_attr(feature = "config", schemars(with = "DurationSchema"))]
    pub every: Duration,

    /// How long after `every` a beat is late. Default: 5 minutes.
    #[serde(default = "default_grace", with = "duration", skip_serializing_if = "is_default_grace")]
    #[cfg_attr(feature = "config", schemars(with = "DurationSchema"))]
    pub grace: Duration,

    /// How long a run may take, for jobs that report when they begin, more than 0. Default: until the next beat is late.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "config", schemars(with = "Option<DurationSchema>"))]
    pub max_runtime: Option<Duration>,

    /// The secret part of the URL to which the job can report, `POST /beat/<token>` of `checkup serve`: 16 to 200 letters, digits, `-` and
    /// `_`. `openssl rand -hex 16` prints one. Default: none, and no URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}

impl Heartbeat {
    /// A job that must report at least this often.
    pub fn new(job: impl Into<String>, every: Duration) -> Self {
        Self { job: job.into(), every, grace: DEFAULT_GRACE, max_runtime: None, token: None }
    }

    /// Sets how long after its time a beat is late. Default: 5 minutes.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how long a run may take. Default: until the next beat is late.
    #[must_use]
    pub fn max_runtime(mut self, limit: Duration) -> Self {
        self.max_runtime = Some(limit);
        self
    }

    /// Sets the secret part of the URL to which the job can report. Default: none.
    #[must_use]
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Reports that the job has ended well, to the storage of the checks.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkup_core::archive::{Archive, MemoryFiles};
    /// use checkup_core::{Check, Checkup};
    /// use checkup_heartbeat::Heartbeat;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let files = MemoryFiles::new();
    /// let import = Heartbeat::new("import", Duration::from_secs(3600));
    /// import.beat(&Archive::new(files.clone())).await?;
    ///
    /// let checkup = Checkup::builder().check(Check::new("Import", import)).storage(Archive::new(files)).build()?;
    /// checkup.check().await.assert_healthy();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Job::report`].
    pub async fn beat(&self, storage: &dyn Storage) -> Result<(), StorageError> {
        self.report(storage, &Beat::ok()).await
    }

    /// Reports that the job begins, to the storage of the checks.
    ///
    /// # Errors
    ///
    /// Those of [`Job::report`].
    pub async fn begin(&self, storage: &dyn Storage) -> Result<(), StorageError> {
        self.report(storage, &Beat::began()).await
    }

    /// Reports that the job has failed for this reason, to the storage of the checks.
    ///
    /// # Errors
    ///
    /// Those of [`Job::report`].
    pub async fn fail(&self, storage: &dyn Storage, reason: &str) -> Result<(), StorageError> {
        self.report(storage, &Beat::failed().message(reason)).await
    }

    /// Reports to the storage of the checks.
    ///
    /// # Errors
    ///
    /// Those of [`Job::report`].
    pub async fn report(&self, storage: &dyn Storage, beat: &Beat) -> Result<(), StorageError> {
        Job::new(&self.job).report(storage, beat).await
    }
}

fn default_grace() -> Duration {
    DEFAULT_GRACE
}

fn is_default_grace(grace: &Duration) -> bool {
    *grace == DEFAULT_GRACE
}
