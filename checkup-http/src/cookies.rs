//! Cookies that are set by redirects and needed by their targets (RFC 6265), kept for one attempt.

use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

use crate::url::{Target, TargetHost};

/// The maximum size of all cookies together, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// The cookies of one attempt.
///
/// They are sent to the host that set them, or to its domain if the cookie says so. Unlike in browsers, they are not sent to
/// other ports, where somebody else's service may listen, unless both ports are the defaults of their schemes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cookies(Vec<Cookie>);

#[derive(Clone, PartialEq, Eq)]
struct Cookie {
    name: Vec<u8>,
    value: Vec<u8>,
    domain: String,
    /// Whether subdomains get it as well.
    with_subdomains: bool,
    path: String,
    secure: bool,
    /// The port, or `None` for the default of the scheme.
    port: Option<u16>,
}

impl Cookies {
    /// Keeps the cookies that this response of the target sets. Ignores those that it must not set, and those that exceed
    /// the limit.
    pub(crate) fn keep(&mut self, target: &Target, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE) {
            let Some((cookie, has_expired)) = Cookie::parse(line.as_bytes(), target) else { continue };
            self.0.retain(|old| !old.is_same(&cookie));
            let size: usize = self.0.iter().map(|cookie| cookie.name.len() + cookie.value.len()).sum();
            if !has_expired && size + cookie.name.len() + cookie.value.len() <= MAX_BYTES {
                self.0.push(cookie);
            }
        }
    }

    /// Returns the value of `Cookie` for a request to this target: the cookies of the settings, unless a redirect replaced
    /// them, and those that redirects set. `None` if there are none.
    pub(crate) fn header(&self, target: &Target, own: Option<&HeaderValue>) -> Option<HeaderValue> {
        let kept: Vec<_> = self.0.iter().filter(|cookie| cookie.is_for(target)).collect();
        let own = own.map_or(&b""[..], |own| own.as_bytes()).split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let is_kept =
            |pair: &[u8]| kept.iter().any(|cookie| pair.split(|byte| *byte == b'=').next() == Some(&cookie.name));
        let mut pairs: Vec<Vec<u8>> =
            own.filter(|pair| !pair.is_empty() && !is_kept(pair)).map(<[u8]>::to_vec).collect();
        pairs.extend(kept.iter().map(|cookie| [&cookie.name[..], b"=", &cookie.value].concat()));
        if pairs.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_bytes(&pairs.join(&b"; "[..])).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Puts that value into the headers of a request, or removes the header.
    pub(crate) fn apply(&self, target: &Target, own: Option<&HeaderValue>, headers: &mut HeaderMap) {
        match self.header(target, own) {
            Some(value) => drop(headers.insert(COOKIE, value)),
            None => drop(headers.remove(COOKIE)),
        }
    }
}

impl Cookie {
    /// Reads a `Set-Cookie` line (RFC 6265, section 5.2). Returns the cookie and whether it has expired; `None` if the
    /// target must not set it.
    fn parse(line: &[u8], target: &Target) -> Option<(Self, bool)> {
        let mut parts = line.split(|byte| *byte == b';');
        let pair = parts.next()?;
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        if name.is_empty() {
            return None;
        }
        let host = target.host.to_string();
        let mut cookie = Self {
            name: name.to_vec(),
            value: value.to_vec(),
            domain: host.clone(),
            with_subdomains: false,
            path: default_path(target.path()).to_owned(),
            secure: false,
            port: port(target),
        };
        let mut has_expired = false;
        for attribute in parts {
            let attribute = String::from_utf8_lossy(attribute);
            let (key, value) = attribute.split_once('=').unwrap_or((&attribute, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    if !domain.is_empty() && domain != host {
                        // A cookie cannot be for a whole top-level domain, and only for a domain that contains the host.
                        let is_above = matches!(target.host, TargetHost::Name(_)) && is_subdomain(&host, &domain);
                        if !is_above || !domain.contains('.') {
                            return None;
                        }
                        cookie.domain = domain;
                    }
                    cookie.with_subdomains = !value.is_empty() && matches!(target.host, TargetHost::Name(_));
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "max-age" => has_expired = value == "0" || value.starts_with('-'),
                // Servers delete a cookie by setting its expiry to early 1970.
                "expires" if value.contains("1970") => has_expired = true,
                _ => {}
            }
        }
        // Plain HTTP must not set a cookie for HTTPS (RFC 6265bis, section 5.7).
        (target.tls || !cookie.secure).then_some((cookie, has_expired))
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.domain, &self.path, self.port) == (&other.name, &other.domain, &other.path, other.port)
    }

