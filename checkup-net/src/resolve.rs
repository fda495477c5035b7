//! [`resolve()`]: resolves a name to addresses with the system's resolver.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use checkup_core::{Cause, Failure, Phase};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::Semaphore;
use tokio::task;

use crate::excerpt;

/// How many lookups may run concurrently. A lookup that hangs cannot be cancelled and occupies a thread of the runtime's
/// blocking pool, which has 512 by default. The remaining threads stay free.
const MAX_LOOKUPS: usize = 64;

static LOOKUPS: Semaphore = Semaphore::const_new(MAX_LOOKUPS);

/// Which version of the Internet Protocol to use.
///
/// In config files `4`, `6` or `"any"`. The numbers may be written as strings. Default: any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IpVersion {
    /// Either, in the system's order of preference.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl IpVersion {
    /// Whether this is [`Any`](Self::Any); for `skip_serializing_if`.
    pub fn is_any(&self) -> bool {
        *self == Self::Any
    }

    /// Whether this address may be used.
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

impl fmt::Display for IpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Any => "any",
            Self::V4 => "4",
            Self::V6 => "6",
        })
    }
}

impl Serialize for IpVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("any"),
            Self::V4 => serializer.serialize_u8(4),
            Self::V6 => serializer.serialize_u8(6),
        }
    }
}

