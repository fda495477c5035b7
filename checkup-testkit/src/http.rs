use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Identity, TcpServer, TlsOptions};

/// The size limit of a request's head, and of its body.
const MAX_BYTES: usize = 1 << 20;

/// An HTTP/1.1 server on loopback that answers from a closure and then closes the connection.
///
/// To send answers that are not valid HTTP, use a [`TcpServer`].
///
/// ```
/// use checkup_testkit::{HttpServer, Response};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = HttpServer::start(|request| match request.target.as_str() {
///     "/health" => Response::new(200).body("ok"),
///     _ => Response::new(404),
/// });
/// assert!(server.url("/health").starts_with("http://127.0.0.1:"));
/// # }
/// ```
pub struct HttpServer {
    tcp: TcpServer,
    requests: Arc<AtomicUsize>,
    tls: bool,
}

/// A request as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values in their order, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, if there was a `Content-Length`.
    pub body: Vec<u8>,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names and values. `Content-Length` and `Connection: close` are added unless they are listed here.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long to wait before answering.
    pub delay: Option<Duration>,
}

impl HttpServer {
    /// Starts a server on `127.0.0.1`.
    ///
    /// # Panics
    ///
    /// If no socket can be bound, or outside of a tokio runtime.
    pub fn start(handler: impl Fn(Request) -> Response + Send + Sync + 'static) -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let handler = Arc::new(handler);
        let tcp = TcpServer::start(move |connection: TcpStream| {
            let (handler, counter) = (Arc::clone(&handler), Arc::clone(&counter));
            async move { serve(connection, &*handler, &counter).await }
        });
        Self { tcp, requests, tls: false }
    }

    /// Starts a server on `127.0.0.1` that speaks TLS with this certificate.
    ///
    /// # Panics
    ///
    /// If no socket can be bound, if the certificate or its key is invalid, or outside of a tokio runtime.
    pub fn start_tls(
        identity: Identity,
        options: TlsOptions,
        handler: impl Fn(Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let handler = Arc::new(handler);
        let acceptor = options.acceptor(&identity);
        let tcp = TcpServer::start(move |connection| {
            let accept = acceptor.accept(connection);
            let (handler, counter) = (Arc::clone(&handler), Arc::clone(&counter));
            async move {
                if let Ok(connection) = accept.await {
                    serve(connection, &*handler, &counter).await;
                }
            }
        });
        Self { tcp, requests, tls: true }
    }

    /// The URL of `path` (which begins with `/`) at this server's IP address.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.addr())
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.tcp.addr()
    }

    /// How many whole requests it has read.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        self.tcp.accepted()
    }

    /// The underlying TCP server, with its counts of connections.
    pub fn tcp(&self) -> &TcpServer {
        &self.tcp
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer").field("tcp", &self.tcp).field("requests", &self.requests()).finish()
    }
}

impl Request {
    /// The value of the first header of this name; case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Response {
    /// An answer with this status and no body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delay: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Waits this long before answering.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    fn encode(&self, with_body: bool) -> Vec<u8> {
        let has = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        // The reason phrase may be empty (RFC 9112, section 4); clients have their own words for the codes.
        let mut head = format!("HTTP/1.1 {} \r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !has("content-length") && !has("transfer-encoding") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        if !has("connection") {
            head.push_str("connection: close\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if with_body {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// Answers one request. Invalid requests get no answer, and errors close the connection, which the client notices.
async fn serve<S>(mut connection: S, handler: &(impl Fn(Request) -> Response + Sync), requests: &AtomicUsize)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let Some(request) = read_request(&mut connection).await else { return };
    requests.fetch_add(1, Ordering::SeqCst);
    let with_body = request.method != "HEAD";
    let response = handler(request);
    if let Some(delay) = response.delay {
        tokio::time::sleep(delay).await;
    }
    let _ = connection.write_all(&response.encode(with_body)).await;
    let _ = connection.shutdown().await;
}

async fn read_request(connection: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        read_some(connection, &mut bytes).await?;
    };
    let mut body = bytes.split_off(head_end + 4);
    let head = String::from_utf8_lossy(&bytes);
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Request { method, target, headers, body: Vec::new() };
    let length = request.header("content-length").map_or(Some(0), |length| length.parse().ok())?;
    while body.len() < length {
        read_some(connection, &mut body).await?;
    }
    request.body = body;
    Some(request)
}

/// Appends the available bytes; `None` at the end, after an error, or over the limit.
async fn read_some(connection: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Option<()> {
    let length = connection.read_buf(bytes).await.ok()?;
    (length > 0 && bytes.len() <= MAX_BYTES).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn exchange(server: &HttpServer, request: &str) -> String {
        let mut connection = TcpStream::connect(server.addr()).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn answers_from_the_closure_and_counts() {
        let server = HttpServer::start(|request| {
            let host = request.header("Host").unwrap_or_default().to_owned();
            Response::new(201).header("x-host", host).body(request.body)
        });
        let answer = exchange(&server, "POST /a?b HTTP/1.1\r\nHost: example\r\nContent-Length: 4\r\n\r\nping").await;
        assert_eq!(answer, "HTTP/1.1 201 \r\nx-host: example\r\ncontent-length: 4\r\nconnection: close\r\n\r\nping");
        assert_eq!((server.requests(), server.connections()), (1, 1));
    }

    #[tokio::test]
    async fn a_head_request_gets_no_body() {
        let server = HttpServer::start(|_| Response::new(200).body("hidden"));
        let answer = exchange(&server, "HEAD / HTTP/1.1\r\n\r\n").await;
        assert_eq!(answer, "HTTP/1.1 200 \r\ncontent-length: 6\r\nconnection: close\r\n\r\n");
    }

    #[tokio::test]
    async fn an_invalid_request_gets_no_answer() {
        let server = HttpServer::start(|_| Response::new(200));
        assert_eq!(exchange(&server, "\r\n\r\n").await, "");
        assert_eq!(server.requests(), 0);
    }
}
