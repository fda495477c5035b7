//! [`tls_connect`]: the TLS handshake.

use std::sync::Arc;

use checkup_core::{Failure, Phase};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::failure::tls_failure;

/// Performs the TLS handshake on a connection with a server of this name.
///
/// Marks [`Phase::Tls`].
///
/// # Errors
///
/// The handshake's error as [`tls_failure`] explains it.
pub async fn tls_connect(
    connection: TcpStream,
    server_name: ServerName<'static>,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, Failure> {
    Phase::Tls.begin();
    let name = server_name.to_str().into_owned();
    let connected = TlsConnector::from(config).connect(server_name, connection).await;
    Phase::end();
    connected.map_err(|error| tls_failure(&error, &name))
}
