//! The history of checks: what check files record about the past.
//!
//! - [`check_file`]: how results are named and written.
//! - [`archive`]: a storage of check files over anything that holds named files.
//! - [`summary`]: daily statistics, incidents and recent results, derived from check files.
//! - [`read`] reads the results of any storage, and [`read_summary`] their summary.
//! - [`Timeline`] is the state of a check over time. [`Incident`]s, [`Availability`] and the [`Verdict`] (the current state) are derived
//!   from it. [`freshness`] says how long a result is valid.

pub mod archive;
pub mod check_file;
pub mod freshness;
mod ids;
mod incident;
mod point;
mod posted;
mod quorum;
mod read;
mod read_summary;
mod rules;
mod run;
pub mod summary;
mod sweep;
mod timeline;
mod uptime;
mod verdict;

pub use incident::{Hysteresis, Incident, Segment};
pub use quorum::Quorum;
pub use read::{History, read};
pub use read_summary::{read_summary, read_summary_at};
pub use rules::Rules;
pub use run::Run;
pub use sweep::{State, Stretch};
pub use timeline::Timeline;
pub use uptime::Availability;
pub use verdict::{AtLocation, Verdict};
