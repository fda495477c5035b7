//! [`DnsChecker`]: asks once.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{Checker, ConfigError, Failure, IntoChecker, Observation, async_trait};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::time::Instant;

use crate::answer::Question;
use crate::config::{DEFAULT_RCODE, DEFAULT_RECORD_TYPE};
use crate::dnssec::Dnssec;
use crate::exchange::Exchange;
use crate::expect::Expectation;
use crate::server::{Secured, Server};
use crate::{Dns, rcode, record_type};

/// The timeout of an attempt unless the check has another: upstream's.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// Asks a DNS server and judges its answer. Made of [`Dns`].
#[derive(Debug)]
pub struct DnsChecker {
    server: Arc<Server>,
    question: Option<Question>,
    dnssec: Option<Dnssec>,
}

impl DnsChecker {
    /// The checker with these settings.
    ///
    /// # Errors
    ///
    /// If the settings cannot work, with the key and the remedy.
    pub fn new(settings: &Dns) -> Result<Self, ConfigError> {
        let server = Arc::new(Server::new(settings)?);
        let question = question(settings)?;
        if settings.dnssec_trust_anchor_file.is_some() && !settings.dnssec {
            let message = "expected only with `dnssec`; set `dnssec` to true or remove this";
            return Err(ConfigError::invalid("dnssec_trust_anchor_file", message));
        }
        let dnssec = settings.dnssec.then(|| Dnssec::new(settings.dnssec_trust_anchor_file.clone()));
        Ok(Self { server, question, dnssec })
    }
}

impl IntoChecker for Dns {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        Ok(Arc::new(DnsChecker::new(&self)?))
    }
}

#[async_trait]
impl Checker for DnsChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.server.endpoint())
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        self.server.prepare().await?;
        if let Some(dnssec) = &self.dnssec {
            dnssec.prepare().await?;
        }
        // Reading certificates and trust anchors, which the first attempt does, is not the server's time.
        let start = Instant::now();
        let addresses = self.server.addresses().await?;
        let Some(question) = &self.question else {
            let stream = self.server.connect(&addresses).await?;
            let (Secured::Plain(_) | Secured::Tls(_)) = self.server.secure(stream).await?;
            return Ok(Observation::new().rtt(start.elapsed()));
        };
        let exchange = Exchange::new(Arc::clone(&self.server), addresses);
        let mut query = Message::query();
        query.metadata.recursion_desired = true;
        query.add_query(question.query());
        match &self.dnssec {
            Some(dnssec) => dnssec.ask(exchange, query, question).await?,
            None => question.judge(&exchange.ask(query).await?)?,
        }
        Ok(Observation::new().rtt(start.elapsed()))
    }

    fn default_timeout(&self) -> Duration {
        DEFAULT_TIMEOUT
    }
}

/// What to ask for; `None` without a name.
fn question(settings: &Dns) -> Result<Option<Question>, ConfigError> {
    let invalid = ConfigError::invalid;
    let Some(text) = settings.hostname_fqdn.as_deref().filter(|name| !name.is_empty()) else {
        let set = [
            ("record_type", settings.record_type != DEFAULT_RECORD_TYPE),
            ("expect", settings.expect.is_some()),
            ("rcode", settings.rcode != DEFAULT_RCODE),
            ("dnssec", settings.dnssec),
        ];
        return match set.iter().find(|(_, is_set)| *is_set) {
            Some((key, _)) => {
                Err(invalid("hostname_fqdn", format!("expected a name to ask for, since `{key}` is set, found none")))
            }
            None => Ok(None),
        };
    };
    let record_type = record_type::parse(&settings.record_type).map_err(|message| invalid("record_type", message))?;
    let mut name = match text.parse::<IpAddr>() {
        // The names of addresses are in zones of their own: 1.2.0.192.in-addr.arpa.
        Ok(address) if record_type == RecordType::PTR => Name::from(address),
        _ => Name::from_str_relaxed(text).map_err(|error| {
            let message = format!("expected a domain name such as \"www.example.org\", found {text:?}: {error}");
            invalid("hostname_fqdn", message)
        })?,
    };
    name.set_fqdn(true);
    let rcode = rcode::parse(&settings.rcode).map_err(|message| invalid("rcode", message))?;
    if settings.expect.is_some() && rcode != ResponseCode::NoError {
        let message = format!("expected only with `rcode` NOERROR, found with {}", rcode::name(rcode));
        return Err(invalid("expect", message));
    }
    if settings.dnssec && !matches!(rcode, ResponseCode::NoError | ResponseCode::NXDomain) {
        let message = format!(
            "expected only with `rcode` NOERROR or NXDOMAIN, since others are not signed, found with {}",
            rcode::name(rcode)
        );
        return Err(invalid("dnssec", message));
    }
    let expectation = Expectation::new(settings.expect.as_ref(), record_type)?;
    Ok(Some(Question { name, record_type, rcode, expectation }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expect;

    #[test]
    fn a_name_is_absolute_with_or_without_its_dot() {
        for name in ["www.example.test", "www.example.test.", "_dmarc.example.test", "."] {
            let checker = DnsChecker::new(&Dns::new("10.0.0.53").hostname(name)).unwrap();
            assert!(checker.question.unwrap().name.is_fqdn(), "{name}");
        }
        assert!(DnsChecker::new(&Dns::new("10.0.0.53").hostname("")).unwrap().question.is_none());
    }

    #[test]
    fn the_name_of_an_address_is_asked_for_in_reverse() {
        for (address, name) in [
            ("192.0.2.10", "10.2.0.192.in-addr.arpa."),
            ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."),
            ("10.2.0.192.in-addr.arpa", "10.2.0.192.in-addr.arpa."),
        ] {
            let dns = Dns::new("10.0.0.53").hostname(address).record_type("PTR");
            assert_eq!(DnsChecker::new(&dns).unwrap().question.unwrap().name.to_ascii(), name);
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_their_key() {
        let named = || Dns::new("10.0.0.53").hostname("example.test");
        let long = "x".repeat(64);
        for (dns, message) in [
            (
                Dns::new("10.0.0.53").expect("10.0.0.1"),
                "hostname_fqdn: expected a name to ask for, since `expect` is set",
            ),
            (Dns::new("10.0.0.53").dnssec(true), "hostname_fqdn: expected a name to ask for, since `dnssec` is set"),
            (Dns::new("10.0.0.53").hostname(long), "hostname_fqdn: expected a domain name"),
            (named().record_type("AXFR"), "record_type: expected a record type"),
            (named().rcode("NO"), "rcode: expected a DNS response code"),
            (named().rcode("NXDOMAIN").expect("10.0.0.1"), "expect: expected only with `rcode` NOERROR"),
            (named().rcode("SERVFAIL").dnssec(true), "dnssec: expected only with `rcode` NOERROR or NXDOMAIN"),
            (named().dnssec_trust_anchor_file("x"), "dnssec_trust_anchor_file: expected only with `dnssec`"),
            (named().expect(Expect::Matches("(".to_owned())), "expect.matches: expected a regular expression"),
        ] {
            let error = DnsChecker::new(&dns).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn the_endpoint_is_the_server_as_it_was_given() {
        let checker = DnsChecker::new(&Dns::new("ns1.example.test:53").hostname("example.test")).unwrap();
        assert_eq!(checker.endpoint(), "ns1.example.test:53");
        assert_eq!(checker.default_timeout(), Duration::from_secs(1));
    }
}
