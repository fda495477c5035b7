#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod checker;
mod config;
mod expect;

pub use checker::TcpChecker;
pub use checkup_net::{IpVersion, TlsSettings, TlsVersion};
pub use config::Tcp;
pub use expect::Expect;

/// Registers the checker `tcp` for config files.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker::<Tcp>("tcp");
}
