//! Loopback servers and certificates for tests of checkers.
//!
//! Every server listens on `127.0.0.1`, on a port that the system gives, and ends with all its connections when it
//! is dropped. Nothing here needs the network, or sleeps unless told to. What cannot be set up (no free port, a certificate
//! that cannot be made) panics: these are tests.
//!
//! - [`TcpServer`]: any behaviour, one closure for each connection; [`silent`](TcpServer::silent),
//!   [`reset`](TcpServer::reset) and [`closed_port`] are the common hostile ones;
//!   [`reset()`] breaks off a connection.
//! - [`Ca`], [`Identity`] and [`TlsServer`]: the same over TLS, with certificates good and bad.
//! - [`HttpServer`]: HTTP/1.1 from a closure of [`Request`] to [`Response`], with or without TLS.
//! - [`DnsServer`]: DNS over UDP from a closure of the name to a [`DnsAnswer`].
//!
//! ```
//! use checkup_testkit::TcpServer;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::TcpStream;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = TcpServer::start(|mut connection| async move {
//!     let _ = connection.write_all(b"220 ready\r\n").await;
//! });
//!
//! let mut answer = String::new();
//! TcpStream::connect(server.addr()).await?.read_to_string(&mut answer).await?;
//! assert_eq!(answer, "220 ready\r\n");
//! assert_eq!(server.accepted(), 1);
//! # Ok(())
//! # }
//! ```

mod certificate;
mod dns;
mod http;
mod tcp;
mod tls;

pub use certificate::{Ca, Identity};
pub use dns::{DnsAnswer, DnsServer};
pub use http::{HttpServer, Request, Response};
pub use tcp::{TcpServer, closed_port, reset};
pub use tls::{TlsOptions, TlsServer, TlsVersion};

/// The TLS implementation of [`TlsServer`], for the types in its signatures.
pub use tokio_rustls;
