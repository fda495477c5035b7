//! Writes the bytes of a request.

use http::Method;
use http::header::{CONNECTION, HOST, HeaderMap, HeaderValue, USER_AGENT};

use crate::connect::Form;
use crate::url::Target;

const AGENT: &str = concat!("checkup/", env!("CARGO_PKG_VERSION"));

/// The headers of every request, unless the settings replace them. As in upstream, each connection is used for one
/// request.
pub(crate) fn default_headers(target: &Target) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(HOST, target.host_header());
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers
}

/// Returns the request as it is sent. Without `headers`, it has the default ones.
pub(crate) fn encode(
    form: &Form,
    target: &Target,
    method: &Method,
    headers: Option<&HeaderMap>,
    body: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 + body.len());
    bytes.extend_from_slice(method.as_str().as_bytes());
    bytes.push(b' ');
    match form {
        Form::Origin => bytes.extend_from_slice(target.path_and_query().as_bytes()),
        Form::Absolute(_) => bytes.extend_from_slice(target.url().as_bytes()),
    }
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    let mut header = |name: &str, value: &[u8]| {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    };
    match headers {
        Some(headers) => headers.iter().for_each(|(name, value)| header(name.as_str(), value.as_bytes())),
        None => {
            header("host", target.authority().as_bytes());
            header("connection", b"close");
            header("user-agent", AGENT.as_bytes());
        }
    }
    if let Form::Absolute(Some(authorization)) = form {
        header("proxy-authorization", authorization.as_bytes());
    }
    // If a method usually has a body but there is none, `Content-Length: 0` says so (RFC 9110, section 8.6).
    if !body.is_empty() || matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
        header("content-length", body.len().to_string().as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}
