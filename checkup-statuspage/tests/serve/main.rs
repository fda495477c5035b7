//! The page as it is served: a real server on loopback, asked as any client would.

mod client;
mod embedded;
mod stored;
