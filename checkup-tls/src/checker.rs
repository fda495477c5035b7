//! [`TlsChecker`]: one attempt of a TLS check.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::{
    Cause, Checker, ConfigError, ConfigProblems, Failure, IntoChecker, Observation, Phase, Sourced, Timestamp,
    async_trait, validate_path,
};
use checkup_net::{
    HostPort, Inspection, IpVersion, StartTls, TlsClient, certificate_expiry, connect, find_tls_failure, judge_expiry,
    resolve,
};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;

use crate::Tls;
use crate::certificate::{issuer, list, name, shown_issuer};
use crate::fingerprint::Fingerprint;

const DEFAULT_PORT: u16 = 443;

impl IntoChecker for Tls {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        let mut problems = ConfigProblems::new();
        let address = problems.take(parse_address(&self));
        for (index, file) in self.trusted_roots.iter().enumerate() {
            problems.take(validate_path(format!("trusted_roots[{index}]"), file));
        }
        if !self.trusted_roots.is_empty() && self.tls.ca_file.is_some() {
            let message = "expected either `trusted_roots` or `tls.ca_file`, found both; remove one of them";
            problems.push(ConfigError::reason("trusted_roots", message));
        }
        let settings = match self.trusted_roots.is_empty() {
            true => self.tls.clone(),
            false => self.tls.clone().ca_files(&self.trusted_roots),
        };
        let host = address.as_ref().map_or("localhost", HostPort::host);
        let client = problems.take(TlsClient::new(&settings, host, "endpoint_url"));
        let names = problems.take(parse_all("names", &self.names, parse_name));
        let fingerprints = problems.take(parse_all("fingerprints", &self.fingerprints, parse_fingerprint));
        problems.finish(|| {
            Some(Arc::new(TlsChecker {
                endpoint: self.endpoint_url.into(),
                address: address?,
                ip_version: self.ip_version,
                starttls: self.starttls,
                client: client?,
                threshold: self.cert_expiry_threshold,
                names: names?,
                issuer: Sourced::of_settings(self.issuer),
                fingerprints: fingerprints?,
            }) as Arc<dyn Checker>)
        })
    }
}

/// The checker that [`Tls`] becomes.
#[derive(Debug)]
pub struct TlsChecker {
    endpoint: Box<str>,
    address: HostPort,
    ip_version: IpVersion,
    starttls: Option<StartTls>,
    client: TlsClient,
    threshold: Duration,
    names: Box<[ServerName<'static>]>,
    /// Empty means any.
    issuer: Sourced,
    /// Empty means any.
    fingerprints: Box<[Fingerprint]>,
}

#[async_trait]
impl Checker for TlsChecker {
    fn endpoint(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.endpoint)
    }

    async fn attempt(&self) -> Result<Observation, Failure> {
        self.client.prepare().await?;
        // Certificates are read at the start and when they change. That must not count as the server's time.
        let start = Instant::now();
        let addresses = resolve(self.address.host(), self.address.port(), self.ip_version).await?;
        let mut connection = connect(&addresses).await?;
        if let Some(protocol) = self.starttls {
            protocol.ask(&mut connection, &self.client.server_name()).await?;
        }
        let mut inspection = self.client.inspect(connection).await?;
        let rtt = start.elapsed();
        Phase::end();
        // Says goodbye, so that the server's log shows no error. A server that does not read it delays nothing: it fits into the socket.
        let _ = inspection.connection.shutdown().await;
        Ok(self.judge(&inspection, Timestamp::now())?.rtt(rtt))
    }
}

