#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod cert_expiry;
mod connect;
mod file;
mod resolve;
mod starttls;
#[cfg(feature = "tls")]
mod tls;
mod tls_settings;
pub mod tls_switch;
mod tls_version;
#[cfg(not(feature = "tls"))]
mod without_tls;

pub use checkup_core::text::excerpt;

pub use address::{HostPort, ParseHostPortError};
pub use cert_expiry::{judge_expiry, observe_expiry};
pub use connect::connect;
pub use file::read_file;
pub use resolve::{IpVersion, resolve};
pub use starttls::StartTls;
#[cfg(feature = "tls")]
pub use tls::{Inspection, TlsClient, TlsConfig, certificate_expiry, find_tls_failure, tls_connect, tls_failure};
pub use tls_settings::TlsSettings;
pub use tls_version::TlsVersion;
#[cfg(not(feature = "tls"))]
pub use without_tls::TlsClient;
