//! The DNS checker of Checkup: a server answers a query, and the answer is right.
//!
//! [`Dns`] asks one server one question, over UDP, TCP, TLS (RFC 7858) or HTTPS (RFC 8484), and can require the
//! answers, a response code, and their DNSSEC validation. Without a name to ask for it checks that the server accepts
//! connections.
//!
//! ```
//! use checkup_core::{Check, Checkup};
//! use checkup_dns::{Dns, Expect, Transport};
//!
//! let checkup = Checkup::builder()
//!     // The server answers, and the name has an IPv4 address.
//!     .check(Check::new("resolver", Dns::new("192.0.2.53").hostname("example.test")))
//!     // The zone's mail goes where it should.
//!     .check(Check::new(
//!         "mail exchangers",
//!         Dns::new("ns1.example.test:53")
//!             .hostname("example.test")
//!             .record_type("MX")
//!             .expect(Expect::Exactly(vec!["10 mail.example.test".to_owned()])),
//!     ))
//!     // A public resolver over TLS, with validated answers.
//!     .check(Check::new(
//!         "private resolver",
//!         Dns::new("dns.example.test").transport(Transport::Tls).hostname("example.test").dnssec(true),
//!     ))
//!     .build()?;
//! # assert_eq!(checkup.checks().len(), 3);
//! # Ok::<(), checkup_core::ConfigError>(())
//! ```

mod answer;
mod checker;
mod config;
mod connection;
mod dnssec;
mod exchange;
mod expect;
mod extended_error;
mod https;
mod rcode;
mod record_type;
mod server;

pub use checker::DnsChecker;
pub use checkup_net::{TlsSettings, TlsVersion};
pub use config::{Dns, Transport};
pub use expect::Expect;

/// Registers [`Dns`] as the checker type `dns`.
#[cfg(feature = "config")]
pub fn register(registry: &mut checkup_core::config::Registry) {
    registry.checker::<Dns>("dns");
}
