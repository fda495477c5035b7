//! The failures of TLS, in plain words. No text of the TLS library is shown: each error has our own message, with a remedy. Errors
//! that later versions of the library add get the general message of their kind.

mod alert;
mod certificate;
mod peer;

use std::error::Error;
use std::io;

use checkup_core::{Cause, Failure};
use tokio_rustls::rustls::{self, InvalidMessage};

use super::own_certificate::is_of_an_authority;
use crate::excerpt;

/// Turns the error of a TLS handshake with this server into a failure with a readable message. Its cause is [`Cause::Tls`],
/// unless the connection broke or the monitor itself has trouble.
///
/// Finds the TLS error in the sources of `error`, at any depth, so it accepts the errors of HTTP clients too.
///
/// ```
/// use checkup_core::Cause;
/// use checkup_net::tls_failure;
///
/// let error = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
/// let failure = tls_failure(&error, "db.internal");
/// assert_eq!(failure.cause(), Cause::Tls);
/// assert_eq!(failure.message(), "the server closed the connection in the TLS handshake; does it speak TLS?");
/// ```
pub fn tls_failure(error: &(dyn Error + 'static), server_name: &str) -> Failure {
    if let Some(failure) = find_tls_failure(error, server_name) {
        return failure;
    }
    let Some(io) = find::<io::Error>(error) else {
        let text = excerpt(error.to_string().as_bytes(), 200);
        return Failure::new(Cause::Tls, format!("TLS handshake failed: {text}"));
    };
    match io.kind() {
        io::ErrorKind::UnexpectedEof => {
            Failure::new(Cause::Tls, "the server closed the connection in the TLS handshake; does it speak TLS?")
        }
        kind => {
            // The text of the error itself could be anything, so the message is made from its number or kind.
            let plain = io.raw_os_error().map_or_else(|| io::Error::from(kind), io::Error::from_raw_os_error);
            let failure = Failure::from(plain);
            Failure::new(failure.cause(), format!("{failure} in the TLS handshake"))
        }
    }
}

/// Like [`tls_failure`], but returns `None` if there is no TLS error among the sources of `error`.
pub fn find_tls_failure(error: &(dyn Error + 'static), server_name: &str) -> Option<Failure> {
    find::<rustls::Error>(error).map(|error| failure(error, &excerpt(server_name.as_bytes(), 255)))
}

/// Finds the outermost error of this type in the chain. Looks into `io::Error`s, whose `source` skips the error that they
/// hold.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

fn failure(error: &rustls::Error, server: &str) -> Failure {
    let own_trouble = match error {
        rustls::Error::FailedToGetRandomBytes => {
            "this machine cannot provide random numbers for TLS; check its entropy source"
        }
        rustls::Error::FailedToGetCurrentTime => "this machine's clock cannot be read; set it",
        _ => return Failure::new(Cause::Tls, message(error, server)),
    };
    Failure::new(Cause::Monitor, own_trouble)
}

fn message(error: &rustls::Error, server: &str) -> String {
    match error {
        error if is_of_an_authority(error) => format!(
            "the certificate of {server} is a CA certificate, not a server certificate; if you made it \
             yourself (for example with `openssl req -x509`), set it as the CA file"
        ),
        rustls::Error::InvalidCertificate(error) => certificate::message(error, server),
        rustls::Error::NoCertificatesPresented => {
            format!("{server} presented no certificate; configure one on the server")
        }
        rustls::Error::AlertReceived(alert) => {
            format!("{server} refused the TLS handshake: {}", alert::message(*alert))
        }
        // This is how the first bytes of a banner, or of an HTTP response, are understood.
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            "the server does not speak TLS on this port; check the port, or connect without TLS".to_owned()
        }
        rustls::Error::InvalidMessage(reason) => peer::broken(server, peer::invalid(reason)),
        rustls::Error::PeerSentOversizedRecord => peer::broken(server, "it sent a record that is too large"),
        rustls::Error::InappropriateMessage { .. } | rustls::Error::InappropriateHandshakeMessage { .. } => {
            peer::broken(server, "it sent a message that is not expected at this point")
        }
        rustls::Error::PeerMisbehaved(reason) => peer::broken(server, peer::misbehaviour(reason)),
        rustls::Error::PeerIncompatible(reason) => peer::incompatible(server, reason),
        rustls::Error::NoApplicationProtocol => {
            format!("{server} and this client have no application protocol (ALPN) in common; check the port")
        }
        rustls::Error::DecryptError => format!(
            "a message of {server} cannot be decrypted; check for a proxy or a middlebox that changes the connection"
        ),
        rustls::Error::EncryptError => {
            format!("a message to {server} cannot be encrypted; please report this as a bug of Checkup")
        }
        rustls::Error::UnsupportedNameType => format!(
            "no certificate can be valid for the name {server}; set `server_name` to the name in the certificate"
        ),
        rustls::Error::InvalidCertRevocationList(_) => {
            format!("the revocation list for the certificate of {server} is invalid; get a current one")
        }
        rustls::Error::InvalidEncryptedClientHello(_) => {
            format!("{server} does not accept an encrypted client hello; check its DNS records of type HTTPS")
        }
        rustls::Error::InconsistentKeys(_) => {
            "the client certificate and its key do not belong together; check the two files".to_owned()
        }
        // The errors of platform verifiers and of cryptographic providers are only text.
        rustls::Error::General(reason) => {
            format!("TLS with {server} failed; the server's log may say more ({})", excerpt(reason.as_bytes(), 200))
        }
        _ => format!("TLS with {server} failed; the server's log may say why"),
    }
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::AlertDescription;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_tls_error_is_found_deep_inside() {
        let tls = rustls::Error::AlertReceived(AlertDescription::UnrecognisedName);
        let error = Outer(io::Error::other(Outer(io::Error::other(tls))));
        let failure = find_tls_failure(&error, "db.internal").unwrap();
        assert!(failure.message().starts_with("db.internal refused the TLS handshake: it does not serve this name"));
        assert_eq!(find_tls_failure(&Outer(io::Error::other("else")), "db.internal"), None);
    }

    #[test]
    fn a_broken_connection_keeps_its_cause() {
        let failure = tls_failure(&io::Error::from(io::ErrorKind::ConnectionReset), "db.internal");
        assert_eq!(failure.cause(), Cause::Network);
        assert_eq!(failure.message(), "connection reset by the other side in the TLS handshake");
    }

    #[test]
    fn the_monitors_own_trouble_is_not_blamed_on_the_server() {
        for error in [rustls::Error::FailedToGetRandomBytes, rustls::Error::FailedToGetCurrentTime] {
            assert_eq!(tls_failure(&error, "db.internal").cause(), Cause::Monitor, "{error}");
        }
    }
}
