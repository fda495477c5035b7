//! Handshakes with real servers: those that must succeed, and the message of each one that must fail.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use checkup_core::{Cause, Failure};
use checkup_net::{
    TlsConfig, TlsSettings, TlsVersion as MinVersion, certificate_expiry, connect, tls_connect, tls_failure,
};
use checkup_testkit::tokio_rustls::client::TlsStream;
use checkup_testkit::tokio_rustls::rustls::ProtocolVersion;
use checkup_testkit::tokio_rustls::rustls::pki_types::ServerName;
use checkup_testkit::{Ca, Identity, TcpServer, TlsOptions, TlsServer, TlsVersion, reset};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A folder of certificates, and settings that use them.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, content: &str) -> Option<PathBuf> {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        Some(path)
    }

    /// Replaces a file by renaming, as careful programs do.
    fn replace(&self, name: &str, content: &str) {
        self.write("new", content);
        std::fs::rename(self.0.path().join("new"), self.0.path().join(name)).unwrap();
    }

    fn trusting(&self, ca: &Ca) -> TlsSettings {
        let mut tls = TlsSettings::default();
        tls.ca_file = self.write("ca.pem", &ca.pem());
        tls
    }
}

async fn handshake(tls: &TlsSettings, addr: SocketAddr, name: &str) -> Result<TlsStream<TcpStream>, Failure> {
    let config = tls.client_config(&[]).await?;
    let connection = connect(&[addr]).await?;
    tls_connect(connection, ServerName::try_from(name.to_owned()).unwrap(), config).await
}

async fn failure(tls: &TlsSettings, identity: Identity, name: &str) -> String {
    let server = TlsServer::silent(identity, TlsOptions::new());
    let failure = handshake(tls, server.addr(), name).await.unwrap_err();
    assert_eq!(failure.cause(), Cause::Tls, "{failure}");
    failure.message().to_owned()
}

