//! [`Tcp`]: the settings of a TCP check.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use checkup_core::{Checker, ConfigError, IntoChecker, Secret};
use checkup_net::{HostPort, IpVersion, TlsVersion};
use serde::{Deserialize, Serialize};

use crate::checker::TcpChecker;
use crate::expect::{Expect, Search};
use crate::tls::Tls;

/// How much of an answer is read unless the settings say otherwise: 64 KiB.
const DEFAULT_MAX_READ_BYTES: usize = 64 << 10;

/// The most that it can be: 1 MiB. It is kept in memory, and searched again with each part that comes.
const MAX_READ_BYTES: usize = 1 << 20;

/// The settings of a TCP check, and its JSON object (`"type": "tcp"`).
///
/// An attempt connects, and makes the TLS handshake with [`tls`](Self::tls). Then it writes what there is to
/// [`send`](Self::send), and reads until what it [`expect`](Self::expect)s has come. Without `expect` it reads nothing.
///
/// The timeout of an attempt, 1 second unless the check has another, covers all of it. A name with several addresses is up
/// if one of them accepts.
///
/// A Redis server that answers a `PING`, as in a config file:
///
/// ```
/// use checkup_tcp::{Expect, Tcp};
///
/// let redis: Tcp = serde_json::from_str(r#"{
///     "endpoint_url": "redis.internal:6379",
///     "send": "PING\r\n",
///     "expect": "+PONG"
/// }"#)?;
/// assert_eq!(redis, Tcp::new("redis.internal:6379").send("PING\r\n").expect("+PONG"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tcp {
    /// The server: `db.internal:5432`, `10.0.0.5:5432`, `[2001:db8::5]:5432`. `:5432` is this machine.
    pub endpoint_url: String,

    /// Whether to speak TLS. Default false. Needs the feature `tls` (`tcp-tls` of the facade).
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: bool,

    /// Whether any certificate is accepted, also one that is expired or has another name. Default false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls_skip_verify: bool,

    /// A PEM file with the certificates of authorities to trust, in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca_file: Option<PathBuf>,

    /// A PEM file with the certificates of authorities to trust, in addition to the system's, or to those of
    /// `tls_ca_file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_extra_ca_file: Option<PathBuf>,

    /// A PEM file with the client's certificate, and the chain behind it. With TLS 1.3 a server refuses a client only after
    /// the handshake: add `expect` to notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_cert_file: Option<PathBuf>,

    /// A PEM file with the private key of the client's certificate, not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_key_file: Option<PathBuf>,

    /// The oldest version of TLS to speak: `"1.2"` or `"1.3"`. Default `"1.2"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_min_version: Option<TlsVersion>,

    /// The name to ask the server for (SNI), which its certificate must have. Default: the host of `endpoint_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_server_name: Option<String>,

    /// Connect over IPv4 (`4`) or IPv6 (`6`) only. Default `"any"`.
    #[serde(default, skip_serializing_if = "IpVersion::is_any")]
    pub ip_version: IpVersion,

    /// A text to send after connecting. An end of line is `\r\n` in the quotes of JSON, of TOML, and in the double
    /// ones of YAML; nothing is added. It may hold a password, so it is not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<Secret>,

    /// What the answer, or the greeting of a server that speaks first, must have in it: a text that it contains, or
    /// `{"matches": "regex"}`. Reading stops as soon as it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,

    /// How many bytes to read at most in search of `expect`, up to 1048576. Default 65536.
    #[serde(default = "default_max_read_bytes", skip_serializing_if = "is_default_max_read_bytes")]
    pub max_read_bytes: usize,
}

impl Tcp {
    /// A check that this server (`host:port`) accepts connections.
    pub fn new(endpoint_url: impl Into<String>) -> Self {
        Self {
            endpoint_url: endpoint_url.into(),
            tls: false,
            tls_skip_verify: false,
            tls_ca_file: None,
            tls_extra_ca_file: None,
            tls_client_cert_file: None,
            tls_client_key_file: None,
            tls_min_version: None,
            tls_server_name: None,
            ip_version: IpVersion::Any,
            send: None,
            expect: None,
            max_read_bytes: DEFAULT_MAX_READ_BYTES,
        }
    }

