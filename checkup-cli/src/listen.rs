//! Where to listen, as people write it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::args::Serve;

/// As upstream.
const DEFAULT_PORT: u16 = 3000;

/// An address and port, or a port alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// `None` if only a port was named.
    address: Option<IpAddr>,
    port: u16,
}

impl Serve {
    /// Where to listen. Only what was asked for can be reached from elsewhere.
    pub(crate) fn address(&self) -> SocketAddr {
        let Listen { address, port } = self.listen.unwrap_or(Listen { address: None, port: DEFAULT_PORT });
        let unnamed = if self.public { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        SocketAddr::new(address.unwrap_or(unnamed.into()), port)
    }
}

impl Listen {
    /// Whether it is more than a port.
    pub(crate) fn has_address(self) -> bool {
        self.address.is_some()
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
            Err(format!("expected such as [{text}]:3000, found {text:?}"))
        }
        _ => Err(format!("expected an address such as 127.0.0.1:3000, or a port, found {text:?}")),
    }
}

/// Where a browser on this machine finds what listens there, in words.
pub(crate) fn place(address: SocketAddr) -> String {
    if !address.ip().is_unspecified() {
        return format!("http://{address}/");
    }
    let own: IpAddr = if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    format!("http://{}/, and at every other address of this machine", SocketAddr::new(own, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_can_be_opened() {
        let told = |text: &str| place(text.parse().unwrap());
        assert_eq!(told("127.0.0.1:3000"), "http://127.0.0.1:3000/");
        assert_eq!(told("0.0.0.0:3000"), "http://127.0.0.1:3000/, and at every other address of this machine");
        assert_eq!(told("[::]:3000"), "http://[::1]:3000/, and at every other address of this machine");
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
        assert_eq!(parsed("::1"), Err("expected such as [::1]:3000, found \"::1\"".into()));
    }
}
