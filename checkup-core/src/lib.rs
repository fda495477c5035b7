//! The engine, plugin traits, results and configuration of Checkup.
//!
//! Programs depend on the facade `checkup`; crates with a checker, a storage or a notifier of their own depend on this.
//!
//! - A [`Checker`] tries once whether something works. A [`Check`] gives it a name and a [`Policy`].
//! - A [`Checkup`] runs checks and yields a [`Report`] of [`CheckResult`]s; a [`Monitor`] does so in the background.
//! - A [`Storage`] keeps reports; an [`Archive`](archive::Archive) makes one of whatever holds named files. A [`Notifier`] tells of changes.
#![cfg_attr(feature = "config", doc = "- A [`Registry`](config::Registry) makes all of these from a config file.")]

pub mod archive;
mod check;
pub mod check_file;
mod checker;
mod checkup;
#[cfg(feature = "config")]
pub mod config;
mod dependencies;
pub mod duration;
mod engine;
mod error;
mod fnv;
mod monitor;

mod notifier;
mod provision;
mod publisher;
mod results;
mod secret;
mod shard;
mod spool;
mod storage;
pub mod summary;
mod timestamp;
mod trace;
mod verdict;
mod wait;

pub use async_trait::async_trait;

pub use check::{Check, Policy, check_fn};
pub use checker::{Checker, DEFAULT_TIMEOUT, Failure, IntoChecker, Observation};
pub use checkup::{Checkup, CheckupBuilder, DEFAULT_CONCURRENT_CHECKS};
pub use engine::Progress;
pub use error::{ConfigError, ConfigErrorKind, ConfigProblem};
pub use monitor::{Monitor, MonitorBuilder, Run, Runs};
pub use notifier::{Change, IntoNotifier, Notification, Notifier, NotifyError};
pub use provision::{Provision, ProvisionChange, ProvisionStep, StorageProvisioner};
pub use publisher::{PageFile, PagePublisher, PageSource, Published};
pub use results::{Attempt, Cause, CheckResult, MaintenanceWindow, Phase, Phases, Report, Stats, Status};
pub use secret::Secret;
pub use shard::{Shard, ShardError};
pub use spool::{Spool, Waiting};
pub use storage::{
    IntoStorage, Maintenance, Storage, StorageError, StorageErrorKind, StorageMaintainer, StorageReader,
};
pub use timestamp::{ParseTimestampError, Timestamp};
pub use verdict::{AtLocation, Quorum, Verdict};
pub use wait::{NotHealthy, Wait};
