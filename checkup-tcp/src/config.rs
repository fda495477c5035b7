//! [`Tcp`]: the settings of a TCP check.

mod read;

use std::time::Duration;

#[cfg(feature = "config")]
use checkup_core::config::DurationSchema;
use checkup_core::{Secret, duration};
use checkup_net::{IpVersion, StartTls, TlsSettings, tls_switch};
use serde::Serialize;

use crate::expect::Expect;

/// How much of an answer is read by default: 64 KiB.
const DEFAULT_MAX_READ_BYTES: usize = 64 << 10;

/// The highest limit: 1 MiB. An answer is kept in memory, and searched again whenever a part of it arrives.
pub(crate) const MAX_READ_BYTES: usize = 1 << 20;

/// The settings of a TCP check, and its JSON object (`"type": "tcp"`).
///
/// An attempt connects, and performs a TLS handshake if [`tls`](Self::tls) is set. It then sends the text in [`send`](Self::send),
/// and reads until it has found what it should [`expect`](Self::expect). Without `expect` it reads nothing. With TLS, results say
/// when the server's certificate expires.
///
/// The timeout of an attempt covers all of this. It is 1 second by default, as in upstream: the original Checkup, a Go program. A
/// name with several addresses is up if one of them accepts the connection.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema), schemars(transform = read::add_upstream_keys))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tcp {
    /// The server: `db.internal:5432`, `10.0.0.5:5432`, `[2001:db8::5]:5432`. `:5432` means this machine.
    pub endpoint_url: String,

    /// Whether to speak TLS: `true`, or an object of TLS settings. Default: false. Needs the feature `tls` (`tcp-tls` of the crate
    /// `checkup-rs`). With TLS 1.3 a server refuses a client certificate only after the handshake: set `expect` to notice that.
    /// Certificate files that have changed are read again by the next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "tls_switch::serialize")]
    #[cfg_attr(feature = "config", schemars(schema_with = "tls_switch::schema"))]
    pub tls: Option<TlsSettings>,

    /// The protocol of a server that begins without TLS and changes to it when the client asks: `smtp`, `imap`, `pop3`, `ftp`, `ldap`,
    /// `xmpp`, `postgres` or `mysql`. The dialogue up to TLS is part of the check; `send` and `expect` begin after it. Only with `tls`.
    /// Default: none, and the handshake begins immediately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starttls: Option<StartTls>,

    /// The check is degraded if the server's certificate, or another one that it presents, expires within this time. Only with `tls`.
    /// Default: none; results say when the first one expires in any case.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "config", schemars(with = "Option<DurationSchema>"))]
    pub cert_expiry: Option<Duration>,

    /// Connect over IPv4 (`4`) or IPv6 (`6`) only. Default: `"any"`.
    #[serde(default, skip_serializing_if = "IpVersion::is_any")]
    pub ip_version: IpVersion,

    /// The text to send after connecting. It is sent exactly as it is, including white space and line ends, even those from a
    /// variable. In JSON, TOML and YAML, write a line end as `\r\n` in double quotes. The text may be a password, so it is never
    /// shown. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<Secret>,

    /// What the answer, or the greeting of a server that speaks first, must contain: a text, or `{"matches": "regex"}`. Reading
    /// stops as soon as it has arrived. Default: none, and nothing is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,

    /// How many bytes to read at most in search of `expect`, from 1 to 1048576. Default: 65536.
    #[serde(default = "default_max_read_bytes", skip_serializing_if = "is_default_max_read_bytes")]
    pub max_read_bytes: usize,
}

impl Tcp {
    /// Checks that this server (`host:port`) accepts connections.
    pub fn new(endpoint_url: impl Into<String>) -> Self {
        Self {
            endpoint_url: endpoint_url.into(),
            tls: None,
            starttls: None,
            cert_expiry: None,
            ip_version: IpVersion::Any,
            send: None,
            expect: None,
            max_read_bytes: DEFAULT_MAX_READ_BYTES,
        }
    }

    /// Speaks TLS with these settings. Needs the feature `tls` (`tcp-tls` of the crate `checkup-rs`).
    #[must_use]
    pub fn tls(mut self, settings: TlsSettings) -> Self {
        self.tls = Some(settings);
        self
    }

    /// Sets the protocol of a server that begins without TLS. Only with TLS. Default: none.
    #[must_use]
    pub fn starttls(mut self, protocol: StartTls) -> Self {
        self.starttls = Some(protocol);
        self
    }

    /// Makes the check degraded if the server's certificate expires within this time. Only with TLS. Default: none.
    #[must_use]
    pub fn cert_expiry(mut self, threshold: Duration) -> Self {
        self.cert_expiry = Some(threshold);
        self
    }

    /// Connects only over this version of the Internet Protocol. Default: any.
    #[must_use]
    pub fn ip_version(mut self, version: IpVersion) -> Self {
        self.ip_version = version;
        self
    }

    /// Sets the text to send after connecting. It is sent exactly as it is, including white space and line ends. Default: none.
    #[must_use]
    pub fn send(mut self, text: impl Into<Secret>) -> Self {
        self.send = Some(text.into());
        self
    }

    /// Sets what the answer must contain: a text, or an [`Expect`]. Default: none, and nothing is read.
    #[must_use]
    pub fn expect(mut self, expect: impl Into<Expect>) -> Self {
        self.expect = Some(expect.into());
        self
    }

    /// Sets how many bytes to read at most in search of what is expected, from 1 byte to 1 MiB. Default: 64 KiB.
    #[must_use]
    pub fn max_read_bytes(mut self, bytes: usize) -> Self {
        self.max_read_bytes = bytes;
        self
    }
}

fn default_max_read_bytes() -> usize {
    DEFAULT_MAX_READ_BYTES
}

fn is_default_max_read_bytes(bytes: &usize) -> bool {
    *bytes == DEFAULT_MAX_READ_BYTES
}