impl<'de> Deserialize<'de> for IpVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IpVersionVisitor;

        impl Visitor<'_> for IpVersionVisitor {
            type Value = IpVersion;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("4, 6 or \"any\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<IpVersion, E> {
                match number {
                    4 => Ok(IpVersion::V4),
                    6 => Ok(IpVersion::V6),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<IpVersion, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<IpVersion, E> {
                match text {
                    "any" => Ok(IpVersion::Any),
                    "4" => Ok(IpVersion::V4),
                    "6" => Ok(IpVersion::V6),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(IpVersionVisitor)
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for IpVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IpVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": ["any", 4, 6, "4", "6"]})
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Resolves a host to its addresses, each with the port, in the system's order of preference. The list is never empty.
///
/// An IP address is not looked up; IPv6 addresses may be in brackets. Names are resolved by the system (`getaddrinfo`), so a
/// check sees what every other program on the machine sees, including its hosts file, `nsswitch.conf`, search domains and VPNs.
/// At most 64 lookups run concurrently in a process. Others wait for their turn.
///
/// Marks [`Phase::Dns`] if it looks something up.
///
/// # Errors
///
/// A failure of [`Cause::Dns`] if the name cannot be resolved or has no address of that version; one of [`Cause::Monitor`] if
/// the monitor has too many open files.
pub async fn resolve(host: &str, port: u16, version: IpVersion) -> Result<Vec<SocketAddr>, Failure> {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = literal.parse::<IpAddr>() {
        if version.allows(address) {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        return Err(Failure::new(Cause::Dns, format!("{address} is not an IPv{version} address")));
    }
    Phase::Dns.begin();
    let addresses = lookup(literal.to_owned(), port).await.map_err(|error| failure(literal, &error))?;
    Phase::end();
    let allowed: Vec<_> = addresses.iter().copied().filter(|address| version.allows(address.ip())).collect();
    if allowed.is_empty() {
        let kind = if version.is_any() || addresses.is_empty() {
            "the name has no address".to_owned()
        } else {
            format!("the name has no IPv{version} address")
        };
        return Err(Failure::new(Cause::Dns, format!("cannot resolve {}: {kind}", name(literal))));
    }
    Ok(allowed)
}

async fn lookup(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    // The semaphore is never closed.
    let permit = LOOKUPS.acquire().await.map_err(io::Error::other)?;
    let lookup = move || {
        // Held until the lookup ends, which may be after the attempt has been dropped.
        let _permit = permit;
        (host.as_str(), port)
            .to_socket_addrs()
            .map(Iterator::collect)
            .map_err(|error| no_descriptors().unwrap_or(error))
    };
    task::spawn_blocking(lookup).await.map_err(io::Error::other)?
}

/// Returns the error of opening a socket, if there are too many open files. A resolver that cannot open a socket reports only
/// that the name does not exist, or that no server answers.
fn no_descriptors() -> Option<io::Error> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).err().filter(|error| own_trouble(error).is_some())
}

/// Returns a failure of the monitor itself, if that is what the error means.
fn own_trouble(error: &io::Error) -> Option<Failure> {
    let same = error.raw_os_error().map(io::Error::from_raw_os_error)?;
    Some(Failure::from(same)).filter(|failure| failure.cause() == Cause::Monitor)
}

fn failure(host: &str, error: &io::Error) -> Failure {
    if let Some(trouble) = own_trouble(error) {
        return trouble.context(format_args!("cannot resolve {}", name(host)));
    }
    let text = error.to_string();
    // The standard library puts its own text before that of the system's `gai_strerror`.
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    let reason = match text {
        // glibc, musl, macOS
        "Name or service not known" | "Name does not resolve" | "nodename nor servname provided, or not known" => {
            "no such host"
        }
        "No address associated with hostname" | "Name has no usable address" => "the name has no address",
        "Temporary failure in name resolution" | "Try again" => "no answer from the name servers",
        "Non-recoverable failure in name resolution" | "Unrecoverable error" => "the name servers refused to answer",
        other => other,
    };
    Failure::new(Cause::Dns, format!("cannot resolve {}: {}", name(host), excerpt(reason.as_bytes(), 120)))
}

/// Escapes and shortens the name for a message. No name that can be resolved is longer than this (RFC 1035, section 2.3.4).
fn name(host: &str) -> String {
    excerpt(host.as_bytes(), 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_not_looked_up() {
        let v4 = resolve("127.0.0.1", 80, IpVersion::V4).await.unwrap();
        assert_eq!(v4, ["127.0.0.1:80".parse().unwrap()]);
        for host in ["::1", "[::1]"] {
            assert_eq!(resolve(host, 80, IpVersion::Any).await.unwrap(), ["[::1]:80".parse().unwrap()]);
        }
        let failure = resolve("::1", 80, IpVersion::V4).await.unwrap_err();
        assert_eq!((failure.cause(), failure.message()), (Cause::Dns, "::1 is not an IPv4 address"));
    }

    #[tokio::test]
    async fn the_hosts_file_is_used() {
        let addresses = resolve("localhost", 80, IpVersion::Any).await.unwrap();
        assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
        let addresses = resolve("localhost", 80, IpVersion::V4).await.unwrap();
        assert!(addresses.iter().all(SocketAddr::is_ipv4));
    }

    #[tokio::test]
    async fn invalid_names_are_not_resolved() {
        // Resolvers send no query for a label of 64 characters.
        let host = format!("{}.invalid", "a".repeat(64));
        let failure = resolve(&host, 80, IpVersion::Any).await.unwrap_err();
        assert_eq!(failure.cause(), Cause::Dns);
        assert!(failure.message().starts_with(&format!("cannot resolve {host}: ")), "{failure}");
        let failure = resolve("a\0b\n", 80, IpVersion::Any).await.unwrap_err();
        assert_eq!(failure.cause(), Cause::Dns);
        assert!(failure.message().starts_with(r"cannot resolve a\u{0}b\n: "), "{failure}");
    }

    #[test]
    fn system_errors_become_plain_messages() {
        for (text, expected) in [
            ("failed to lookup address information: Name or service not known", "cannot resolve db: no such host"),
            (
                "failed to lookup address information: Temporary failure in name resolution",
                "cannot resolve db: no answer from the name servers",
            ),
            ("something new", "cannot resolve db: something new"),
        ] {
            assert_eq!(failure("db", &io::Error::other(text)).message(), expected);
        }
        #[cfg(unix)]
        {
            const EMFILE: i32 = 24;
            let failure = failure("db", &io::Error::from_raw_os_error(EMFILE));
            assert_eq!(failure.cause(), Cause::Monitor);
            assert!(
                failure.message().starts_with("cannot resolve db: the monitor has too many open files"),
                "{failure}"
            );
        }
    }

    #[test]
    fn versions_are_read_from_numbers_and_strings() {
        for (json, version) in [
            ("4", IpVersion::V4),
            ("\"4\"", IpVersion::V4),
            ("6", IpVersion::V6),
            ("\"6\"", IpVersion::V6),
            ("\"any\"", IpVersion::Any),
        ] {
            assert_eq!(serde_json::from_str::<IpVersion>(json).unwrap(), version);
            let written = serde_json::to_string(&version).unwrap();
            assert_eq!(serde_json::from_str::<IpVersion>(&written).unwrap(), version);
        }
        for json in ["5", "-4", "\"v4\"", "4.0"] {
            let error = serde_json::from_str::<IpVersion>(json).unwrap_err().to_string();
            assert!(error.contains("expected 4, 6 or \"any\""), "{error}");
        }
    }
}
