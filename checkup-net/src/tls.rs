//! TLS of clients: [`ClientTls`] is what a check may set, `load` makes a configuration of it, `failure` tells in
//! words what went wrong in a handshake.

mod connect;
mod failure;
mod load;
mod settings;
mod unverified;

pub use connect::tls_connect;
pub use failure::{find_tls_failure, tls_failure};
pub use settings::ClientTls;
