use std::collections::BTreeMap;
use std::path::PathBuf;

use checkup_core::Secret;
use checkup_net::{IpVersion, TlsVersion};
use http::Method;
use serde::{Deserialize, Serialize};

use crate::{EndpointUrl, HeaderAssertion, JsonAssertion, UpStatus};

/// The most bytes of a body that are read unless set otherwise: 1 MiB.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1 << 20;

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
    /// The URL, with `http://` or `https://`. A user and password in it are sent as `Authorization` (RFC 7617) and never
    /// shown. Results show its query, but `[redacted]` for the values of keys that end in `key`, `token`, `secret`,
    /// `password`, `pass`, `signature`, `sig`, `auth` and the like.
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
