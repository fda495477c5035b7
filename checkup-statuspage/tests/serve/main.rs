//! The page as it is served: a real server on loopback, asked as any client would.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod client;
mod embedded;
mod pages;
mod posts;
mod stored;
