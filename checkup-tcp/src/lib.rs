//! The TCP checker of Checkup: a server accepts connections, over TLS if asked, and answers as expected.
//!
//! ```
//! use std::time::Duration;
//! use checkup_core::{Check, Checkup};
//! use checkup_tcp::{Expect, Tcp, TlsSettings};
//!
//! # #[cfg(feature = "tls")] {
//! let checkup = Checkup::builder()
//!     // It accepts connections.
//!     .check(Check::new("database", Tcp::new("db.internal:5432")))
//!     // It speaks TLS, and its certificate is valid.
//!     .check(Check::new("directory", Tcp::new("ldap.internal:636").tls(TlsSettings::new())).timeout(Duration::from_secs(3)))
//!     // It answers.
//!     .check(Check::new("cache", Tcp::new("redis.internal:6379").send("PING\r\n").expect("+PONG")))
//!     // It greets first, and by the right name.
//!     .check(Check::new("mail", Tcp::new("mail.internal:25").expect(Expect::Matches("^220 mail".into()))))
//!     .build()?;
//! # assert_eq!(checkup.checks().len(), 4);
//! # }
//! # Ok::<(), checkup_core::ConfigError>(())
//! ```

mod checker;
mod config;
mod expect;

pub use checker::TcpChecker;
pub use checkup_net::{IpVersion, TlsSettings, TlsVersion};
pub use config::Tcp;
pub use expect::Expect;

/// Registers [`Tcp`] as the checker type `tcp`.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker::<Tcp>("tcp");
}
