//! Channels against real servers: aiosmtpd and Alertmanager, which `.ci/channels` starts.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod alertmanager;
mod mail;
#[allow(dead_code, reason = "for the tests against our own servers too")]
#[path = "../channels/samples.rs"]
mod samples;

/// A value that `.ci/channels` sets.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; `.ci/channels` starts the servers and sets it"))
}
