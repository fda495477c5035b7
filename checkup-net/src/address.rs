//! [`HostPort`]: `host:port` as people write it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// `host:port`, where the host is a name, an IPv4 address, or an IPv6 address in brackets.
///
/// Without a host (`:8080`) it means this machine, as in Go programs, including the original Checkup.
///
/// ```
/// use checkup_net::HostPort;
///
/// let address: HostPort = "[::1]:5432".parse()?;
/// assert_eq!((address.host(), address.port()), ("::1", 5432));
/// assert_eq!(address.to_string(), "[::1]:5432");
/// assert!("db.internal".parse::<HostPort>().is_err());
/// # Ok::<(), checkup_net::ParseHostPortError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

/// The error for text that is not `host:port`. It says what was expected and what was found, but shows no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct ParseHostPortError {
    expected: &'static str,
    found: String,
}

const WITH_PORT: &str = "a host and a port such as \"db.internal:5432\" or \"[::1]:5432\"";

impl HostPort {
    /// Reads `host:port`, or `host` alone if there is a default port.
    ///
    /// # Errors
    ///
    /// If the text is neither.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, ParseHostPortError> {
        let fail = |expected| ParseHostPortError { expected, found: shown(text) };
        if text.contains("://") {
            return Err(fail("a host and a port without a scheme, such as \"db.internal:5432\""));
        }
        // A user name and a password have no meaning here, and would be shown later.
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '?' | '#')) {
            return Err(fail(WITH_PORT));
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(|| fail(WITH_PORT))?;
                let address = host.split_once('%').map_or(host, |(address, _zone)| address);
                if address.parse::<Ipv6Addr>().is_err() {
                    return Err(fail("an IPv6 address in the brackets, such as \"[::1]:5432\""));
                }
                match after.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if after.is_empty() => (host, None),
                    None => return Err(fail(WITH_PORT)),
                }
            }
            None if text.matches(':').count() > 1 => {
                return Err(fail("the IPv6 address in brackets, such as \"[::1]:5432\""));
            }
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
            Some(_) => None,
            None if host.is_empty() => None,
            None => default_port,
        };
        match port {
            Some(0) => Err(fail("a port from 1 to 65535")),
            Some(port) => Ok(Self { host: if host.is_empty() { "localhost" } else { host }.to_owned(), port }),
            None => Err(fail(WITH_PORT)),
        }
    }

    /// The name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for HostPort {
    type Err = ParseHostPortError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, None)
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Quotes the text, unless it could contain a password: after a user name, in a path or in a query.
fn shown(text: &str) -> String {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = authority.split(['/', '?', '#']).next().unwrap_or_default();
    // Text that is not a host and a port could be anything, such as `user:password`.
    let is_address =
        host.rsplit_once(':').is_none_or(|(_, port)| port.is_empty() || port.bytes().all(|b| b.is_ascii_digit()));
    match text {
        _ if text.contains('@') => "one with a user name".to_owned(),
        _ if authority.contains(['?', '#']) || authority.len() > host.len() + 1 => "a URL".to_owned(),
        _ if !is_address || text.len() > 300 => "something else".to_owned(),
        text => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_addresses() {
        for (text, host, port) in [
            ("db.internal:5432", "db.internal", 5432),
            ("db_1:1", "db_1", 1),
            ("10.0.0.5:65535", "10.0.0.5", 65535),
            ("[::1]:80", "::1", 80),
            ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
            (":8080", "localhost", 8080),
        ] {
            let address: HostPort = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn a_default_port_is_used_if_the_address_has_none() {
        for (text, shown) in [("8.8.8.8", "8.8.8.8:53"), ("[::1]", "[::1]:53"), ("ns:5353", "ns:5353")] {
            assert_eq!(HostPort::parse(text, Some(53)).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn invalid_addresses_are_refused_with_what_to_do() {
        for (text, hint) in [
            ("", "such as"),
            ("db.internal", "db.internal:5432"),
            ("db:", "such as"),
            ("db:0", "1 to 65535"),
            ("db:65536", "such as"),
            ("db:+80", "such as"),
            ("db:http", "such as"),
            ("::1:80", "in brackets"),
            ("[::1", "such as"),
            ("[::1]80", "such as"),
            ("[db]:80", "IPv6"),
            ("tcp://db:80", "without a scheme"),
            ("db:80/path", "such as"),
            ("d b:80", "such as"),
        ] {
            let error = text.parse::<HostPort>().unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn an_error_does_not_show_a_password() {
        for text in [
            "tcp://root:hunter2@db:80",
            "postgresql://h/db?password=hunter2",
            "db:80/hunter2",
            "db:80#hunter2",
            "root:hunter2@db:80",
            "root:hunter2",
        ] {
            let error = text.parse::<HostPort>().unwrap_err();
            assert!(!format!("{error}{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
