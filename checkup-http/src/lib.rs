#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod assertion;
mod body;
mod checker;
mod config;
mod connect;
mod cookies;
mod exchange;
#[cfg(feature = "config")]
mod from_url;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod options;
mod proxy;
mod redirect;
mod request;
mod stream;
mod text;
mod up_status;
mod url;
mod wire;

pub use assertion::{HeaderAssertion, JsonAssertion, JsonNumber};
pub use checker::HttpChecker;
pub use checkup_net::{IpVersion, TlsSettings, TlsVersion};
pub use config::{DEFAULT_MAX_BODY_BYTES, Http};
pub use up_status::UpStatus;

/// Registers the checker `http` for config files and for URLs.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker_with_urls::<Http>("http");
}
