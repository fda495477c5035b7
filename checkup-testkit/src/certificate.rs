use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A certificate authority for tests, which no system trusts.
///
/// ```
/// use checkup_testkit::Ca;
///
/// let ca = Ca::new();
/// let identity = ca.server(&["localhost", "127.0.0.1"]);
/// assert!(ca.pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// assert!(identity.cert_pem.starts_with("-----BEGIN CERTIFICATE-----"));
/// ```
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its private key, both as PEM. `Debug` does not show the key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The certificate, and those that are presented after it.
    pub cert_pem: String,
    /// The private key (PKCS #8).
    pub key_pem: String,
}

impl Ca {
    /// Creates an authority with its own name and keys.
    ///
    /// # Panics
    ///
    /// If the system provides no randomness.
    pub fn new() -> Self {
        let issuer = CertifiedIssuer::self_signed(authority(), new_key()).expect("these parameters can be signed");
        Self { issuer }
    }

    /// An authority whose certificate is signed by this one and valid until `end`. A server presents its certificate after its own:
    /// [`Identity::followed_by`].
    ///
    /// # Panics
    ///
    /// If the end is before 1970.
    pub fn intermediate(&self, end: SystemTime) -> Self {
        let mut params = authority();
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, SystemTime::UNIX_EPOCH, end);
        let issuer =
            CertifiedIssuer::signed_by(params, new_key(), &self.issuer).expect("these parameters can be signed");
        Self { issuer }
    }

    /// The certificate of the authority, for use as a trusted root or in a chain.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A valid server certificate for these names and IP addresses.
    ///
    /// # Panics
    ///
    /// If a certificate cannot hold a name (it is not ASCII).
    pub fn server(&self, names: &[&str]) -> Identity {
        let now = SystemTime::now();
        self.server_valid(names, now - DAY, now + 30 * DAY)
    }

    /// The same, but expired since yesterday.
    ///
    /// # Panics
    ///
    /// If a certificate cannot hold a name.
    pub fn expired_server(&self, names: &[&str]) -> Identity {
        let now = SystemTime::now();
        self.server_valid(names, now - 30 * DAY, now - DAY)
    }

    /// A server certificate with this period of validity, for tests of certificates that expire soon or are not valid
    /// yet.
    ///
    /// # Panics
    ///
    /// If a certificate cannot hold a name, or a moment is before 1970.
    pub fn server_valid(&self, names: &[&str], not_before: SystemTime, not_after: SystemTime) -> Identity {
        let mut params = params(names.first().unwrap_or(&"server"), names);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_validity(&mut params, not_before, not_after);
        self.sign(params)
    }

    /// A valid client certificate with this name.
    pub fn client(&self, name: &str) -> Identity {
        let mut params = params(name, &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Identity {
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("these parameters can be signed");
        Identity { cert_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

impl Default for Ca {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ca").field("pem", &self.pem()).finish_non_exhaustive()
    }
}

impl Identity {
    /// Presents this certificate (PEM) as well, after those that are presented already.
    #[must_use]
    pub fn followed_by(mut self, pem: &str) -> Self {
        self.cert_pem.push_str(pem);
        self
    }

    /// A self-signed server certificate.
    ///
    /// # Panics
    ///
    /// If a certificate cannot hold a name.
    pub fn self_signed(names: &[&str]) -> Self {
        Self::self_made(names, IsCa::NoCa, SystemTime::now() + 30 * DAY)
    }

    /// A certificate like those of `openssl req -x509`: a CA certificate that a server presents itself, valid until
    /// `end`.
    pub fn self_made_ca(names: &[&str], end: SystemTime) -> Self {
        Self::self_made(names, IsCa::Ca(BasicConstraints::Unconstrained), end)
    }

    fn self_made(names: &[&str], is_ca: IsCa, end: SystemTime) -> Self {
        let mut params = params(names.first().unwrap_or(&"server"), names);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.is_ca = is_ca;
        set_validity(&mut params, SystemTime::UNIX_EPOCH, end);
        let key = new_key();
        let certificate = params.self_signed(&key).expect("these parameters can be signed");
        Self { cert_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("cert_pem", &self.cert_pem).finish_non_exhaustive()
    }
}

/// The parameters of an authority with its own name: with equal names, a certificate of another authority would look forged instead of
/// untrusted.
fn authority() -> CertificateParams {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    let name = format!("Checkup test CA {}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut params = params(&name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("a certificate can hold the names");
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = SystemTime::now();
    set_validity(&mut params, now - DAY, now + 30 * DAY);
    params
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}

fn set_validity(params: &mut CertificateParams, not_before: SystemTime, not_after: SystemTime) {
    let since_1970 =
        |moment: SystemTime| moment.duration_since(SystemTime::UNIX_EPOCH).expect("the moment is after 1970");
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(not_before);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(not_after);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_key() {
        let identity = Identity::self_signed(&["localhost"]);
        let shown = format!("{identity:?}");
        assert!(shown.contains("BEGIN CERTIFICATE"));
        assert!(!shown.contains("PRIVATE"), "{shown}");
    }
}
