use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use checkup_core::{ConfigError, Failure};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task;
use tokio_rustls::rustls::ClientConfig;

use super::load::load;
use crate::TlsVersion;

/// The TLS settings of a client. By default: the system's roots, no client certificate, TLS 1.2 or 1.3.
///
/// Certificate files are PEM.
///
/// ```
/// use checkup_net::{ClientTls, TlsVersion};
///
/// let mut tls = ClientTls::default();
/// tls.extra_ca_file = Some("/etc/ssl/internal-ca.pem".into());
/// tls.min_version = Some(TlsVersion::Tls13);
/// tls.validate("tls_")?;
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ClientTls {
    /// Root certificates in the place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Root certificates in addition to the system's, or to those of `ca_file`.
    pub extra_ca_file: Option<PathBuf>,
    /// The client's certificate, and the chain behind it.
    pub client_cert_file: Option<PathBuf>,
    /// The private key of the client's certificate: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub client_key_file: Option<PathBuf>,
    /// Accepts any certificate for any name.
    pub skip_verify: bool,
    /// The oldest version to speak; `None` is TLS 1.2, the oldest that is implemented.
    pub min_version: Option<TlsVersion>,
}

/// Two checks can share a configuration if these are equal.
type Key = (ClientTls, Vec<Vec<u8>>);

/// The configuration, once there is one. Locked while it is made, so that a thousand checks that start at once
/// load the roots once.
type Slot = Arc<AsyncMutex<Weak<ClientConfig>>>;

/// All configurations in use.
static SHARED: LazyLock<Mutex<HashMap<Key, Slot>>> = LazyLock::new(Mutex::default);

impl ClientTls {
    /// Whether the settings can work together. Touches no file.
    ///
    /// `prefix` stands before the names of the keys in the error: `tls_` if the settings have `tls_ca_file`.
    ///
    /// # Errors
    ///
    /// If there is a client certificate without a key, or a key without a certificate.
    pub fn validate(&self, prefix: &str) -> Result<(), ConfigError> {
        let (missing, given) = match (&self.client_cert_file, &self.client_key_file) {
            (Some(_), None) => ("client_key_file", "client_cert_file"),
            (None, Some(_)) => ("client_cert_file", "client_key_file"),
            _ => return Ok(()),
        };
        let message = format!("expected a file, found none: a client certificate needs its key; see {prefix}{given}");
        Err(ConfigError::invalid(format!("{prefix}{missing}"), message))
    }

    /// The configuration, which offers these protocols (ALPN) in this order.
    ///
    /// It is made at the first use and shared by everybody with equal settings for as long as somebody keeps it; so
    /// keep it. Certificate files are read then and not again. Sessions are not resumed: every handshake is a full
    /// one. The cryptography is aws-lc-rs, whatever the process has installed as its default.
    ///
    /// The system's roots are loaded only if they count: not with `ca_file` or `skip_verify`.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or used, or the system has no roots, with what is wrong and the remedy.
    pub async fn client_config(&self, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, Failure> {
        let alpn: Vec<Vec<u8>> = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let slot = slot((self.clone(), alpn.clone()));
        let mut slot = slot.lock().await;
        if let Some(config) = slot.upgrade() {
            return Ok(config);
        }
        let settings = self.clone();
        let config = task::spawn_blocking(move || load(&settings, alpn)).await.map_err(Failure::from_error)??;
        let config = Arc::new(config);
        *slot = Arc::downgrade(&config);
        Ok(config)
    }
}

/// The slot for these settings. Making one takes those out that nobody needs any more, so that there are never more
/// than configurations in use.
fn slot(key: Key) -> Slot {
    // Nothing panics while it is locked.
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(slot) = shared.get(&key) {
        return Arc::clone(slot);
    }
    shared.retain(|_, slot| {
        // Somebody waits for it, or makes it, or the configuration is alive.
        Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|config| config.strong_count() > 0)
    });
    Arc::clone(shared.entry(key).or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unverified() -> ClientTls {
        ClientTls { skip_verify: true, ..ClientTls::default() }
    }

    #[tokio::test]
    async fn equal_settings_share_a_configuration_while_it_is_kept() {
        let alpn: &[&[u8]] = &[b"shared-by-this-test"];
        let settings = unverified();
        let (first, second) = tokio::join!(settings.client_config(alpn), settings.client_config(alpn));
        let first = first.unwrap();
        assert!(Arc::ptr_eq(&first, &second.unwrap()));
        let third = unverified().client_config(alpn).await.unwrap();
        assert!(Arc::ptr_eq(&first, &third));
        let other = unverified().client_config(&[b"another"]).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(first.alpn_protocols, [b"shared-by-this-test".to_vec()]);
    }

    #[tokio::test]
    async fn configurations_that_nobody_keeps_are_forgotten() {
        let key = (unverified(), vec![b"forgotten".to_vec()]);
        drop(unverified().client_config(&[b"forgotten"]).await.unwrap());
        let _kept = unverified().client_config(&[b"kept"]).await.unwrap();
        assert!(!SHARED.lock().unwrap().contains_key(&key));
    }

    #[test]
    fn a_client_certificate_and_its_key_go_together() {
        let mut tls = ClientTls { client_cert_file: Some("client.pem".into()), ..ClientTls::default() };
        let error = tls.validate("tls_").unwrap_err().to_string();
        assert!(error.starts_with("tls_client_key_file: expected a file, found none"), "{error}");
        tls.client_key_file = Some("client.key".into());
        assert_eq!(tls.validate("tls_"), Ok(()));
        tls.client_cert_file = None;
        assert_eq!(tls.validate("").unwrap_err().problems()[0].place, "client_cert_file");
    }
}
