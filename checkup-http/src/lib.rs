//! The HTTP checker of Checkup, the health-check library.
//!
//! One request on a new connection, and what its response must be: status, headers, body.
//!
//! ```
//! use checkup_core::{Check, Checkup};
//! use checkup_http::{Http, JsonAssertion};
//! # use checkup_testkit::{HttpServer, Response};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = HttpServer::start(|_| Response::new(200).body(r#"{"status": "ok"}"#));
//! # let url = server.url("/health");
//! let http = Http::new(url).up_status("2xx").json(JsonAssertion::new("$.status").equals("ok"));
//! let checkup = Checkup::builder().check(Check::new("search", http)).build()?;
//! checkup.check().await.assert_healthy();
//! # Ok(())
//! # }
//! ```
//!
//! - HTTP/1.1, as upstream; HTTP/2 is not offered. Nothing is asked to be compressed, no cookies are kept.
//! - Proxies of the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) are used, except for this
//!   machine itself.
//! - A body is read only if a condition needs it, and no further than that.
//! - Results say where the time went: name resolution, connection, TLS, first byte, transfer.

mod assertion;
mod body;
mod checker;
mod config;
mod connect;
mod endpoint;
mod exchange;
mod parse;
mod proxy;
mod redaction;
mod redirect;
mod rules;
mod status;

pub use assertion::{HeaderAssertion, JsonAssertion};
pub use checker::HttpChecker;
pub use checkup_net::{IpVersion, TlsVersion};
pub use config::{DEFAULT_MAX_BODY_BYTES, Http};
pub use endpoint::EndpointUrl;
pub use status::UpStatus;

/// Makes `http` a type of checkers in config files.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker::<Http>("http");
}
