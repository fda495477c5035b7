//! [`Http`]: the settings of an HTTP check.

use std::collections::BTreeMap;
use std::time::Duration;

#[cfg(feature = "config")]
use checkup_core::config::DurationSchema;
use checkup_core::{Secret, SecretUrl, duration};
use checkup_net::{IpVersion, TlsSettings};
use http::Method;
use serde::{Deserialize, Serialize};

use crate::assertion::{HeaderAssertion, JsonAssertion};
use crate::up_status::UpStatus;

/// The default of [`Http::max_body_bytes`]: 1 MiB.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1 << 20;

/// The settings of an HTTP check: one request, and the conditions on its response.
///
/// ```
/// use checkup_core::Check;
/// use checkup_http::Http;
///
/// let check = Check::new("website", Http::new("https://example.com/health").must_contain("ok"));
/// assert_eq!(check.shown_endpoint(), "https://example.com/health");
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Http {
    /// The URL, with `http://` or `https://`. A user and password in it are sent as `Authorization` (RFC 7617) and never
    /// shown. Values in its query whose key looks secret (`token`, `api_key`, `sig`) are shown as `[redacted]`.
    pub endpoint_url: SecretUrl,
    /// The request's method. Default: `GET`.
    #[serde(default = "get", skip_serializing_if = "is_get")]
    pub method: String,
    /// The request's headers, each with its values, which are joined by `", "`. `Host` sets the request's host. White space
    /// and line breaks at either end of a value are removed, since secrets from files often end in a line break.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Vec<Secret>>,
    /// The request's body. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Secret>,
    /// Which statuses count as up: `200`, `"2xx"`, `"200-299"`, or a list of these. Default (and 0): 200 to 204.
    #[serde(default, skip_serializing_if = "is_default")]
    pub up_status: UpStatus,
    /// The body must contain this text. Empty means no condition. Default: empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub must_contain: String,
    /// The body must not contain this text. Empty means no condition. Default: empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub must_not_contain: String,
    /// The body must match this regular expression somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_match: Option<String>,
    /// Conditions on parts of a JSON body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json: Vec<JsonAssertion>,
    /// Conditions on headers of the response.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<HeaderAssertion>,
    /// How many redirects to follow in a row, from 0 to 50. Default: 0, which judges the redirect itself as the response.
    #[serde(default, skip_serializing_if = "is_default")]
    pub follow_redirects: u8,
    /// The maximum size of a body, after decoding, in bytes; more than 0. Default: 1048576. A body is read only if there is a
    /// condition on it.
    #[serde(default = "max_body_bytes", skip_serializing_if = "is_max_body_bytes")]
    pub max_body_bytes: usize,
    /// Whether to accept responses that break the rules of HTTP more than browsers and curl allow. Lines in the head that are
    /// not headers, unknown charsets and a wrong `Content-Length` are then ignored. If a body ends early or is not encoded as
    /// declared, the part that was received counts. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lenient: bool,
    /// The version of the Internet Protocol to use: `4`, `6` or `"any"`. Default: `"any"`.
    #[serde(default, skip_serializing_if = "IpVersion::is_any")]
    pub ip_version: IpVersion,
    /// The IP address, or `ip:port`, to connect to instead of resolving the URL's host. The request and TLS still name
    /// that host. No proxy is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve: Option<String>,
    /// The TLS settings for `https` URLs, including those of redirects. `server_name` applies only to the URL's own host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: TlsSettings,
    /// The check is degraded if the server's certificate, or another one that it presents, expires within this time. If redirects are
    /// followed, that of the last server counts. Only with `https` URLs. Default: none; results say when the first one expires in any case.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "config", schemars(with = "Option<DurationSchema>"))]
    pub cert_expiry: Option<Duration>,
}

impl Http {
    /// Makes a GET request for this URL, which must be answered with a status from 200 to 204.
    pub fn new(endpoint_url: impl Into<SecretUrl>) -> Self {
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
            lenient: false,
            ip_version: IpVersion::Any,
            resolve: None,
            tls: TlsSettings::default(),
            cert_expiry: None,
        }
    }

    /// The request's method. Default: `GET`.
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

    /// Which statuses count as up. Default: 200 to 204.
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

    /// Adds a condition on a part of the JSON body.
    #[must_use]
    pub fn json(mut self, assertion: JsonAssertion) -> Self {
        self.json.push(assertion);
        self
    }

    /// Adds a condition on a header of the response.
    #[must_use]
    pub fn response_header(mut self, assertion: HeaderAssertion) -> Self {
        self.response_headers.push(assertion);
        self
    }

    /// How many redirects to follow in a row, from 0 to 50. Default: 0.
    #[must_use]
    pub fn follow_redirects(mut self, maximum: u8) -> Self {
        self.follow_redirects = maximum;
        self
    }

    /// The maximum size of a body, after decoding, in bytes. Default: 1 MiB.
    #[must_use]
    pub fn max_body_bytes(mut self, maximum: usize) -> Self {
        self.max_body_bytes = maximum;
        self
    }

    /// Whether to accept responses that break the rules of HTTP. Default: false.
    #[must_use]
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// The version of the Internet Protocol to use. Default: either.
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

    /// The TLS settings of `https` URLs.
    #[must_use]
    pub fn tls(mut self, settings: TlsSettings) -> Self {
        self.tls = settings;
        self
    }

    /// Makes the check degraded if the server's certificate expires within this time. Default: none.
    #[must_use]
    pub fn cert_expiry(mut self, threshold: Duration) -> Self {
        self.cert_expiry = Some(threshold);
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
