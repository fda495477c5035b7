//! [`DnsChecker`]: one attempt of a DNS check.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{
    Checker, ConfigError, ConfigProblems, Failure, IntoChecker, Observation, async_trait, validate_path,
};
use checkup_net::observe_expiry;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::time::Instant;

use crate::answer::Question;
use crate::config::{DEFAULT_RCODE, DEFAULT_RECORD_TYPE};
use crate::dnssec::Dnssec;
use crate::exchange::Exchange;
use crate::expect::Expectation;
use crate::server::{Server, without_effect};
use crate::{Dns, rcode, record_type};

/// As in upstream: the original Checkup, a Go program.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

impl IntoChecker for Dns {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        Ok(Arc::new(DnsChecker::new(&self)?))
    }
}

/// The checker that [`Dns`] becomes: asks a DNS server, and judges its answer.
#[derive(Debug)]
pub struct DnsChecker {
    server: Arc<Server>,
    question: Option<Question>,
    dnssec: Option<Dnssec>,
    cert_expiry: Option<Duration>,
}

impl DnsChecker {
    /// Makes a checker with these settings.
    ///
    /// # Errors
    ///
    /// All problems of the settings together, each with its key and the remedy.
    pub fn new(settings: &Dns) -> Result<Self, ConfigError> {
        let mut problems = ConfigProblems::new();
        let server = problems.take(Server::new(settings));
        let question = problems.take(question(settings));
        let dnssec = problems.take(dnssec(settings));
        if settings.cert_expiry.is_some() && !settings.transport.is_encrypted() {
            problems.push(without_effect("cert_expiry", settings.transport));
        }
        problems.finish(|| {
            let server = Arc::new(server?);
            Some(Self { server, question: question?, dnssec: dnssec?, cert_expiry: settings.cert_expiry })
        })
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
        // Certificates are read at the start and when they change, and trust anchors at the start. That must not count
        // as the server's time.
        let start = Instant::now();
        let addresses = self.server.addresses().await?;
        let Some(question) = &self.question else {
            let stream = self.server.connect(&addresses).await?;
            let expiry = self.server.secure(stream).await?.certificate_expiry();
            return observe_expiry(Observation::new().rtt(start.elapsed()), expiry, self.cert_expiry);
        };
        let exchange = Exchange::new(Arc::clone(&self.server), addresses);
        let expiry = exchange.expiry();
        let mut query = Message::query();
        query.metadata.recursion_desired = true;
        query.add_query(question.query());
        match &self.dnssec {
            Some(dnssec) => dnssec.ask(exchange, query, question).await?,
            None => question.judge(&exchange.ask(query).await?)?,
        }
        observe_expiry(Observation::new().rtt(start.elapsed()), expiry.get().copied(), self.cert_expiry)
    }

    fn default_timeout(&self) -> Duration {
        DEFAULT_TIMEOUT
    }
}

/// What to ask for; `None` without a name.
fn question(settings: &Dns) -> Result<Option<Question>, ConfigError> {
    let mut problems = ConfigProblems::new();
    let invalid = ConfigError::invalid;
    let record_type = record_type::parse(&settings.record_type).map_err(|message| invalid("record_type", message));
    let record_type = problems.take(record_type);
    let rcode = problems.take(rcode::parse(&settings.rcode).map_err(|message| invalid("rcode", message)));
    // Without a type, everything is still validated except the records' texts.
    let expect = Expectation::new(settings.expect.as_ref(), record_type.unwrap_or(RecordType::ANY));
    let expectation = problems.take(expect);
    let Some(text) = settings.hostname_fqdn.as_deref().filter(|name| !name.is_empty()) else {
        if let Some(keys) = keys_about_a_name(settings) {
            let message =
                format!("expected a name to ask for, since {keys} set, found none; set it, or remove the other");
            problems.push(invalid("hostname_fqdn", message));
        }
        return problems.finish(|| Some(None));
    };
    let name = problems.take(parse_name(text, record_type));
    if let Some(code) = rcode {
        if settings.expect.is_some() && code != ResponseCode::NoError {
            let message =
                format!("valid only with `rcode` NOERROR, found with {}; remove one of the two", rcode::name(code));
            problems.push(invalid("expect", message));
        }
        if settings.dnssec && !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
            let message = format!(
                "valid only with `rcode` NOERROR or NXDOMAIN, since other answers are not signed, found with {}; remove \
                 one of the two",
                rcode::name(code)
            );
            problems.push(invalid("dnssec", message));
        }
    }
    problems.finish(|| {
        Some(Some(Question { name: name?, record_type: record_type?, rcode: rcode?, expectation: expectation? }))
    })
}

/// The keys that are set but need a name to ask for, followed by "is" or "are".
fn keys_about_a_name(settings: &Dns) -> Option<String> {
    let set = [
        ("`record_type`", settings.record_type != DEFAULT_RECORD_TYPE),
        ("`expect`", settings.expect.is_some()),
        ("`rcode`", settings.rcode != DEFAULT_RCODE),
        ("`dnssec`", settings.dnssec),
    ];
    let keys: Vec<_> = set.iter().filter(|(_, is_set)| *is_set).map(|(key, _)| *key).collect();
    match keys[..] {
        [] => None,
        [key] => Some(format!("{key} is")),
        _ => Some(format!("{} are", keys.join(" and "))),
    }
}

