//! [`TlsClient`]: the TLS of one check, parsed from its settings.

use std::io;

use checkup_core::{ConfigError, ConfigProblems, Failure, Timestamp};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::config::TlsConfig;
use super::connect::tls_connect;
use super::expiry::certificate_expiry;
use super::failure::find_tls_failure;
use crate::TlsSettings;

/// The TLS of one check: its [`TlsSettings`], parsed for the server that it connects to.
///
/// ```
/// use checkup_net::{TlsClient, TlsSettings};
///
/// let settings = TlsSettings::new().server_name("ldap.internal");
/// let tls = TlsClient::new(&settings, "10.0.0.5", "endpoint_url")?;
/// assert_eq!(tls.server_name(), "ldap.internal");
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct TlsClient {
    settings: TlsSettings,
    server_name: ServerName<'static>,
    alpn: &'static [&'static [u8]],
    /// Created by the first attempt, because that reads files.
    config: TlsConfig,
}

impl TlsClient {
    /// Parses the settings for a server. Does not read any file.
    ///
    /// The certificate must be valid for the settings' `server_name`, or for `host` if it is not set. Errors refer to
    /// `host_key` as the key that contains `host`, and to `tls` as the key of the settings.
    ///
    /// # Errors
    ///
    /// All problems of the settings together, including a host that no certificate can be valid for.
    pub fn new(settings: &TlsSettings, host: &str, host_key: &str) -> Result<Self, ConfigError> {
        let mut problems = ConfigProblems::new();
        problems.take(settings.validate("tls."));
        let (key, name) = match &settings.server_name {
            Some(name) => ("tls.server_name", name.as_str()),
            None => (host_key, host),
        };
        let server_name = problems.take(parse_name(name, key));
        let settings = settings.clone();
        problems.finish(|| Some(Self { settings, server_name: server_name?, alpn: &[], config: TlsConfig::default() }))
    }

    /// Offers these protocols to the server (ALPN), in this order. Default: none.
    #[must_use]
    pub fn alpn(mut self, protocols: &'static [&'static [u8]]) -> Self {
        self.alpn = protocols;
        self
    }

    pub(super) fn settings(&self) -> &TlsSettings {
        &self.settings
    }

    pub(super) fn protocols(&self) -> &'static [&'static [u8]] {
        self.alpn
    }

    pub(super) fn name(&self) -> &ServerName<'static> {
        &self.server_name
    }

    /// The name that the server's certificate must be valid for.
    pub fn server_name(&self) -> std::borrow::Cow<'_, str> {
        self.server_name.to_str()
    }

    /// Reads the certificate files on the first call, and again when they have changed: see [`TlsConfig`]. Attempts call this
    /// before they start their clock, since reading files must not count as the server's time.
    ///
    /// # Errors
    ///
    /// If a file is missing or invalid, or the system has no root certificates.
    pub async fn prepare(&self) -> Result<(), Failure> {
        self.config.refresh(&self.settings, self.alpn).await
    }

    /// Performs the TLS handshake on a connection. Marks [`Phase::Tls`](checkup_core::Phase::Tls).
    ///
    /// # Errors
    ///
    /// The handshake's error as [`tls_failure`](crate::tls_failure) explains it, and the errors of
    /// [`prepare`](Self::prepare).
    pub async fn connect(&self, connection: TcpStream) -> Result<TlsStream<TcpStream>, Failure> {
        let config = self.config.current(&self.settings, self.alpn).await?;
        tls_connect(connection, self.server_name.clone(), config).await
    }

    /// Returns when the certificates that the server presented expire: see [`certificate_expiry`]. `None` if they cannot be
    /// read.
    pub fn certificate_expiry(connection: &TlsStream<TcpStream>) -> Option<Timestamp> {
        certificate_expiry(connection.get_ref().1.peer_certificates().unwrap_or_default())
    }

    /// Explains an error of an open connection, if it came from TLS. With TLS 1.3, servers refuse a client's certificate only
    /// after the handshake.
    pub fn failure(&self, error: &io::Error) -> Option<Failure> {
        find_tls_failure(error, &self.server_name.to_str())
    }
}

fn parse_name(name: &str, key: &str) -> Result<ServerName<'static>, ConfigError> {
    // A zone has a meaning only on this machine, and names in certificates have no trailing dot.
    let plain = name.split_once('%').map_or(name, |(address, _zone)| address);
    let plain = plain.strip_suffix('.').unwrap_or(plain);
    ServerName::try_from(plain.to_owned()).map_err(|_| {
        let remedy = if plain.is_ascii() { "" } else { "; write it in its ASCII form (xn--…)" };
        ConfigError::invalid(
            key,
            format!("expected a host name or an IP address that a certificate can contain, found {name:?}{remedy}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_setting_or_the_host() {
        let name = |settings: &TlsSettings, host: &str| {
            TlsClient::new(settings, host, "endpoint_url").unwrap().server_name().into_owned()
        };
        let plain = TlsSettings::new();
        for (host, expected) in [("db.internal.", "db.internal"), ("fe80::1%eth0", "fe80::1"), ("10.0.0.5", "10.0.0.5")]
        {
            assert_eq!(name(&plain, host), expected);
        }
        assert_eq!(name(&plain.server_name("ldap.internal"), "not a name"), "ldap.internal");
    }

    #[test]
    fn all_problems_are_reported_together() {
        let mut settings = TlsSettings::new().server_name("a b");
        settings.client_key_file = Some("client.key".into());
        let error = TlsClient::new(&settings, "db", "endpoint_url").unwrap_err();
        let places: Vec<_> = error.problems().iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["tls.client_cert_file", "tls.server_name"]);
        let error = TlsClient::new(&TlsSettings::new(), "münchen.example", "endpoint_url").unwrap_err().to_string();
        assert!(error.starts_with("endpoint_url: expected a host name"), "{error}");
        assert!(error.ends_with("write it in its ASCII form (xn--…)"), "{error}");
    }
}
