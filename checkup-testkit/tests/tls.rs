//! The TLS server speaks TLS with the certificates of its authority, and rejects what it is configured to reject.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::net::SocketAddr;
use std::sync::Arc;

use checkup_testkit::tokio_rustls::TlsConnector;
use checkup_testkit::tokio_rustls::client::TlsStream;
use checkup_testkit::tokio_rustls::rustls::crypto::aws_lc_rs;
use checkup_testkit::tokio_rustls::rustls::pki_types::pem::PemObject;
use checkup_testkit::tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use checkup_testkit::tokio_rustls::rustls::{self, ClientConfig, ProtocolVersion, RootCertStore};
use checkup_testkit::{Ca, HttpServer, Identity, Response, TlsOptions, TlsServer, TlsVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn connect(
    ca: &Ca,
    client: Option<&Identity>,
    alpn: &[&str],
    server: SocketAddr,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.pem().as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match client {
        Some(identity) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(identity.cert_pem.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap(),
            )
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let tcp = TcpStream::connect(server).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

fn greeting(identity: Identity, options: TlsOptions) -> TlsServer {
    TlsServer::start(identity, options, |mut connection| async move {
        let _ = connection.write_all(b"hello").await;
        let _ = connection.shutdown().await;
    })
}

async fn read(mut connection: TlsStream<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    connection.read_to_string(&mut text).await?;
    Ok(text)
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_can_connect() {
    let ca = Ca::new();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let server = greeting(ca.server(&["localhost"]), TlsOptions::new().only(version).alpn(&["b", "c"]));
        let connection = connect(&ca, None, &["a", "b"], server.addr()).await.unwrap();
        let (_, session) = connection.get_ref();
        let expected = if version == TlsVersion::Tls12 { ProtocolVersion::TLSv1_2 } else { ProtocolVersion::TLSv1_3 };
        assert_eq!(session.protocol_version(), Some(expected));
        assert_eq!(session.alpn_protocol(), Some(b"b".as_slice()));
        assert_eq!(read(connection).await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn bad_certificates_are_bad() {
    let ca = Ca::new();
    for identity in [
        ca.expired_server(&["localhost"]),
        ca.server(&["elsewhere"]),
        Ca::new().server(&["localhost"]),
        Identity::self_signed(&["localhost"]),
    ] {
        let server = greeting(identity, TlsOptions::new());
        let error = connect(&ca, None, &[], server.addr()).await.unwrap_err();
        let error = error.get_ref().unwrap().downcast_ref::<rustls::Error>().unwrap();
        assert!(matches!(error, rustls::Error::InvalidCertificate(_)), "{error}");
    }
}

#[tokio::test]
async fn a_server_with_a_client_ca_refuses_clients_without_a_certificate() {
    let ca = Ca::new();
    let server = greeting(ca.server(&["localhost"]), TlsOptions::new().client_ca(&ca));
    let connection = connect(&ca, Some(&ca.client("checkup")), &[], server.addr()).await.unwrap();
    assert_eq!(read(connection).await.unwrap(), "hello");
    // With TLS 1.3, the client notices only at its first read.
    let connection = connect(&ca, None, &[], server.addr()).await.unwrap();
    assert!(read(connection).await.is_err());
}

#[tokio::test]
async fn http_is_served_over_tls() {
    let ca = Ca::new();
    let identity = ca.server(&["localhost"]);
    let server = HttpServer::start_tls(identity, TlsOptions::new(), |_| Response::new(200).body("hello"));
    assert!(server.url("/").starts_with("https://"));
    let mut connection = connect(&ca, None, &[], server.addr()).await.unwrap();
    connection.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(read(connection).await.unwrap().ends_with("\r\n\r\nhello"));
}
