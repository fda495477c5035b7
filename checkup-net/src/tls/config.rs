//! [`TlsConfig`]: the TLS configuration of one check, reloaded when its certificate files change.

use std::sync::{Arc, Mutex, PoisonError};

use checkup_core::Failure;
use tokio_rustls::rustls::ClientConfig;

use super::stamp::files;
use crate::TlsSettings;

/// The TLS configuration of one check. It is shared among checks with equal settings, and replaced when their certificate
/// files change.
///
/// An attempt calls [`refresh`](Self::refresh) once before it starts its clock, and then [`current`](Self::current).
/// `refresh` reads files that have changed. If one is missing or broken, the attempt fails with that reason, just as it
/// would at startup: continuing with the old file would hide the problem until the next restart. Replace files by renaming
/// new ones over them, so that no attempt reads half of one.
#[derive(Debug, Default)]
pub struct TlsConfig {
    current: Mutex<Option<Arc<ClientConfig>>>,
}

impl TlsConfig {
    /// Whether [`refresh`](Self::refresh) never has anything to do again: the configuration exists, and its settings name
    /// no files.
    pub fn is_final(&self, settings: &TlsSettings) -> bool {
        files(settings).next().is_none() && self.kept().is_some()
    }

    /// Creates the configuration, or creates it again if a certificate file has changed since. Otherwise it only checks
    /// each file's metadata.
    ///
    /// # Errors
    ///
    /// Those of [`TlsSettings::client_config`].
    pub async fn refresh(&self, settings: &TlsSettings, alpn: &[&[u8]]) -> Result<(), Failure> {
        if !self.is_final(settings) {
            self.keep(settings.client_config(alpn).await?);
        }
        Ok(())
    }

    /// Returns the configuration, and creates it if necessary. An existing one is returned without looking for changed
    /// files.
    ///
    /// # Errors
    ///
    /// Those of [`TlsSettings::client_config`].
    pub async fn current(&self, settings: &TlsSettings, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, Failure> {
        match self.kept() {
            Some(config) => Ok(config),
            None => {
                let config = settings.client_config(alpn).await?;
                self.keep(Arc::clone(&config));
                Ok(config)
            }
        }
    }

    fn kept(&self) -> Option<Arc<ClientConfig>> {
        // Nothing panics while it is locked.
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, config: Arc<ClientConfig>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(config);
    }
}