impl TlsChecker {
    /// Decides what the certificates of a server mean.
    fn judge(&self, inspection: &Inspection, now: Timestamp) -> Result<Observation, Failure> {
        let Inspection { chain, path, .. } = inspection;
        let presented = || format!("presented: {}", list(chain, path.as_deref().ok(), now));
        let with_chain = |failure: Failure| Failure::new(failure.cause(), format!("{failure}; {}", presented()));
        let own = chain.first().ok_or_else(|| Failure::protocol("the server presented no certificate"))?;
        // A wrong certificate is the better explanation of why it is not trusted.
        self.check_fingerprint(own).map_err(with_chain)?;
        let path = path.as_deref().map_err(|failure| with_chain(failure.clone()))?;
        self.check_names(own).map_err(with_chain)?;
        if !issuer(own).contains(self.issuer.as_str()) {
            let message =
                format!("the certificate was issued by {}, not by '{}'", shown_issuer(own), self.issuer.redacted());
            return Err(with_chain(Failure::assertion(message)));
        }
        let Some(expiry) = certificate_expiry(path) else {
            return Err(with_chain(Failure::new(
                Cause::Tls,
                "the certificate has no end that can be read; issue it again",
            )));
        };
        let observation = Observation::new().certificate_expiry(expiry);
        Ok(match judge_expiry(expiry, self.threshold, now).map_err(with_chain)? {
            None => observation,
            Some(notice) => {
                let whose = of_another(path, expiry);
                observation.degraded(format!("{notice}{whose}; {}", presented()))
            }
        })
    }

    fn check_fingerprint(&self, certificate: &CertificateDer<'_>) -> Result<(), Failure> {
        let fingerprint = Fingerprint::of(certificate);
        if self.fingerprints.is_empty() || self.fingerprints.contains(&fingerprint) {
            return Ok(());
        }
        let message = format!(
            "the certificate has the fingerprint {fingerprint}, which is not among `fingerprints`; if it was renewed, add it"
        );
        Err(Failure::assertion(message))
    }

    fn check_names(&self, certificate: &CertificateDer<'_>) -> Result<(), Failure> {
        let verify = |name| verify_server_name(&ParsedCertificate::try_from(certificate)?, name);
        for name in &self.names {
            if let Err(error) = verify(name) {
                let failure = find_tls_failure(&error, &name.to_str());
                return Err(failure.unwrap_or_else(|| Failure::new(Cause::Tls, error.to_string())));
            }
        }
        Ok(())
    }
}

/// Says which certificate ends at this time, if it is not the server's own.
fn of_another(path: &[CertificateDer<'_>], expiry: Timestamp) -> String {
    let ends =
        |certificate: &&CertificateDer<'_>| certificate_expiry(std::slice::from_ref(*certificate)) == Some(expiry);
    match path.iter().position(|certificate| ends(&certificate)) {
        Some(index) if index > 0 => format!(", that of the authority {}", name(&path[index])),
        _ => String::new(),
    }
}

fn parse_address(tls: &Tls) -> Result<HostPort, ConfigError> {
    let address = HostPort::parse(&tls.endpoint_url, Some(tls.starttls.map_or(DEFAULT_PORT, StartTls::port)))
        .map_err(|error| ConfigError::invalid("endpoint_url", error.to_string()))?;
    match address.host().parse::<IpAddr>() {
        Ok(literal) if !tls.ip_version.allows(literal) => {
            let expected = ConfigError::expected("ip_version", format!("the version of {literal}"));
            Err(expected.found(format_args!("{}; remove it", tls.ip_version)))
        }
        _ => Ok(address),
    }
}

fn parse_all<T>(
    key: &str,
    texts: &[String],
    parse: fn(&str) -> Result<T, ConfigError>,
) -> Result<Box<[T]>, ConfigError> {
    let mut problems = ConfigProblems::new();
    let parsed: Vec<_> = texts
        .iter()
        .enumerate()
        .filter_map(|(index, text)| problems.take(parse(text).map_err(|error| error.at(&format!("{key}[{index}]")))))
        .collect();
    problems.finish(|| Some(parsed.into()))
}

fn parse_name(name: &str) -> Result<ServerName<'static>, ConfigError> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let remedy = if name.is_ascii() { "" } else { "; write it in its ASCII form (xn--…)" };
        ConfigError::expected("", "a host name or an IP address").found(format_args!("{name:?}{remedy}"))
    })
}

fn parse_fingerprint(text: &str) -> Result<Fingerprint, ConfigError> {
    Fingerprint::parse(text).map_err(|found| {
        let expected =
            "a SHA-256 fingerprint with 64 hexadecimal digits, as `openssl x509 -fingerprint -sha256` prints it";
        ConfigError::expected("", expected).found(found)
    })
}
