//! The page in a real browser: chromium, driven by chromedriver. `.ci/browser` installs both and runs these tests.
//!
//! Screenshots go to `target/screenshots/`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "these are tests, and some print figures")]

mod accessibility;
mod browser;
mod cors;
mod figures;
mod fixture;
mod groups;
mod history;
mod keyboard;
mod language;
mod oddities;
mod overview;
mod payloads;
mod print;
mod requests;
mod sources;
mod states;
mod web;
