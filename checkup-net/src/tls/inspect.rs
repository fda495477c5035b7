//! [`Inspection`]: what a server presents in a handshake, even if it is not valid.

use std::sync::{Arc, Mutex, PoisonError};

use checkup_core::Failure;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::client::TlsClient;
use super::connect::tls_connect;
use super::failure::tls_failure;

/// How many certificates are tried in search of those that are not needed. Each try verifies the others again.
const MAX_TRIES: usize = 16;

/// What a server presented in a handshake: its certificates, and which of them are needed to trust it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The connection. If [`path`](Self::path) is a failure, the identity of the server is not verified.
    pub connection: TlsStream<TcpStream>,
    /// The certificates that the server presented, its own first, then the others in the server's order. Never empty.
    pub chain: Vec<CertificateDer<'static>>,
    /// The certificates by which the server is trusted: its own, and those others that are needed. Servers often present more, such as
    /// an old root that has expired. The failure says why the server is not trusted.
    pub path: Result<Vec<CertificateDer<'static>>, Failure>,
}

impl TlsClient {
    /// Performs the TLS handshake on a connection, and completes it even if the certificate is not valid. Marks
    /// [`Phase::Tls`](checkup_core::Phase::Tls).
    ///
    /// Verification is the same as in [`connect`](Self::connect), whose failure is in [`Inspection::path`]. With `skip_verify`,
    /// everything is trusted.
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect), except for an invalid certificate.
    pub async fn inspect(&self, connection: TcpStream) -> Result<Inspection, Failure> {
        let (config, verifier) = self.settings().verified_config(self.protocols()).await?;
        let recorder = Arc::new(Recorder { verifier, outcome: Mutex::default() });
        let mut config = (*config).clone();
        let recording: Arc<Recorder> = Arc::clone(&recorder);
        config.dangerous().set_certificate_verifier(recording);
        let connection = tls_connect(connection, self.name().clone(), Arc::new(config)).await?;
        let presented = connection.get_ref().1.peer_certificates().unwrap_or_default();
        let chain: Vec<_> = presented.iter().map(|certificate| certificate.clone().into_owned()).collect();
        let outcome = recorder.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        let path = match outcome {
            Some(Ok(needed)) => {
                let kept = chain.iter().enumerate().filter(|(index, _)| *index == 0 || needed.contains(index));
                Ok(kept.map(|(_, certificate)| certificate.clone()).collect())
            }
            Some(Err(error)) => Err(tls_failure(&error, &self.server_name())),
            None => Err(tls_failure(&Error::NoCertificatesPresented, &self.server_name())),
        };
        if chain.is_empty() {
            return Err(tls_failure(&Error::NoCertificatesPresented, &self.server_name()));
        }
        Ok(Inspection { connection, chain, path })
    }
}

/// Records what another verifier says about a certificate, and accepts it. The server must still prove that it has the certificate's
/// key.
#[derive(Debug)]
struct Recorder {
    verifier: Arc<dyn ServerCertVerifier>,
    /// The positions of the certificates that are needed, apart from the first one, or why the certificate is not valid.
    outcome: Mutex<Option<Result<Vec<usize>, Error>>>,
}

impl Recorder {
    /// Finds out which certificates are needed: all but those without which verification succeeds as well. The last ones are left out
    /// first, because servers present roots last.
    fn needed(
        &self,
        end_entity: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Vec<usize> {
        let mut needed: Vec<usize> = (0..others.len()).collect();
        for index in (0..others.len()).rev().take(MAX_TRIES) {
            let without: Vec<_> = needed.iter().copied().filter(|other| *other != index).collect();
            let rest: Vec<_> = without.iter().map(|index| others[*index].clone()).collect();
            if self.verifier.verify_server_cert(end_entity, &rest, server_name, &[], now).is_ok() {
                needed = without;
            }
        }
        // The server's own certificate is the first of the chain.
        needed.into_iter().map(|index| index + 1).collect()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let outcome = self
            .verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map(|_| self.needed(end_entity, intermediates, server_name, now));
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
