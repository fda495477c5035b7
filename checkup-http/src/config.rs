use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use checkup_core::{Checker, ConfigError, IntoChecker, Secret};
use checkup_net::{ClientTls, IpVersion, TlsVersion};
use http::Method;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use crate::assertion::{HeaderRule, JsonRule, parse_regex};
use crate::checker::{Options, default_headers};
use crate::status::StatusSet;
use crate::{EndpointUrl, HeaderAssertion, HttpChecker, JsonAssertion, UpStatus};

/// The most bytes of a body that are read unless set otherwise: 1 MiB.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1 << 20;

/// More redirects than anybody means.
const MAX_REDIRECTS: u8 = 50;

/// The settings of an HTTP check: one request, and what the response must be.
///
/// ```
/// use checkup_core::Check;
/// use checkup_http::Http;
///
/// let check = Check::new("website", Http::new("https://example.com/health").must_contain("ok"));
/// assert_eq!(check.endpoint(), "https://example.com/health");
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Http {
    /// The URL. A user and password in it are sent as `Authorization` (RFC 7617) and never shown.
    pub endpoint_url: EndpointUrl,
    /// The request's method. Default `GET`.
    #[serde(default = "get", skip_serializing_if = "is_get")]
    pub method: String,
    /// The request's headers, each with its values, which are joined by `", "`. `Host` sets the request's host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Vec<Secret>>,
    /// The request's body. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Secret>,
    /// Which statuses count as up: `200`, `"2xx"`, `"200-299"`, or a list of these. Default (and 0) 200 to 204.
    #[serde(default, skip_serializing_if = "is_default")]
    pub up_status: UpStatus,
    /// The body must contain this text. Empty (the default) for no condition.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub must_contain: String,
    /// The body must not contain this text. Empty (the default) for no condition.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub must_not_contain: String,
    /// The body must match this regular expression somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_match: Option<String>,
    /// What parts of a JSON body must be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json: Vec<JsonAssertion>,
    /// What headers of the response must be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<HeaderAssertion>,
    /// How many redirects are followed, one after another, 0 to 50. Default 0: a redirect is the response.
    #[serde(default, skip_serializing_if = "is_default")]
    pub follow_redirects: u8,
    /// The most bytes of a body that are read, more than 0. Default 1048576. A body is read only for a condition on it.
    #[serde(default = "max_body_bytes", skip_serializing_if = "is_max_body_bytes")]
    pub max_body_bytes: usize,
    /// Which version of the Internet Protocol to use: `4`, `6` or `"any"`, the default.
    #[serde(default, skip_serializing_if = "IpVersion::is_any")]
    pub ip_version: IpVersion,
    /// The IP address, or `ip:port`, to connect to instead of resolving the URL's host. The request and TLS still name
    /// that host. No proxy is used then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve: Option<String>,
    /// Accepts any certificate. Default false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls_skip_verify: bool,
    /// A PEM file of roots to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca_file: Option<PathBuf>,
    /// A PEM file of roots to trust beside the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_extra_ca_file: Option<PathBuf>,
    /// A PEM file with the certificate (and its chain) that is shown to servers that ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_cert_file: Option<PathBuf>,
    /// A PEM file with the private key of that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_key_file: Option<PathBuf>,
    /// The lowest version of TLS: `"1.2"` or `"1.3"`. Default `"1.2"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_min_version: Option<TlsVersion>,
}

impl Http {
    /// A GET of this URL that must be answered with a status from 200 to 204.
    pub fn new(endpoint_url: impl Into<EndpointUrl>) -> Self {
        Self {
            endpoint_url: endpoint_url.into(),
            method: get(),
            headers: BTreeMap::new(),
            body: None,
            up_status: UpStatus::default(),
            must_contain: String::new(),
            must_not_contain: String::new(),
            must_match: None,
            json: Vec::new(),
            response_headers: Vec::new(),
            follow_redirects: 0,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            ip_version: IpVersion::Any,
            resolve: None,
            tls_skip_verify: false,
            tls_ca_file: None,
            tls_extra_ca_file: None,
            tls_client_cert_file: None,
            tls_client_key_file: None,
            tls_min_version: None,
        }
    }

