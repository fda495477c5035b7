//! Builds a TLS configuration from settings: reads their files and the system's root certificates.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use checkup_core::Failure;
use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, SupportedProtocolVersion, version};

use super::own_certificate::OwnCertificate;
use super::unverified::Unverified;
use crate::{TlsSettings, TlsVersion, excerpt, read_file};

/// Checkup's cryptographic provider. It is independent of the process-wide default, which is for the program to choose.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

/// Builds the configuration of these settings, and returns it with its verifier. Reads their files, and blocks the thread.
pub(super) fn load(
    settings: &TlsSettings,
    alpn: Vec<Vec<u8>>,
) -> Result<(ClientConfig, Arc<dyn ServerCertVerifier>), Failure> {
    let verifier = verifier(settings)?;
    let versions: &[&SupportedProtocolVersion] = match settings.min_version {
        None | Some(TlsVersion::Tls12) => &[&version::TLS13, &version::TLS12],
        Some(TlsVersion::Tls13) => &[&version::TLS13],
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(versions)
        .map_err(|_| unusable())?
        // Dangerous only with `skip_verify`: rustls calls every custom verifier dangerous.
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier));
    let mut config = match (&settings.client_cert_file, &settings.client_key_file) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| client_failure(certificate, key, &error))?,
        _ => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = alpn;
    Ok((config, verifier))
}

fn verifier(settings: &TlsSettings) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
    if settings.skip_verify {
        return Ok(Arc::new(Unverified::new(Arc::clone(&PROVIDER))));
    }
    let extra = settings.extra_ca_file.as_deref();
    let Some(ca_file) = settings.ca_file.as_deref() else {
        // The certificates are first checked one by one, since the verifier's error does not say which is wrong.
        let mut checked = RootCertStore::empty();
        let roots = extra.map_or(Ok(Vec::new()), |file| add_roots(&mut checked, file))?;
        return match Verifier::new_with_extra_roots(roots.clone(), Arc::clone(&PROVIDER)) {
            Ok(verifier) => Ok(Arc::new(OwnCertificate { inner: Arc::new(verifier), roots })),
            Err(error) => Err(no_system_roots(&error)),
        };
    };
    let mut roots = RootCertStore::empty();
    let mut own = Vec::new();
    for file in [ca_file].into_iter().chain(settings.more_ca_files.iter().map(PathBuf::as_path)).chain(extra) {
        own.extend(add_roots(&mut roots, file)?);
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&PROVIDER)).build();
    let inner = verifier.map_err(|_| unusable())?;
    Ok(Arc::new(OwnCertificate { inner, roots: own }))
}

/// A failure that depends only on how TLS was compiled.
fn unusable() -> Failure {
    Failure::other("TLS cannot be set up; please report this as a bug of Checkup")
}

fn no_system_roots(error: &rustls::Error) -> Failure {
    let reason = match error {
        rustls::Error::General(reason) => excerpt(reason.as_bytes(), 200),
        _ => "they are missing or invalid".to_owned(),
    };
    Failure::other(format!(
        "cannot load the system's root certificates: {reason}; install them (on Linux the package ca-certificates) or give \
         a CA file"
    ))
}

