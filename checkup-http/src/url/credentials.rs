//! Handles the user and password of a URL.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::HeaderValue;
use percent_encoding::percent_decode_str;
use url::Url;

/// Returns the URL's user and password as the value of an `Authorization` header (RFC 7617).
pub(crate) fn basic_credentials(url: &Url) -> Option<HeaderValue> {
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
