//! What stands for TLS where the feature `tls` is not enabled: settings that ask for it are refused.

use std::io;

use checkup_core::{ConfigError, Failure};
use checkup_net::HostPort;
use tokio::net::TcpStream;

use crate::Tcp;

/// Never there.
#[derive(Debug)]
pub(crate) enum Tls {}

impl Tls {
    pub(crate) fn parse(tcp: &Tcp, _: &HostPort) -> Result<Option<Self>, ConfigError> {
        if tcp.tls {
            let message = "TLS is not compiled in; enable the feature `tcp-tls` of the crate `checkup`";
            return Err(ConfigError::invalid("tls", message));
        }
        Ok(None)
    }

    pub(crate) async fn load(&self) -> Result<(), Failure> {
        match *self {}
    }

    pub(crate) async fn connect(&self, _: TcpStream) -> Result<TcpStream, Failure> {
        match *self {}
    }

    pub(crate) fn failure(&self, _: &io::Error) -> Option<Failure> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use checkup_core::IntoChecker;

    use super::*;

    #[test]
    fn settings_that_ask_for_tls_are_refused_with_the_feature_to_enable() {
        let error = Tcp::new("db:1").tls(true).into_checker().unwrap_err().to_string();
        assert!(error.starts_with("tls: TLS is not compiled in; enable the feature `tcp-tls`"), "{error}");
        assert!(Tcp::new("db:1").into_checker().is_ok());
    }
}
