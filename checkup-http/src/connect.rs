//! Connects to a server, directly or through a proxy: address, connection, TLS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use checkup_core::{Failure, Phase};
use checkup_net::{IpVersion, TlsConfig, TlsSettings, connect, resolve, tls_failure};
use http::header::HeaderValue;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::proxy::{self, Proxy};
use crate::stream::Stream;
use crate::url::{Target, TargetHost};

/// How to reach a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    pub(crate) target: &'a Target,
    pub(crate) ip_version: IpVersion,
    /// The address to connect to instead of resolving the target's host, and the port if it differs from the target's.
    pub(crate) fixed: Option<(IpAddr, Option<u16>)>,
    pub(crate) tls: &'a TlsSettings,
    /// The name that the target's certificate must be valid for, if it is not the host.
    pub(crate) server_name: Option<&'a ServerName<'static>>,
    /// The TLS configuration, created from these settings on first use.
    pub(crate) tls_config: &'a TlsConfig,
}

/// HTTP/2 is not offered, since it is only overhead for one request per connection.
const ALPN: &[&[u8]] = &[b"http/1.1"];

/// The form of the target in the request line.
#[derive(Debug)]
pub(crate) enum Form {
    /// Path and query, for the server itself (RFC 9112, section 3.2.1).
    Origin,
    /// The whole URL, for a proxy (RFC 9112, section 3.2.2), with the value of `Proxy-Authorization` if it needs one.
    Absolute(Option<HeaderValue>),
}

impl Route<'_> {
    /// Opens a connection on which a request to the target can be sent.
    pub(crate) async fn open(&self) -> Result<(Stream, Form), Failure> {
        let target = self.target;
        if let Some(proxy) = self.proxy()? {
            return Box::pin(self.open_through(proxy)).await;
        }
        let stream = match (self.fixed, &target.host) {
            (Some((address, port)), _) => connect(&[SocketAddr::new(address, port.unwrap_or(target.port))]).await?,
            (None, TargetHost::Address(address)) if self.ip_version.allows(*address) => {
                connect(&[SocketAddr::new(*address, target.port)]).await?
            }
            (None, host) => connect(&resolve(&host.to_string(), target.port, self.ip_version).await?).await?,
        };
        let stream = Stream::Tcp(stream);
        if target.tls {
            let stream = Box::pin(self.handshake(stream)).await?;
            return Ok((stream, Form::Origin));
        }
        Ok((stream, Form::Origin))
    }

    /// Creates the TLS configuration if this route needs one, or creates it again if a certificate file has changed.
    /// Returns whether that could have taken noticeable time.
    pub(crate) async fn prepare(&self) -> Result<bool, Failure> {
        if self.tls_config.is_final(self.tls) || !self.needs_tls() {
            return Ok(false);
        }
        self.tls_config.refresh(self.tls, ALPN).await?;
        Ok(true)
    }

    fn needs_tls(&self) -> bool {
        self.target.tls || matches!(self.proxy(), Ok(Some(proxy)) if proxy.tls)
    }

    fn proxy(&self) -> Result<Option<Proxy>, Failure> {
        if self.fixed.is_some() {
            return Ok(None);
        }
        proxy::for_target(self.target).map_err(|problem| Failure::other(problem.to_string()))
    }

    /// If the configuration cannot be created, the next attempt tries again.
    async fn tls_config(&self) -> Result<Arc<ClientConfig>, Failure> {
        self.tls_config.current(self.tls, ALPN).await
    }

    async fn open_through(&self, proxy: Proxy) -> Result<(Stream, Form), Failure> {
        let context = |failure: Failure| failure.context(&proxy);
        let addresses = resolve(&proxy.host.to_string(), proxy.port, self.ip_version).await.map_err(context)?;
        let mut stream = Stream::Tcp(connect(&addresses).await.map_err(context)?);
        if proxy.tls {
            let name = server_name(&proxy.host).map_err(context)?;
            stream = handshake(stream, self.tls_config().await?, name).await.map_err(context)?;
        }
        if !self.target.tls {
            return Ok((stream, Form::Absolute(proxy.authorization)));
        }
        Phase::Connect.begin();
        let stream = proxy.tunnel(stream, self.target).await.map_err(context)?;
        Ok((self.handshake(stream).await?, Form::Origin))
    }

    /// Performs the TLS handshake with the target.
    async fn handshake(&self, stream: Stream) -> Result<Stream, Failure> {
        let name = match self.server_name {
            Some(name) => name.clone(),
            None => server_name(&self.target.host)?,
        };
        handshake(stream, self.tls_config().await?, name).await
    }
}

async fn handshake(stream: Stream, config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Stream, Failure> {
    Phase::Tls.begin();
    let stream = TlsConnector::from(config).connect(name.clone(), stream).await;
    Phase::end();
    let stream = stream.map_err(|error| tls_failure(&error, &name.to_str()))?;
    Ok(Stream::Tls(Box::new(stream)))
}

/// The name that the server's certificate must be valid for.
fn server_name(host: &TargetHost) -> Result<ServerName<'static>, Failure> {
    match host {
        TargetHost::Address(address) => Ok(ServerName::IpAddress((*address).into())),
        TargetHost::Name(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| Failure::other(format!("a certificate cannot be issued for the name {name:?}"))),
    }
}
