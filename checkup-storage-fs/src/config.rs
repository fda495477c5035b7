use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::archive::SUMMARY_EXPIRY;
use checkup_core::{ConfigError, IntoStorage, Storage};
use serde::{Deserialize, Serialize};

use crate::{FsStorage, FsUrl};

/// Settings of the file-system storage: `{"type": "fs", "dir": "/var/lib/checkup"}`.
///
/// ```
/// use std::time::Duration;
/// use checkup_storage_fs::Fs;
///
/// let settings = Fs::new("/var/lib/checkup").check_expiry(Duration::from_secs(7 * 24 * 3600));
/// let json = serde_json::to_string(&settings)?;
/// assert_eq!(json, r#"{"dir":"/var/lib/checkup","check_expiry":"168h0m0s"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Fs {
    /// The directory that the check files are in. It is made if it is missing.
    pub dir: PathBuf,
    /// Where the directory is on the web. Upstream has this key, and uses it for nothing; so do we. What it has
    /// for user and password is never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<FsUrl>,
    /// How old a check file may become before it is removed, such as "720h" or "30d".
    /// Default: 0, which keeps all for ever. In a compacted file results are kept until its latest expires: up to a day longer.
    #[serde(default, with = "checkup_core::duration", skip_serializing_if = "Duration::is_zero")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub check_expiry: Duration,
    /// How long `summary.json` keeps the figures of a day, which outlast its check files, such as "400d"; 0 keeps all.
    /// Default: 400 days.
    #[serde(default = "summary_expiry", with = "checkup_core::duration", skip_serializing_if = "is_summary_expiry")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub summary_expiry: Duration,
    /// Whether a report is on the disk, and not only with the operating system, when it counts as stored. Default: true.
    /// `false` is faster, and a power cut or a crash of the system (not of the program) may then lose or empty
    /// the check files of the last half minute or so.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fsync: bool,
    /// Whether the check files of closed hours and days are compacted: merged into one check file for each, with the same
    /// results. Default: true. It keeps the directory and `index.json` small, and both are read by upstream's page as before.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub compact: bool,
}

impl Fs {
    /// Storage in this directory, which keeps all for ever.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            url: None,
            check_expiry: Duration::ZERO,
            summary_expiry: SUMMARY_EXPIRY,
            fsync: true,
            compact: true,
        }
    }

    /// Removes check files that are older than this; zero keeps all.
    #[must_use]
    pub fn check_expiry(mut self, check_expiry: Duration) -> Self {
        self.check_expiry = check_expiry;
        self
    }

    /// How long `summary.json` keeps the figures of a day; zero keeps all. Default: 400 days.
    #[must_use]
    pub fn summary_expiry(mut self, summary_expiry: Duration) -> Self {
        self.summary_expiry = summary_expiry;
        self
    }

    /// Whether a stored report must survive a power cut. Default: true.
    #[must_use]
    pub fn fsync(mut self, fsync: bool) -> Self {
        self.fsync = fsync;
        self
    }

    /// Whether the check files of closed hours and days are compacted. Default: true.
    #[must_use]
    pub fn compact(mut self, compact: bool) -> Self {
        self.compact = compact;
        self
    }
}

impl IntoStorage for Fs {
    fn into_storage(self) -> Result<Arc<dyn Storage>, ConfigError> {
        Ok(Arc::new(FsStorage::new(self)?))
    }
}

fn summary_expiry() -> Duration {
    SUMMARY_EXPIRY
}

fn is_summary_expiry(expiry: &Duration) -> bool {
    *expiry == SUMMARY_EXPIRY
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_settings_are_read() {
        let settings: Fs = serde_json::from_str(
            r#"{"dir": "/srv/checks", "url": "http://u:p@example.com/a@b", "check_expiry": 604800000000000}"#,
        )
        .unwrap();
        assert_eq!(settings.check_expiry, Duration::from_secs(7 * 24 * 3600));
        assert!(settings.fsync);
        assert_eq!(
            serde_json::to_string(&settings).unwrap(),
            r#"{"dir":"/srv/checks","url":"http://example.com/a@b","check_expiry":"168h0m0s"}"#
        );
    }

    #[test]
    fn the_least_settings_serialise_to_the_least() {
        let settings: Fs = serde_json::from_str(r#"{"dir": "x"}"#).unwrap();
        assert_eq!(settings, Fs::new("x"));
        assert_eq!(serde_json::to_string(&settings).unwrap(), r#"{"dir":"x"}"#);
        let apart = serde_json::to_string(&Fs::new("x").compact(false)).unwrap();
        assert_eq!(apart, r#"{"dir":"x","compact":false}"#);
        let unsafe_settings = serde_json::to_string(&Fs::new("x").fsync(false)).unwrap();
        assert_eq!(unsafe_settings, r#"{"dir":"x","fsync":false}"#);
    }

    #[test]
    fn unknown_keys_and_a_missing_or_empty_dir_are_refused() {
        assert!(serde_json::from_str::<Fs>(r#"{"dir": "x", "fsink": true}"#).is_err());
        assert!(serde_json::from_str::<Fs>("{}").is_err());
        let error = Fs::new("").into_storage().unwrap_err();
        assert_eq!(error.problems()[0].place, "dir");
    }
}