    /// Whether a request to this target includes this cookie.
    fn is_for(&self, target: &Target) -> bool {
        let host = target.host.to_string();
        let is_host = host == self.domain || (self.with_subdomains && is_subdomain(&host, &self.domain));
        let path = target.path();
        let is_path = path
            .strip_prefix(self.path.as_str())
            .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        is_host && is_path && self.port == port(target) && (target.tls || !self.secure)
    }
}

/// Omits the value, which is a secret.
impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=[redacted]", checkup_net::excerpt(&self.name, 40))
    }
}

fn is_subdomain(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// The directory of a path (RFC 6265, section 5.1.4).
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(last) => &path[..last],
    }
}

fn port(target: &Target) -> Option<u16> {
    (target.port != if target.tls { 443 } else { 80 }).then_some(target.port)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn target(url: &str) -> Target {
        Target::new(&Url::parse(url).unwrap()).unwrap()
    }

    /// Returns the `Cookie` header of a request to `to`, after a response from `from` with these `Set-Cookie` lines.
    fn sent(from: &str, lines: &[&str], to: &str) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SET_COOKIE, line.parse().unwrap());
        }
        let mut cookies = Cookies::default();
        cookies.keep(&target(from), &headers);
        let header = cookies.header(&target(to), None);
        header.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let www = "http://www.example.com/a/b";
        for (line, from, to, expected) in [
            ("id=1", www, "http://www.example.com/a/c", true),
            ("id=1", www, "http://www.example.com/", false),
            ("id=1; Path=/", www, "http://www.example.com/", true),
            ("id=1; Path=/a", www, "http://www.example.com/ab", false),
            ("id=1; Path=/", www, "https://www.example.com/", true),
            ("id=1; Path=/", www, "http://example.com/", false),
            ("id=1; Path=/", www, "http://evil.example/", false),
            ("id=1; Path=/", www, "http://x.www.example.com/", false),
            ("id=1; Path=/; Domain=example.com", www, "http://example.com/", true),
            ("id=1; Path=/; domain=.Example.com", www, "http://api.example.com/", true),
            ("id=1; Path=/; Domain=example.com", www, "http://badexample.com/", false),
            ("id=1; Path=/; Domain=com", www, "http://www.example.com/", false),
            ("id=1; Path=/; Domain=other.com", www, "http://other.com/", false),
            ("id=1; Path=/; Secure", www, "http://www.example.com/", false),
            ("id=1; Path=/; Secure", "https://h/", "https://h/", true),
            ("id=1; Path=/; Secure", "https://h/", "http://h/", false),
            ("id=1; Path=/", "http://127.0.0.1:1000/", "http://127.0.0.1:1000/", true),
            ("id=1; Path=/", "http://127.0.0.1:1000/", "http://127.0.0.1:1001/", false),
            ("id=1; Path=/; Domain=0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", false),
            ("id=1; Path=/; Max-Age=0", www, "http://www.example.com/", false),
            ("id=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", www, "http://www.example.com/", false),
            ("id", www, www, false),
            ("=1", www, www, false),
        ] {
            assert_eq!(sent(from, &[line], to) == "id=1", expected, "{line} of {from} to {to}");
        }
        assert_eq!(sent(www, &["a=1", "b=\"2\"; HttpOnly", "a=3"], www), "b=\"2\"; a=3");
        assert_eq!(sent(www, &["a=1", "a=2; Max-Age=-1"], www), "");
    }

    #[test]
    fn cookies_of_the_settings_are_replaced_by_name() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, "session=new".parse().unwrap());
        let (mut cookies, target) = (Cookies::default(), target("http://h/"));
        cookies.keep(&target, &headers);
        let own = HeaderValue::from_static("lang=en; session=old");
        assert_eq!(cookies.header(&target, Some(&own)).unwrap(), "lang=en; session=new");
        assert_eq!(Cookies::default().header(&target, Some(&own)).unwrap(), "lang=en; session=old");
        assert!(!format!("{cookies:?}").contains("new"));
    }

    #[test]
    fn cookies_are_bounded() {
        let mut cookies = Cookies::default();
        let target = target("http://h/");
        for index in 0..1000 {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, format!("c{index}={}", "x".repeat(1000)).parse().unwrap());
            cookies.keep(&target, &headers);
        }
        assert!(cookies.header(&target, None).unwrap().len() < 20_000);
    }
}
