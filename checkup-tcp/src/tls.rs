//! TLS of a TCP check, parsed from its settings.

use std::io;
use std::sync::Arc;

use checkup_core::{ConfigError, Failure};
use checkup_net::{ClientTls, HostPort, find_tls_failure, tls_connect};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::Tcp;

#[derive(Debug)]
pub(crate) struct Tls {
    settings: ClientTls,
    server_name: ServerName<'static>,
    /// Made by the first attempt: it reads files.
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// The TLS that the settings ask for, if they do.
    pub(crate) fn parse(tcp: &Tcp, address: &HostPort) -> Result<Option<Self>, ConfigError> {
        let mut settings = ClientTls::default();
        settings.ca_file = tcp.tls_ca_file.clone();
        settings.extra_ca_file = tcp.tls_extra_ca_file.clone();
        settings.client_cert_file = tcp.tls_client_cert_file.clone();
        settings.client_key_file = tcp.tls_client_key_file.clone();
        settings.skip_verify = tcp.tls_skip_verify;
        settings.min_version = tcp.tls_min_version;
        settings.validate("tls_")?;
        if !tcp.tls {
            return Ok(None);
        }
        let (key, name) = match &tcp.tls_server_name {
            Some(name) => ("tls_server_name", name.as_str()),
            None => ("endpoint_url", address.host()),
        };
        // A zone is of use to this machine only; no certificate has one.
        let plain = name.split_once('%').map_or(name, |(address, _zone)| address);
        let server_name = ServerName::try_from(plain.to_owned()).map_err(|_| {
            let remedy = if plain.is_ascii() { "" } else { "; write it in its ASCII form (xn--…)" };
            ConfigError::invalid(key, format!("expected a name that a certificate can have, found {name:?}{remedy}"))
        })?;
        Ok(Some(Self { settings, server_name, config: OnceCell::new() }))
    }

    /// Reads the certificates, the first time.
    pub(crate) async fn load(&self) -> Result<(), Failure> {
        self.config().await.map(|_| ())
    }

    /// Makes the handshake.
    pub(crate) async fn connect(&self, connection: TcpStream) -> Result<TlsStream<TcpStream>, Failure> {
        tls_connect(connection, self.server_name.clone(), self.config().await?).await
    }

    /// What TLS has to do with an error of the connection, if it has.
    pub(crate) fn failure(&self, error: &io::Error) -> Option<Failure> {
        find_tls_failure(error, &self.server_name.to_str())
    }

    async fn config(&self) -> Result<Arc<ClientConfig>, Failure> {
        self.config.get_or_try_init(|| self.settings.client_config(&[])).await.cloned()
    }
}
