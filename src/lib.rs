//! Health checks for services, tests and status pages.
//!
//! A [`Check`] has a name, a checker and a policy (timeouts, retries, thresholds); a [`Checkup`] runs checks and yields a
//! [`Report`]. There are three ways to use it, and a [`guide`] for each.
//!
//! # Embed: checks next to what they check
//!
//! A service defines its checks in code, a [`Monitor`] runs them in the background, and `/readyz` answers from memory. Guide:
//! [`guide::embed`].
//!
//! ```
//! use std::time::Duration;
//! use checkup::{Check, Checkup, Monitor, Probe, check_fn};
//! # #[cfg(all(feature = "http", feature = "tcp", feature = "storage-fs"))] {
//! use checkup::{http::Http, storage_fs::Fs, tcp::Tcp};
//!
//! # async fn queue_depth() -> std::io::Result<u32> { Ok(0) }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let checkup = Checkup::builder()
//!     .check(Check::new("API", Http::new("https://api.example.com/health").must_contain("ok")).attempts(3))
//!     .check(Check::new("database", Tcp::new("db.internal:5432")).threshold_rtt(Duration::from_millis(50)).tag("readiness"))
//!     .check(check_fn("queue", || async { queue_depth().await.map(|_| ()) }).tag("readiness"))
//!     .storage(Fs::new("/var/lib/checkup"))
//!     .build()?;
//!
//! let monitor = Monitor::builder(checkup).interval(Duration::from_secs(30)).start()?;
//! // In the handler of `/readyz`: 200 unless a check tagged `readiness` is down or has no result yet. Degraded still serves.
//! let answer = monitor.probe(&Probe::readiness());
//! println!("{} {}", answer.status_code(), answer.text());
//! # monitor.shutdown().await;
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! # Extend: your own checkers and storages
//!
//! Implement [`Checker`], [`Storage`] or [`Notifier`] in any crate. With the serde and schemars derives, it can be registered as a
//! `type` for config files, and works with every command of the command line. Guide: [`guide::extend`].
//!
//! ```
//! use std::borrow::Cow;
//! use checkup::{Check, Checker, Failure, Observation, async_trait};
//!
//! #[derive(Debug)]
//! struct FileExists(&'static str);
//!
//! #[async_trait]
//! impl Checker for FileExists {
//!     fn endpoint(&self) -> Cow<'_, str> {
//!         self.0.into()
//!     }
//!
//!     async fn attempt(&self) -> Result<Observation, Failure> {
//!         match std::path::Path::new(self.0).try_exists()? {
//!             true => Ok(Observation::new()),
//!             false => Err(Failure::assertion("the file is missing")),
//!         }
//!     }
//! }
//!
//! let check = Check::new("lock file", FileExists("/run/app.lock"));
//! ```
//!
//! # Test: wait until it is healthy, then assert
//!
//! An integration test waits for the services it needs. If they do not become healthy, it fails and says why. Guide:
//! [`guide::test`](mod@guide::test).
//!
//! ```
//! use std::time::Duration;
//! use checkup::{Check, Checkup};
//! # #[cfg(feature = "tcp")]
//! use checkup::tcp::Tcp;
//!
//! # #[cfg(feature = "tcp")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let checkup = Checkup::builder().check(Check::new("database", Tcp::new("127.0.0.1:5432"))).build()?;
//! checkup.wait_until_healthy(Duration::from_secs(30)).await?; // the error lists what is unhealthy and why
//! // Test the service. Then:
//! checkup.check().await.assert_healthy(); // panics with the same list
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | Feature | Default | What it adds |
//! |---|---|---|
//! | `config` | yes | config files in JSON, YAML and TOML: `config` and `default_registry` |
//! | `http` | yes | the checker `http` |
//! | `tcp` | yes | the checker `tcp` |
//! | `tcp-tls` | yes | TLS for TCP checks; most of the compile time |
//! | `dns` | | the checker `dns`: UDP, TCP, TLS, HTTPS, DNSSEC |
//! | `exec` | | the checker `exec`: runs a command. Config files can run programs with it |
//! | `heartbeat` | | the checker `heartbeat`: jobs that report that they ran |
//! | `tls` | | the checker `tls`: certificates and their expiry |
//! | `storage-fs` | yes | the storage `fs`: check files in a directory |
//! | `storage-s3` | | the storage `s3`: check files in a bucket of Amazon S3 or a similar server |
//! | `notify` | | all notifiers: |
//! | `notify-chat` | | `slack` (also Mattermost and Rocket.Chat), `discord`, `teams`, `telegram`, `googlechat`, `matrix` |
//! | `notify-exec` | | `exec`: runs a command for each message. Config files can run programs with it |
//! | `notify-mail` | | `mail` (SMTP) and `mailgun` |
//! | `notify-pager` | | `pagerduty`, `jsm` (also Opsgenie), `alertmanager` |
//! | `notify-push` | | `ntfy`, `pushover`, `gotify`, `twilio` |
//! | `notify-webhook` | | `webhook`: any HTTP endpoint, with a template |
//! | `provision` | | creating a bucket and letting a status page read it; compiles the AWS SDK, which takes longer than everything else |
//! | `axum` | | probes (`/livez`, `/readyz`, `/startupz`) as handlers for axum |
//! | `statuspage` | | the status page: its files, and a router that serves it |
//! | `full` | | all of these except `provision` |
//!
//! A feature never changes what another one does. Without any feature you get the engine, [`check_fn`] and [`Monitor`].
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod guide;
#[cfg(feature = "config")]
mod upstream;

