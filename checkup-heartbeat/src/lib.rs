#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod beat;
mod checker;
mod config;
mod job;
mod judge;
mod name;

pub use beat::{Beat, Outcome};
pub use checker::HeartbeatChecker;
pub use config::Heartbeat;
pub use job::Job;

/// Registers the checker `heartbeat` for config files.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker::<Heartbeat>("heartbeat");
}
