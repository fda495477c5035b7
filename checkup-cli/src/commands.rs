//! The commands, one module each, and what several of them share.

pub(crate) mod beat;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod every;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod init;
mod jobs;
pub(crate) mod maintain;
pub(crate) mod man;
pub(crate) mod message;
mod monitors;
mod outcome;
pub(crate) mod provision;
pub(crate) mod schema;
pub(crate) mod serve;
mod signal;
pub(crate) mod statuspage;
pub(crate) mod validate;
pub(crate) mod wait;
