//! Makes DNS checks from URLs: `dns://server/name?type=AAAA`, as in RFC 4501.

use checkup_core::ConfigError;
use checkup_core::config::{CheckUrl, FromUrl};

use crate::Dns;

impl FromUrl for Dns {
    const FORMS: &'static [&'static str] = &["dns://server/name"];

    fn from_url(url: &CheckUrl<'_>) -> Result<Self, ConfigError> {
        let mut dns = Dns::new(url.address()?);
        if !url.path().is_empty() {
            dns = dns.hostname(url.path());
        }
        match url.query().map(|query| query.split_once('=').unwrap_or((query, ""))) {
            None => Ok(dns),
            Some((key, record_type)) if key.eq_ignore_ascii_case("type") && !url.path().is_empty() => {
                Ok(dns.record_type(record_type.to_ascii_uppercase()))
            }
            Some(_) => {
                let message = "expected no query but the type of the records, as in `dns://server/name?type=AAAA`";
                Err(ConfigError::reason("", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Dns, ConfigError> {
        Dns::from_url(&CheckUrl::try_from(url)?)
    }

    #[test]
    fn a_url_has_a_server_a_name_and_optionally_a_type() {
        assert_eq!(parse("dns://192.0.2.53").unwrap(), Dns::new("192.0.2.53"));
        let dns = Dns::new("192.0.2.53:5353").hostname("example.com");
        assert_eq!(parse("dns://192.0.2.53:5353/example.com").unwrap(), dns);
        assert_eq!(parse("dns://192.0.2.53:5353/example.com?TYPE=aaaa").unwrap(), dns.record_type("AAAA"));
        for wrong in ["dns:///example.com", "dns://ns/example.com?class=IN", "dns://ns?type=A"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
