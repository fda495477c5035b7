//! Explains what a server does wrong in a handshake, and what it does not have in common with this client.

use tokio_rustls::rustls::{InvalidMessage, PeerIncompatible, PeerMisbehaved};

/// The message for a server that breaks the protocol.
pub(super) fn broken(server: &str, how: &str) -> String {
    format!("{server} breaks the TLS protocol: {how}; update its TLS software, or check for a middlebox in between")
}

/// Explains what is wrong with a message that cannot be read.
pub(super) fn invalid(reason: &InvalidMessage) -> &'static str {
    match reason {
        InvalidMessage::CertificatePayloadTooLarge => "its certificates are too large",
        InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::MessageTooLarge => {
            "it sent a message that is too large"
        }
        InvalidMessage::MessageTooShort
        | InvalidMessage::MissingData(_)
        | InvalidMessage::InvalidEmptyPayload
        | InvalidMessage::IllegalEmptyList(_)
        | InvalidMessage::IllegalEmptyValue
        | InvalidMessage::EmptyTicketValue => "it sent a message that is too short",
        InvalidMessage::TrailingData(_) => "it sent a message that is too long for its content",
        InvalidMessage::UnexpectedMessage(_) => "it sent a message that is not expected at this point",
        InvalidMessage::MissingKeyExchange
        | InvalidMessage::InvalidDhParams
        | InvalidMessage::UnsupportedCurveType
        | InvalidMessage::UnsupportedKeyExchangeAlgorithm(_) => "its key exchange is invalid or not supported",
        InvalidMessage::UnsupportedCompression => "it wants compression, which TLS no longer has",
        InvalidMessage::DuplicateExtension(_) => "it sent an extension twice",
        InvalidMessage::NoSignatureSchemes => "it asks for a client certificate without naming signature algorithms",
        _ => "it sent a malformed message",
    }
}

/// Names the rule that a server breaks.
pub(super) fn misbehaviour(reason: &PeerMisbehaved) -> &'static str {
    match reason {
        PeerMisbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported => {
            "it fell back to TLS 1.2 although it speaks TLS 1.3, as in a downgrade attack"
        }
        PeerMisbehaved::SelectedUnofferedApplicationProtocol
        | PeerMisbehaved::SelectedUnofferedCertCompression
        | PeerMisbehaved::SelectedUnofferedCipherSuite
        | PeerMisbehaved::SelectedUnofferedCompression
        | PeerMisbehaved::SelectedUnofferedKxGroup
        | PeerMisbehaved::SelectedUnofferedPsk
        | PeerMisbehaved::SelectedUnusableCipherSuiteForVersion
        | PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme
        | PeerMisbehaved::SignedKxWithWrongAlgorithm
        | PeerMisbehaved::WrongGroupForKeyShare => "it selected settings that this client did not offer",
        PeerMisbehaved::UnsolicitedCertExtension
        | PeerMisbehaved::UnsolicitedEncryptedExtension
        | PeerMisbehaved::UnsolicitedSctList
        | PeerMisbehaved::UnsolicitedServerHelloExtension
        | PeerMisbehaved::UnsolicitedEchExtension
        | PeerMisbehaved::UnexpectedCleartextExtension
        | PeerMisbehaved::DisallowedEncryptedExtension => "it sent an extension that this client did not ask for",
        PeerMisbehaved::DuplicateEncryptedExtensions
        | PeerMisbehaved::DuplicateHelloRetryRequestExtensions
        | PeerMisbehaved::DuplicateNewSessionTicketExtensions
        | PeerMisbehaved::DuplicateServerHelloExtensions => "it sent an extension twice",
        PeerMisbehaved::TooManyEmptyFragments
        | PeerMisbehaved::TooManyKeyUpdateRequests
        | PeerMisbehaved::TooManyRenegotiationRequests
        | PeerMisbehaved::TooManyWarningAlertsReceived => "it sent too many messages of one kind",
        PeerMisbehaved::InvalidKeyShare | PeerMisbehaved::MissingKeyShare => "its key is missing or invalid",
        PeerMisbehaved::IllegalMiddleboxChangeCipherSpec
        | PeerMisbehaved::KeyEpochWithPendingFragment
        | PeerMisbehaved::MessageInterleavedWithHandshakeMessage => "it sent messages in the wrong order",
        _ => "it sent a message that the protocol does not allow",
    }
}

/// The message for a server that has no TLS settings in common with this client.
pub(super) fn incompatible(server: &str, reason: &PeerIncompatible) -> String {
    match reason {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::SupportedVersionsExtensionRequired => format!(
            "{server} speaks only TLS versions older than the oldest that is allowed; enable TLS 1.2 or 1.3 on it, or \
             lower `min_version`"
        ),
        PeerIncompatible::NoCipherSuitesInCommon => {
            format!("no cipher in common with {server}; enable AES-GCM or ChaCha20-Poly1305 on the server")
        }
        PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NamedGroupsExtensionRequired
        | PeerIncompatible::KeyShareExtensionRequired => {
            format!("no key exchange in common with {server}; enable X25519 or P-256 on the server")
        }
        PeerIncompatible::NoSignatureSchemesInCommon | PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
            format!("no signature algorithm in common with {server}; give the server an ECDSA or RSA certificate")
        }
        PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => format!(
            "{server} accepts no signature that the client certificate's key can make; use a client certificate with \
             another kind of key"
        ),
        PeerIncompatible::ExtendedMasterSecretExtensionRequired => {
            format!("{server} does not support the extended master secret (RFC 7627); update its TLS software")
        }
        PeerIncompatible::IncorrectCertificateTypeExtension | PeerIncompatible::UnsolicitedCertificateTypeExtension => {
            format!("{server} does not use X.509 certificates; give it one")
        }
        PeerIncompatible::ServerRejectedEncryptedClientHello(_) => {
            format!("{server} does not accept an encrypted client hello; check its DNS records of type HTTPS")
        }
        _ => format!("no TLS settings in common with {server}; check the server's TLS versions and ciphers"),
    }
}
