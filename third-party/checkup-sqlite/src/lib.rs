//! A storage in an SQLite database, with the table of the original Checkup: `checks(name PRIMARY KEY, timestamp UNIQUE, results)`.
//!
//! ```
//! use checkup_core::{Checkup, check_fn};
//! use checkup_sqlite::Sqlite;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let checkup = Checkup::builder()
//!     .check(check_fn("queue", || async { Ok::<_, std::io::Error>(()) }))
//!     .storage(Sqlite::new(dir.path().join("checks.db")))
//!     .build()?;
//! checkup.check_and_store().await?;
//! # Ok(())
//! # }
//! ```

mod config;
mod storage;

pub use config::Sqlite;
pub use storage::SqliteStorage;
