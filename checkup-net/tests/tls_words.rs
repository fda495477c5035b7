//! Every error of the TLS library has its own message with a remedy. The lists name each variant of rustls 0.23 and of webpki
//! 0.103. Variants that later versions add get the message for their kind, which the last test covers.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::sync::Arc;
use std::time::Duration;

use checkup_core::Cause;
use checkup_net::find_tls_failure;
use checkup_testkit::tokio_rustls::rustls::crypto::{GetRandomFailed, KeyExchangeAlgorithm};
use checkup_testkit::tokio_rustls::rustls::pki_types::{ServerName, UnixTime};
use checkup_testkit::tokio_rustls::rustls::{
    AlertDescription, CertRevocationListError, CertificateError, ContentType, EncryptedClientHelloError, Error,
    ExtendedKeyPurpose, HandshakeType, InconsistentKeys, InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved,
};

/// Returns the message for an error. It must have a remedy and contain nothing of the library's text.
fn words(error: &Error) -> String {
    let failure = find_tls_failure(error, "db.internal").unwrap();
    let message = failure.message().to_owned();
    assert!(matches!(failure.cause(), Cause::Tls | Cause::Monitor), "{error:?}");
    let inner = format!("{error:?}");
    assert!(!message.contains(&error.to_string()), "{inner}: {message}");
    // Names of variants, and anything else that belongs only in source code.
    for word in message.split(|c: char| !c.is_ascii_alphanumeric()) {
        let is_variant = word.len() > 9 && word.chars().skip(1).any(|c| c.is_ascii_uppercase()) && inner.contains(word);
        assert!(!is_variant, "{inner}: {message}");
    }
    assert!(!message.contains("::") && !message.contains(['{', '[']), "{inner}: {message}");
    let has_remedy = message.contains([';', '?']);
    assert!(has_remedy, "{inner} has no remedy: {message}");
    assert!(!message.ends_with('.') && message.len() < 400, "{inner}: {message}");
    message
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> OtherError {
    OtherError(Arc::new(error))
}

#[test]
fn every_error_has_a_message_and_a_remedy() {
    for error in [
        Error::InappropriateMessage { expect_types: vec![ContentType::Handshake], got_type: ContentType::Heartbeat },
        Error::InappropriateHandshakeMessage {
            expect_types: vec![HandshakeType::ServerHello],
            got_type: HandshakeType::Finished,
        },
        Error::InvalidEncryptedClientHello(EncryptedClientHelloError::InvalidConfigList),
        Error::NoCertificatesPresented,
        Error::UnsupportedNameType,
        Error::DecryptError,
        Error::EncryptError,
        Error::InvalidCertRevocationList(CertRevocationListError::ParseError),
        Error::General("the native verifier is missing".to_owned() + "."),
        Error::FailedToGetCurrentTime,
        Error::FailedToGetRandomBytes,
        Error::from(GetRandomFailed),
        Error::HandshakeNotComplete,
        Error::PeerSentOversizedRecord,
        Error::NoApplicationProtocol,
        Error::BadMaxFragmentSize,
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch),
        Error::InconsistentKeys(InconsistentKeys::Unknown),
    ] {
        words(&error);
    }
}

#[test]
fn every_certificate_error_has_a_message_and_a_remedy() {
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    #[allow(deprecated, reason = "verifiers may still return it")]
    let deprecated = CertificateError::UnsupportedSignatureAlgorithm;
    for error in [
        CertificateError::BadEncoding,
        CertificateError::Expired,
        CertificateError::ExpiredContext { time: at(2_000_000), not_after: at(1_000_000) },
        CertificateError::NotValidYet,
        CertificateError::NotValidYetContext { time: at(1), not_before: at(2) },
        CertificateError::Revoked,
        CertificateError::UnhandledCriticalExtension,
        CertificateError::UnknownIssuer,
        CertificateError::UnknownRevocationStatus,
        CertificateError::ExpiredRevocationList,
        CertificateError::ExpiredRevocationListContext { time: at(2), next_update: at(1) },
        CertificateError::BadSignature,
        deprecated,
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![1, 2],
            supported_algorithms: Vec::new(),
        },
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![1, 2],
            public_key_algorithm_id: vec![3],
        },
        CertificateError::NotValidForName,
        CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("db.internal").unwrap(),
            presented: vec!["DnsName(\"other.internal\")".to_owned()],
        },
        CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("db.internal").unwrap(),
            presented: Vec::new(),
        },
        CertificateError::InvalidPurpose,
        CertificateError::InvalidPurposeContext {
            required: ExtendedKeyPurpose::ServerAuth,
            presented: vec![ExtendedKeyPurpose::ClientAuth, ExtendedKeyPurpose::Other(vec![1, 3])],
        },
        CertificateError::InvalidOcspResponse,
        CertificateError::ApplicationVerificationFailure,
    ] {
        let message = words(&Error::InvalidCertificate(error));
        assert!(message.contains("db.internal"), "{message}");
    }
}

