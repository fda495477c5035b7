//! Finds the proxy that the environment names for a target.

use std::fmt;
use std::net::IpAddr;
use std::sync::OnceLock;

use checkup_net::excerpt;
use http::header::HeaderValue;
use url::{Host, Url};

use super::no_proxy::NoProxy;
use crate::url::{Target, TargetHost, basic_credentials};

/// A proxy.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) tls: bool,
    pub(crate) host: TargetHost,
    pub(crate) port: u16,
    /// The value of `Proxy-Authorization`.
    pub(crate) authorization: Option<HeaderValue>,
}

/// A variable that does not name a usable proxy: its name and what is wrong, but not its value, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProxyProblem {
    variable: &'static str,
    reason: String,
}

/// The proxies that an environment names.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    http: Option<Result<Proxy, ProxyProblem>>,
    https: Option<Result<Proxy, ProxyProblem>>,
    no_proxy: NoProxy,
}

/// The proxy through which this target is reached; `None` for a direct connection.
///
/// # Errors
///
/// If the variable that applies to the target does not name a usable proxy.
pub(crate) fn for_target(target: &Target) -> Result<Option<Proxy>, ProxyProblem> {
    environment().for_target(target)
}

/// Whether the environment names any proxy.
pub(crate) fn is_set() -> bool {
    let proxies = environment();
    proxies.http.is_some() || proxies.https.is_some()
}

/// The proxies of this process's environment, read on first use.
fn environment() -> &'static Proxies {
    static PROXIES: OnceLock<Proxies> = OnceLock::new();
    PROXIES
        .get_or_init(|| Proxies::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())))
}

impl Proxies {
    /// Reads the variables. As in Go, an upper-case name takes precedence over the lower-case one, and an empty value counts
    /// as unset.
    pub(crate) fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            names
                .iter()
                .find_map(|name| variable(name).filter(|value| !value.trim().is_empty()).map(|value| (*name, value)))
        };
        let proxy = |names: &[&'static str]| first(names).map(|(name, value)| Proxy::parse(name, value.trim()));
        // A CGI program gets the request's `Proxy` header in HTTP_PROXY (CVE-2016-5385).
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let http = if is_cgi {
            proxy(&["http_proxy", "ALL_PROXY", "all_proxy"])
        } else {
            proxy(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
        };
        Self {
            http,
            https: proxy(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            no_proxy: first(&["NO_PROXY", "no_proxy"]).map(|(_, value)| NoProxy::parse(&value)).unwrap_or_default(),
        }
    }

    /// Returns the proxy for this target. As in Go, this machine is always reached directly.
    fn for_target(&self, target: &Target) -> Result<Option<Proxy>, ProxyProblem> {
        let Some(proxy) = (if target.tls { &self.https } else { &self.http }) else { return Ok(None) };
        if target.host.is_loopback() || self.no_proxy.contains(&target.host, target.port) {
            return Ok(None);
        }
        proxy.clone().map(Some)
    }
}

impl Proxy {
    /// Reads a variable's value: a URL, or `host:port` for an HTTP proxy.
    fn parse(variable: &'static str, value: &str) -> Result<Self, ProxyProblem> {
        let problem = |reason: String| ProxyProblem { variable, reason };
        let url = match value.contains("://") {
            true => Url::parse(value),
            false => Url::parse(&format!("http://{value}")),
        };
        let url = url.map_err(|error| problem(format!("is not a URL such as http://proxy.example:3128 ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") {
            // The scheme is part of a value that must not be shown, so only known schemes are named.
            let kind = if url.scheme().starts_with("socks") { "a SOCKS proxy, which" } else { "a proxy that" };
            return Err(problem(format!("names {kind} is not supported; use an http:// or https:// proxy")));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => TargetHost::Name(name.into()),
            Some(Host::Ipv4(address)) => TargetHost::Address(address.into()),
            Some(Host::Ipv6(address)) => TargetHost::Address(address.into()),
            None => return Err(problem("is not a URL with a host such as http://proxy.example:3128".to_owned())),
        };
        let tls = url.scheme() == "https";
        let port = url.port_or_known_default().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host, port, authorization: basic_credentials(&url) })
    }
}

/// Used in messages, so it shows no credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        match host {
            TargetHost::Address(IpAddr::V6(address)) => write!(f, "proxy [{address}]:{port}"),
            TargetHost::Address(address) => write!(f, "proxy {address}:{port}"),
            TargetHost::Name(name) => write!(f, "proxy {}:{port}", excerpt(name.as_bytes(), 255)),
        }
    }
}

impl fmt::Display for ProxyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, reason } = self;
        write!(f, "the environment variable {variable} {reason}; correct it, or add this host to NO_PROXY")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::new(&Url::parse(url).unwrap()).unwrap()
    }

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let value = |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        Proxies::new(value)
    }

    fn shown(proxies: &Proxies, url: &str) -> String {
        match proxies.for_target(&target(url)) {
            Ok(Some(proxy)) => proxy.to_string(),
            Ok(None) => "none".to_owned(),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn each_scheme_has_its_variable_and_all_proxy_applies_to_both() {
        let both =
            proxies(&[("HTTP_PROXY", "http://one:1"), ("https_proxy", "two:2"), ("ALL_PROXY", "http://three:3")]);
        assert_eq!(shown(&both, "http://a/"), "proxy one:1");
        assert_eq!(shown(&both, "https://a/"), "proxy two:2");
        let all = proxies(&[("HTTP_PROXY", ""), ("all_proxy", "https://[::1]")]);
        assert_eq!(shown(&all, "http://a/"), "proxy [::1]:443");
        assert_eq!(shown(&all, "https://a/"), "proxy [::1]:443");
        for here in ["http://localhost/", "http://localhost./", "http://127.8.9.1/", "https://[::1]/"] {
            assert_eq!(shown(&all, here), "none", "{here}");
        }
        let cgi = proxies(&[("HTTP_PROXY", "http://attacker"), ("REQUEST_METHOD", "GET")]);
        assert_eq!(shown(&cgi, "http://a/"), "none");
        let exempt = proxies(&[("ALL_PROXY", "p:1"), ("no_proxy", "a, b:8080")]);
        assert_eq!(shown(&exempt, "http://a/"), "none");
        assert_eq!(shown(&exempt, "http://b:8080/"), "none");
        assert_eq!(shown(&exempt, "http://b/"), "proxy p:1");
    }

    #[test]
    fn an_invalid_variable_is_reported_without_its_value() {
        for value in [
            "http://",
            "http://user:hunter2@",
            "hunter2 hunter2",
            "http://u:hunter2@h:99999",
            "socks5://hunter2:1",
            "hunter2://x",
        ] {
            let problem = shown(&proxies(&[("HTTPS_PROXY", value)]), "https://a/");
            assert!(problem.starts_with("the environment variable HTTPS_PROXY "), "{value}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
            // It matters only for targets that would use it.
            assert_eq!(shown(&proxies(&[("HTTPS_PROXY", value)]), "http://a/"), "none");
            assert_eq!(shown(&proxies(&[("HTTPS_PROXY", value), ("NO_PROXY", "*")]), "https://a/"), "none");
        }
    }

    #[test]
    fn credentials_are_sent_and_not_shown() {
        let proxies = proxies(&[("ALL_PROXY", "us%40er:p%3Ass@h:1")]);
        let proxy = proxies.for_target(&target("http://a/")).unwrap().unwrap();
        assert_eq!(proxy.authorization.as_ref().unwrap(), "Basic dXNAZXI6cDpzcw==");
        assert!(!format!("{proxy:?}").contains("dXN"), "{proxy:?}");
    }
}
