//! What network checkers share: addresses, name resolution, connections, and the TLS settings of clients.
//!
//! - [`HostPort`]: `host:port` as people write it.
//! - [`resolve()`] and [`connect()`]: from a name to a connection, with failures that say what went wrong.
//! - [`TlsSettings`] and [`TlsClient`]: TLS with the system's roots or others, shared by all checks with equal
//!   settings.
//! - [`excerpt()`]: what an endpoint sent, in a form that can stand in a message.
//!
//! ```
//! use checkup_net::{HostPort, IpVersion, connect, resolve};
//! # use checkup_testkit::TcpServer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = TcpServer::silent();
//! # let text = server.addr().to_string();
//! let address: HostPort = text.parse()?;
//! let addresses = resolve(address.host(), address.port(), IpVersion::Any).await?;
//! let connection = connect(&addresses).await?;
//! # assert_eq!(connection.peer_addr()?, server.addr());
//! # Ok(())
//! # }
//! ```

mod address;
mod connect;
mod excerpt;
mod resolve;
#[cfg(feature = "tls")]
mod tls;
mod tls_settings;
pub mod tls_switch;
mod tls_version;
#[cfg(not(feature = "tls"))]
mod without_tls;

pub use address::{HostPort, ParseHostPortError};
pub use connect::connect;
pub use excerpt::excerpt;
pub use resolve::{IpVersion, resolve};
#[cfg(feature = "tls")]
pub use tls::{TlsClient, find_tls_failure, tls_connect, tls_failure};
pub use tls_settings::TlsSettings;
pub use tls_version::TlsVersion;
#[cfg(not(feature = "tls"))]
pub use without_tls::TlsClient;
