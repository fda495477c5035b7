#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod broken;
mod checker;
mod config;
mod connection;
mod dnssec;
mod exchange;
mod expect;
mod extended_error;
#[cfg(feature = "config")]
mod from_url;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod https;
mod rcode;
mod record_type;
mod server;

pub use checker::DnsChecker;
pub use checkup_net::{TlsSettings, TlsVersion};
pub use config::{Dns, Transport};
pub use expect::Expect;

/// Registers the checker `dns` for config files, and for URLs: `dns://server/name`.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker_with_urls::<Dns>("dns");
}