    /// The request's method. Default `GET`.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    /// Adds a value to a header of the request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.headers.entry(name.into()).or_default().push(value.into());
        self
    }

    /// The request's body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Secret>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Which statuses count as up. Default 200 to 204.
    #[must_use]
    pub fn up_status(mut self, status: impl Into<UpStatus>) -> Self {
        self.up_status = status.into();
        self
    }

    /// The body must contain this text.
    #[must_use]
    pub fn must_contain(mut self, text: impl Into<String>) -> Self {
        self.must_contain = text.into();
        self
    }

    /// The body must not contain this text.
    #[must_use]
    pub fn must_not_contain(mut self, text: impl Into<String>) -> Self {
        self.must_not_contain = text.into();
        self
    }

    /// The body must match this regular expression somewhere.
    #[must_use]
    pub fn must_match(mut self, pattern: impl Into<String>) -> Self {
        self.must_match = Some(pattern.into());
        self
    }

    /// Adds what a part of the JSON body must be.
    #[must_use]
    pub fn json(mut self, assertion: JsonAssertion) -> Self {
        self.json.push(assertion);
        self
    }

    /// Adds what a header of the response must be.
    #[must_use]
    pub fn response_header(mut self, assertion: HeaderAssertion) -> Self {
        self.response_headers.push(assertion);
        self
    }

    /// How many redirects are followed, one after another. Default 0.
    #[must_use]
    pub fn follow_redirects(mut self, maximum: u8) -> Self {
        self.follow_redirects = maximum;
        self
    }

    /// The most bytes of a body that are read. Default 1 MiB.
    #[must_use]
    pub fn max_body_bytes(mut self, maximum: usize) -> Self {
        self.max_body_bytes = maximum;
        self
    }

    /// Which version of the Internet Protocol to use. Default either.
    #[must_use]
    pub fn ip_version(mut self, version: IpVersion) -> Self {
        self.ip_version = version;
        self
    }

    /// The IP address, or `ip:port`, to connect to instead of resolving the URL's host.
    #[must_use]
    pub fn resolve(mut self, address: impl ToString) -> Self {
        self.resolve = Some(address.to_string());
        self
    }

    /// Accepts any certificate.
    #[must_use]
    pub fn tls_skip_verify(mut self, skip: bool) -> Self {
        self.tls_skip_verify = skip;
        self
    }

    /// A PEM file of roots to trust instead of the system's.
    #[must_use]
    pub fn tls_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.tls_ca_file = Some(file.into());
        self
    }

    /// A PEM file of roots to trust beside the others.
    #[must_use]
    pub fn tls_extra_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.tls_extra_ca_file = Some(file.into());
        self
    }

    /// PEM files with a certificate (and its chain) and its key, for servers that ask for one.
    #[must_use]
    pub fn tls_client_cert(mut self, cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        self.tls_client_cert_file = Some(cert_file.into());
        self.tls_client_key_file = Some(key_file.into());
        self
    }

    /// The lowest version of TLS. Default 1.2.
    #[must_use]
    pub fn tls_min_version(mut self, version: TlsVersion) -> Self {
        self.tls_min_version = Some(version);
        self
    }
}

impl IntoChecker for Http {
    fn into_checker(self) -> Result<Arc<dyn Checker>, ConfigError> {
        let mut problems = Vec::new();
        let mut keep = |error| problems.push(error);
        let url = self.endpoint_url.parse().map_err(&mut keep).ok();
        let method = self.parse_method().map_err(&mut keep).ok();
        let headers = self.parse_headers().map_err(&mut keep).ok();
        let up_status = StatusSet::parse(&self.up_status).map_err(&mut keep).ok();
        let options = self.parse_options(&mut problems);
        if let (Some((target, authorization)), Some(method), Some(mut headers), Some(up_status)) =
            (url, method, headers, up_status)
            && problems.is_empty()
        {
            headers.entry(HOST).or_insert_with(|| target.authority.clone());
            if let Some(authorization) = authorization {
                headers.entry(http::header::AUTHORIZATION).or_insert(authorization);
            }
            let endpoint = self.endpoint_url.redacted().into();
            return Ok(Arc::new(HttpChecker::new(endpoint, target, method, headers, up_status, options)));
        }
        let mut problems = problems.into_iter();
        let mut all = problems.next().unwrap_or_else(|| ConfigError::invalid("", "the settings cannot work"));
        problems.for_each(|problem| all.extend(problem));
        Err(all)
    }
}

impl Http {
    fn parse_method(&self) -> Result<Method, ConfigError> {
        let invalid = |remedy: &str| {
            let found = &self.method;
            ConfigError::invalid(
                "method",
                format!("expected a method such as \"GET\" or \"POST\", found {found:?}{remedy}"),
            )
        };
        // Methods are case-sensitive (RFC 9110, section 9.1), and those that anybody uses are upper case.
        let method: Method = self.method.to_ascii_uppercase().parse().map_err(|_| invalid(""))?;
        match method {
            Method::CONNECT => Err(invalid(", which is for proxies")),
            Method::HEAD if self.has_body_rules() => {
                Err(invalid(": the answer to HEAD has no body for the conditions on it"))
            }
            method => Ok(method),
        }
    }

    fn has_body_rules(&self) -> bool {
        !self.must_contain.is_empty()
            || !self.must_not_contain.is_empty()
            || self.must_match.is_some()
            || !self.json.is_empty()
    }

