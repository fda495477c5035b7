#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod checker;
mod config;
mod expect;
#[cfg(feature = "config")]
mod from_url;

pub use checker::TcpChecker;
pub use checkup_net::{IpVersion, StartTls, TlsSettings, TlsVersion};
pub use config::Tcp;
pub use expect::Expect;

/// Registers the checker `tcp` for config files, and for URLs: `tcp://host:port` and `tls://host:port`.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker_with_urls::<Tcp>("tcp");
}
