//! [`Dns`]: the settings of a DNS check.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "config")]
use checkup_core::config::DurationSchema;
use checkup_core::duration;
use checkup_net::TlsSettings;
use serde::{Deserialize, Serialize};

use crate::Expect;

/// The settings of a DNS check, and its JSON object (`"type": "dns"`).
///
/// With [`hostname_fqdn`](Self::hostname_fqdn) set, an attempt asks the server for that name. It sends one query, and further ones if
/// - the answer over UDP is truncated: the query is repeated over TCP,
/// - the server refuses EDNS, does not answer within 300 ms, or closes the connection (over HTTPS: fails): the query is repeated
///   without EDNS, which old servers do not support,
/// - [`dnssec`](Self::dnssec) is set: the keys are fetched as well.
///
/// Nothing is cached. The check is *down* if there is no answer, if the response code is not the expected one, if there are no
/// records of the type, or if the records are not as expected.
///
/// Without a name, the server only has to accept a TCP connection. With TLS or HTTPS the handshake must succeed as well.
///
/// The timeout of an attempt covers all of this. It is 1 second by default, as in upstream: the original Checkup, a Go program.
///
/// ```
/// use checkup_dns::{Dns, Transport};
///
/// let dns: Dns = serde_json::from_str(r#"{
///     "endpoint_url": "dns.example.test",
///     "transport": "https",
///     "hostname_fqdn": "www.example.test",
///     "expect": ["192.0.2.10"]
/// }"#)?;
/// assert_eq!(dns.transport, Transport::Https);
/// assert_eq!(dns.record_type, "A");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Dns {
    /// The server: a name or an address, with or without a port: `10.0.0.53:53`, `ns1.example.org`, `[2001:db8::53]:53`.
    /// Default port: 53; 853 with `"transport": "tls"`; 443 with `"https"`.
    pub endpoint_url: String,

    /// The name to ask for, such as `www.example.org`, with or without its trailing dot. It is absolute: search domains are not
    /// used. With the record type `PTR` it can be an IP address, to ask for the name of that address. Default: none, so the
    /// server only has to accept a connection.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub hostname_fqdn: Option<String>,

    /// The type of the records to ask for: `A`, `AAAA`, `MX`, `TXT` and so on, or `TYPE` followed by a number. Default: `A`.
    #[serde(default = "default_record_type", skip_serializing_if = "is_default_record_type")]
    pub record_type: String,

    /// What the answer must contain. An array: all of these records, and possibly others. `{"exactly": […]}`: these and no
    /// others. `{"matches": "regex"}`: at least one record that matches. Default: at least one record of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,

    /// The response code that the answer must have: `NOERROR`, `NXDOMAIN`, `REFUSED` and so on. Default: `NOERROR`.
    /// With any other code, the answer needs no records.
    #[serde(default = "default_rcode", skip_serializing_if = "is_default_rcode")]
    pub rcode: String,

    /// How to ask the server: `udp` (and TCP if the answer is truncated), `tcp`, `tls` or `https`. Default: `udp`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub transport: Transport,

    /// The TLS settings. Only with the transports `tls` and `https`. Default: the system's roots, TLS 1.2 or 1.3. Certificate
    /// files that have changed are read again by the next attempt.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: TlsSettings,

    /// The check is degraded if the server's certificate, or another one that it presents, expires within this time. Only with the
    /// transports `tls` and `https`. Default: none; results say when the first one expires in any case.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "config", schemars(with = "Option<DurationSchema>"))]
    pub cert_expiry: Option<Duration>,

    /// The path of the server's DNS service. Only with the transport `https`. Default: `/dns-query`.
    #[serde(default = "default_https_path", skip_serializing_if = "is_default_https_path")]
    pub https_path: String,

    /// Whether the answer must be signed and valid (RFC 4035). The check validates it itself instead of relying on the server.
    /// It asks the same server for all keys up to the trust anchor, within the same timeout, so the server must be a recursive
    /// resolver. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dnssec: bool,

    /// A file with the keys to trust, one DNSKEY record per line, in zone file format. Only with `dnssec`. It is read once.
    /// Default: the keys of the root zone (IANA's of 2017 and 2024).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnssec_trust_anchor_file: Option<PathBuf>,
}

impl Dns {
    /// Checks that this server accepts connections. Set a [`hostname`](Self::hostname) to check its answers too.
    pub fn new(server: impl Into<String>) -> Self {
        Self {
            endpoint_url: server.into(),
            hostname_fqdn: None,
            record_type: default_record_type(),
            expect: None,
            rcode: default_rcode(),
            transport: Transport::default(),
            tls: TlsSettings::new(),
            cert_expiry: None,
            https_path: default_https_path(),
            dnssec: false,
            dnssec_trust_anchor_file: None,
        }
    }

