//! URLs: [`EndpointUrl`] as settings have them, and what is needed of one to send a request.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use checkup_core::{ConfigError, Secret};
use http::header::HeaderValue;
use http::uri::{PathAndQuery, Uri};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize, Serializer};
use url::{Host, Position, Url};

use crate::redaction::{authority, redacted};

/// A URL that shows itself without user and password, and with `[redacted]` for values of its query that look secret:
/// in `Debug`, in `Display`, and in JSON unless [secrets are asked for](Secret::exposing).
///
/// ```
/// use checkup_http::EndpointUrl;
///
/// let url = EndpointUrl::from("https://user:hunter2@example.com/health?full=1&token=t0ken");
/// assert_eq!(url.to_string(), "https://example.com/health?full=1&token=[redacted]");
/// assert_eq!(url.expose(), "https://user:hunter2@example.com/health?full=1&token=t0ken");
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct EndpointUrl(String);

impl EndpointUrl {
    /// The URL as it was given, with what credentials it has.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL as it was given, without what is secret in it.
    pub(crate) fn redacted(&self) -> Cow<'_, str> {
        redacted(&self.0)
    }

    /// Reads the URL. The error does not show what it has for credentials.
    pub(crate) fn parse(&self) -> Result<(Target, Option<HeaderValue>), ConfigError> {
        let invalid = |remedy: &str| {
            // A password with a slash in it is no part of the authority, and yet nobody else's business.
            let found = self.redacted();
            let found = found.rsplit_once('@').map_or(&*found, |(_, rest)| rest);
            ConfigError::invalid(
                "endpoint_url",
                format!("expected a URL such as \"https://example.com/health\", found {found:?}{remedy}"),
            )
        };
        if self.0.trim().is_empty() {
            return Err(ConfigError::invalid(
                "endpoint_url",
                "expected a URL such as \"https://example.com/health\", found nothing",
            ));
        }
        let schemeless = "; put https:// or http:// in front";
        let url = Url::parse(&self.0).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => invalid(schemeless),
            error => invalid(&format!(" ({error})")),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(if self.0.contains("://") {
                " (only http and https are checked)"
            } else {
                schemeless
            }));
        }
        if authority(&self.0).is_none() {
            return Err(invalid(if self.0.bytes().any(|byte| byte.is_ascii_control()) {
                " (with a control character, such as a line break)"
            } else {
                " (the host must come right after http:// or https://; write a backslash in a password as %5C)"
            }));
        }
        let target = Target::new(&url).ok_or_else(|| invalid(" (a host or path that HTTP cannot carry)"))?;
        Ok((target, basic_credentials(&url)))
    }
}

impl From<String> for EndpointUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl From<&str> for EndpointUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.redacted())
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.redacted(), f)
    }
}

impl Serialize for EndpointUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if Secret::is_exposing() {
            serializer.serialize_str(&self.0)
        } else {
            serializer.serialize_str(&self.redacted())
        }
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for EndpointUrl {
    fn schema_name() -> Cow<'static, str> {
        "EndpointUrl".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "examples": ["https://example.com/health"]})
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Where a request goes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    pub(crate) host: TargetHost,
    pub(crate) port: u16,
    /// Path and query, as the request line has them.
    pub(crate) path: PathAndQuery,
    /// The host, and the port unless it is the scheme's own.
    pub(crate) authority: HeaderValue,
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
        Some(Self {
            tls: url.scheme() == "https",
            host,
            port: url.port_or_known_default()?,
            path: url[Position::BeforePath..Position::AfterQuery].parse().ok()?,
            authority: HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).ok()?,
        })
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The URL, without credentials and fragment.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    /// `https://example.com`.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority.to_str().unwrap_or_default())
    }

    /// The URL without what may be secret in it: its query.
    pub(crate) fn shown(&self) -> String {
        let shown = format!("{}{}", self.origin(), self.path.path());
        checkup_net::excerpt(shown.as_bytes(), 200)
    }

    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        (self.tls, self.port, &self.host) == (other.tls, other.port, &other.host)
    }

    /// The form of the request line for the server itself (RFC 9112, section 3.2.1).
    pub(crate) fn origin_form(&self) -> Uri {
        Uri::from(self.path.clone())
    }

    /// The form of the request line for a proxy (RFC 9112, section 3.2.2).
    pub(crate) fn absolute_form(&self) -> Option<Uri> {
        self.url().parse().ok()
    }

    /// What `CONNECT` asks a proxy for (RFC 9110, section 9.3.6): `example.com:443`.
    pub(crate) fn host_and_port(&self) -> String {
        match &self.host {
            TargetHost::Name(name) => format!("{name}:{}", self.port),
            TargetHost::Address(IpAddr::V4(address)) => format!("{address}:{}", self.port),
            TargetHost::Address(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
        }
    }

    /// Where the `Location` header of a response leads to (RFC 9110, section 10.2.2); `None` if nowhere.
    pub(crate) fn join(&self, location: &[u8]) -> Option<Self> {
        let location = std::str::from_utf8(location).ok()?;
        let url = Url::parse(&self.url()).ok()?.join(location).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| Self::new(&url)).flatten()
    }
}

