//! The way to a server: address, connection, TLS, or through a proxy.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use checkup_core::{Failure, Phase};
use checkup_net::{connect, resolve, tls_failure};
use http::header::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::HttpChecker;
use crate::endpoint::{Target, TargetHost};
use crate::proxy::{self, Proxy};

/// A connection, on which TLS may lie, on which TLS may lie: a tunnel through a proxy that speaks TLS itself.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<Stream>>),
}

/// What the request line must name.
#[derive(Debug)]
pub(crate) enum Form {
    /// Path and query, for the server itself.
    Origin,
    /// The whole URL, for a proxy, with what the proxy asks for as `Proxy-Authorization`.
    Absolute(Option<HeaderValue>),
}

/// Opens a connection on which a request to the target can be sent.
pub(crate) async fn open(checker: &HttpChecker, target: &Target) -> Result<(Stream, Form), Failure> {
    let fixed = fixed(checker, target);
    if fixed.is_none()
        && let Some(proxy) = proxy::of(target)?
    {
        return Box::pin(through(proxy, checker, target)).await;
    }
    let version = checker.options().ip_version;
    let stream = match (fixed, &target.host) {
        (Some((address, port)), _) => {
            // The given port stands for the URL's, not for that of another scheme to which it redirects.
            let port = port.filter(|_| target.port == checker.target().port).unwrap_or(target.port);
            connect(&[SocketAddr::new(address, port)]).await?
        }
        (None, TargetHost::Address(address)) if version.allows(*address) => {
            connect(&[SocketAddr::new(*address, target.port)]).await?
        }
        (None, host) => connect(&resolve(&host.to_string(), target.port, version).await?).await?,
    };
    let stream = Stream::Tcp(stream);
    if target.tls {
        let stream = Box::pin(handshake(stream, checker.tls().await?, &target.host)).await?;
        return Ok((stream, Form::Origin));
    }
    Ok((stream, Form::Origin))
}

/// Whether the way to the target is through a proxy that speaks TLS itself.
pub(crate) fn through_tls(checker: &HttpChecker, target: &Target) -> bool {
    fixed(checker, target).is_none() && matches!(proxy::of(target), Ok(Some(proxy)) if proxy.tls)
}

/// The address that the settings have in the place of the target's host.
fn fixed(checker: &HttpChecker, target: &Target) -> Option<(IpAddr, Option<u16>)> {
    checker.options().fixed.filter(|_| target.host == checker.target().host)
}

async fn through(proxy: Proxy, checker: &HttpChecker, target: &Target) -> Result<(Stream, Form), Failure> {
    let context = |failure: Failure| failure.context(&proxy);
    let addresses =
        resolve(&proxy.host.to_string(), proxy.port, checker.options().ip_version).await.map_err(context)?;
    let mut stream = Stream::Tcp(connect(&addresses).await.map_err(context)?);
    if proxy.tls {
        stream = handshake(stream, checker.tls().await?, &proxy.host).await.map_err(context)?;
    }
    if !target.tls {
        return Ok((stream, Form::Absolute(proxy.authorization)));
    }
    Phase::Connect.begin();
    let stream = proxy.tunnel(stream, target).await.map_err(context)?;
    Ok((handshake(stream, checker.tls().await?, &target.host).await?, Form::Origin))
}

async fn handshake(stream: Stream, config: &Arc<ClientConfig>, host: &TargetHost) -> Result<Stream, Failure> {
    Phase::Tls.begin();
    let name = host.server_name()?;
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
    Phase::end();
    let stream = stream.map_err(|error| tls_failure(&error, &host.to_string()))?;
    Ok(Stream::Tls(Box::new(stream)))
}

impl TargetHost {
    /// The name that the server's certificate must have.
    fn server_name(&self) -> Result<ServerName<'static>, Failure> {
        match self {
            Self::Address(address) => Ok(ServerName::IpAddress((*address).into())),
            Self::Name(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
                .map_err(|_| Failure::other(format!("no certificate can be for the name {name:?}"))),
        }
    }
}

/// Without brackets.
impl fmt::Display for TargetHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => IpAddr::fmt(address, f),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
