//! Makes TCP checks from URLs.

use checkup_core::ConfigError;
use checkup_core::config::{CheckUrl, FromUrl};

use crate::{Tcp, TlsSettings};

impl FromUrl for Tcp {
    const FORMS: &'static [&'static str] = &["tcp://host:port", "tls://host:port"];

    fn from_url(url: &CheckUrl<'_>) -> Result<Self, ConfigError> {
        let tcp = Tcp::new(url.address_only()?);
        Ok(if url.scheme() == "tls" { tcp.tls(TlsSettings::new()) } else { tcp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Tcp, ConfigError> {
        Tcp::from_url(&CheckUrl::try_from(url)?)
    }

    #[test]
    fn a_url_is_an_address_with_or_without_tls() {
        assert_eq!(parse("tcp://db:5432").unwrap(), Tcp::new("db:5432"));
        assert_eq!(parse("tcp://[2001:db8::5]:5432").unwrap(), Tcp::new("[2001:db8::5]:5432"));
        assert_eq!(parse("tls://db:5432").unwrap(), Tcp::new("db:5432").tls(TlsSettings::new()));
        assert!(parse("tcp://db:5432/x").is_err());
    }
}
