//! [`TlsSettings`]: the TLS settings that all checkers share. They exist even without the feature `tls`.

use std::path::PathBuf;

use checkup_core::{ConfigError, ConfigProblems, validate_path};
use serde::{Deserialize, Serialize};

use crate::TlsVersion;

/// The TLS settings of a client, and their JSON object (`"tls": {…}`).
///
/// By default a client trusts the system's root certificates, presents no certificate, and speaks TLS 1.2 or 1.3. All files are
/// PEM. Files that have changed are read again by the next attempt. If a new file is missing or broken, the attempt fails and
/// says so. Replace files by renaming, so that no attempt reads half of one.
///
/// ```
/// use checkup_net::{TlsSettings, TlsVersion};
///
/// let tls: TlsSettings = serde_json::from_str(r#"{
///     "extra_ca_file": "/etc/ssl/internal-ca.pem",
///     "min_version": "1.3"
/// }"#)?;
/// let same = TlsSettings::new().extra_ca_file("/etc/ssl/internal-ca.pem").min_version(TlsVersion::Tls13);
/// assert_eq!(tls, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsSettings {
    /// A PEM file with the certificates to trust instead of the system's. A server that presents one of them itself, such as a
    /// self-signed certificate, is trusted as well. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// A PEM file with certificates to trust in addition to the system's, or to those of `ca_file`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_ca_file: Option<PathBuf>,
    /// A PEM file with the client's certificate, followed by its chain. Needs `client_key_file`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert_file: Option<PathBuf>,
    /// A PEM file with the private key of the client's certificate: PKCS #8, PKCS #1 or SEC 1, unencrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key_file: Option<PathBuf>,
    /// Whether to accept any certificate, even if it has expired or is for another name. Default: `false`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_verify: bool,
    /// The oldest version of TLS to speak: `"1.2"` or `"1.3"`. Default: `"1.2"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<TlsVersion>,
    /// The name to ask the server for (SNI), which its certificate must be valid for. Default: the server's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The rest of [`ca_files`](Self::ca_files), for checkers whose settings have a list.
    #[serde(skip)]
    pub(crate) more_ca_files: Vec<PathBuf>,
}

impl TlsSettings {
    /// The default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the certificates in this PEM file instead of the system's.
    #[must_use]
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// Trusts the certificates in these PEM files instead of the system's. In JSON, only the first one is a part of these settings: this
    /// is for checkers whose own settings have a list of files.
    #[must_use]
    pub fn ca_files<F: Into<PathBuf>>(mut self, files: impl IntoIterator<Item = F>) -> Self {
        let mut files = files.into_iter().map(Into::into);
        self.ca_file = files.next();
        self.more_ca_files = files.collect();
        self
    }

    /// Trusts the certificates in this PEM file in addition to the others.
    #[must_use]
    pub fn extra_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.extra_ca_file = Some(file.into());
        self
    }

    /// Presents the client certificate in the first PEM file, with the private key in the second.
    #[must_use]
    pub fn client_cert(mut self, cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        self.client_cert_file = Some(cert_file.into());
        self.client_key_file = Some(key_file.into());
        self
    }

    /// Sets whether to accept any certificate. Default: false.
    #[must_use]
    pub fn skip_verify(mut self, skip: bool) -> Self {
        self.skip_verify = skip;
        self
    }

    /// Sets the oldest version of TLS to speak. Default: TLS 1.2.
    #[must_use]
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = Some(version);
        self
    }

    /// Sets the name that the server's certificate must be valid for. Default: the server's host.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Checks that the settings are consistent. Does not read any file.
    ///
    /// `prefix` precedes the names of the keys in the error: `tls.` if the settings are the value of `tls`.
    ///
    /// # Errors
    ///
    /// All problems together: a client certificate without a key, a key without a certificate, or the content of a file instead
    /// of its path (the content is not shown).
    pub fn validate(&self, prefix: &str) -> Result<(), ConfigError> {
        let mut problems = ConfigProblems::new();
        for (key, file) in [
            ("ca_file", &self.ca_file),
            ("extra_ca_file", &self.extra_ca_file),
            ("client_cert_file", &self.client_cert_file),
            ("client_key_file", &self.client_key_file),
        ] {
            if let Some(file) = file {
                problems.take(validate_path(format!("{prefix}{key}"), file));
            }
        }
        let mut missing = |key: &str, given: &str| {
            let message = format!("expected a file, found none; set it, or remove `{prefix}{given}`");
            problems.push(ConfigError::invalid(format!("{prefix}{key}"), message));
        };
        match (&self.client_cert_file, &self.client_key_file) {
            (Some(_), None) => missing("client_key_file", "client_cert_file"),
            (None, Some(_)) => missing("client_cert_file", "client_key_file"),
            _ => {}
        }
        problems.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_round_trip_without_their_defaults() {
        for json in [
            "{}",
            r#"{"ca_file":"a","extra_ca_file":"b","client_cert_file":"c","client_key_file":"d","skip_verify":true,"min_version":"1.3","server_name":"e"}"#,
        ] {
            let tls: TlsSettings = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&tls).unwrap(), json);
        }
        let error = serde_json::from_str::<TlsSettings>(r#"{"cafile": "x"}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `cafile`"), "{error}");
    }

    #[test]
    fn a_client_certificate_and_its_key_go_together() {
        let mut tls = TlsSettings { client_cert_file: Some("client.pem".into()), ..TlsSettings::new() };
        let error = tls.validate("tls.").unwrap_err().to_string();
        assert_eq!(error, "tls.client_key_file: expected a file, found none; set it, or remove `tls.client_cert_file`");
        tls.client_key_file = Some("client.key".into());
        assert_eq!(tls.validate("tls."), Ok(()));
        tls.client_cert_file = None;
        assert_eq!(tls.validate("").unwrap_err().problems()[0].place, "client_cert_file");
    }

    #[test]
    fn content_instead_of_a_path_is_refused_without_being_shown() {
        let content = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n";
        let tls = TlsSettings::new().ca_file(content).extra_ca_file(content).client_cert(content, content);
        let error = tls.validate("tls.").unwrap_err();
        let places: Vec<_> = error.problems().iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["tls.ca_file", "tls.extra_ca_file", "tls.client_cert_file", "tls.client_key_file"]);
        assert!(!format!("{error:?}").contains("MIIEvQ"), "{error:?}");
    }
}
