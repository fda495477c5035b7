//! Addresses to listen on, as people write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An address and port, or a port alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// `None` if only a port was given.
    address: Option<IpAddr>,
    port: u16,
}

impl Listen {
    /// A port on the default address.
    pub(crate) fn port(port: u16) -> Self {
        Self { address: None, port }
    }

    /// Whether it has an address, not only a port.
    pub(crate) fn has_address(self) -> bool {
        self.address.is_some()
    }

    /// The address and port, with `default` if only a port was given.
    pub(crate) fn or(self, default: Ipv4Addr) -> SocketAddr {
        SocketAddr::new(self.address.unwrap_or(default.into()), self.port)
    }
}

/// `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`, `:3000` or `3000`.
pub(crate) fn parse(text: &str) -> Result<Listen, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(Listen { address: Some(address.ip()), port: address.port() });
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let address = match host {
        "" => Some(None),
        "localhost" => Some(Some(IpAddr::V4(Ipv4Addr::LOCALHOST))),
        _ => None,
    };
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match (address, port.parse()) {
        (Some(address), Ok(port)) if is_number => Ok(Listen { address, port }),
        _ if host.parse::<Ipv6Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok() => {
            Err(format!("expected an address with a port such as [{text}]:3000, found {text:?}"))
        }
        _ => Err(format!("expected an address such as 127.0.0.1:3000, or a port, found {text:?}")),
    }
}

/// The URL for a browser on this machine of a server that listens on `address`.
pub(crate) fn place(address: SocketAddr) -> String {
    if !address.ip().is_unspecified() {
        return format!("http://{address}/");
    }
    let own: IpAddr = if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    format!("http://{}/ and at every other address of this machine", SocketAddr::new(own, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_opened() {
        let printed = |text: &str| place(text.parse().unwrap());
        assert_eq!(printed("127.0.0.1:3000"), "http://127.0.0.1:3000/");
        assert_eq!(printed("0.0.0.0:3000"), "http://127.0.0.1:3000/ and at every other address of this machine");
        assert_eq!(printed("[::]:3000"), "http://[::1]:3000/ and at every other address of this machine");
    }

    #[test]
    fn an_address_or_a_port() {
        let parsed = |text: &str| parse(text).map(|listen| (listen.address.map(|ip| ip.to_string()), listen.port));
        assert_eq!(parsed("127.0.0.1:3000"), Ok((Some("127.0.0.1".into()), 3000)));
        assert_eq!(parsed("[::1]:0"), Ok((Some("::1".into()), 0)));
        assert_eq!(parsed("localhost:80"), Ok((Some("127.0.0.1".into()), 80)));
        assert_eq!((parsed(":3000"), parsed("3000")), (Ok((None, 3000)), Ok((None, 3000))));
        for text in ["", "host:3000", "127.0.0.1", ":65536", ":+1", "127.0.0.1:"] {
            let expected = format!("expected an address such as 127.0.0.1:3000, or a port, found {text:?}");
            assert_eq!(parsed(text), Err(expected), "{text}");
        }
        assert_eq!(parsed("::1"), Err("expected an address with a port such as [::1]:3000, found \"::1\"".into()));
    }
}