#[doc(inline)]
pub use checkup_core::*;

#[cfg(feature = "axum")]
#[doc(inline)]
pub use checkup_axum as axum;
#[cfg(feature = "dns")]
#[doc(inline)]
pub use checkup_dns as dns;
#[cfg(feature = "exec")]
#[doc(inline)]
pub use checkup_exec as exec;
#[cfg(feature = "heartbeat")]
#[doc(inline)]
pub use checkup_heartbeat as heartbeat;
#[cfg(feature = "http")]
#[doc(inline)]
pub use checkup_http as http;
#[cfg(any(
    feature = "notify-chat",
    feature = "notify-exec",
    feature = "notify-mail",
    feature = "notify-pager",
    feature = "notify-push",
    feature = "notify-webhook"
))]
#[doc(inline)]
pub use checkup_notify as notify;
#[cfg(feature = "statuspage")]
#[doc(inline)]
pub use checkup_statuspage as statuspage;
#[cfg(feature = "storage-fs")]
#[doc(inline)]
pub use checkup_storage_fs as storage_fs;
#[cfg(feature = "storage-s3")]
#[doc(inline)]
pub use checkup_storage_s3 as storage_s3;
#[cfg(feature = "tcp")]
#[doc(inline)]
pub use checkup_tcp as tcp;
#[cfg(feature = "tls")]
#[doc(inline)]
pub use checkup_tls as tls;

/// Returns a registry of every checker, storage, notifier and root section whose feature is enabled.
///
/// Types whose feature is not enabled are known by name, so that the error for a config that uses one says which feature to enable.
///
/// ```
/// use checkup::config::{Format, Kind};
///
/// let registry = checkup::default_registry();
/// # #[cfg(feature = "tcp")] {
/// assert!(registry.types(Kind::Checker).contains(&"tcp"));
/// let checkup = registry.parse("checkers: [{ type: tcp, endpoint_url: 'localhost:5432' }]", Format::Yaml)?;
/// # assert_eq!(checkup.checks().len(), 1);
/// # }
/// # Ok::<(), checkup::ConfigError>(())
/// ```
#[cfg(feature = "config")]
pub fn default_registry() -> config::Registry {
    let mut registry = config::Registry::new();
    // Each line registers a crate's types, or records which feature provides them.
    macro_rules! sibling {
        ($feature:literal, $module:ident, $kind:ident $type_name:literal) => {
            #[cfg(feature = $feature)]
            $module::register(&mut registry);
            #[cfg(not(feature = $feature))]
            registry.absent(
                config::Kind::$kind,
                $type_name,
                concat!("enable the feature `", $feature, "` of the crate `checkup-rs`"),
            );
        };
    }
    sibling!("dns", dns, Checker "dns");
    sibling!("exec", exec, Checker "exec");
    sibling!("heartbeat", heartbeat, Checker "heartbeat");
    sibling!("http", http, Checker "http");
    sibling!("tcp", tcp, Checker "tcp");
    sibling!("tls", tls, Checker "tls");
    sibling!("storage-fs", storage_fs, Storage "fs");
    sibling!("storage-s3", storage_s3, Storage "s3");
    sibling!("statuspage", statuspage, Section "status_page");
    notifiers(&mut registry);
    upstream::replaced(&mut registry);
    registry
}

/// Registers the notifiers, which are in one crate, with a feature for each kind.
#[cfg(feature = "config")]
fn notifiers(registry: &mut config::Registry) {
    #[cfg(any(
        feature = "notify-chat",
        feature = "notify-exec",
        feature = "notify-mail",
        feature = "notify-pager",
        feature = "notify-push",
        feature = "notify-webhook"
    ))]
    notify::register(registry);
    let features: [(&str, bool, &[&str]); 6] = [
        (
            "notify-chat",
            cfg!(feature = "notify-chat"),
            &["slack", "discord", "teams", "telegram", "googlechat", "matrix"],
        ),
        ("notify-exec", cfg!(feature = "notify-exec"), &["exec"]),
        ("notify-mail", cfg!(feature = "notify-mail"), &["mail", "mailgun"]),
        ("notify-pager", cfg!(feature = "notify-pager"), &["pagerduty", "jsm", "alertmanager"]),
        ("notify-push", cfg!(feature = "notify-push"), &["ntfy", "pushover", "gotify", "twilio"]),
        ("notify-webhook", cfg!(feature = "notify-webhook"), &["webhook"]),
    ];
    for (feature, _, types) in features.iter().filter(|(_, is_enabled, _)| !is_enabled) {
        for type_name in *types {
            let remedy = format!("enable the feature `{feature}` of the crate `checkup-rs`");
            registry.absent(config::Kind::Notifier, type_name, &remedy);
        }
    }
}

/// Compiles and runs the code in the README.
#[cfg(all(doctest, feature = "full"))]
#[doc = include_str!("../README.md")]
struct Readme;
