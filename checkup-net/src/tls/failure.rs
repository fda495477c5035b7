use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use checkup_core::duration::Human;
use checkup_core::{Cause, Failure, Timestamp};
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

use super::own_certificate::is_of_an_authority;
use crate::excerpt;

/// How many of a certificate's names a message lists.
const MAX_NAMES: usize = 5;

/// The failure of a TLS handshake with this server, in words for people. Its cause is [`Cause::Tls`], unless the
/// connection itself broke.
///
/// Finds the TLS error in the sources of `error`, however deep, so that the errors of HTTP clients will do too.
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
        return Failure::new(
            Cause::Tls,
            format!("TLS handshake failed: {}", excerpt(error.to_string().as_bytes(), 200)),
        );
    };
    match io.kind() {
        io::ErrorKind::UnexpectedEof => {
            Failure::new(Cause::Tls, "the server closed the connection in the TLS handshake; does it speak TLS?")
        }
        kind => {
            // The kind has the words; the error itself may hold anything.
            let failure = Failure::from(io::Error::from(kind));
            Failure::new(failure.cause(), format!("{failure} in the TLS handshake"))
        }
    }
}

/// The same, if there is a TLS error among the sources of `error`; `None` if it is about something else.
pub fn find_tls_failure(error: &(dyn Error + 'static), server_name: &str) -> Option<Failure> {
    find::<rustls::Error>(error).map(|error| Failure::new(Cause::Tls, message(error, server_name)))
}

/// The first error of this type in the chain, that of `io::Error`s included: their `source` skips what they hold.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    let mut outermost = None;
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            outermost = Some(found);
            break;
        }
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source());
    }
    outermost
}

fn message(error: &rustls::Error, server: &str) -> String {
    let server = excerpt(server.as_bytes(), 255);
    match error {
        error if is_of_an_authority(error) => format!(
            "the certificate of {server} is one of an authority, not of a server; if it is your own (`openssl req -x509` \
             makes such), set it as the CA file"
        ),
        rustls::Error::InvalidCertificate(error) => certificate(error, &server),
        rustls::Error::NoCertificatesPresented => format!("{server} presented no certificate"),
        rustls::Error::AlertReceived(alert) => format!("{server} refused the TLS handshake: {}", words(*alert)),
        // What the first bytes of a banner, or of an HTTP answer, look like.
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            "the server does not speak TLS on this port".to_owned()
        }
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => format!("{server} speaks only TLS versions older than the oldest that is allowed"),
        rustls::Error::PeerIncompatible(reason) => format!("no TLS settings in common with {server}: {reason:?}"),
        rustls::Error::PeerMisbehaved(reason) => format!("{server} breaks the TLS protocol: {reason:?}"),
        other => format!("TLS with {server} failed: {}", excerpt(other.to_string().as_bytes(), 200)),
    }
}

fn certificate(error: &CertificateError, server: &str) -> String {
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            let ago = Human(Duration::from_secs(time.as_secs().saturating_sub(not_after.as_secs())));
            format!("the certificate of {server} expired {ago} ago, on {}", date(*not_after))
        }
        CertificateError::Expired => format!("the certificate of {server} has expired"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate of {server} is not valid before {}; is a clock wrong?", date(*not_before))
        }
        CertificateError::NotValidYet => format!("the certificate of {server} is not valid yet; is a clock wrong?"),
        CertificateError::UnknownIssuer => format!(
            "the certificate of {server} is not trusted: it is self-signed, or signed by an authority that is not among \
             the trusted roots"
        ),
        CertificateError::BadSignature => format!(
            "the certificate of {server} is not trusted: a trusted authority has the name of its issuer, but did not \
             sign it"
        ),
        CertificateError::Revoked => format!("the certificate of {server} has been revoked"),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("the certificate is not valid for {server}, {}", names(presented))
        }
        CertificateError::NotValidForName => format!("the certificate is not valid for {server}"),
        CertificateError::BadEncoding => format!("the certificate of {server} is malformed"),
        other => format!(
            "the certificate of {server} is not valid: {}",
            excerpt(rustls::Error::InvalidCertificate(other.clone()).to_string().as_bytes(), 200)
        ),
    }
}

