#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod certificate;
mod checker;
mod config;
mod fingerprint;

pub use checker::TlsChecker;
pub use checkup_net::{IpVersion, StartTls, TlsSettings, TlsVersion};
pub use config::Tls;

/// Registers the checker `tls` for config files.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker::<Tls>("tls");
}
