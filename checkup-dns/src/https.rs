//! [`Https`]: DNS over HTTPS (RFC 8484), on HTTP/2.

use std::fmt;
use std::pin::{Pin, pin};

use bytes::Bytes;
use checkup_core::{Cause, Failure, Phase};
use futures::future::{Either, select};
use h2::RecvStream;
use h2::client::{Builder, Connection, SendRequest};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::uri::Uri;
use http::{Method, Request};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::broken::broken;

/// The media type of queries and answers (RFC 8484, section 6).
const MEDIA_TYPE: &str = "application/dns-message";

/// The longest DNS message, in bytes.
const MAX_ANSWER: usize = 65_535;

/// The limit of a response's headers, in bytes.
const MAX_HEADERS: u32 = 16 * 1024;

/// An HTTP/2 connection. It has no task of its own: it makes progress only during a query.
pub(crate) struct Https {
    sender: SendRequest<Bytes>,
    connection: Pin<Box<Connection<TlsStream<TcpStream>, Bytes>>>,
    uri: Uri,
}

impl Https {
    pub(crate) async fn open(stream: TlsStream<TcpStream>, uri: Uri) -> Result<Self, Failure> {
        let (sender, connection) = Builder::new()
            .enable_push(false)
            .max_header_list_size(MAX_HEADERS)
            .handshake(stream)
            .await
            .map_err(failure)?;
        Ok(Self { sender, connection: Box::pin(connection), uri })
    }

    /// Posts a query and reads the answer.
    pub(crate) async fn ask(&mut self, query: &[u8]) -> Result<Vec<u8>, Failure> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header(ACCEPT, MEDIA_TYPE)
            .header(CONTENT_LENGTH, query.len())
            .body(())
            .map_err(Failure::from_error)?;
        let exchange = pin!(exchange(self.sender.clone(), request, Bytes::copy_from_slice(query)));
        match select(exchange, &mut self.connection).await {
            Either::Left((answer, _)) => answer,
            // The connection has ended. The exchange returns what arrived before, or the reason.
            Either::Right((_, exchange)) => exchange.await,
        }
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https").field("uri", &self.uri).finish_non_exhaustive()
    }
}

async fn exchange(sender: SendRequest<Bytes>, request: Request<()>, query: Bytes) -> Result<Vec<u8>, Failure> {
    let mut sender = sender.ready().await.map_err(failure)?;
    let (response, mut body) = sender.send_request(request, false).map_err(failure)?;
    body.send_data(query, true).map_err(failure)?;
    let (head, body) = response.await.map_err(failure)?.into_parts();
    if !head.status.is_success() {
        return Err(Failure::assertion(format!("response status {}", head.status)));
    }
    // A missing type is taken as this one, as other clients do.
    let media_type = head.headers.get(CONTENT_TYPE).map_or(MEDIA_TYPE.as_bytes(), |value| value.as_bytes());
    if !is_dns_message(media_type) {
        let found = checkup_net::excerpt(media_type, 60);
        return Err(Failure::protocol(format!("expected an answer of type {MEDIA_TYPE}, got {found}")));
    }
    Phase::Transfer.begin();
    read(body).await
}

async fn read(mut body: RecvStream) -> Result<Vec<u8>, Failure> {
    let mut answer = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.map_err(failure)?;
        if answer.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::protocol("the answer is longer than 65535 bytes, the limit of DNS messages"));
        }
        answer.extend_from_slice(&chunk);
        // Lets the server send more. It fails only if the stream has ended.
        let _ = body.flow_control().release_capacity(chunk.len());
    }
    Ok(answer)
}

/// Whether a content type is that of DNS messages. Parameters are ignored.
fn is_dns_message(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(MEDIA_TYPE.as_bytes())
}

fn failure(error: h2::Error) -> Failure {
    if error.is_io() {
        let text = error.to_string();
        return error.into_io().map_or_else(|| Failure::new(Cause::Network, text), broken);
    }
    let text = error.to_string();
    Failure::protocol(format!("HTTP/2: {}", checkup_net::excerpt(text.as_bytes(), 120)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_may_have_parameters_and_any_case() {
        assert!(is_dns_message(b"application/dns-message"));
        assert!(is_dns_message(b"Application/DNS-Message ; charset=utf-8"));
        assert!(!is_dns_message(b"application/dns-json") && !is_dns_message(b"") && !is_dns_message(b"\xff"));
    }
}
