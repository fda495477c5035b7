//! The binary `checkup` as people and scripts use it: its output, its files and its exit codes.

#![allow(clippy::unwrap_used, reason = "a helper that cannot help is a failed test")]

mod beat;
mod check;
mod config_file;
mod descriptors;
mod every;
mod explain;
mod github;
mod history;
mod init;
mod junit;
mod maintain;
mod message;
mod mistakes;
mod node;
mod operate;
mod provision;
mod secrets;
mod serve;
mod spool;
mod statuspage;
mod store;
mod support;
mod urls;
mod usage;
mod validate;
mod wait;
