#![doc = include_str!("../README.md")]
//!
//! # Example
//!
//! ```
//! use checkup_core::{Checkup, check_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let checkup = Checkup::builder().check(check_fn("queue", || async { Ok::<_, std::io::Error>(()) })).build()?;
//! checkup.check().await.assert_healthy();
//! # Ok(())
//! # }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

mod chain;
mod check;
mod checker;
mod checkup;
#[cfg(feature = "config")]
pub mod config;
pub mod duration;
mod engine;
mod error;
#[doc(hidden)]
pub mod exact_number;
mod fnv;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
#[allow(clippy::exhaustive_structs, reason = "for the sibling crates only")]
pub mod health;
pub mod history;
mod monitor;
mod notifier;
mod path;
mod results;
mod secret;
mod secret_url;
#[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only config files have settings to write back"))]
mod source;
mod sourced;
mod spool;
mod storage;
pub mod text;
mod timestamp;
mod zone;

pub use async_trait::async_trait;

pub use chain::ErrorChain;
pub use check::{Check, Policy, check_fn};
pub use checker::{Checker, DEFAULT_TIMEOUT, Failure, IntoChecker, Observation};
pub use checkup::{Checkup, CheckupBuilder, DEFAULT_CONCURRENT_CHECKS, NotHealthy, Shard, ShardError, Wait};
pub use engine::Progress;
pub use error::{ConfigError, ConfigErrorKind, ConfigProblem, ConfigProblems};
pub use history::{AtLocation, Quorum, Verdict, archive, check_file, summary};
pub use monitor::{Monitor, MonitorBuilder, Probe, ProbeAnswer, Run, Runs};
pub use notifier::{
    Alert, AlertKind, AlertStep, Delivery, IntoNotifier, Line, Link, Message, Notification, Notifier, NotifyError,
    NotifyErrorKind, Section, Severity, notify_fn,
};
pub use path::validate_path;
pub use results::{
    Attempt, Cause, CheckResult, Facts, Hidden, MaintenanceWindow, Phase, Phases, Post, PostState, Report, Stats,
    Status,
};
pub use secret::Secret;
pub use secret_url::SecretUrl;
pub use sourced::{Sourced, Variable, resolve_path, variables_in};
pub use spool::{Spool, Waiting};
#[doc(hidden)]
pub use storage::plain_file;
pub use storage::{
    IntoStorage, Maintenance, MaintenanceFailure, PageFile, PagePublisher, PageSource, Provision, ProvisionChange,
    ProvisionStep, Published, Storage, StorageError, StorageErrorKind, StorageMaintainer, StorageProvisioner,
    StorageReader,
};
pub use timestamp::{ParseTimestampError, Timestamp};
pub use zone::{ParseZoneError, Zone};