#[test]
fn every_certificate_rule_has_a_message_and_a_remedy() {
    for error in [
        webpki::Error::BadDer,
        webpki::Error::BadDerTime,
        webpki::Error::CaUsedAsEndEntity,
        webpki::Error::CertDistrusted,
        webpki::Error::EmptyEkuExtension,
        webpki::Error::EndEntityUsedAsCa,
        webpki::Error::ExtensionValueInvalid,
        webpki::Error::InvalidCertValidity,
        webpki::Error::InvalidCrlNumber,
        webpki::Error::InvalidNetworkMaskConstraint,
        webpki::Error::InvalidSerialNumber,
        webpki::Error::IssuerNotCrlSigner,
        webpki::Error::MalformedDnsIdentifier,
        webpki::Error::MalformedExtensions,
        webpki::Error::MalformedNameConstraint,
        webpki::Error::MaximumNameConstraintComparisonsExceeded,
        webpki::Error::MaximumPathBuildCallsExceeded,
        webpki::Error::MaximumPathDepthExceeded,
        webpki::Error::MaximumSignatureChecksExceeded,
        webpki::Error::NameConstraintViolation,
        webpki::Error::PathLenConstraintViolated,
        webpki::Error::SignatureAlgorithmMismatch,
        webpki::Error::UnsupportedCertVersion,
        webpki::Error::UnsupportedCriticalExtension,
        webpki::Error::UnsupportedCrlIssuingDistributionPoint,
        webpki::Error::UnsupportedCrlVersion,
        webpki::Error::UnsupportedDeltaCrl,
        webpki::Error::UnsupportedIndirectCrl,
        webpki::Error::UnsupportedNameType,
        webpki::Error::UnsupportedRevocationReason,
        webpki::Error::UnsupportedRevocationReasonsPartitioning,
    ] {
        words(&Error::InvalidCertificate(CertificateError::Other(other(error))));
    }
}

#[test]
fn every_alert_has_a_message_and_a_remedy() {
    for number in 0..=u8::MAX {
        let alert = AlertDescription::from(number);
        let message = words(&Error::AlertReceived(alert));
        let is_unknown = matches!(alert, AlertDescription::Unknown(_));
        assert_eq!(message.contains("unknown alert"), is_unknown, "{alert:?}: {message}");
    }
}

#[test]
fn every_invalid_message_has_a_message_and_a_remedy() {
    for error in [
        InvalidMessage::CertificatePayloadTooLarge,
        InvalidMessage::HandshakePayloadTooLarge,
        InvalidMessage::InvalidCcs,
        InvalidMessage::InvalidContentType,
        InvalidMessage::InvalidCertificateStatusType,
        InvalidMessage::InvalidCertRequest,
        InvalidMessage::InvalidDhParams,
        InvalidMessage::InvalidEmptyPayload,
        InvalidMessage::InvalidKeyUpdate,
        InvalidMessage::InvalidServerName,
        InvalidMessage::MessageTooLarge,
        InvalidMessage::MessageTooShort,
        InvalidMessage::MissingData("SessionId"),
        InvalidMessage::MissingKeyExchange,
        InvalidMessage::NoSignatureSchemes,
        InvalidMessage::TrailingData("SessionId"),
        InvalidMessage::UnexpectedMessage("SessionId"),
        InvalidMessage::UnknownProtocolVersion,
        InvalidMessage::UnsupportedCompression,
        InvalidMessage::UnsupportedCurveType,
        InvalidMessage::UnsupportedKeyExchangeAlgorithm(KeyExchangeAlgorithm::DHE),
        InvalidMessage::EmptyTicketValue,
        InvalidMessage::IllegalEmptyList("SessionId"),
        InvalidMessage::IllegalEmptyValue,
        InvalidMessage::DuplicateExtension(7),
        InvalidMessage::PreSharedKeyIsNotFinalExtension,
        InvalidMessage::UnknownHelloRetryRequestExtension,
        InvalidMessage::UnknownCertificateExtension,
    ] {
        words(&Error::InvalidMessage(error));
    }
}