/// Adds the certificates of a file to the roots.
fn add_roots(roots: &mut RootCertStore, file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let certificates = certificates(file)?;
    for (index, certificate) in certificates.iter().enumerate() {
        roots.add(certificate.clone()).map_err(|_| {
            let message = format!(
                "certificate {} in {} is malformed or not supported; remove it, or get a new copy",
                index + 1,
                file.display()
            );
            Failure::other(message)
        })?;
    }
    Ok(certificates)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let content = read_file(file)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&content)
        .collect::<Result<_, _>>()
        .map_err(|error| not_pem(file, "certificate", &content, &error))?;
    if certificates.is_empty() {
        return Err(not_pem(file, "certificate", &content, &pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    let content = read_file(file)?;
    PrivateKeyDer::from_pem_slice(&content).map_err(|error| not_pem(file, "private key", &content, &error))
}

/// The failure of a file with the wrong content. The content is not shown, since it may be a key.
fn not_pem(file: &Path, what: &str, content: &[u8], error: &pem::Error) -> Failure {
    let reason = match error {
        pem::Error::NoItemsFound if content.is_empty() => "the file is empty".to_owned(),
        // DER is a SEQUENCE of more than 127 bytes.
        pem::Error::NoItemsFound if content.starts_with(&[0x30, 0x82]) => {
            "the file is DER: convert it with openssl's -inform der".to_owned()
        }
        pem::Error::NoItemsFound if contains(content, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            "the key is encrypted: decrypt it with openssl pkey".to_owned()
        }
        pem::Error::NoItemsFound if contains(content, b"-----BEGIN ") => "it contains no such item".to_owned(),
        pem::Error::NoItemsFound => "the file is not PEM".to_owned(),
        pem::Error::MissingSectionEnd { .. } => "the file ends in the middle of one".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a BEGIN line is broken".to_owned(),
        pem::Error::Base64Decode(_) => "the base64 in it is broken".to_owned(),
        _ => "the file is broken".to_owned(),
    };
    Failure::other(format!("cannot find a {what} in {}: {reason}", file.display()))
}

fn contains(content: &[u8], text: &[u8]) -> bool {
    content.windows(text.len()).any(|window| window == text)
}

fn client_failure(certificate: &Path, key: &Path, error: &rustls::Error) -> Failure {
    let (certificate, key) = (certificate.display(), key.display());
    Failure::other(match error {
        rustls::Error::InconsistentKeys(_) => {
            format!(
                "the key in {key} does not belong to the certificate in {certificate}; set a key and a certificate that belong together"
            )
        }
        rustls::Error::InvalidCertificate(_) => {
            format!("the client certificate in {certificate} is malformed; get a new copy")
        }
        _ => {
            format!("the key in {key} is not supported; use an ECDSA, RSA or Ed25519 key, in PKCS #8, PKCS #1 or SEC 1")
        }
    })
}

#[cfg(test)]
mod tests {
    use checkup_testkit::{Ca, Identity};
    use tempfile::TempDir;

    use super::*;

    struct Files(TempDir);

    impl Files {
        fn new() -> Self {
            Self(TempDir::new().unwrap())
        }

        fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Option<PathBuf> {
            let path = self.0.path().join(name);
            std::fs::write(&path, content).unwrap();
            Some(path)
        }
    }

    fn reason(settings: &TlsSettings) -> String {
        load(settings, Vec::new()).unwrap_err().message().to_owned()
    }

    #[test]
    fn the_error_names_a_bad_ca_file_and_what_is_wrong_with_it() {
        let files = Files::new();
        let identity = Identity::self_signed(&["localhost"]);
        let pem = Ca::new().pem();
        let broken = pem.replace("\nM", "\n!");
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        for (name, content, expected) in [
            ("empty", b"".as_slice(), "the file is empty"),
            ("text", b"hello", "the file is not PEM"),
            ("der", &der, "the file is DER"),
            ("key", identity.key_pem.as_bytes(), "contains no such item"),
            ("torn", &pem.as_bytes()[..pem.len() / 2], "ends in the middle"),
            ("broken", broken.as_bytes(), "base64"),
            ("hollow", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1 in"),
        ] {
            let file = files.write(name, content);
            for settings in [
                TlsSettings { ca_file: file.clone(), ..TlsSettings::default() },
                TlsSettings { extra_ca_file: file.clone(), ..TlsSettings::default() },
            ] {
                let reason = reason(&settings);
                assert!(reason.contains(expected), "{name}: {reason}");
                assert!(reason.contains(&file.as_ref().unwrap().display().to_string()), "{name}: {reason}");
                assert!(!reason.contains("PRIVATE"), "{name}: {reason}");
            }
        }
        let missing = files.0.path().join("missing.pem");
        let reason = reason(&TlsSettings { ca_file: Some(missing.clone()), ..TlsSettings::default() });
        assert_eq!(reason, format!("cannot read {}: there is no such file", missing.display()));
    }

    #[test]
    fn a_client_key_must_belong_to_the_certificate() {
        let files = Files::new();
        let ca = Ca::new();
        let (own, other) = (ca.client("own"), ca.client("other"));
        let mut settings = TlsSettings {
            skip_verify: true,
            client_cert_file: files.write("own.pem", &own.cert_pem),
            client_key_file: files.write("own.key", &own.key_pem),
            ..TlsSettings::default()
        };
        load(&settings, Vec::new()).unwrap();
        settings.client_key_file = files.write("other.key", &other.key_pem);
        let reason = reason(&settings);
        assert!(reason.contains("other.key does not belong to the certificate in "), "{reason}");
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        settings.client_key_file = files.write("encrypted.key", encrypted);
        let reason = self::reason(&settings);
        assert!(reason.contains("the key is encrypted"), "{reason}");
    }

    #[test]
    fn handshakes_are_never_resumed() {
        let (config, _) = load(&TlsSettings { skip_verify: true, ..TlsSettings::default() }, Vec::new()).unwrap();
        assert!(format!("{:?}", config.resumption).contains("Disabled"), "{:?}", config.resumption);
    }
}
