//! Explains what a server means by an alert (RFC 8446, section 6), and what to do about it.

use tokio_rustls::rustls::AlertDescription;

/// Explains the alert, as the end of "… refused the TLS handshake: …".
pub(super) fn message(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::CloseNotify | AlertDescription::UserCanceled => {
            "it ended the connection; its log may say why"
        }
        AlertDescription::HandshakeFailure => {
            "no settings in common (versions, ciphers), or a client certificate is missing; check the server's TLS \
             settings"
        }
        AlertDescription::ProtocolVersion => {
            "it does not speak the TLS versions that are allowed; enable TLS 1.2 or 1.3 on it, or lower `min_version`"
        }
        AlertDescription::InsufficientSecurity => "it requires stronger ciphers; check the server's TLS settings",
        AlertDescription::UnrecognisedName => "it does not serve this name; set `server_name` to one that it serves",
        AlertDescription::NoApplicationProtocol => {
            "no application protocol (ALPN) in common; check that this is the right port"
        }
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "it asks for a client certificate; set `client_cert_file` and `client_key_file`"
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnobtainable
        | AlertDescription::BadCertificateHashValue => {
            "it does not accept the client certificate; check that it is one for this server"
        }
        AlertDescription::CertificateUnknown => {
            "it rejects the client certificate, or cannot verify its own; its log may say why"
        }
        AlertDescription::CertificateRevoked => "the client certificate has been revoked; get a new one",
        AlertDescription::CertificateExpired => "the client certificate has expired; renew it",
        AlertDescription::UnknownCA => {
            "it does not trust the authority of the client certificate; add the authority on the server, or use another \
             certificate"
        }
        AlertDescription::AccessDenied => {
            "access is denied to the client certificate; allow it on the server, or use another one"
        }
        AlertDescription::UnknownPSKIdentity => {
            "it expects a pre-shared key, which is not supported; let it use certificates"
        }
        AlertDescription::BadCertificateStatusResponse => {
            "the revocation status (OCSP) of a certificate is invalid; check the server's OCSP stapling"
        }
        AlertDescription::EncryptedClientHelloRequired => {
            "it requires an encrypted client hello, which is not supported; allow plain ones on the server"
        }
        AlertDescription::InternalError => "it has an internal error; its log may say more",
        AlertDescription::DecryptError => {
            "a signature or a key did not match; check that its certificate and its key belong together"
        }
        AlertDescription::BadRecordMac | AlertDescription::DecryptionFailed => {
            "it received damaged data; check for a proxy or a middlebox that changes the connection"
        }
        AlertDescription::InappropriateFallback => {
            "it suspects a downgrade attack; check for a proxy or a middlebox that changes it"
        }
        AlertDescription::ExportRestriction => "it allows only export ciphers; update its TLS software",
        AlertDescription::NoRenegotiation => "it does not renegotiate; check the server's TLS settings",
        AlertDescription::MissingExtension | AlertDescription::UnsupportedExtension => {
            "it does not accept the extensions of the handshake; update its TLS software"
        }
        AlertDescription::UnexpectedMessage
        | AlertDescription::RecordOverflow
        | AlertDescription::DecompressionFailure
        | AlertDescription::IllegalParameter
        | AlertDescription::DecodeError => {
            "it does not understand a message of the handshake; update its TLS software, or check for a middlebox in \
             between"
        }
        other => return format!("it sent the unknown alert {}; its log may say why", u8::from(other)),
    };
    words.to_owned()
}
