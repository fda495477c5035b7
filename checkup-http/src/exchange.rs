//! One request and its response on a connection of their own, in the task of whoever waits for it: dropping an
//! exchange closes its connection, and nothing lives on.

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use checkup_core::{Cause, Failure, Phase};
use checkup_net::{excerpt, find_tls_failure};
use http::Request;
use http::response::Parts;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{Builder, Connection};
use hyper_util::rt::TokioIo;

use crate::connect::Stream;
use crate::endpoint::{Target, TargetHost};

/// The most bytes that the head of a response may have. Common servers allow 8 to 32 KiB for those they forward.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The most headers that a response may have: hyper's own bound.
const MAX_HEADERS: usize = 100;

type Io = TokioIo<Stream>;

/// A response whose head is there.
#[derive(Debug)]
pub(crate) struct Exchange {
    head: Parts,
    body: Incoming,
    /// `None` once it has ended, for good or bad: the body then tells.
    connection: Option<Box<Connection<Io, Full<Bytes>>>>,
    server: TargetHost,
}

impl Exchange {
    /// Sends the request and waits for the head of the response.
    pub(crate) async fn start(stream: Stream, request: Request<Full<Bytes>>, target: &Target) -> Result<Self, Failure> {
        Phase::FirstByte.begin();
        let mut builder = Builder::new();
        // The buffer holds the whole head while it is read, and nothing larger than it.
        builder.max_buf_size(MAX_HEAD_BYTES);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| failure(&error, &[], &target.host))?;
        let mut connection = Some(Box::new(connection));
        let mut received = Bytes::new();
        let mut response = pin!(sender.send_request(request));
        let response = poll_fn(|context| {
            if let Some(parts) = drive(&mut connection, context) {
                received = parts;
            }
            response.as_mut().poll(context)
        })
        .await;
        Phase::end();
        let (head, body) = match response {
            Ok(response) => response.into_parts(),
            Err(error) => {
                // What came and was no HTTP is still in the connection's buffer.
                let received = connection.map_or(received, |connection| connection.into_parts().read_buf);
                return Err(failure(&error, &received, &target.host));
            }
        };
        Ok(Self { head, body, connection, server: target.host.clone() })
    }

    pub(crate) fn head(&self) -> &Parts {
        &self.head
    }

    /// How long the body says that it is.
    pub(crate) fn body_length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next part of the body; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = poll_fn(|context| {
                let body = Pin::new(&mut self.body);
                if let ready @ Poll::Ready(_) = body.poll_frame(context) {
                    return ready;
                }
                drive(&mut self.connection, context);
                Pin::new(&mut self.body).poll_frame(context)
            });
            match frame.await.transpose() {
                // Trailers are no part of the body.
                Ok(Some(frame)) => match frame.into_data() {
                    Ok(data) => return Ok(Some(data)),
                    Err(_) => continue,
                },
                Ok(None) => return Ok(None),
                Err(error) => return Err(body_failure(&error, &self.server)),
            }
        }
    }
}

/// Lets the connection read and write. What it had read and not understood, if it ended.
fn drive(connection: &mut Option<Box<Connection<Io, Full<Bytes>>>>, context: &mut Context<'_>) -> Option<Bytes> {
    let running = connection.as_mut()?;
    // Its errors also go to the response or the body, which are polled after it.
    if Pin::new(running).poll_without_shutdown(context).is_pending() {
        return None;
    }
    Some(connection.take()?.into_parts().read_buf)
}

/// Why there is no response, in words for people.
fn failure(error: &hyper::Error, received: &[u8], server: &TargetHost) -> Failure {
    if let Some(failure) = tls_or_io(error, server) {
        return failure;
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return match received.is_empty() {
            true => Failure::new(Cause::Network, "the server closed the connection without an answer"),
            false => cut_off(),
        };
    }
    if error.is_parse() {
        return Failure::protocol(match received {
            // The head reads, but what it says cannot be.
            [] => format!("the server's answer is not valid HTTP: {error}"),
            // The start of a TLS alert or handshake record (RFC 8446, section 5.1).
            [0x15 | 0x16, 0x03, ..] => "the server speaks TLS on this port; use https://".to_owned(),
            _ if is_too_large(received) => {
                format!("the head of the response has more than {} KiB or {MAX_HEADERS} headers", MAX_HEAD_BYTES / 1024)
            }
            _ if received.starts_with(b"HTTP/1.") => {
                format!("the server's answer is not valid HTTP ({error}); it begins with \"{}\"", excerpt(received, 80))
            }
            _ => format!("the server does not speak HTTP; its answer begins with \"{}\"", excerpt(received, 80)),
        });
    }
    Failure::other(excerpt(error.to_string().as_bytes(), 200))
}

/// Whether the head was given up for its size. hyper's error tells only servers so.
fn is_too_large(received: &[u8]) -> bool {
    let lines = || received.iter().filter(|byte| **byte == b'\n').count();
    received.starts_with(b"HTTP/1.") && (received.len() >= MAX_HEAD_BYTES || lines() > MAX_HEADERS)
}

/// Why the body is not all there.
fn body_failure(error: &hyper::Error, server: &TargetHost) -> Failure {
    if error.is_incomplete_message() {
        return cut_off();
    }
    match tls_or_io(error, server) {
        Some(failure) if failure == cut_off() => failure,
        Some(failure) => failure.context("receiving the response's body"),
        None => Failure::protocol(format!("the response's body is not valid HTTP: {}", reason(error))),
    }
}

/// The failure if TLS or the network is to blame.
fn tls_or_io(error: &hyper::Error, server: &TargetHost) -> Option<Failure> {
    if let Some(failure) = find_tls_failure(error, &server.to_string()) {
        return Some(failure);
    }
    let io: &io::Error = error.source()?.downcast_ref()?;
    match io.kind() {
        io::ErrorKind::UnexpectedEof => Some(cut_off()),
        // What hyper itself says of a body is an `io::Error` of these kinds.
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => None,
        kind => Some(Failure::from(io::Error::from(kind))),
    }
}

fn cut_off() -> Failure {
    Failure::new(Cause::Network, "the server closed the connection in the middle of its answer")
}

/// The innermost reason, which hyper's own text does not have.
fn reason(error: &hyper::Error) -> String {
    let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    excerpt(reason.as_bytes(), 200)
}
