//! [`Fs`]: the settings of the storage.

use std::path::PathBuf;
use std::time::Duration;

use checkup_core::SecretUrl;
use checkup_core::archive::Retention;
use serde::{Deserialize, Serialize};

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
    /// The directory of the check files. It is created if it does not exist.
    pub dir: PathBuf,
    /// The URL of the directory on the web. Accepted but not used, as in the original Checkup, a Go program. Credentials in it are
    /// never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<SecretUrl>,
    /// `check_expiry`, `summary_expiry` and `compact`: how long check files and daily statistics are kept.
    #[serde(flatten)]
    pub retention: Retention,
    /// Whether a store waits until the report is on disk, instead of only handing it to the operating system. Default: true.
    /// `false` is faster, but a power cut or a crash of the system (not of the program) may lose or empty the check files of
    /// roughly the last half minute.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fsync: bool,
}

impl Fs {
    /// Storage in this directory. Nothing expires.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), url: None, retention: Retention::new(), fsync: true }
    }

    /// Sets how long check files and daily statistics are kept.
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

    /// Sets whether a stored report survives a power cut. Default: true.
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
    use checkup_core::Secret;

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
    fn credentials_are_shown_only_on_request() {
        let mut settings = Fs::new("checks");
        settings.url = Some("http://user:hunter2@example.com/a@b".into());
        let json = || serde_json::to_string(&settings).unwrap();
        assert_eq!(json(), r#"{"dir":"checks","url":"http://example.com/a@b"}"#);
        assert!(Secret::exposing(json).contains("user:hunter2@example.com"));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn default_settings_are_not_serialised() {
        let settings: Fs = serde_json::from_str(r#"{"dir": "x"}"#).unwrap();
        assert_eq!(settings, Fs::new("x"));
        assert_eq!(serde_json::to_string(&settings).unwrap(), r#"{"dir":"x"}"#);
        let apart = serde_json::to_string(&Fs::new("x").compact(false)).unwrap();
        assert_eq!(apart, r#"{"dir":"x","compact":false}"#);
        let unsafe_settings = serde_json::to_string(&Fs::new("x").fsync(false)).unwrap();
        assert_eq!(unsafe_settings, r#"{"dir":"x","fsync":false}"#);
    }

    #[test]
    fn unknown_keys_and_a_missing_dir_are_refused() {
        assert!(serde_json::from_str::<Fs>(r#"{"dir": "x", "fsink": true}"#).is_err());
        assert!(serde_json::from_str::<Fs>("{}").is_err());
    }
}
