//! Config files: the same settings as in code, as JSON, YAML or TOML.
//!
//! A [`Registry`] knows what each `type` is. A settings struct *is* its JSON object: any type that derives
//! [`Serialize`](serde::Serialize), [`Deserialize`](serde::Deserialize), [`JsonSchema`](schemars::JsonSchema) and
//! [`Clone`], and becomes a checker, a storage or a notifier, can be registered, from any crate.
//!
//! ```
//! use std::borrow::Cow;
//! use checkup_core::config::{Format, Registry};
//! use checkup_core::{Checker, Failure, Observation, async_trait};
//!
//! /// Passes if two numbers are equal.
//! #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Equal {
//!     left: i64,
//!     right: i64,
//! }
//!
//! #[async_trait]
//! impl Checker for Equal {
//!     fn endpoint(&self) -> Cow<'_, str> {
//!         "arithmetic".into()
//!     }
//!
//!     async fn attempt(&self) -> Result<Observation, Failure> {
//!         if self.left == self.right { Ok(Observation::new()) } else { Err(Failure::assertion("they differ")) }
//!     }
//! }
//!
//! let mut registry = Registry::new();
//! registry.checker::<Equal>("equal");
//!
//! let checkup = registry.parse(
//!     r#"{ "checkers": [{ "type": "equal", "endpoint_name": "sum", "left": 4, "right": 4, "attempts": 3 }] }"#,
//!     Format::Json,
//! )?;
//! assert_eq!(checkup.checks().len(), 1);
//!
//! // Mistakes are reported with their place and a remedy.
//! let error = registry.parse(r#"{ "checkers": [{ "type": "equal", "left": 4, "rigth": 4 }] }"#, Format::Json).unwrap_err();
//! assert!(error.to_string().contains("checkers[0].rigth: unknown key; did you mean `right`?"), "{error}");
//! # Ok::<(), checkup_core::ConfigError>(())
//! ```
//!
//! # Checks without a file
//!
//! A checker can also be registered with URL schemes, so that a URL such as `tcp://db:5432` is a check: see [`FromUrl`].
//!
//! # The file
//!
//! | Key | |
//! |---|---|
//! | `checkers` | The checks, each with its `type`, its settings, and the keys that all checks have (below). |
//! | `defaults` | Settings for all checks of a type that do not set them themselves: `{"http": {"timeout": "5s"}}`. |
//! | `storage` | Where reports are stored, with its `type`. |
//! | `spool` | Where reports are queued while the storage is unreachable: [`Spool`](crate::Spool) as an object, or `false` for nowhere. |
//! | `notifiers` | The notifiers, which send a message when a status changes, each with its `type`. |
//! | `notifier` | A single notifier: an older form of `notifiers` in the original Checkup (a Go program). It is called first. |
//! | `concurrent_checks` | How many checks run concurrently, up to 100,000. Default: 256; 0 means the default. |
//! | `location` | Where this node is, in one line of at most 64 characters; recorded in every result. |
//! | `shard` | This node's share of the checks: `"2/8"` or `{"index": 2, "count": 8}` for the second of eight. |
//! | `quorum` | How many locations must report a check as down for it to be down. Default: more than half. |
//! | `timestamp` | An RFC 3339 time that replaces the time of every result. `0001-01-01T00:00:00Z` counts as absent. |
//! | `$schema` | The schema of this file, for editors; ignored. |
//!
//! Keys that begin with `x-` are ignored too; use them for YAML anchors, for example. A program can [register](Registry::section) further keys, such
//! as `status_page`.
//!
//! Every check has `endpoint_name` (or `name`), `attempts`, `attempt_spacing`, `timeout`, `threshold_rtt`, `retries`, `retry_spacing`,
//! `interval`, `failures`, `successes`, `hide`, `tags`, `group` and `depends_on`: see [`Policy`](crate::Policy). Durations are strings such as `"1m30s"`, or integers in
//! nanoseconds. A single value is accepted in place of a list: `tags: public`. Relative paths are relative to the folder of the file.
//!
//! In strings, `${VAR}` is the environment variable `VAR`, which must be set; `${VAR:-default}` is `default` if it is
//! not set or empty; `$${` is a plain `${`.

mod de;
mod defaults;
mod environment;
mod exactly;
mod format;
mod from_url;
mod place;
mod problem;
mod problems;
mod registry;
mod root;
mod schema;
#[doc(hidden)]
pub mod suggest;
mod syntax;
mod type_schema;
mod urls;

pub use format::Format;
pub use from_url::{CheckUrl, FromUrl};
pub use registry::{ConfigObject, Kind, Registry};
pub use type_schema::DurationSchema;

#[cfg(test)]
mod tests;
