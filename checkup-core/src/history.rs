//! History: what check files say about the past.
//!
//! - [`check_file`]: how results are named and written.
//! - [`archive`]: a storage of check files over whatever holds named files.
//! - [`summary`]: daily statistics, incidents and recent results, derived from check files.
//! - [`read`] and [`read_summary`] read either from any storage; [`Verdict`] is the present state over all locations.

pub mod archive;
pub mod check_file;
mod read;
mod read_summary;
pub mod summary;
mod verdict;

pub use read::{History, read};
pub use read_summary::{read_summary, read_summary_at};
pub use verdict::{AtLocation, Quorum, Verdict};
