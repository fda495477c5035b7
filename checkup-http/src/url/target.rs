//! [`Target`]: where a request goes, and how the request names that.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use checkup_core::SecretUrl;
use http::header::HeaderValue;
use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, percent_encode};
use url::{Host, Position, Url};

/// Percent-encodes only the bytes outside ASCII.
const NON_ASCII: &AsciiSet = &AsciiSet::EMPTY;

/// Where a request goes.
///
/// Its parts are parts of one text, since there may be ten thousand.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    pub(crate) host: TargetHost,
    pub(crate) port: u16,
    /// The URL, without credentials and fragment.
    url: Box<str>,
    /// Where the path begins in it.
    path: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetHost {
    Name(Box<str>),
    Address(IpAddr),
}

impl Target {
    /// `None` if HTTP cannot carry the URL's host or path.
    pub(crate) fn new(url: &Url) -> Option<Self> {
        let host = match url.host()? {
            Host::Domain(name) => TargetHost::Name(name.into()),
            Host::Ipv4(address) => TargetHost::Address(Ipv4Addr::into(address)),
            Host::Ipv6(address) => TargetHost::Address(Ipv6Addr::into(address)),
        };
        let authority = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).ok()?;
        let path: PathAndQuery = url[Position::BeforePath..Position::AfterQuery].parse().ok()?;
        let origin = format!("{}://{}", url.scheme(), authority.to_str().ok()?);
        Some(Self {
            tls: url.scheme() == "https",
            host,
            port: url.port_or_known_default()?,
            path: origin.len().try_into().ok()?,
            url: (origin + path.as_str()).into(),
        })
    }

    /// The URL, without credentials and fragment.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// `https://example.com`.
    pub(crate) fn origin(&self) -> &str {
        &self.url[..self.path as usize]
    }

    /// The host, and the port unless it is the scheme's default.
    pub(crate) fn authority(&self) -> &str {
        &self.origin()[if self.tls { "https://".len() } else { "http://".len() }..]
    }

    /// The value of the header `Host`.
    pub(crate) fn host_header(&self) -> HeaderValue {
        // It was one when the target was made.
        HeaderValue::from_str(self.authority()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Path and query, as in the request line.
    pub(crate) fn path_and_query(&self) -> &str {
        &self.url[self.path as usize..]
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &str {
        let path = self.path_and_query();
        path.split_once('?').map_or(path, |(path, _)| path)
    }

    /// The URL for messages: without its query, which may be secret, and without tokens in its path.
    pub(crate) fn shown(&self) -> String {
        let url = SecretUrl::from(format!("{}{}", self.origin(), self.path()));
        checkup_net::excerpt(url.redacted().as_bytes(), 200)
    }

    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        (self.tls, self.port, &self.host) == (other.tls, other.port, &other.host)
    }

    /// The destination in a `CONNECT` request (RFC 9110, section 9.3.6): `example.com:443`.
    pub(crate) fn host_and_port(&self) -> String {
        match &self.host {
            TargetHost::Name(name) => format!("{name}:{}", self.port),
            TargetHost::Address(IpAddr::V4(address)) => format!("{address}:{}", self.port),
            TargetHost::Address(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
        }
    }

    /// Resolves the `Location` header of a response (RFC 9110, section 10.2.2); `None` if it is not an HTTP URL.
    pub(crate) fn join(&self, location: &[u8]) -> Option<Self> {
        let location = match std::str::from_utf8(location) {
            Ok(location) => Cow::Borrowed(location),
            Err(_) => Cow::Owned(percent_encode(location, NON_ASCII).to_string()),
        };
        let url = Url::parse(self.url()).ok()?.join(&location).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| Self::new(&url)).flatten()
    }
}

impl TargetHost {
    /// Whether it is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name.trim_end_matches('.') == "localhost",
            Self::Address(address) => address.to_canonical().is_loopback(),
        }
    }
}

/// The name or the address, without brackets.
impl fmt::Display for TargetHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => IpAddr::fmt(address, f),
        }
    }
}

/// Only the origin: path and query may be secret, and whether they are is not known here.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::new(&Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn knows_the_parts_that_a_request_needs() {
        let plain = target("http://Example.com");
        assert_eq!((plain.authority(), plain.port, plain.path_and_query()), ("example.com", 80, "/"));
        let v6 = target("https://[::1]:8443/a%20b c?q=é#fragment");
        assert_eq!(v6.authority(), "[::1]:8443");
        assert_eq!((v6.path_and_query(), v6.path()), ("/a%20b%20c?q=%C3%A9", "/a%20b%20c"));
        assert_eq!(v6.host_and_port(), "[::1]:8443");
        assert_eq!(v6.url(), "https://[::1]:8443/a%20b%20c?q=%C3%A9");
        assert_eq!(target("http://bücher.example/").authority(), "xn--bcher-kva.example");
        assert!(plain.same_origin(&target("http://example.com:80/other")));
        assert!(!plain.same_origin(&target("https://example.com/")));
        assert_eq!(
            format!("{:?}", target("http://user:x@example.com:8080/bot123/send?a=b")),
            "http://example.com:8080"
        );
    }

    #[test]
    fn a_location_is_relative_to_the_request() {
        let target = target("https://example.com/a/b?c");
        let to = |location: &str| target.join(location.as_bytes()).map(|target| target.url().to_owned());
        assert_eq!(to("/d").as_deref(), Some("https://example.com/d"));
        assert_eq!(to("d?e").as_deref(), Some("https://example.com/a/d?e"));
        assert_eq!(to("//other.example/d").as_deref(), Some("https://other.example/d"));
        assert_eq!(to("http://other.example").as_deref(), Some("http://other.example/"));
        assert_eq!(to("javascript:alert(1)"), None);
        assert_eq!(to("http://"), None);
        // Latin-1, which old servers send.
        assert_eq!(target.join(b"/gr\xfc\xdfe").unwrap().url(), "https://example.com/gr%FC%DFe");
    }
}
