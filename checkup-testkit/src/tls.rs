use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use tokio_rustls::server::TlsStream;

use crate::{Ca, Identity, TcpServer};

/// A TLS server on loopback: a [`TcpServer`] whose handler gets the connection after the handshake.
///
/// A connection whose handshake fails is closed after the alert; the handler does not see it.
///
/// ```
/// use checkup_testkit::{Ca, TlsOptions, TlsServer};
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ca = Ca::new();
/// let server = TlsServer::start(ca.server(&["127.0.0.1"]), TlsOptions::new(), |mut connection| async move {
///     let _ = connection.write_all(b"220 ready\r\n").await;
///     let _ = connection.shutdown().await;
/// });
/// assert!(server.addr().ip().is_loopback());
/// # }
/// ```
#[derive(Debug)]
pub struct TlsServer {
    tcp: TcpServer,
}

/// What a [`TlsServer`] asks for and offers. By default: no client certificate, TLS 1.2 and 1.3, no ALPN.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    client_ca: Option<String>,
    only: Option<TlsVersion>,
    alpn: Vec<Vec<u8>>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl TlsServer {
    /// Starts a server on `127.0.0.1` with this certificate.
    ///
    /// # Panics
    ///
    /// If no socket can be bound, if the certificate or its key is invalid, or outside of a tokio runtime.
    pub fn start<F, Fut>(identity: Identity, options: TlsOptions, handler: F) -> Self
    where
        F: Fn(TlsStream<TcpStream>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let acceptor = options.acceptor(&identity);
        let handler = Arc::new(handler);
        let tcp = TcpServer::start(move |connection| {
            let accept = acceptor.accept(connection);
            let handler = Arc::clone(&handler);
            async move {
                if let Ok(connection) = accept.await {
                    handler(connection).await;
                }
            }
        });
        Self { tcp }
    }

    /// A server that completes the handshake, reads what it is sent, and never answers.
    pub fn silent(identity: Identity, options: TlsOptions) -> Self {
        Self::start(identity, options, async |mut connection: TlsStream<TcpStream>| {
            let mut sink = [0; 1024];
            while connection.read(&mut sink).await.is_ok_and(|length| length > 0) {}
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.tcp.addr()
    }

    /// The underlying TCP server, with its counts of connections.
    pub fn tcp(&self) -> &TcpServer {
        &self.tcp
    }
}

impl TlsOptions {
    /// No client certificate, TLS 1.2 and 1.3, no ALPN.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rejects clients without a certificate of this authority.
    #[must_use]
    pub fn client_ca(mut self, ca: &Ca) -> Self {
        self.client_ca = Some(ca.pem());
        self
    }

    /// Speaks this version only.
    #[must_use]
    pub fn only(mut self, version: TlsVersion) -> Self {
        self.only = Some(version);
        self
    }

    /// Offers these protocols (`h2`, `http/1.1`) in this order of preference.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&str]) -> Self {
        self.alpn = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self
    }

    /// Performs the handshakes of a server, for one that speaks another protocol first.
    ///
    /// # Panics
    ///
    /// If the certificate or its key is invalid.
    pub fn acceptor(&self, identity: &Identity) -> TlsAcceptor {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let versions: &[&SupportedProtocolVersion] = match self.only {
            Some(TlsVersion::Tls12) => &[&version::TLS12],
            Some(TlsVersion::Tls13) => &[&version::TLS13],
            None => &[&version::TLS12, &version::TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("the provider has cipher suites for these versions");
        let builder = match &self.client_ca {
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(pem) {
                    roots.add(certificate).expect("the authority's certificate is a root");
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .expect("there is a root");
                builder.with_client_cert_verifier(verifier)
            }
            None => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).expect("the key is PEM");
        let mut config = builder
            .with_single_cert(certificates(&identity.cert_pem), key)
            .expect("the certificate and the key belong together");
        config.alpn_protocols = self.alpn.clone();
        TlsAcceptor::from(Arc::new(config))
    }
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(|certificate| certificate.expect("the text is PEM")).collect()
}
