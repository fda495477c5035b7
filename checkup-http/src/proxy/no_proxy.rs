//! `NO_PROXY`: which hosts are reached directly.

use std::net::IpAddr;

use crate::url::TargetHost;

/// The value of `NO_PROXY`, in every form that curl and Go accept.
///
/// Entries are separated by commas or white space: `*` for every host; a name, which includes its subdomains; `.name`, the
/// same; `*.name` for the subdomains alone; an IP address; a network such as `10.0.0.0/8`. All except networks may have a
/// port, and then match only that port. An IPv6 address may be in brackets, and must be if it has a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// The name, in lower case, and whether it matches itself in addition to its subdomains.
    Domain(String, bool),
    Address(IpAddr),
    Network(IpAddr, u8),
}

impl NoProxy {
    /// Reads the list. Entries in any other form match no host.
    pub(crate) fn parse(value: &str) -> Self {
        let entries = value.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(Entry::parse).collect())
    }

    /// Whether the host is reached directly at this port.
    pub(crate) fn contains(&self, host: &TargetHost, port: u16) -> bool {
        self.0.iter().any(|entry| entry.port.is_none_or(|own| own == port) && entry.hosts.contain(host))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some((address, length)) = text.split_once('/') {
            let address = parse_address(address)?;
            let length = length.parse().ok().filter(|length| *length <= if address.is_ipv4() { 32 } else { 128 })?;
            return Some(Self { hosts: Hosts::Network(address, length), port: None });
        }
        if let Some(address) = parse_address(text) {
            return Some(Self { hosts: Hosts::Address(address), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let hosts = if let Some(address) = parse_address(host) {
            Hosts::Address(address)
        } else if host == "*" {
            Hosts::All
        } else {
            let (name, itself) = match host.strip_prefix("*.") {
                Some(name) => (name, false),
                None => (host.trim_start_matches('.'), true),
            };
            let name = name.trim_end_matches('.').to_lowercase();
            if name.is_empty() {
                return None;
            }
            // The names in URLs are in Punycode.
            let name = url::Host::parse(&name).map_or(name, |host| host.to_string());
            Hosts::Domain(name, itself)
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    fn contain(&self, host: &TargetHost) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Domain(domain, itself), TargetHost::Name(name)) => {
                let name = name.trim_end_matches('.');
                match name.strip_suffix(domain.as_str()) {
                    Some("") => *itself,
                    Some(rest) => rest.ends_with('.'),
                    None => false,
                }
            }
            (Self::Address(own), TargetHost::Address(address)) => *own == address.to_canonical(),
            (Self::Network(network, length), TargetHost::Address(address)) => {
                contains(*network, *length, address.to_canonical())
            }
            _ => false,
        }
    }
}

/// Whether the first `length` bits of both addresses are the same.
fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differing = u32::from(network) ^ u32::from(address);
            differing.leading_zeros() >= u32::from(length)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differing = u128::from(network) ^ u128::from(address);
            differing.leading_zeros() >= u32::from(length)
        }
        _ => false,
    }
}

/// Reads an address, with or without brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(list: &str, host: &str, port: u16) -> bool {
        let host = host.parse().map_or_else(|_| TargetHost::Name(host.into()), TargetHost::Address);
        NoProxy::parse(list).contains(&host, port)
    }

    #[test]
    fn names_match_with_their_subdomains() {
        for (list, host, expected) in [
            ("example.com", "example.com", true),
            ("example.com", "www.example.com", true),
            ("example.com", "badexample.com", false),
            ("example.com", "example.org", false),
            ("EXAMPLE.com.", "www.example.com.", true),
            (".example.com", "www.example.com", true),
            (".example.com", "example.com", true),
            ("*.example.com", "www.example.com", true),
            ("*.example.com", "example.com", false),
            ("bücher.example", "xn--bcher-kva.example", true),
            ("a, b ,\tc d", "b", true),
            ("a, b ,\tc d", "d", true),
            ("*", "anything", true),
            ("a,*", "192.0.2.1", true),
            ("", "a", false),
            (" , ,", "a", false),
            (".", "a", false),
        ] {
            assert_eq!(contains(list, host, 80), expected, "{list} {host}");
        }
    }

    #[test]
    fn an_entry_with_a_port_matches_only_that_port() {
        for (list, host, port, expected) in [
            ("example.com:8080", "example.com", 8080, true),
            ("example.com:8080", "www.example.com", 8080, true),
            ("example.com:8080", "example.com", 80, false),
            ("192.0.2.1:8080", "192.0.2.1", 8080, true),
            ("192.0.2.1:8080", "192.0.2.1", 80, false),
            ("[2001:db8::1]:8080", "2001:db8::1", 8080, true),
            ("[2001:db8::1]:8080", "2001:db8::1", 80, false),
            ("*:8080", "a", 8080, true),
            ("*:8080", "a", 80, false),
            ("example.com:http", "example.com", 80, false),
        ] {
            assert_eq!(contains(list, host, port), expected, "{list} {host}:{port}");
        }
    }

    #[test]
    fn addresses_and_networks_match_addresses() {
        for (list, host, expected) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.10", false),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/33", "10.0.0.1", false),
            ("0.0.0.0/0", "10.0.0.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("[2001:db8::]/32", "2001:db9::1", false),
            ("2001:db8::1", "2001:db8::1", true),
            ("[2001:db8::1]", "2001:db8::1", true),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("10.0.0.0/8", "name", false),
        ] {
            assert_eq!(contains(list, host, 80), expected, "{list} {host}");
        }
    }
}
