//! [`Fs`]: the settings.

use std::path::PathBuf;
use std::time::Duration;

use checkup_core::archive::Retention;
use serde::{Deserialize, Serialize};

use crate::FsUrl;

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
    /// `check_expiry`, `summary_expiry` and `compact`: how long check files and daily statistics are kept.
    #[serde(flatten)]
    pub retention: Retention,
    /// Whether a report is on the disk, and not only with the operating system, when it counts as stored. Default: true.
    /// `false` is faster, and a power cut or a crash of the system (not of the program) may then lose or empty
    /// the check files of the last half minute or so.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fsync: bool,
}

impl Fs {
    /// Storage in this directory, which keeps everything.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), url: None, retention: Retention::new(), fsync: true }
    }

    /// How long check files and daily statistics are kept.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Sets [`Retention::check_expiry`].
    #[must_use]
    pub fn check_expiry(mut self, check_expiry: Duration) -> Self {
        self.retention.check_expiry = check_expiry;
        self
    }

    /// Sets [`Retention::summary_expiry`].
    #[must_use]
    pub fn summary_expiry(mut self, summary_expiry: Duration) -> Self {
        self.retention.summary_expiry = summary_expiry;
        self
    }

    /// Sets [`Retention::compact`].
    #[must_use]
    pub fn compact(mut self, compact: bool) -> Self {
        self.retention.compact = compact;
        self
    }

    /// Whether a stored report must survive a power cut. Default: true.
    #[must_use]
    pub fn fsync(mut self, fsync: bool) -> Self {
        self.fsync = fsync;
        self
    }
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
    use checkup_core::IntoStorage as _;

    use super::*;

    #[test]
    fn upstream_settings_are_read() {
        let settings: Fs = serde_json::from_str(
            r#"{"dir": "/srv/checks", "url": "http://u:p@example.com/a@b", "check_expiry": 604800000000000}"#,
        )
        .unwrap();
        assert_eq!(settings.retention.check_expiry, Duration::from_secs(7 * 24 * 3600));
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