    /// Sets [`hostname_fqdn`](Self::hostname_fqdn): the name to ask for.
    #[must_use]
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.hostname_fqdn = Some(name.into());
        self
    }

    /// Sets the type of the records to ask for, such as `"AAAA"`. Default: `A`.
    #[must_use]
    pub fn record_type(mut self, record_type: impl Into<String>) -> Self {
        self.record_type = record_type.into();
        self
    }

    /// Sets what the answer must contain. Default: at least one record of the type.
    #[must_use]
    pub fn expect(mut self, expect: impl Into<Expect>) -> Self {
        self.expect = Some(expect.into());
        self
    }

    /// Sets the response code that the answer must have, such as `"NXDOMAIN"`. Default: `NOERROR`.
    #[must_use]
    pub fn rcode(mut self, rcode: impl Into<String>) -> Self {
        self.rcode = rcode.into();
        self
    }

    /// Sets how to ask the server. Default: UDP.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Sets the TLS settings, which only the transports TLS and HTTPS use.
    #[must_use]
    pub fn tls(mut self, settings: TlsSettings) -> Self {
        self.tls = settings;
        self
    }

    /// Makes the check degraded if the server's certificate expires within this time. Only with the transports TLS and HTTPS. Default: none.
    #[must_use]
    pub fn cert_expiry(mut self, threshold: Duration) -> Self {
        self.cert_expiry = Some(threshold);
        self
    }

    /// Sets the path of the server's DNS service over HTTPS. Default: `/dns-query`.
    #[must_use]
    pub fn https_path(mut self, path: impl Into<String>) -> Self {
        self.https_path = path.into();
        self
    }

    /// Sets whether the answer must be signed and valid. Default: false.
    #[must_use]
    pub fn dnssec(mut self, dnssec: bool) -> Self {
        self.dnssec = dnssec;
        self
    }

    /// Trusts the keys in this file instead of those of the root zone.
    #[must_use]
    pub fn dnssec_trust_anchor_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.dnssec_trust_anchor_file = Some(path.into());
        self
    }
}

/// How to ask the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Transport {
    /// UDP, and TCP if the answer is truncated. Port 53.
    #[default]
    Udp,
    /// TCP. Port 53.
    Tcp,
    /// TLS (RFC 7858). Port 853.
    Tls,
    /// HTTPS (RFC 8484), HTTP/2. Port 443.
    Https,
}

impl Transport {
    /// Whether it uses TLS.
    pub(crate) const fn is_encrypted(self) -> bool {
        matches!(self, Transport::Tls | Transport::Https)
    }

    /// The name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Https => "https",
        }
    }

    /// The default port of its servers.
    pub const fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 53,
            Transport::Tls => 853,
            Transport::Https => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

pub(crate) const DEFAULT_RECORD_TYPE: &str = "A";
pub(crate) const DEFAULT_RCODE: &str = "NOERROR";
pub(crate) const DEFAULT_HTTPS_PATH: &str = "/dns-query";

fn default_record_type() -> String {
    DEFAULT_RECORD_TYPE.to_owned()
}

fn is_default_record_type(record_type: &str) -> bool {
    record_type == DEFAULT_RECORD_TYPE
}

fn default_rcode() -> String {
    DEFAULT_RCODE.to_owned()
}

fn is_default_rcode(rcode: &str) -> bool {
    rcode == DEFAULT_RCODE
}

fn default_https_path() -> String {
    DEFAULT_HTTPS_PATH.to_owned()
}

fn is_default_https_path(path: &str) -> bool {
    path == DEFAULT_HTTPS_PATH
}

// Upstream writes an empty string if there is no name.
fn is_empty(text: &Option<String>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_round_trip_without_their_defaults() {
        for json in [
            r#"{"endpoint_url":"ns1.example.test:53"}"#,
            r#"{"endpoint_url":"ns1.example.test","hostname_fqdn":"a.test","record_type":"MX","expect":["10 mx.a.test"]}"#,
            r#"{"endpoint_url":"x","hostname_fqdn":"a.test","rcode":"NXDOMAIN","transport":"https","tls":{"ca_file":"ca.pem","skip_verify":true,"server_name":"y"},"https_path":"/q","dnssec":true,"dnssec_trust_anchor_file":"root.key"}"#,
        ] {
            let dns: Dns = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&dns).unwrap(), json);
        }
    }

    #[test]
    fn unknown_values_and_keys_are_refused_with_the_known_ones() {
        let transport = serde_json::from_str::<Dns>(r#"{"endpoint_url":"x","transport":"quic"}"#).unwrap_err();
        assert!(transport.to_string().contains("expected one of `udp`, `tcp`, `tls`, `https`"), "{transport}");
        let key = serde_json::from_str::<Dns>(r#"{"endpoint_url":"x","hostname":"y"}"#).unwrap_err();
        assert!(key.to_string().contains("`hostname_fqdn`"), "{key}");
    }
}
