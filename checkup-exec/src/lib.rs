#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod checker;
mod config;
mod environment;
mod process;
mod program;
mod redact;

pub use checker::ExecChecker;
pub use config::{Exec, Raise};
pub use process::{Ended, MaxOutput};
pub use program::Program;

/// Registers the checker `exec` for config files.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker::<Exec>("exec");
}