#[test]
fn every_incompatibility_has_a_message_and_a_remedy() {
    for error in [
        PeerIncompatible::EcPointsExtensionRequired,
        PeerIncompatible::ExtendedMasterSecretExtensionRequired,
        PeerIncompatible::IncorrectCertificateTypeExtension,
        PeerIncompatible::KeyShareExtensionRequired,
        PeerIncompatible::NamedGroupsExtensionRequired,
        PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon,
        PeerIncompatible::NoCipherSuitesInCommon,
        PeerIncompatible::NoEcPointFormatsInCommon,
        PeerIncompatible::NoKxGroupsInCommon,
        PeerIncompatible::NoSignatureSchemesInCommon,
        PeerIncompatible::NullCompressionRequired,
        PeerIncompatible::ServerDoesNotSupportTls12Or13,
        PeerIncompatible::ServerSentHelloRetryRequestWithUnknownExtension,
        PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        PeerIncompatible::SignatureAlgorithmsExtensionRequired,
        PeerIncompatible::SupportedVersionsExtensionRequired,
        PeerIncompatible::Tls12NotOffered,
        PeerIncompatible::Tls12NotOfferedOrEnabled,
        PeerIncompatible::Tls13RequiredForQuic,
        PeerIncompatible::UncompressedEcPointsRequired,
        PeerIncompatible::UnsolicitedCertificateTypeExtension,
        PeerIncompatible::ServerRejectedEncryptedClientHello(None),
    ] {
        words(&Error::PeerIncompatible(error));
    }
}

