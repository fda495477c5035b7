#![doc = include_str!("../README.md")]
//!
//! # A separate server over a storage
//!
//! ```no_run
//! use std::sync::Arc;
//! use checkup_core::Storage;
//! use checkup_core::archive::{Archive, MemoryFiles};
//! use checkup_statuspage::{Site, serve};
//! use tokio::net::TcpListener;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let storage: Arc<dyn Storage> = Arc::new(Archive::new(MemoryFiles::new()));
//! let site = Site::of_storage(storage).build()?;
//! let listener = TcpListener::bind("127.0.0.1:3000").await?;
//! serve(listener, site.router(), async { drop(tokio::signal::ctrl_c().await) }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # In a test
//!
//! A router is a `tower` service, so a test can call it without a socket.
//!
//! ```
//! use std::sync::Arc;
//! use axum::body::Body;
//! use axum::extract::Request;
//! use checkup_core::{CheckResult, Report, Storage};
//! use checkup_statuspage::Site;
//! use checkup_testkit::MemoryStorage;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let storage = MemoryStorage::new();
//! storage.store(&Report::new(vec![CheckResult::new("API", "https://example.com")])).await?;
//! let router = Site::of_storage(Arc::new(storage)).build()?.router();
//! let answer = router.oneshot(Request::get("/readyz").body(Body::empty())?).await?;
//! assert_eq!(answer.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # The JSON API
//!
//! Times are in RFC 3339 and UTC, and round-trip times (`rtt_ms`) are in milliseconds. An uptime, from 0 to 1, is the share of the known time
//! outside maintenance in which a check was not down. Unknown values are absent; in `uptime` of the status, a period without known
//! time is null. Later versions may add keys.
//!
//! `GET api/v1/status`:
//!
//! ```json
//! {
//!   "status": "degraded",
//!   "checked": "2026-03-01T12:00:00Z",
//!   "checks": [
//!     {
//!       "name": "API", "endpoint": "https://example.com/health", "group": "Shop",
//!       "status": "degraded", "since": "2026-03-01T11:58:00Z",
//!       "reason": "down at us: connection refused (1 of 2 locations)",
//!       "uptime": { "24h": 0.9993, "7d": 0.9999, "30d": 1.0, "90d": null },
//!       "locations": [
//!         { "location": "eu", "status": "healthy", "stale": false, "checked": "2026-03-01T12:00:00Z", "rtt_ms": 12.5 },
//!         { "location": "us", "status": "down", "stale": false, "checked": "2026-03-01T12:00:00Z",
//!           "since": "2026-03-01T11:58:00Z", "reason": "connection refused" }
//!       ]
//!     }
//!   ],
//!   "announcements": [{ "id": "7f3a91c0de", "time": "2026-02-28T09:00:00Z", "text": "New prices from May" }],
//!   "maintenance": [
//!     { "id": "5b20c1d9aa", "group": "Shop", "check": "API", "from": "2026-03-08T02:00:00Z", "to": "2026-03-08T04:00:00Z", "text": "New disks" }
//!   ]
//! }
//! ```
//!
//! `announcements` are posts to all checks, the latest 50; `maintenance` runs or is planned, and without `check` it is of all.
//!
//! `status` is `healthy`, `degraded`, `down`, `stale` (the latest results are too old) or `maintenance`. The overall `status` may also be
//! `empty`.
//!
//! `GET api/v1/history?check=NAME&since=TIME` returns the history of a check. `since` is a time, or a duration before now. Default: `24h`.
//!
//! - `checks`, one for each endpoint, over all locations: `uptime`, `known` (the share of the time that is known), and `incidents` (`id`, `status`,
//!   `from`, `to`, `last_seen`, `reason`, `messages`, and `segments` with `status`, `from`, `to`, `locations` and `reasons`).
//! - `series`, one for each endpoint and location: `uptime`, `days` (`day`; the numbers of results `healthy`, `degraded`, `down` and
//!   `maintenance`; `p50_ms`, `p90_ms`, `p99_ms`), `incidents` (as above), `messages` (`time`, `text`) and `results` (`time`, `status`, `rtt_ms`,
//!   `reason`; of at least the last day).
//!
//! Errors are `{"error": "…"}` with a status: 400 if the request is invalid, 404 if the check or file does not exist, 502 if a check file is
//! broken, 503 if the storage cannot be read (with `Retry-After`), 504 if the storage does not respond in time.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod demo;
mod formats;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod page;
mod server;
mod site;
mod view;

pub use config::{Group, Link, Order, PageStorage, PageStorageType, StatusPage, StatusText, TagPage};
pub use demo::{DemoStorage, demo};
pub use page::{PublishError, PublishedFile, StaticPage, deploy, export};
pub use server::{Server, serve};
pub use site::{Site, SiteBuilder};

/// Adds `status_page`, the settings of the page, to a registry. `checkup.section::<StatusPage>()` returns them.
///
/// ```
/// use checkup_core::config::{Format, Registry};
/// use checkup_statuspage::StatusPage;
///
/// let mut registry = Registry::new();
/// checkup_statuspage::register(&mut registry);
/// let checkup = registry.parse(r#"{ "checkers": [], "status_page": { "title": "Shop" } }"#, Format::Json)?;
/// assert_eq!(checkup.section::<StatusPage>().map(|page| page.title.as_str()), Some("Shop"));
/// # Ok::<(), checkup_core::ConfigError>(())
/// ```
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.section_with_checks::<StatusPage>("status_page", StatusPage::validate, config::groups::validate);
}