/// The names that a certificate has, the first few.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "it has no names (a common name does not count)".to_owned();
    }
    let shown: Vec<_> = presented.iter().take(MAX_NAMES).map(|name| excerpt(plain(name).as_bytes(), 64)).collect();
    let more = presented.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("only for {}{more}", shown.join(", "))
}

/// The name in webpki's `DnsName("example.com")` or `IpAddress(127.0.0.1)`.
fn plain(presented: &str) -> Cow<'_, str> {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
    let name = inner.trim_matches('"');
    // It writes IPv6 addresses its own way.
    name.parse::<IpAddr>().map_or(Cow::Borrowed(name), |address| Cow::Owned(address.to_string()))
}

/// The moment as RFC 3339.
fn date(moment: UnixTime) -> Timestamp {
    let nanos = moment.as_secs().saturating_mul(1_000_000_000);
    Timestamp::from_unix_nanos(nanos.try_into().unwrap_or(i64::MAX))
}

/// What a server means by an alert (RFC 8446, section 6.2).
fn words(alert: AlertDescription) -> String {
    let known = match alert {
        AlertDescription::HandshakeFailure => {
            "no settings in common (versions, ciphers), or a client certificate is missing"
        }
        AlertDescription::ProtocolVersion => "it does not speak the TLS versions that are allowed",
        AlertDescription::InsufficientSecurity => "it wants stronger ciphers",
        AlertDescription::UnrecognisedName => "it does not serve this name",
        AlertDescription::NoApplicationProtocol => "no application protocol (ALPN) in common",
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => "it asks for a client certificate",
        AlertDescription::BadCertificate | AlertDescription::UnsupportedCertificate => {
            "it does not accept the client certificate"
        }
        AlertDescription::CertificateUnknown => "it does not accept the client certificate, or the client its own",
        AlertDescription::CertificateRevoked => "the client certificate has been revoked",
        AlertDescription::CertificateExpired => "the client certificate has expired",
        AlertDescription::UnknownCA => "it does not trust the authority of the client certificate",
        AlertDescription::AccessDenied => "access denied to the client certificate",
        AlertDescription::InternalError => "it has an internal error",
        AlertDescription::DecryptError => "a signature was wrong",
        other => return format!("alert {other:?}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_tls_error_is_found_deep_inside() {
        let tls = rustls::Error::AlertReceived(AlertDescription::UnrecognisedName);
        let error = Outer(io::Error::other(Outer(io::Error::other(tls))));
        let failure = find_tls_failure(&error, "db.internal").unwrap();
        assert_eq!(failure.message(), "db.internal refused the TLS handshake: it does not serve this name");
        assert_eq!(find_tls_failure(&Outer(io::Error::other("else")), "db.internal"), None);
    }

    #[test]
    fn a_broken_connection_keeps_its_cause() {
        let failure = tls_failure(&io::Error::from(io::ErrorKind::ConnectionReset), "db.internal");
        assert_eq!(failure.cause(), Cause::Network);
        assert_eq!(failure.message(), "connection reset by the other side in the TLS handshake");
    }

    #[test]
    fn what_a_hostile_certificate_says_is_bounded_and_escaped() {
        let presented = vec![format!("DnsName(\"\u{1b}[2J{}\")", "a".repeat(10_000)); 10_000];
        let text = names(&presented);
        assert!(text.len() < 600, "{}", text.len());
        assert!(text.starts_with(r"only for \u{1b}[2Jaaa"), "{text}");
        assert!(text.ends_with(" and 9995 more"), "{text}");
    }

    #[test]
    fn a_date_that_no_calendar_has_does_no_harm() {
        let far = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        assert!(!date(far).to_string().is_empty());
    }
}
