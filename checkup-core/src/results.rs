//! The results of a run: a [`Report`] with one [`CheckResult`] per check, made of [`Attempt`]s.

mod attempt;
mod check_result;
mod facts;
mod hidden;
mod json;
mod phases;
mod post;
mod report;
mod stats;
mod status;

pub use attempt::{Attempt, Cause};
pub use check_result::{CheckResult, MaintenanceWindow};
pub use facts::Facts;
pub use hidden::Hidden;
pub use phases::{Phase, Phases};
pub use post::{Post, PostState};
pub use report::Report;
pub use stats::Stats;
pub use status::Status;