/// Parses the name to ask for. Errors do not show the text: if it is not a name, it could be a URL with a password or a
/// token.
fn parse_name(text: &str, record_type: Option<RecordType>) -> Result<Name, ConfigError> {
    let invalid = |found: &str| {
        let message = format!("expected a domain name such as \"www.example.org\", found {found}");
        Err(ConfigError::invalid("hostname_fqdn", message))
    };
    let name = match text.parse::<IpAddr>() {
        // Names of addresses are in reverse zones: 1.2.0.192.in-addr.arpa.
        Ok(address) if record_type == Some(RecordType::PTR) => Ok(Name::from(address)),
        Ok(address @ IpAddr::V6(_)) => {
            return invalid(&format!("the address {address}; to ask for its name, set `record_type` to PTR"));
        }
        _ if text.contains("://") => return invalid("a URL; set only the name of its host"),
        _ if text.contains('@') => return invalid("a text with a user name; set only the name of the host"),
        _ if text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | '?' | '#')) => {
            return invalid("a text with characters that a name does not have; remove spaces, ports and queries");
        }
        _ => Name::from_str_relaxed(text),
    };
    match name {
        Ok(mut name) => {
            name.set_fqdn(true);
            Ok(name)
        }
        _ if text.contains("..") || text.starts_with('.') => invalid("an empty label; remove the extra dot"),
        _ => invalid("a text that is not a name; a label has up to 63 characters, and a name up to 253"),
    }
}

/// Sets up the validation that the settings ask for, if any.
fn dnssec(settings: &Dns) -> Result<Option<Dnssec>, ConfigError> {
    const KEY: &str = "dnssec_trust_anchor_file";
    let mut problems = ConfigProblems::new();
    if let Some(file) = &settings.dnssec_trust_anchor_file {
        problems.take(validate_path(KEY, file));
        if !settings.dnssec {
            problems.push(ConfigError::invalid(KEY, "valid only with `dnssec`; set `dnssec` to true, or remove this"));
        }
    }
    problems.finish(|| Some(settings.dnssec.then(|| Dnssec::new(settings.dnssec_trust_anchor_file.clone()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expect;

    #[test]
    fn a_name_is_absolute_with_or_without_its_trailing_dot() {
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
    fn invalid_settings_are_refused_with_their_key() {
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
            (named().rcode("NXDOMAIN").expect("10.0.0.1"), "expect: valid only with `rcode` NOERROR"),
            (named().rcode("SERVFAIL").dnssec(true), "dnssec: valid only with `rcode` NOERROR or NXDOMAIN"),
            (named().dnssec_trust_anchor_file("x"), "dnssec_trust_anchor_file: valid only with `dnssec`"),
            (named().expect(Expect::Matches("(".to_owned())), "expect.matches: expected a regular expression"),
        ] {
            let error = DnsChecker::new(&dns).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn all_problems_are_reported_together() {
        let dns =
            Dns::new("udp://10.0.0.53").record_type("AXFR").rcode("NO").hostname("a b").dnssec_trust_anchor_file("");
        let error = DnsChecker::new(&dns.expect(Expect::Matches("(".to_owned()))).unwrap_err();
        let places: Vec<_> = error.problems().iter().map(|problem| problem.place.as_str()).collect();
        let expected = ["endpoint_url", "record_type", "rcode", "expect.matches", "hostname_fqdn"];
        assert_eq!(places[..5], expected);
        assert_eq!(places[5..], ["dnssec_trust_anchor_file"; 2]);
        let error = DnsChecker::new(&Dns::new("10.0.0.53").record_type("MX").dnssec(true)).unwrap_err().to_string();
        assert!(error.contains("since `record_type` and `dnssec` are set"), "{error}");
    }

    #[test]
    fn an_error_about_the_name_shows_no_credentials() {
        let long = format!("hunter2{}", "x".repeat(64));
        for (name, remedy) in [
            ("https://user:hunter2@example.test/", "set only the name of its host"),
            ("user:hunter2@example.test", "set only the name of the host"),
            ("example.test?token=hunter2", "remove spaces, ports and queries"),
            ("example.test:hunter2", "remove spaces, ports and queries"),
            ("hunter2..test", "remove the extra dot"),
            (long.as_str(), "up to 63 characters"),
        ] {
            let error = DnsChecker::new(&Dns::new("10.0.0.53").hostname(name)).unwrap_err();
            assert!(error.to_string().contains(remedy), "{name}: {error}");
            assert!(!format!("{error}{error:?}").contains("hunter2"), "{name}: {error:?}");
        }
    }

    #[test]
    fn a_path_that_is_the_content_of_a_file_is_refused() {
        let dns = Dns::new("10.0.0.53").hostname("example.test").dnssec(true);
        let error = DnsChecker::new(&dns.dnssec_trust_anchor_file(". IN DNSKEY 257\n. IN DNSKEY 256\n")).unwrap_err();
        assert!(error.to_string().starts_with("dnssec_trust_anchor_file: expected a path, found "), "{error}");
    }

    #[test]
    fn the_endpoint_is_the_server_as_written_in_the_settings() {
        let checker = DnsChecker::new(&Dns::new("ns1.example.test:53").hostname("example.test")).unwrap();
        assert_eq!(checker.endpoint(), "ns1.example.test:53");
        assert_eq!(checker.default_timeout(), Duration::from_secs(1));
    }
}
