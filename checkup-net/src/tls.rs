//! TLS of clients: `client` is the TLS of one check, `shared` the configuration that equal settings share, `load` reads
//! it from files, and `failure` puts into words what went wrong in a handshake.

mod client;
mod connect;
mod failure;
mod load;
mod own_certificate;
mod shared;
mod unverified;

pub use client::TlsClient;
pub use connect::tls_connect;
pub use failure::{find_tls_failure, tls_failure};
