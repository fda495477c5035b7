//! Client-side TLS: `client` is the TLS of one check, `config` is the configuration that it uses, `shared` shares it among equal
//! settings, `stamp` notices changed files, `load` reads them, `failure` explains errors, `expiry` reads when
//! certificates expire, and `inspect` shows what a server presents even if it is not valid.

mod client;
mod config;
mod connect;
mod expiry;
mod failure;
mod inspect;
mod load;
mod own_certificate;
mod shared;
mod stamp;
mod unverified;

pub use client::TlsClient;
pub use config::TlsConfig;
pub use connect::tls_connect;
pub use expiry::certificate_expiry;
pub use failure::{find_tls_failure, tls_failure};
pub use inspect::Inspection;
