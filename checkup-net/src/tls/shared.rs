//! The configuration of [`TlsSettings`], shared by all checks with equal settings.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use checkup_core::Failure;
use tokio::sync::Mutex as AsyncMutex;
use tokio::task;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;

use super::load::load;
use super::stamp::Stamps;
use crate::TlsSettings;

/// The key of a shared configuration. Checks with equal keys share one.
type Key = (TlsSettings, Vec<Vec<u8>>);

/// A configuration, for as long as it is in use, and the state of its files when they were read.
#[derive(Default)]
struct Loaded {
    config: Weak<ClientConfig>,
    /// The verifier in the configuration, which does not give it away.
    verifier: Option<Weak<dyn ServerCertVerifier>>,
    stamps: Stamps,
}

/// The lock is held while the configuration is built, so that a thousand checks that start together load the roots once.
type Slot = Arc<AsyncMutex<Loaded>>;

/// All the configurations in use.
static SHARED: LazyLock<Mutex<HashMap<Key, Slot>>> = LazyLock::new(Mutex::default);

impl TlsSettings {
    /// Returns the configuration for these settings, which offers these protocols (ALPN) in this order.
    ///
    /// The first call builds it. Callers with equal settings share it for as long as one of them holds it, so hold on to it.
    /// If a certificate file has changed, the next call reads the files again. [`TlsConfig`](crate::TlsConfig) takes care of
    /// both. Sessions are not resumed: every handshake is a full one. The cryptography is aws-lc-rs, whatever default the
    /// process has installed.
    ///
    /// The system's roots are loaded once, and only if they are needed: `ca_file` and `skip_verify` do not need them.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or used, or the system has no roots. The failure says what is wrong and what to do.
    pub async fn client_config(&self, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, Failure> {
        self.verified_config(alpn).await.map(|(config, _)| config)
    }

    /// The same, with the verifier in the configuration.
    pub(super) async fn verified_config(
        &self,
        alpn: &[&[u8]],
    ) -> Result<(Arc<ClientConfig>, Arc<dyn ServerCertVerifier>), Failure> {
        let alpn: Vec<Vec<u8>> = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        // The name belongs to a connection, not to the configuration.
        let settings = Self { server_name: None, ..self.clone() };
        let slot = slot((settings.clone(), alpn.clone()));
        let mut loaded = slot.lock().await;
        // Taken before the files are read, so that the next call notices a change made in between.
        let stamps = Stamps::take(&settings).await?;
        if let Some(config) = loaded.config.upgrade()
            && let Some(verifier) = loaded.verifier.as_ref().and_then(Weak::upgrade)
            && loaded.stamps == stamps
        {
            return Ok((config, verifier));
        }
        let load = move || load(&settings, alpn);
        let (config, verifier) = task::spawn_blocking(load).await.map_err(Failure::from_error)??;
        let config = Arc::new(config);
        *loaded = Loaded { config: Arc::downgrade(&config), verifier: Some(Arc::downgrade(&verifier)), stamps };
        Ok((config, verifier))
    }
}

/// The slot for these settings. Making a slot removes those that are no longer in use, so there are never more slots than
/// configurations in use.
fn slot(key: Key) -> Slot {
    // Nothing panics while it is locked.
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(slot) = shared.get(&key) {
        return Arc::clone(slot);
    }
    shared.retain(|_, slot| {
        // Kept if a caller waits for it or is building it, or if the configuration is alive.
        Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|loaded| loaded.config.strong_count() > 0)
    });
    Arc::clone(shared.entry(key).or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unverified() -> TlsSettings {
        TlsSettings::new().skip_verify(true)
    }

    #[tokio::test]
    async fn equal_settings_share_a_configuration_while_it_is_in_use() {
        let alpn: &[&[u8]] = &[b"shared-by-this-test"];
        let settings = unverified();
        let (first, second) = tokio::join!(settings.client_config(alpn), settings.client_config(alpn));
        let first = first.unwrap();
        assert!(Arc::ptr_eq(&first, &second.unwrap()));
        let third = unverified().server_name("db.internal").client_config(alpn).await.unwrap();
        assert!(Arc::ptr_eq(&first, &third));
        let other = unverified().client_config(&[b"another"]).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(first.alpn_protocols, [b"shared-by-this-test".to_vec()]);
    }

    #[tokio::test]
    async fn configurations_that_are_no_longer_in_use_are_dropped() {
        let key = (unverified(), vec![b"forgotten".to_vec()]);
        drop(unverified().client_config(&[b"forgotten"]).await.unwrap());
        let _kept = unverified().client_config(&[b"kept"]).await.unwrap();
        assert!(!SHARED.lock().unwrap().contains_key(&key));
    }
}
