#![doc = include_str!("../README.md")]
//!
//! # What is in the directory
//!
//! - `<nanoseconds since 1970>-check.json`: the check files. They are the source of truth and never change. A location comes before
//!   `-check.json`. So does `compacted-<hash>` in the files that [compaction](checkup_core::archive) makes of closed hours and days.
//! - `index.json`: derived from the names of the check files, and always replaced as a whole.
//! - `.checkup/`: files that are being written, and data that makes updates of the index cheap. You may delete it while no process is
//!   storing; the next store then lists the directory again.
//!
//! # How it stays consistent
//!
//! Naming, reading and compaction work as in every [`Archive`](checkup_core::archive::Archive). The rest is specific to directories.
//!
//! A check file is written and synced in `.checkup/`, then renamed to a free name. This never requires a lock.
//!
//! When a store returns, the index must contain its file. Listing 100,000 names for each store would take twenty times as long as the
//! store itself. So a store first leaves a *marker* with the name that it is about to publish. The process that holds the lock adds
//! all marked files to the index in one go and removes their markers. Of 50 processes that store at the same time, most find that
//! another one has already done it for them.
//!
//! If a process is killed, its marker remains, and the next store finds it. The kernel releases the lock of a dead process. If a
//! process cannot get the lock within ten seconds, or if the file system has no locks, it builds the index by listing the directory,
//! and repeats that until nothing is missing.
//!
//! Files that were compacted are removed from the index before they are removed from the directory, while the lock is held. A page that
//! read the index earlier may miss such a file; it finds the results when it next reads the index.
//!
//! The directory is also listed again if something else has changed it or `index.json`, and once an hour.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod check_file;
mod config;
mod directory;
mod error;
mod files;
mod index;
mod lock;
mod page;
mod refresh;
mod removal;
mod storage;

pub use config::Fs;
pub use storage::FsStorage;

/// Registers the storage as type `fs`.
#[cfg(feature = "config")]
#[cfg_attr(docsrs, doc(cfg(feature = "config")))]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.storage::<Fs>("fs");
}
