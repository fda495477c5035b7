//! The file-system storage of Checkup, the health-check library.
//!
//! Each report becomes a check file in a directory, and `index.json` lists them all, so that a plain web server
//! can serve the directory to a status page. Any number of processes may store into one directory at once.
//!
//! ```
//! use checkup_core::{Checkup, Timestamp, check_fn};
//! use checkup_storage_fs::Fs;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let dir = temporary.path();
//! let checkup = Checkup::builder()
//!     .check(check_fn("queue", || async { Ok::<_, std::io::Error>(()) }))
//!     .storage(Fs::new(dir).check_expiry(std::time::Duration::from_secs(30 * 24 * 3600)))
//!     .build()?;
//! checkup.check_and_store().await?;
//!
//! let reader = checkup.storage().and_then(|storage| storage.reader()).ok_or("files can be read")?;
//! for name in reader.list(Timestamp::from_unix_nanos(0)).await? {
//!     assert_eq!(reader.fetch(&name).await?[0].name, "queue");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is in the directory
//!
//! - `<nanoseconds since 1970>-check.json`: the check files. They are the truth, and nobody ever changes one. With a location
//!   it comes before `-check.json`; and in the names of the files that [compaction](checkup_core::archive) makes of those of
//!   closed hours and days, `compacted-<hash>` does.
//! - `index.json`: derived from the names of the check files, and always replaced whole.
//! - `.checkup/`: files that are being written, and what keeps the index cheap. It may be deleted at any time when
//!   nobody is storing; the next store lists the directory anew.
//!
//! # How it is kept right
//!
//! The names, reading and compaction are those of every [`Archive`](checkup_core::archive::Archive); what follows is the directory's.
//!
//! A check file is written and synced in `.checkup/`, then renamed to a name that is free. It never depends on a lock.
//!
//! The index must have every file once a store returns, and listing 100,000 names for each store would take twenty
//! times as long as the store itself. So a store first leaves a *marker* with the name it is about to publish;
//! whoever holds the lock adds all marked files to the index at once and removes their markers.
//! Of 50 processes that store together, most find that another has done it for them. A process that is killed leaves
//! its marker, and the next store finds it. The kernel frees the lock of a dead process; if a lock cannot be had in
//! ten seconds, or the file system has none, the index is made by listing the directory, again and again until
//! nothing was missing.
//!
//! Check files that were compacted leave the index before they leave the directory, in one turn of the lock. A page that read the
//! index before that may miss one; it finds its results when it next reads the index.
//!
//! The directory is also listed anew when something else changed it or `index.json`, and once an hour.

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
mod url;

pub use config::Fs;
pub use storage::FsStorage;
pub use url::FsUrl;

/// Adds the storage to a registry as type `fs`.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.storage::<Fs>("fs");
}