#[tokio::test]
async fn a_ca_file_replaces_the_roots_and_an_extra_one_adds_to_them() {
    let (files, ca) = (Files::new(), Ca::new());
    let server = TlsServer::silent(ca.server(&["localhost", "127.0.0.1"]), TlsOptions::new());
    let replacing = files.trusting(&ca);
    let mut adding = TlsSettings::default();
    adding.extra_ca_file = replacing.ca_file.clone();
    let mut both = files.trusting(&Ca::new());
    both.ca_file = files.write("other.pem", &Ca::new().pem());
    both.extra_ca_file = files.write("ca.pem", &ca.pem());
    for tls in [replacing, adding, both] {
        for name in ["localhost", "127.0.0.1"] {
            handshake(&tls, server.addr(), name).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_unknown_issuer() {
    let (files, ca) = (Files::new(), Ca::new());
    let tls = files.trusting(&ca);
    for identity in [Ca::new().server(&["localhost"]), Identity::self_signed(&["localhost"])] {
        assert_eq!(
            failure(&tls, identity, "localhost").await,
            "the certificate of localhost is not trusted: it is self-signed, or signed by an authority that is not \
             among the trusted roots; set the authority's certificate as the CA file, or let the server send its whole chain"
        );
    }
}

#[tokio::test]
async fn an_expired_certificate_and_one_that_is_not_valid_yet() {
    let (files, ca) = (Files::new(), Ca::new());
    let tls = files.trusting(&ca);
    let moment = |days: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(days * 24 * 3600);
    let expired = failure(&tls, ca.server_valid(&["localhost"], moment(0), moment(365)), "localhost").await;
    assert!(expired.starts_with("the certificate of localhost expired "), "{expired}");
    assert!(expired.ends_with(" ago, on 1971-01-01T00:00:00Z; renew it"), "{expired}");
    let early = failure(&tls, ca.server_valid(&["localhost"], moment(50_000), moment(60_000)), "localhost").await;
    assert_eq!(early, "the certificate of localhost is not valid before 2106-11-24T00:00:00Z; is a clock wrong?");
}

#[tokio::test]
async fn a_wrong_name() {
    let (files, ca) = (Files::new(), Ca::new());
    let tls = files.trusting(&ca);
    let names = ["one.example", "*.two.example", "127.0.0.2", "::1"];
    assert_eq!(
        failure(&tls, ca.server(&names), "localhost").await,
        "the certificate is not valid for localhost, only for one.example, *.two.example, 127.0.0.2, ::1; set `server_name` if one of them is right"
    );
}

#[tokio::test]
async fn a_self_signed_certificate_may_be_its_own_ca_file() {
    let files = Files::new();
    let day = Duration::from_secs(24 * 3600);
    let own = Identity::self_made_ca(&["localhost"], SystemTime::now() + day);
    let mut replacing = TlsSettings::default();
    replacing.ca_file = files.write("own.pem", &own.cert_pem);
    let mut adding = TlsSettings::default();
    adding.extra_ca_file = replacing.ca_file.clone();
    let server = TlsServer::silent(own, TlsOptions::new());
    for tls in [&replacing, &adding] {
        handshake(tls, server.addr(), "localhost").await.unwrap();
        let wrong = handshake(tls, server.addr(), "127.0.0.1").await.unwrap_err();
        assert!(wrong.message().starts_with("the certificate is not valid for 127.0.0.1"), "{wrong}");
    }
    // A different one with the same names is not trusted, nor is an expired one.
    let other = Identity::self_made_ca(&["localhost"], SystemTime::now() + day);
    let message = failure(&replacing, other, "localhost").await;
    assert!(message.contains("set it as the CA file"), "{message}");
    let expired = Identity::self_made_ca(&["localhost"], SystemTime::now() - day);
    replacing.ca_file = files.write("expired.pem", &expired.cert_pem);
    let message = failure(&replacing, expired, "localhost").await;
    assert!(message.contains(" expired "), "{message}");
}

#[tokio::test]
async fn skipping_verification_accepts_them_all() {
    let ca = Ca::new();
    let mut tls = TlsSettings::default();
    tls.skip_verify = true;
    for identity in [Identity::self_signed(&["elsewhere"]), ca.expired_server(&["elsewhere"])] {
        for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
            let server = TlsServer::silent(identity.clone(), TlsOptions::new().only(version));
            handshake(&tls, server.addr(), "localhost").await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_oldest_version_counts() {
    let (files, ca) = (Files::new(), Ca::new());
    let mut tls = files.trusting(&ca);
    let old = TlsServer::silent(ca.server(&["localhost"]), TlsOptions::new().only(TlsVersion::Tls12));
    let connection = handshake(&tls, old.addr(), "localhost").await.unwrap();
    assert_eq!(connection.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    tls.min_version = Some(MinVersion::Tls13);
    let failure = handshake(&tls, old.addr(), "localhost").await.unwrap_err();
    assert_eq!(
        failure,
        Failure::new(
            Cause::Tls,
            "localhost refused the TLS handshake: it does not speak the TLS versions that are allowed; enable TLS 1.2 or 1.3 \
             on it, or lower `min_version`"
        )
    );
}

#[tokio::test]
async fn a_client_certificate_is_presented_and_its_absence_is_reported() {
    let (files, ca) = (Files::new(), Ca::new());
    let mut tls = files.trusting(&ca);
    let options = TlsOptions::new().client_ca(&ca);
    let server = TlsServer::start(ca.server(&["localhost"]), options, |mut connection| async move {
        let _ = connection.write_all(b"in").await;
        let _ = connection.shutdown().await;
    });
    // With TLS 1.3 the server refuses only after the client's side of the handshake.
    let mut connection = handshake(&tls, server.addr(), "localhost").await.unwrap();
    let error = connection.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(
        tls_failure(&error, "localhost").message(),
        "localhost refused the TLS handshake: it asks for a client certificate; set `client_cert_file` and \
         `client_key_file`"
    );

    let client = ca.client("checkup");
    tls.client_cert_file = files.write("client.pem", &client.cert_pem);
    tls.client_key_file = files.write("client.key", &client.key_pem);
    let mut connection = handshake(&tls, server.addr(), "localhost").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "in");
}

#[tokio::test]
async fn files_that_change_are_read_again_and_others_are_not() {
    let (files, ca, other) = (Files::new(), Ca::new(), Ca::new());
    let tls = files.trusting(&ca);
    let alpn: &[&[u8]] = &[b"changing"];
    let config = TlsConfig::default();
    config.refresh(&tls, alpn).await.unwrap();
    let first = config.current(&tls, alpn).await.unwrap();
    config.refresh(&tls, alpn).await.unwrap();
    assert!(Arc::ptr_eq(&first, &config.current(&tls, alpn).await.unwrap()), "nothing has changed");

    files.replace("ca.pem", &other.pem());
    assert!(Arc::ptr_eq(&first, &config.current(&tls, alpn).await.unwrap()), "only `refresh` looks for changes");
    config.refresh(&tls, alpn).await.unwrap();
    let second = config.current(&tls, alpn).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(Arc::ptr_eq(&second, &tls.client_config(alpn).await.unwrap()), "equal settings share the new one");

    files.replace("ca.pem", "half a certificate");
    let failure = config.refresh(&tls, alpn).await.unwrap_err();
    assert!(failure.message().contains("ca.pem: the file is not PEM"), "{failure}");
    files.replace("ca.pem", &ca.pem());
    config.refresh(&tls, alpn).await.unwrap();
    let server = TlsServer::silent(ca.server(&["localhost"]), TlsOptions::new());
    let connection = connect(&[server.addr()]).await.unwrap();
    let config = config.current(&tls, alpn).await.unwrap();
    tls_connect(connection, ServerName::try_from("localhost").unwrap(), config).await.unwrap();
}

#[tokio::test]
async fn the_expiry_of_the_presented_certificate_is_known() {
    let (files, ca) = (Files::new(), Ca::new());
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let identity = ca.server_valid(&["localhost"], SystemTime::UNIX_EPOCH, end);
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let server = TlsServer::silent(identity.clone(), TlsOptions::new().only(version));
        let connection = handshake(&files.trusting(&ca), server.addr(), "localhost").await.unwrap();
        let chain = connection.get_ref().1.peer_certificates().unwrap();
        let expiry = certificate_expiry(chain).unwrap();
        assert_eq!(expiry.unix_nanos(), 4_000_000_000_000_000_000);
    }
}

#[tokio::test]
async fn servers_that_do_not_speak_tls() {
    let mut tls = TlsSettings::default();
    tls.skip_verify = true;
    for banner in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.9\r\n", "220 mail.example ESMTP\r\n"] {
        let server = TcpServer::start(move |mut connection| async move {
            let _ = connection.write_all(banner.as_bytes()).await;
            let _ = connection.read(&mut [0; 1024]).await;
        });
        let failure = handshake(&tls, server.addr(), "localhost").await.unwrap_err();
        assert_eq!(
            failure,
            Failure::new(
                Cause::Tls,
                "the server does not speak TLS on this port; check the port, or connect without TLS"
            ),
            "{banner}"
        );
    }
    let closing = TcpServer::start(|mut connection| async move {
        let _ = connection.read(&mut [0; 1024]).await;
    });
    let failure = handshake(&tls, closing.addr(), "localhost").await.unwrap_err();
    assert_eq!(failure.message(), "the server closed the connection in the TLS handshake; does it speak TLS?");
    let resetting = TcpServer::start(|mut connection| async move {
        let _ = connection.read(&mut [0; 1024]).await;
        reset(connection);
    });
    let failure = handshake(&tls, resetting.addr(), "localhost").await.unwrap_err();
    assert_eq!(failure.message(), "connection reset by the other side in the TLS handshake");
    assert_eq!(failure.cause(), Cause::Network);
}
