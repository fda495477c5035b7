//! [`Connection`]: a connection to a server, over TCP, TLS or HTTPS.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::OnceLock;

use checkup_core::{Cause, Failure, Phase, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::broken::broken;
use crate::https::Https;
use crate::server::{Secured, Server};

/// An open connection, for one query at a time. Dropping it closes it.
#[derive(Debug)]
pub(crate) enum Connection {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Https(Box<Https>),
}

impl Connection {
    /// Connects to the first of these addresses that accepts, and performs the handshakes of the transport.
    /// Sets when the server's certificate expires, if it is not known yet.
    pub(crate) async fn open(
        server: &Server,
        addresses: &[SocketAddr],
        expiry: &OnceLock<Timestamp>,
    ) -> Result<Self, Failure> {
        let stream = server.connect(addresses).await?;
        let secured = server.secure(stream).await?;
        if let Some(known) = secured.certificate_expiry() {
            expiry.get_or_init(|| known);
        }
        Ok(match (secured, &server.uri) {
            (Secured::Plain(stream), _) => Self::Tcp(stream),
            (Secured::Tls(stream), None) => Self::Tls(stream),
            (Secured::Tls(stream), Some(uri)) => Self::Https(Box::new(Https::open(*stream, uri.clone()).await?)),
        })
    }

    /// Sends a query and reads the next message, without interpreting it.
    pub(crate) async fn ask(&mut self, query: &[u8]) -> Result<Vec<u8>, Failure> {
        Phase::FirstByte.begin();
        match self {
            Self::Tcp(stream) => ask_stream(stream, query).await,
            Self::Tls(stream) => ask_stream(stream.as_mut(), query).await,
            Self::Https(https) => https.ask(query).await,
        }
    }
}

/// Sends a query on a stream and reads the answer. Two bytes before each message are its length (RFC 1035, section
/// 4.2.2), which limits the answer.
async fn ask_stream<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, query: &[u8]) -> Result<Vec<u8>, Failure> {
    let length = u16::try_from(query.len()).map_err(|_| Failure::other("the query is longer than 65535 bytes"))?;
    // Everything is in one write, and so in one packet: some servers read only the first packet (RFC 7766, section 8).
    let mut framed = Vec::with_capacity(query.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(query);
    stream.write_all(&framed).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;

    let mut length = [0; 2];
    stream.read_exact(&mut length).await.map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Failure::new(Cause::Network, "the server closed the connection without an answer"),
        _ => broken(error),
    })?;
    Phase::Transfer.begin();
    let length = usize::from(u16::from_be_bytes(length));
    // Grows with the bytes that arrive, not with the announced length.
    let mut answer = Vec::new();
    let read = stream.take(length as u64).read_to_end(&mut answer).await.map_err(broken)?;
    if read < length {
        let message = format!("the server closed the connection after {read} of {length} bytes of the answer");
        return Err(Failure::new(Cause::Network, message));
    }
    Ok(answer)
}
