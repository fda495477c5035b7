//! Explains why a server's certificate is not accepted, and what to do about it.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use checkup_core::Timestamp;
use checkup_core::duration::GoDuration;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{CertificateError, ExtendedKeyPurpose};

use crate::excerpt;

/// How many of a certificate's names a message lists.
const MAX_NAMES: usize = 5;

/// The message for an error about the certificate of this server.
pub(super) fn message(error: &CertificateError, server: &str) -> String {
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            let ago = GoDuration(Duration::from_secs(time.as_secs().saturating_sub(not_after.as_secs())));
            format!("the certificate of {server} expired {ago} ago, on {}; renew it", date(*not_after))
        }
        CertificateError::Expired => format!("the certificate of {server} has expired; renew it"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate of {server} is not valid before {}; is a clock wrong?", date(*not_before))
        }
        CertificateError::NotValidYet => format!("the certificate of {server} is not valid yet; is a clock wrong?"),
        CertificateError::UnknownIssuer => format!(
            "the certificate of {server} is not trusted: it is self-signed, or signed by an authority that is not among \
             the trusted roots; set the authority's certificate as the CA file, or let the server send its whole chain"
        ),
        CertificateError::BadSignature => format!(
            "the certificate of {server} is not trusted: a trusted authority has the name of its issuer, but did not \
             sign it; get the CA file that belongs to the certificate"
        ),
        CertificateError::Revoked => format!("the certificate of {server} has been revoked; get a new one"),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let remedy = if presented.is_empty() {
                "issue it with its names"
            } else {
                "set `server_name` if one of them is right"
            };
            format!("the certificate is not valid for {server}, {}; {remedy}", names(presented))
        }
        CertificateError::NotValidForName => {
            format!("the certificate is not valid for {server}; set `server_name` to the name in the certificate")
        }
        CertificateError::BadEncoding => format!("the certificate of {server} is malformed; issue it again"),
        CertificateError::UnhandledCriticalExtension => format!(
            "the certificate of {server} has a critical extension that is not supported; issue it without that extension"
        ),
        CertificateError::UnknownRevocationStatus => {
            format!("the revocation status of the certificate of {server} is unknown; get a current revocation list")
        }
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            format!("the revocation list for the certificate of {server} has expired; get a current one")
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => unsupported(server),
        #[allow(deprecated, reason = "other verifiers may still return it")]
        CertificateError::UnsupportedSignatureAlgorithm => unsupported(server),
        CertificateError::InvalidPurposeContext { presented, .. } => {
            let only = if presented.contains(&ExtendedKeyPurpose::ClientAuth) { ", only for clients" } else { "" };
            format!("the certificate of {server} is not one for servers{only}; issue it for server authentication")
        }
        CertificateError::InvalidPurpose => {
            format!("the certificate of {server} is not one for servers; issue it for server authentication")
        }
        CertificateError::InvalidOcspResponse => {
            format!("{server} sent an invalid revocation status (OCSP); check its OCSP stapling")
        }
        CertificateError::ApplicationVerificationFailure => format!(
            "this machine's rules do not accept the certificate of {server}; set the authority's certificate as the CA file"
        ),
        CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(error) => rule(error, server),
            None => general(server),
        },
        _ => general(server),
    }
}

fn general(server: &str) -> String {
    format!("the certificate of {server} is invalid; check it and its chain with `openssl verify`")
}

fn unsupported(server: &str) -> String {
    format!(
        "the certificate of {server} has a signature of a kind that is not supported; issue it with ECDSA or RSA-SHA256"
    )
}

/// The message for a rule of RFC 5280 that the certificate or its chain breaks.
fn rule(error: &webpki::Error, server: &str) -> String {
    let chain = format!("the chain of the certificate of {server}");
    match error {
        webpki::Error::EndEntityUsedAsCa => format!(
            "{chain} has a certificate that signs another one without being an authority; issue the certificate by an \
             authority (`CA:TRUE`)"
        ),
        webpki::Error::PathLenConstraintViolated => {
            format!("{chain} is longer than an authority in it allows; use an authority without that limit")
        }
        webpki::Error::NameConstraintViolation => {
            format!("an authority of the certificate of {server} is not allowed to sign for its name; use another one")
        }
        webpki::Error::MaximumSignatureChecksExceeded
        | webpki::Error::MaximumPathBuildCallsExceeded
        | webpki::Error::MaximumPathDepthExceeded
        | webpki::Error::MaximumNameConstraintComparisonsExceeded => {
            format!("{chain} is too complex to verify; let the server send only the certificates that are needed")
        }
        webpki::Error::UnsupportedCertVersion => {
            format!("the certificate of {server} is not of version 3; issue it again with a current tool")
        }
        webpki::Error::InvalidCertValidity => {
            format!("the certificate of {server} ends before it begins; issue it again with valid dates")
        }
        webpki::Error::InvalidSerialNumber => {
            format!("the certificate of {server} has an invalid serial number; issue it again")
        }
        webpki::Error::SignatureAlgorithmMismatch => {
            format!("the certificate of {server} names two different signature algorithms; issue it again")
        }
        webpki::Error::EmptyEkuExtension => {
            format!("the certificate of {server} is valid for no purpose; issue it for server authentication")
        }
        webpki::Error::ExtensionValueInvalid
        | webpki::Error::MalformedExtensions
        | webpki::Error::MalformedDnsIdentifier
        | webpki::Error::MalformedNameConstraint
        | webpki::Error::InvalidNetworkMaskConstraint
        | webpki::Error::BadDer
        | webpki::Error::BadDerTime
        | webpki::Error::TrailingData(_) => {
            format!("the certificate of {server}, or one of its chain, is malformed; issue it again")
        }
        webpki::Error::CertDistrusted => {
            format!("the authority of the certificate of {server} is no longer trusted; use another authority")
        }
        _ => general(server),
    }
}

/// Lists the first few names of a certificate.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "it has no names (a common name does not count)".to_owned();
    }
    let shown: Vec<_> = presented.iter().take(MAX_NAMES).map(|name| excerpt(plain(name).as_bytes(), 64)).collect();
    let more = presented.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("only for {}{more}", shown.join(", "))
}

/// Extracts the name from webpki's `DnsName("example.com")` or `IpAddress(127.0.0.1)`.
fn plain(presented: &str) -> Cow<'_, str> {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
    let name = inner.trim_matches('"');
    // webpki does not shorten IPv6 addresses.
    name.parse::<IpAddr>().map_or(Cow::Borrowed(name), |address| Cow::Owned(address.to_string()))
}

/// Formats the time as in RFC 3339.
fn date(moment: UnixTime) -> Timestamp {
    let nanos = moment.as_secs().saturating_mul(1_000_000_000);
    Timestamp::from_unix_nanos(nanos.try_into().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hostile_certificate_says_is_bounded_and_escaped() {
        let presented = vec![format!("DnsName(\"\u{1b}[2J{}\")", "a".repeat(10_000)); 10_000];
        let text = names(&presented);
        assert!(text.len() < 600, "{}", text.len());
        assert!(text.starts_with(r"only for \u{1b}[2Jaaa"), "{text}");
        assert!(text.ends_with(" and 9995 more"), "{text}");
    }

    #[test]
    fn a_date_beyond_the_calendar_does_not_panic() {
        let far = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        assert!(!date(far).to_string().is_empty());
    }
}
