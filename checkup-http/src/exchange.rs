//! [`Exchange`]: one request and its response, on a separate connection.
//!
//! It runs in the caller's task: dropping it closes the connection and leaves nothing behind.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use checkup_core::{Cause, Failure, Phase, Timestamp};
use checkup_net::{excerpt, find_tls_failure};
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::stream::Stream;
use crate::url::TargetHost;
use crate::wire::{Framing, ResponseHead, Step, has_http_start, head_end};

/// The maximum size of a response's head, and of all interim responses together, in bytes. Common proxies allow 8 to 32
/// KiB for the responses that they forward.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How much is read at a time of a head.
const HEAD_BYTES: usize = 1024;

/// How much is read at a time of a body.
const READ_BYTES: usize = 8 * 1024;

/// A response whose head has been received.
#[derive(Debug)]
pub(crate) struct Exchange {
    head: ResponseHead,
    framing: Framing,
    transfer_codings: Vec<String>,
    connection: Connection,
    lenient: bool,
}

#[derive(Debug)]
struct Connection {
    stream: Stream,
    /// What was received but not used yet.
    received: BytesMut,
    server: TargetHost,
}

impl Exchange {
    /// When the certificates that the server presented expire.
    pub(crate) fn certificate_expiry(&self) -> Option<Timestamp> {
        self.connection.stream.certificate_expiry()
    }

    /// Sends the request and waits for the head of the response.
    pub(crate) async fn start(
        stream: Stream,
        request: &[u8],
        method: &Method,
        server: &TargetHost,
        lenient: bool,
    ) -> Result<Self, Failure> {
        Phase::FirstByte.begin();
        let mut connection = Connection { stream, received: BytesMut::new(), server: server.clone() };
        let mut left = request;
        let mut interim = 0;
        let (head, length) = loop {
            let (head, length) = poll_fn(|context| connection.poll_head(&mut left, context, lenient)).await?;
            // 101 is a final response. It answers an upgrade request, which is never sent.
            if !head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS {
                break (head, length);
            }
            interim += length;
            if interim > MAX_HEAD_BYTES {
                return Err(Failure::protocol(format!(
                    "the server sent more than {} KiB of interim responses (status 1xx) and no answer",
                    MAX_HEAD_BYTES / 1024
                )));
            }
            connection.received.advance(length);
        };
        Phase::end();
        let (framing, transfer_codings) =
            Framing::new(method, &head, lenient).map_err(|problem| invalid(&problem.to_string()))?;
        connection.received.advance(length);
        Ok(Self { head, framing, transfer_codings, connection, lenient })
    }

    pub(crate) fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// The transfer codings of the body, in the order in which they were applied.
    pub(crate) fn transfer_codings(&self) -> &[String] {
        &self.transfer_codings
    }

    /// The length of the body according to its head.
    pub(crate) fn body_length(&self) -> Option<u64> {
        self.framing.length()
    }

    /// Receives the next part of the body; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let step = self.framing.step(&mut self.connection.received);
            match step
                .map_err(|problem| Failure::protocol(format!("the response's body is not valid HTTP: {problem}")))?
            {
                Step::Data(data) => return Ok(Some(data)),
                Step::End => return Ok(None),
                Step::NeedsMore => {}
            }
            self.connection.received.reserve(READ_BYTES);
            let read = self.connection.stream.read_buf(&mut self.connection.received).await;
            match read.map(|length| length > 0) {
                Ok(true) => {}
                // Many servers end TLS without `close_notify`, which browsers and curl accept as an end.
                Ok(false) => return self.ended(),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return self.ended(),
                Err(_) if self.lenient => return Ok(None),
                Err(error) => return Err(self.connection.failure(&error).context("receiving the response's body")),
            }
        }
    }

    /// Decides what the end of the connection means in the middle of a body.
    fn ended(&self) -> Result<Option<Bytes>, Failure> {
        if self.lenient || self.framing.ends_with_connection() { Ok(None) } else { Err(cut_off()) }
    }
}