    fn parse_headers(&self) -> Result<HeaderMap, ConfigError> {
        let mut headers = default_headers();
        for (name, values) in &self.headers {
            let place = || format!("headers.{}", checkup_net::excerpt(name.as_bytes(), 80));
            let parsed: HeaderName = name
                .parse()
                .map_err(|_| ConfigError::invalid(place(), "expected a header's name such as \"Accept\""))?;
            if matches!(parsed.as_str(), "connection" | "content-length" | "transfer-encoding" | "upgrade") {
                return Err(ConfigError::invalid(place(), "expected no header of the connection; leave it out"));
            }
            let joined = values.iter().map(Secret::expose).collect::<Vec<_>>().join(", ");
            let mut value = HeaderValue::try_from(joined).map_err(|_| {
                ConfigError::invalid(place(), "expected a value without line breaks and control characters")
            })?;
            value.set_sensitive(true);
            headers.insert(parsed, value);
        }
        Ok(headers)
    }

    /// What most checks leave as it is; `None` if this one does.
    fn parse_options(&self, problems: &mut Vec<ConfigError>) -> Option<Box<Options>> {
        let tls = self.client_tls();
        if self.has_default_options() && tls == ClientTls::default() {
            return None;
        }
        let mut keep = |error| problems.push(error);
        let _ = tls.validate("tls_").map_err(&mut keep);
        let mut options = Options {
            body: self.body.as_ref().map(|body| body.expose().to_owned().into()).unwrap_or_default(),
            follow_redirects: self.follow_redirects,
            ip_version: self.ip_version,
            tls,
            ..Options::default()
        };
        if self.follow_redirects > MAX_REDIRECTS {
            let found = self.follow_redirects;
            keep(ConfigError::invalid("follow_redirects", format!("expected at most {MAX_REDIRECTS}, found {found}")));
        }
        if self.max_body_bytes == 0 {
            keep(ConfigError::invalid("max_body_bytes", "expected more than 0, found 0; leave it out for 1 MiB"));
        }
        if let Some(address) = &self.resolve {
            options.fixed = parse_resolve(address).map_err(&mut keep).ok();
        }
        self.parse_rules(&mut options, problems);
        Some(Box::new(options))
    }

    fn has_default_options(&self) -> bool {
        self.body.is_none()
            && self.follow_redirects == 0
            && self.ip_version.is_any()
            && self.resolve.is_none()
            && self.response_headers.is_empty()
            && self.max_body_bytes == DEFAULT_MAX_BODY_BYTES
            && !self.has_body_rules()
    }

    fn client_tls(&self) -> ClientTls {
        let mut tls = ClientTls::default();
        tls.ca_file.clone_from(&self.tls_ca_file);
        tls.extra_ca_file.clone_from(&self.tls_extra_ca_file);
        tls.client_cert_file.clone_from(&self.tls_client_cert_file);
        tls.client_key_file.clone_from(&self.tls_client_key_file);
        tls.skip_verify = self.tls_skip_verify;
        tls.min_version = self.tls_min_version;
        tls
    }

    fn parse_rules(&self, options: &mut Options, problems: &mut Vec<ConfigError>) {
        let mut keep = |error| problems.push(error);
        let rules = &mut options.body_rules;
        rules.must_contain.clone_from(&self.must_contain);
        rules.must_not_contain.clone_from(&self.must_not_contain);
        rules.max_bytes = self.max_body_bytes;
        if let Some(pattern) = &self.must_match {
            // Bodies may be anything, so the search is in bytes. What reads for texts reads for bytes.
            let parsed = parse_regex("must_match", pattern).map_err(&mut keep).ok();
            rules.must_match = parsed.and_then(|regex| Regex::new(regex.as_str()).ok());
        }
        for (index, assertion) in self.json.iter().enumerate() {
            let rule = JsonRule::parse(assertion).map_err(|error| keep(error.at(&format!("json[{index}]"))));
            rules.json.extend(rule);
        }
        for (index, assertion) in self.response_headers.iter().enumerate() {
            let place = format!("response_headers[{index}]");
            options.header_rules.extend(HeaderRule::parse(assertion).map_err(|error| keep(error.at(&place))));
        }
    }
}

/// The address, and the port unless it is the URL's.
fn parse_resolve(text: &str) -> Result<(IpAddr, Option<u16>), ConfigError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok((address, None));
    }
    if let Ok(address) = text.parse::<SocketAddr>()
        && address.port() > 0
    {
        return Ok((address.ip(), Some(address.port())));
    }
    Err(ConfigError::invalid(
        "resolve",
        format!(
            "expected an IP address such as \"192.0.2.7\", or one with a port such as \"192.0.2.7:8443\", found {text:?}"
        ),
    ))
}

fn get() -> String {
    Method::GET.as_str().to_owned()
}

fn is_get(method: &str) -> bool {
    method == Method::GET.as_str()
}

fn max_body_bytes() -> usize {
    DEFAULT_MAX_BODY_BYTES
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_max_body_bytes(maximum: &usize) -> bool {
    *maximum == DEFAULT_MAX_BODY_BYTES
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
