//! [`Tls`]: the settings of a TLS check.

use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "config")]
use checkup_core::config::DurationSchema;
use checkup_core::duration;
use checkup_net::{IpVersion, StartTls, TlsSettings};
use serde::{Deserialize, Deserializer, Serialize};

/// As in upstream: 336 hours, two weeks.
const DEFAULT_THRESHOLD: Duration = Duration::from_secs(336 * 3600);

/// The settings of a TLS check, and its JSON object (`"type": "tls"`).
///
/// An attempt connects, performs a TLS handshake and closes the connection. The check is down if the certificate is not valid for the
/// host, and degraded if a certificate that is needed to trust the server expires within `cert_expiry_threshold`. The reason lists all
/// certificates that the server presented, even if they are not valid. Results say when the first one expires.
///
/// The timeout of an attempt is 10 seconds by default. Upstream, the original Checkup (a Go program), has none.
///
/// ```
/// use checkup_tls::Tls;
///
/// let shop: Tls = serde_json::from_str(r#"{
///     "endpoint_url": "shop.example.com:443",
///     "issuer": "Let's Encrypt"
/// }"#)?;
/// assert_eq!(shop, Tls::new("shop.example.com:443").issuer("Let's Encrypt"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// The server: `shop.example.com`, `mail.example.com:465`, `[2001:db8::5]:8443`. Default port: 443, or that of
    /// the protocol in `starttls`.
    pub endpoint_url: String,

    /// The protocol of a server that begins without TLS and changes to it when the client asks: `smtp`, `imap`, `pop3`, `ftp`, `ldap`,
    /// `xmpp`, `postgres` or `mysql`. Default: none, and the handshake begins immediately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<StartTls>,

    /// The check is degraded if a certificate that is needed to trust the server expires within this time. 0 means the default.
    /// Default: 14 days (336 hours).
    #[serde(
        default = "default_threshold",
        serialize_with = "duration::serialize",
        deserialize_with = "threshold",
        skip_serializing_if = "is_default_threshold"
    )]
    #[cfg_attr(feature = "config", schemars(with = "DurationSchema"))]
    pub cert_expiry_threshold: Duration,

    /// PEM files with the certificates to trust instead of the system's. Only one of this and `tls.ca_file` can be set. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_roots: Vec<PathBuf>,

    /// The TLS settings. With `skip_verify`, only what this check requires itself counts: expiry, `names`, `issuer` and
    /// `fingerprints`. Default: the system's roots, TLS 1.2 or 1.3.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: TlsSettings,

    /// Names and addresses that the certificate must be valid for, in addition to the host. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,

    /// A text that the name of the server certificate's issuer must contain, such as `Let's Encrypt`. Upper and lower case count. Empty
    /// means any issuer. Default: empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issuer: String,

    /// The SHA-256 fingerprints of the certificates that the server may have, in hexadecimal, with or without colons:
    /// `openssl x509 -fingerprint -sha256` prints it. Set the next one before the certificate is renewed. Default: none, and any
    /// certificate is accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<String>,

    /// Connect over IPv4 (`4`) or IPv6 (`6`) only. Default: `"any"`.
    #[serde(default, skip_serializing_if = "IpVersion::is_any")]
    pub ip_version: IpVersion,
}

impl Tls {
    /// Checks the certificates of this server: `host:port`, or a host for port 443.
    pub fn new(endpoint_url: impl Into<String>) -> Self {
        Self {
            endpoint_url: endpoint_url.into(),
            starttls: None,
            cert_expiry_threshold: DEFAULT_THRESHOLD,
            trusted_roots: Vec::new(),
            tls: TlsSettings::new(),
            names: Vec::new(),
            issuer: String::new(),
            fingerprints: Vec::new(),
            ip_version: IpVersion::Any,
        }
    }

    /// Sets the protocol of a server that begins without TLS. Default: none.
    #[must_use]
    pub fn starttls(mut self, protocol: StartTls) -> Self {
        self.starttls = Some(protocol);
        self
    }

    /// Sets how long before a certificate expires the check is degraded. Default: 14 days.
    #[must_use]
    pub fn cert_expiry_threshold(mut self, threshold: Duration) -> Self {
        self.cert_expiry_threshold = threshold;
        self
    }

    /// Trusts the certificates in these PEM files instead of the system's.
    #[must_use]
    pub fn trusted_roots<F: Into<PathBuf>>(mut self, files: impl IntoIterator<Item = F>) -> Self {
        self.trusted_roots = files.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the TLS settings.
    #[must_use]
    pub fn tls(mut self, settings: TlsSettings) -> Self {
        self.tls = settings;
        self
    }

    /// Sets the names and addresses that the certificate must be valid for, in addition to the host.
    #[must_use]
    pub fn names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a text that the name of the server certificate's issuer must contain.
    #[must_use]
    pub fn issuer(mut self, text: impl Into<String>) -> Self {
        self.issuer = text.into();
        self
    }

    /// Adds the SHA-256 fingerprint of a certificate that the server may have.
    #[must_use]
    pub fn fingerprint(mut self, fingerprint: impl Into<String>) -> Self {
        self.fingerprints.push(fingerprint.into());
        self
    }

    /// Connects only over this version of the Internet Protocol. Default: any.
    #[must_use]
    pub fn ip_version(mut self, version: IpVersion) -> Self {
        self.ip_version = version;
        self
    }
}

fn default_threshold() -> Duration {
    DEFAULT_THRESHOLD
}

fn is_default_threshold(threshold: &Duration) -> bool {
    *threshold == DEFAULT_THRESHOLD
}

/// Zero means the default, as in upstream.
fn threshold<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let threshold = duration::deserialize(deserializer)?;
    Ok(if threshold.is_zero() { DEFAULT_THRESHOLD } else { threshold })
}

fn is_default(settings: &TlsSettings) -> bool {
    *settings == TlsSettings::default()
}