impl Connection {
    /// Sends the rest of the request while receiving the next head, since a server may answer before it has read a large
    /// body. Returns the head and its length.
    fn poll_head(
        &mut self,
        left: &mut &[u8],
        context: &mut Context<'_>,
        lenient: bool,
    ) -> Poll<Result<(ResponseHead, usize), Failure>> {
        let mut searched = 0;
        let sent = self.poll_send(left, context);
        loop {
            if !has_http_start(&self.received) {
                return Poll::Ready(Err(self.not_http()));
            }
            if let Some(length) = head_end(&self.received, searched) {
                let head = ResponseHead::parse(&self.received[..length], lenient);
                return Poll::Ready(head.map(|head| (head, length)).map_err(|problem| invalid(&problem.to_string())));
            }
            if self.received.len() > MAX_HEAD_BYTES {
                let kib = MAX_HEAD_BYTES / 1024;
                return Poll::Ready(Err(Failure::protocol(format!(
                    "the head of the response has more than {kib} KiB"
                ))));
            }
            searched = self.received.len();
            // Checks that wait need no buffer.
            ready!(self.stream.poll_read_ready(context));
            if self.received.len() == self.received.capacity() {
                self.received.reserve(HEAD_BYTES);
            }
            match ready!(pin!(self.stream.read_buf(&mut self.received)).poll(context)) {
                Ok(1..) => {}
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Err(self.failure(&error)));
                }
                _ => return Poll::Ready(Err(self.no_head(&sent))),
            }
        }
    }

    /// Sends the rest of the request. After an error there is nothing left to send; the answer, if there is one, says
    /// why.
    fn poll_send(&mut self, left: &mut &[u8], context: &mut Context<'_>) -> Result<(), Failure> {
        let stream = &mut self.stream;
        while !left.is_empty() {
            match Pin::new(&mut *stream).poll_write(context, left) {
                Poll::Ready(Ok(length @ 1..)) => *left = &left[length..],
                Poll::Ready(Ok(0)) => *left = &[],
                Poll::Ready(Err(error)) => {
                    *left = &[];
                    return Err(self.failure(&error));
                }
                Poll::Pending => break,
            }
        }
        match Pin::new(stream).poll_flush(context) {
            Poll::Ready(Err(error)) => Err(self.failure(&error)),
            _ => Ok(()),
        }
    }

    /// Says why there is no complete head at the end of the connection.
    fn no_head(&self, sent: &Result<(), Failure>) -> Failure {
        if !self.received.is_empty() {
            return match ResponseHead::parse(&self.received, true) {
                Err(problem) if self.received.contains(&b'\n') => invalid(&problem.to_string()),
                _ => cut_off(),
            };
        }
        let closed = || Failure::new(Cause::Network, "the server closed the connection without an answer");
        sent.as_ref().err().cloned().unwrap_or_else(closed)
    }

    /// Says why what was received is not HTTP.
    fn not_http(&self) -> Failure {
        Failure::protocol(match self.received[..] {
            // The start of a TLS alert or handshake record (RFC 8446, section 5.1).
            [0x15 | 0x16, 0x03, ..] => "the server speaks TLS on this port; use https://".to_owned(),
            _ => format!("the server does not speak HTTP; its answer begins with \"{}\"", excerpt(&self.received, 80)),
        })
    }

    fn failure(&self, error: &io::Error) -> Failure {
        find_tls_failure(error, &self.server.to_string())
            .unwrap_or_else(|| Failure::from(io::Error::from(error.kind())))
    }
}

fn invalid(problem: &str) -> Failure {
    Failure::protocol(format!("the server's answer is not valid HTTP: {problem}"))
}

fn cut_off() -> Failure {
    Failure::new(Cause::Network, "the server closed the connection in the middle of its answer")
}