/// Without its query, which may be secret.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// The URL's user and password as an `Authorization` header (RFC 7617).
fn basic_credentials(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut credentials: Vec<u8> = percent_decode_str(url.username()).collect();
    credentials.push(b':');
    credentials.extend(percent_decode_str(url.password().unwrap_or_default()));
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(credentials))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_show_nowhere_but_where_they_are_asked_for() {
        let url = EndpointUrl::from("http://us%40er:p%3Ass@example.com:8080/a@b?c=@d");
        let clean = "http://example.com:8080/a@b?c=@d";
        assert_eq!(url.to_string(), clean);
        assert_eq!(format!("{url:?}"), format!("{clean:?}"));
        assert_eq!(serde_json::to_string(&url).unwrap(), format!("{clean:?}"));
        assert_eq!(Secret::exposing(|| serde_json::to_string(&url).unwrap()), format!("{:?}", url.expose()));
        let (target, authorization) = url.parse().unwrap();
        assert_eq!(target.url(), clean);
        assert_eq!(authorization.unwrap(), "Basic dXNAZXI6cDpzcw==");
    }

    #[test]
    fn urls_that_only_browsers_read_are_refused_and_show_no_credentials() {
        for url in [
            "https:/user:hunter2@example.com/",
            "https:///user:hunter2@example.com/",
            "https:user:hunter2@example.com/",
            "HTTP:\\\\user:hunter2@example.com/",
            "http://\\user:hunter2@example.com/",
            "https://us\\er:hunter2@example.com/",
            "https://user:12\\hunter2@example.com/",
            "https://\t/user:hunter2@example.com/",
            "ht\ntps:user:hunter2@example.com/",
            " https://user:hunter2@example.com/",
            "https://user:hunter2@exa mple.com/",
            "https://user:x/hunter2@example.com/",
            "https://user:x/y@hunter2@example.com/",
            "user:hunter2@example.com/",
            "//user:hunter2@example.com/",
            "ftp://user:hunter2@example.com/",
        ] {
            let url = EndpointUrl::from(url);
            let shown = format!("{url} {url:?} {} {}", serde_json::to_string(&url).unwrap(), url.parse().unwrap_err());
            assert!(shown.contains("mple.com/") && !shown.contains("hunter2"), "{shown}");
        }
        let error = EndpointUrl::from("https:/example.com/").parse().unwrap_err().to_string();
        assert!(error.contains("the host must come right after http:// or https://"), "{error}");
        let error = EndpointUrl::from("https://example.com/\n").parse().unwrap_err().to_string();
        assert!(error.contains("a control character"), "{error}");
        assert!(EndpointUrl::from("HTTPS://example.com/a\\b").parse().is_ok());
    }

    #[test]
    fn refuses_what_is_no_http_url_with_the_remedy() {
        for (url, remedy) in [
            ("", "found nothing"),
            ("example.com/health", "put https:// or http:// in front"),
            ("localhost:8080", "put https:// or http:// in front"),
            ("ftp://example.com", "only http and https are checked"),
            ("http://", "empty host"),
            ("http://example.com:99999", "invalid port"),
        ] {
            let error = EndpointUrl::from(url).parse().unwrap_err().to_string();
            assert!(error.starts_with("endpoint_url: expected a URL such as") && error.contains(remedy), "{error}");
        }
    }

    #[test]
    fn knows_the_parts_that_a_request_needs() {
        let target = |url: &str| EndpointUrl::from(url).parse().unwrap().0;
        let plain = target("http://Example.com");
        assert_eq!((plain.authority.as_bytes(), plain.port, plain.path.as_str()), (&b"example.com"[..], 80, "/"));
        let v6 = target("https://[::1]:8443/a%20b c?q=é#fragment");
        assert_eq!(v6.authority, "[::1]:8443");
        assert_eq!(v6.path, "/a%20b%20c?q=%C3%A9");
        assert_eq!(v6.host_and_port(), "[::1]:8443");
        assert_eq!(v6.absolute_form().unwrap(), "https://[::1]:8443/a%20b%20c?q=%C3%A9");
        assert_eq!(target("http://bücher.example/").authority, "xn--bcher-kva.example");
        assert!(plain.same_origin(&target("http://example.com:80/other")));
        assert!(!plain.same_origin(&target("https://example.com/")));
    }

    #[test]
    fn a_location_is_relative_to_the_request() {
        let target = EndpointUrl::from("https://example.com/a/b?c").parse().unwrap().0;
        let to = |location: &str| target.join(location.as_bytes()).map(|target| target.url());
        assert_eq!(to("/d").as_deref(), Some("https://example.com/d"));
        assert_eq!(to("d?e").as_deref(), Some("https://example.com/a/d?e"));
        assert_eq!(to("//other.example/d").as_deref(), Some("https://other.example/d"));
        assert_eq!(to("http://other.example").as_deref(), Some("http://other.example/"));
        assert_eq!(to("javascript:alert(1)"), None);
        assert_eq!(to("http://"), None);
    }
}
