//! [`broken`]: the failure of an open connection.

use std::io;

use checkup_core::Failure;
use checkup_net::find_tls_failure;

/// Makes the failure of an open connection. With TLS 1.3, servers refuse a client's certificate only at this point.
pub(crate) fn broken(error: io::Error) -> Failure {
    find_tls_failure(&error, "the server").unwrap_or_else(|| error.into())
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use checkup_core::Cause;
    use tokio_rustls::rustls::{AlertDescription, Error};

    use super::*;

    #[test]
    fn an_alert_after_the_handshake_is_explained() {
        let alert = Error::AlertReceived(AlertDescription::CertificateRequired);
        let failure = broken(io::Error::new(ErrorKind::InvalidData, alert));
        assert_eq!(failure.cause(), Cause::Tls);
        let words = "the server refused the TLS handshake: it asks for a client certificate; ";
        assert!(failure.message().starts_with(words), "{failure}");
        assert_eq!(broken(ErrorKind::ConnectionReset.into()).cause(), Cause::Network);
    }
}
