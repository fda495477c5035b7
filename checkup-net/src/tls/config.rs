//! [`TlsConfig`]: the configuration that one check uses, which follows the files of its settings.

use std::sync::{Arc, Mutex, PoisonError};

use checkup_core::Failure;
use tokio_rustls::rustls::ClientConfig;

use super::stamp::files;
use crate::TlsSettings;

/// The TLS configuration of one check. Keeps the one that its settings share, and replaces it when their certificate files
/// change.
///
/// An attempt calls [`refresh`](Self::refresh) once before it starts its clock, and then [`current`](Self::current). A file
/// that has changed is read again then. If it is missing or broken, the attempt fails and says so, as it does at the start:
/// going on with the old file would hide the problem until the next start. Replace files by renaming new ones over them, so
/// that no attempt reads half of one.
#[derive(Debug, Default)]
pub struct TlsConfig {
    current: Mutex<Option<Arc<ClientConfig>>>,
}

impl TlsConfig {
    /// Whether [`refresh`](Self::refresh) has nothing to do: the configuration exists, and its settings name no files.
    pub fn is_final(&self, settings: &TlsSettings) -> bool {
        files(settings).next().is_none() && self.kept().is_some()
    }

    /// Makes the configuration, or makes it again if a certificate file has changed since. Costs one look at each file.
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

    /// The configuration. Does not look for changed files if it exists already.
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