#[test]
fn every_misbehaviour_has_a_message_and_a_remedy() {
    for error in [
        PeerMisbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported,
        PeerMisbehaved::BadCertChainExtensions,
        PeerMisbehaved::CipherSuiteDifferedOnRetry,
        PeerMisbehaved::DisallowedEncryptedExtension,
        PeerMisbehaved::DuplicateClientHelloExtensions,
        PeerMisbehaved::DuplicateEncryptedExtensions,
        PeerMisbehaved::DuplicateHelloRetryRequestExtensions,
        PeerMisbehaved::DuplicateNewSessionTicketExtensions,
        PeerMisbehaved::DuplicateServerHelloExtensions,
        PeerMisbehaved::DuplicateServerNameTypes,
        PeerMisbehaved::EarlyDataAttemptedInSecondClientHello,
        PeerMisbehaved::EarlyDataExtensionWithoutResumption,
        PeerMisbehaved::EarlyDataOfferedWithVariedCipherSuite,
        PeerMisbehaved::EchAcceptanceVariedAfterRetry,
        PeerMisbehaved::HandshakeHashVariedAfterRetry,
        PeerMisbehaved::IllegalHelloRetryRequestWithEmptyCookie,
        PeerMisbehaved::IllegalHelloRetryRequestWithNoChanges,
        PeerMisbehaved::IllegalHelloRetryRequestWithOfferedGroup,
        PeerMisbehaved::IllegalHelloRetryRequestWithUnofferedCipherSuite,
        PeerMisbehaved::IllegalHelloRetryRequestWithUnofferedNamedGroup,
        PeerMisbehaved::IllegalHelloRetryRequestWithUnsupportedVersion,
        PeerMisbehaved::IllegalHelloRetryRequestWithWrongSessionId,
        PeerMisbehaved::IllegalHelloRetryRequestWithInvalidEch,
        PeerMisbehaved::IllegalMiddleboxChangeCipherSpec,
        PeerMisbehaved::IllegalTlsInnerPlaintext,
        PeerMisbehaved::IncorrectBinder,
        PeerMisbehaved::InvalidCertCompression,
        PeerMisbehaved::InvalidMaxEarlyDataSize,
        PeerMisbehaved::InvalidKeyShare,
        PeerMisbehaved::KeyEpochWithPendingFragment,
        PeerMisbehaved::KeyUpdateReceivedInQuicConnection,
        PeerMisbehaved::MessageInterleavedWithHandshakeMessage,
        PeerMisbehaved::MissingBinderInPskExtension,
        PeerMisbehaved::MissingKeyShare,
        PeerMisbehaved::MissingPskExtensionInSecondClientHello,
        PeerMisbehaved::MissingPskModesExtension,
        PeerMisbehaved::MissingQuicTransportParameters,
        PeerMisbehaved::OfferedDuplicateCertificateCompressions,
        PeerMisbehaved::OfferedDuplicateKeyShares,
        PeerMisbehaved::OfferedEarlyDataWithOldProtocolVersion,
        PeerMisbehaved::OfferedEmptyApplicationProtocol,
        PeerMisbehaved::OfferedIncorrectCompressions,
        PeerMisbehaved::PskExtensionMustBeLast,
        PeerMisbehaved::PskExtensionWithMismatchedIdsAndBinders,
        PeerMisbehaved::RefusedToFollowHelloRetryRequest,
        PeerMisbehaved::RejectedEarlyDataInterleavedWithHandshakeMessage,
        PeerMisbehaved::ResumptionAttemptedWithVariedEms,
        PeerMisbehaved::ResumptionOfferedWithVariedCipherSuite,
        PeerMisbehaved::ResumptionOfferedWithVariedEms,
        PeerMisbehaved::ResumptionOfferedWithIncompatibleCipherSuite,
        PeerMisbehaved::SelectedDifferentCipherSuiteAfterRetry,
        PeerMisbehaved::SelectedInvalidPsk,
        PeerMisbehaved::SelectedTls12UsingTls13VersionExtension,
        PeerMisbehaved::SelectedUnofferedApplicationProtocol,
        PeerMisbehaved::SelectedUnofferedCertCompression,
        PeerMisbehaved::SelectedUnofferedCipherSuite,
        PeerMisbehaved::SelectedUnofferedCompression,
        PeerMisbehaved::SelectedUnofferedKxGroup,
        PeerMisbehaved::SelectedUnofferedPsk,
        PeerMisbehaved::SelectedUnusableCipherSuiteForVersion,
        PeerMisbehaved::ServerEchoedCompatibilitySessionId,
        PeerMisbehaved::ServerHelloMustOfferUncompressedEcPoints,
        PeerMisbehaved::ServerNameDifferedOnRetry,
        PeerMisbehaved::ServerNameMustContainOneHostName,
        PeerMisbehaved::SignedKxWithWrongAlgorithm,
        PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme,
        PeerMisbehaved::TooManyEmptyFragments,
        PeerMisbehaved::TooManyKeyUpdateRequests,
        PeerMisbehaved::TooManyRenegotiationRequests,
        PeerMisbehaved::TooManyWarningAlertsReceived,
        PeerMisbehaved::TooMuchEarlyDataReceived,
        PeerMisbehaved::UnexpectedCleartextExtension,
        PeerMisbehaved::UnsolicitedCertExtension,
        PeerMisbehaved::UnsolicitedEncryptedExtension,
        PeerMisbehaved::UnsolicitedSctList,
        PeerMisbehaved::UnsolicitedServerHelloExtension,
        PeerMisbehaved::WrongGroupForKeyShare,
        PeerMisbehaved::UnsolicitedEchExtension,
    ] {
        words(&Error::PeerMisbehaved(error));
    }
}

/// New variants of the library take the same path as these errors, whose types this crate does not know.
#[test]
fn unknown_errors_have_a_message_and_a_remedy() {
    let unknown = || other(std::io::Error::other("SomethingNewInTheLibrary"));
    assert_eq!(words(&Error::Other(unknown())), "TLS with db.internal failed; the server's log may say why");
    assert_eq!(
        words(&Error::InvalidCertificate(CertificateError::Other(unknown()))),
        "the certificate of db.internal is invalid; check it and its chain with `openssl verify`"
    );
}
