#![doc = include_str!("../README.md")]
//!
//! # Test doubles and a paused clock
//!
//! [`StubChecker`], [`MemoryStorage`] and [`RecordingNotifier`] replace real plugins. The engine uses tokio's clock: [`paused`], or
//! `#[tokio::test(start_paused = true)]`, makes hours of timeouts and intervals pass in no time, with exact durations.
//!
//! ```
//! # #![allow(dead_code)]
//! use std::time::Duration;
//! use checkup_core::{Check, Checkup, Monitor};
//! use checkup_testkit::{MemoryStorage, StubChecker};
//!
//! # mod tests {
//! # use super::*;
//! #[tokio::test(start_paused = true)]
//! async fn a_day_of_runs_is_stored() -> Result<(), Box<dyn std::error::Error>> {
//!     let (stub, storage) = (StubChecker::slow(Duration::from_secs(1)), MemoryStorage::new());
//!     let checkup = Checkup::builder().check(Check::new("stub", stub.clone())).storage(storage.clone()).build()?;
//!     let monitor = Monitor::builder(checkup).interval(Duration::from_secs(3600)).start()?;
//!     stub.wait_attempts(24).await;
//!     monitor.shutdown().await;
//!     assert_eq!(storage.len(), 24);
//!     Ok(())
//! }
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     checkup_testkit::paused(async {
//! #         let (stub, storage) = (StubChecker::slow(Duration::from_secs(1)), MemoryStorage::new());
//! #         let checkup = Checkup::builder().check(Check::new("stub", stub.clone())).storage(storage.clone()).build()?;
//! #         let monitor = Monitor::builder(checkup).interval(Duration::from_secs(3600)).start()?;
//! #         stub.wait_attempts(24).await;
//! #         monitor.shutdown().await;
//! #         assert_eq!(storage.len(), 24);
//! #         Ok(())
//! #     })
//! # }
//! ```
//!
//! # Conformance suites
//!
//! [`checker_conformance!`], [`storage_conformance!`], [`named_files_conformance!`] and [`notifier_conformance!`] generate a
//! `#[test]` for each behaviour that the contracts require; see [`conformance`].
#![doc = include_str!("behaviours.md")]
//! # Loopback servers
//!
//! Every server listens on a free port of `127.0.0.1`, and closes all its connections when it is dropped. Nothing here
//! needs the network, or sleeps unless you ask for it. A server that cannot be set up (no free port, an invalid certificate) panics.
//!
//! - [`TcpServer`]: any behaviour, with a closure that handles a connection. [`silent`](TcpServer::silent),
//!   [`reset`](TcpServer::reset) and [`endless`](TcpServer::endless) are common hostile servers, [`closed_port`] is a port
//!   without a server, and [`reset()`] resets a connection.
//! - [`Ca`], [`Identity`] and [`TlsServer`]: the same over TLS, with valid and invalid certificates.
//! - [`HttpServer`]: HTTP/1.1 from a closure of [`Request`] to [`Response`], with or without TLS.
//! - [`DnsServer`]: DNS over UDP from a closure of the name to a [`DnsAnswer`].
#![cfg_attr(
    feature = "s3",
    doc = "- [`S3Server`]: buckets in memory, with signatures, faults and counts of requests (feature `s3`)."
)]
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
#![cfg_attr(docsrs, feature(doc_cfg))]

mod certificate;
mod clock;
pub mod conformance;
mod corpus;
mod dns;
mod doubles;
mod http;
#[cfg(feature = "s3")]
mod s3;
mod tcp;
mod tls;

pub use certificate::{Ca, Identity};
pub use clock::paused;
#[doc(hidden)]
pub use corpus::for_each_input;
pub use dns::{DnsAnswer, DnsServer};
pub use doubles::{MemoryStorage, RecordingNotifier, StubAttempt, StubChecker};
pub use http::{HttpServer, Request, Response};
#[cfg(feature = "s3")]
pub use s3::{S3Cause, S3Dialect, S3Object, S3Refusal, S3Requests, S3Server};
pub use tcp::{TcpServer, closed_port, reset};
pub use tls::{TlsOptions, TlsServer, TlsVersion};

/// The TLS implementation of [`TlsServer`], for the types in its signatures.
pub use tokio_rustls;
