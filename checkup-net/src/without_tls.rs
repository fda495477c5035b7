//! [`TlsClient`] without the feature `tls`: settings that ask for TLS are refused.

use std::borrow::Cow;
use std::io;

use checkup_core::{ConfigError, Failure, Timestamp};
use tokio::net::TcpStream;

use crate::TlsSettings;

/// The TLS of one check. Without the feature `tls` it does not exist: [`new`](Self::new) always fails.
#[derive(Debug)]
pub enum TlsClient {}

impl TlsClient {
    /// Refuses the settings.
    ///
    /// # Errors
    ///
    /// Always: TLS is not compiled in.
    pub fn new(_: &TlsSettings, _: &str, _: &str) -> Result<Self, ConfigError> {
        Err(ConfigError::invalid("tls", "TLS is not compiled in; enable the feature `tls` of the crate `checkup-net`"))
    }

    /// Never called.
    #[must_use]
    pub fn alpn(self, _: &'static [&'static [u8]]) -> Self {
        match self {}
    }

    /// Never called.
    pub fn server_name(&self) -> Cow<'_, str> {
        match *self {}
    }

    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub async fn prepare(&self) -> Result<(), Failure> {
        match *self {}
    }

    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub async fn connect(&self, _: TcpStream) -> Result<TcpStream, Failure> {
        match *self {}
    }

    /// Never called.
    pub fn certificate_expiry(_: &TcpStream) -> Option<Timestamp> {
        None
    }

    /// Never called.
    pub fn failure(&self, _: &io::Error) -> Option<Failure> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_refused_with_the_feature_to_enable() {
        let error = TlsClient::new(&TlsSettings::new(), "db", "endpoint_url").unwrap_err().to_string();
        assert!(error.starts_with("tls: TLS is not compiled in; enable the feature `tls`"), "{error}");
    }
}