    /// Whether to speak TLS. Default false. Needs the feature `tls` (`tcp-tls` of the facade).
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Whether any certificate is accepted. Default false.
    #[must_use]
    pub fn tls_skip_verify(mut self, skip: bool) -> Self {
        self.tls_skip_verify = skip;
        self
    }

    /// A PEM file of authorities to trust, in place of the system's.
    #[must_use]
    pub fn tls_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.tls_ca_file = Some(file.into());
        self
    }

    /// A PEM file of authorities to trust, in addition to the system's.
    #[must_use]
    pub fn tls_extra_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.tls_extra_ca_file = Some(file.into());
        self
    }

    /// PEM files with the client's certificate and its private key.
    #[must_use]
    pub fn tls_client_cert(mut self, cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        self.tls_client_cert_file = Some(cert_file.into());
        self.tls_client_key_file = Some(key_file.into());
        self
    }

    /// The oldest version of TLS to speak. Default TLS 1.2.
    #[must_use]
    pub fn tls_min_version(mut self, version: TlsVersion) -> Self {
        self.tls_min_version = Some(version);
        self
    }

    /// The name that the server's certificate must have. Default: the host.
    #[must_use]
    pub fn tls_server_name(mut self, name: impl Into<String>) -> Self {
        self.tls_server_name = Some(name.into());
        self
    }

    /// Connect over this version of the Internet Protocol only. Default: any.
    #[must_use]
    pub fn ip_version(mut self, version: IpVersion) -> Self {
        self.ip_version = version;
        self
    }

    /// A text to send after connecting.
    #[must_use]
    pub fn send(mut self, text: impl Into<Secret>) -> Self {
        self.send = Some(text.into());
        self
    }

    /// What the answer must have in it: a text, or an [`Expect`].
    #[must_use]
    pub fn expect(mut self, expect: impl Into<Expect>) -> Self {
        self.expect = Some(expect.into());
        self
    }

    /// How many bytes to read at most in search of what is expected. Default 64 KiB, at most 1 MiB.
    #[must_use]
    pub fn max_read_bytes(mut self, bytes: usize) -> Self {
        self.max_read_bytes = bytes;
        self
    }

    /// Who sets these and forgets `tls` believes in a protection that is not there. Those of upstream may stand without
    /// `tls`, as they may there.
    fn refuse_tls_settings(&self) -> Result<(), ConfigError> {
        let set = [
            ("tls_extra_ca_file", self.tls_extra_ca_file.is_some()),
            ("tls_client_cert_file", self.tls_client_cert_file.is_some()),
            ("tls_min_version", self.tls_min_version.is_some()),
            ("tls_server_name", self.tls_server_name.is_some()),
        ];
        match set.into_iter().find(|(_, set)| *set && !self.tls) {
            Some((key, _)) => Err(ConfigError::invalid(key, "expected `tls` to be true too; set it, or remove this")),
            None => Ok(()),
        }
    }
}

impl IntoChecker for Tcp {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        let address: HostPort =
            self.endpoint_url.parse().map_err(|error| ConfigError::invalid("endpoint_url", format!("{error}")))?;
        if let Ok(literal) = address.host().parse::<IpAddr>()
            && !self.ip_version.allows(literal)
        {
            return Err(ConfigError::invalid(
                "ip_version",
                format!("expected the version of {literal}, found {}; remove it", self.ip_version),
            ));
        }
        if !(1..=MAX_READ_BYTES).contains(&self.max_read_bytes) {
            return Err(ConfigError::invalid(
                "max_read_bytes",
                format!("expected 1 to {MAX_READ_BYTES}, found {}", self.max_read_bytes),
            ));
        }
        self.refuse_tls_settings()?;
        let tls = Tls::parse(&self, &address)?;
        let expect = self.expect.as_ref().map(Search::new).transpose()?;
        Ok(Arc::new(TcpChecker {
            endpoint: self.endpoint_url,
            address,
            ip_version: self.ip_version,
            tls,
            send: self.send.filter(|text| !text.is_empty()),
            expect,
            max_read_bytes: self.max_read_bytes,
        }))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn default_max_read_bytes() -> usize {
    DEFAULT_MAX_READ_BYTES
}

fn is_default_max_read_bytes(bytes: &usize) -> bool {
    *bytes == DEFAULT_MAX_READ_BYTES
}
