//! [`Server`]: where the DNS server is, and how to connect to it.

use std::net::SocketAddr;

use checkup_core::{ConfigError, ConfigProblems, Failure, Timestamp};
use checkup_net::{HostPort, IpVersion, TlsClient, TlsSettings};
use http::uri::{Authority, PathAndQuery, Uri};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::config::DEFAULT_HTTPS_PATH;
use crate::{Dns, Transport};

/// The ALPN protocol of HTTP/2, the only version of HTTP that this crate uses for DNS (RFC 8484, section 5.2).
const HTTP2: &[u8] = b"h2";

/// The server of a DNS check.
#[derive(Debug)]
pub(crate) struct Server {
    endpoint: String,
    address: HostPort,
    pub(crate) transport: Transport,
    tls: Option<TlsClient>,
    /// The URL for queries over HTTPS.
    pub(crate) uri: Option<Uri>,
}

impl Server {
    pub(crate) fn new(dns: &Dns) -> Result<Self, ConfigError> {
        let mut problems = ConfigProblems::new();
        let address = HostPort::parse(&dns.endpoint_url, Some(dns.transport.default_port()))
            .map_err(|error| ConfigError::invalid("endpoint_url", error.to_string()));
        let address = problems.take(address);
        // Even without a valid address, the other settings are checked for problems.
        let host = address.as_ref().map_or("localhost", HostPort::host);
        let tls = problems.take(tls(dns, host));
        let uri = problems.take(uri(dns, host, address.as_ref().map_or(443, HostPort::port)));
        let (endpoint, transport) = (dns.endpoint_url.clone(), dns.transport);
        problems.finish(|| Some(Self { endpoint, transport, tls: tls?, uri: uri?, address: address? }))
    }

    /// The server as in the settings.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Reads the certificates if the transport needs them: on the first call, and again when they change.
    pub(crate) async fn prepare(&self) -> Result<(), Failure> {
        match &self.tls {
            Some(tls) => tls.prepare().await,
            None => Ok(()),
        }
    }

    /// Resolves the addresses of the server.
    pub(crate) async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        checkup_net::resolve(self.address.host(), self.address.port(), IpVersion::Any).await
    }

    /// Connects over TCP to the first of these addresses that accepts.
    pub(crate) async fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
        checkup_net::connect(addresses).await
    }

    /// Performs the TLS handshake if the transport uses TLS.
    pub(crate) async fn secure(&self, stream: TcpStream) -> Result<Secured, Failure> {
        let Some(tls) = &self.tls else { return Ok(Secured::Plain(stream)) };
        let stream = tls.connect(stream).await?;
        if self.transport == Transport::Https && stream.get_ref().1.alpn_protocol() != Some(HTTP2) {
            return Err(Failure::protocol("the server does not speak HTTP/2, which DNS over HTTPS needs"));
        }
        Ok(Secured::Tls(Box::new(stream)))
    }
}

/// A connection after the handshake, if there was one.
#[derive(Debug)]
pub(crate) enum Secured {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Secured {
    /// When the certificate of the server expires. `None` without TLS.
    pub(crate) fn certificate_expiry(&self) -> Option<Timestamp> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => TlsClient::certificate_expiry(stream),
        }
    }
}

fn tls(dns: &Dns, host: &str) -> Result<Option<TlsClient>, ConfigError> {
    if !dns.transport.is_encrypted() {
        return if dns.tls == TlsSettings::default() { Ok(None) } else { Err(without_effect("tls", dns.transport)) };
    }
    let alpn: &[&[u8]] = if dns.transport == Transport::Https { &[HTTP2] } else { &[] };
    Ok(Some(TlsClient::new(&dns.tls, host, "endpoint_url")?.alpn(alpn)))
}

pub(crate) fn without_effect(key: &str, transport: Transport) -> ConfigError {
    let transports = if key != "https_path" { "\"tls\" or \"https\"" } else { "\"https\"" };
    let message =
        format!("valid only with `transport` {transports}, found with \"{transport}\"; set `transport` or remove this");
    ConfigError::invalid(key, message)
}

fn uri(dns: &Dns, host: &str, port: u16) -> Result<Option<Uri>, ConfigError> {
    if dns.transport != Transport::Https {
        let is_default = dns.https_path == DEFAULT_HTTPS_PATH;
        return if is_default { Ok(None) } else { Err(without_effect("https_path", dns.transport)) };
    }
    let path = Some(dns.https_path.as_str()).filter(|path| path.starts_with('/'));
    let path = path.and_then(|path| path.parse::<PathAndQuery>().ok()).ok_or_else(|| {
        ConfigError::invalid(
            "https_path",
            format!("expected a path such as \"/dns-query\", found {:?}", dns.https_path),
        )
    })?;
    // The URL contains the name of the server, even if it is reached at an address.
    let (key, host) = match &dns.tls.server_name {
        Some(name) => ("tls.server_name", name.as_str()),
        None => ("endpoint_url", host),
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let port = match port {
        443 => String::new(),
        port => format!(":{port}"),
    };
    let authority: Authority = format!("{host}{port}")
        .parse()
        .map_err(|_| ConfigError::invalid(key, format!("expected a host that a URL can contain, found {host:?}")))?;
    let uri = Uri::builder().scheme("https").authority(authority).path_and_query(path).build();
    uri.map(Some).map_err(|error| ConfigError::invalid("https_path", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_follows_the_transport() {
        for (transport, port) in
            [(Transport::Udp, 53), (Transport::Tcp, 53), (Transport::Tls, 853), (Transport::Https, 443)]
        {
            assert_eq!(Server::new(&Dns::new("10.0.0.53").transport(transport)).unwrap().address.port(), port);
        }
    }

    #[test]
    fn queries_over_https_go_to_the_name_and_the_path() {
        let uri = |dns: &Dns| Server::new(dns).unwrap().uri.unwrap().to_string();
        let dns = Dns::new("10.0.0.53:8443").transport(Transport::Https);
        assert_eq!(uri(&dns), "https://10.0.0.53:8443/dns-query");
        let dns = dns.tls(TlsSettings::new().server_name("dns.test")).https_path("/q?x=1");
        assert_eq!(uri(&dns), "https://dns.test:8443/q?x=1");
        assert_eq!(uri(&Dns::new("[::1]").transport(Transport::Https)), "https://[::1]/dns-query");
    }

    #[test]
    fn invalid_settings_are_refused_with_their_key() {
        for (dns, message) in [
            (Dns::new("udp://10.0.0.1"), "endpoint_url: expected a host and a port"),
            (Dns::new("x").tls(TlsSettings::new().skip_verify(true)), "tls: valid only with `transport` \"tls\""),
            (Dns::new("x").transport(Transport::Tcp).https_path("/x"), "https_path: valid only with"),
            (Dns::new("x").transport(Transport::Https).https_path("x"), "https_path: expected a path"),
            (
                Dns::new("x").transport(Transport::Tls).tls(TlsSettings::new().server_name("a b")),
                "tls.server_name: expected a host name",
            ),
        ] {
            let error = Server::new(&dns).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn credentials_are_not_repeated_in_errors() {
        let error = Server::new(&Dns::new("https://user:hunter2@dns.test/")).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
