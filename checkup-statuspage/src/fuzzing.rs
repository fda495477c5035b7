//! Entry points for fuzzing: the parsers of what visitors send. Not part of the API.
//!
//! Each takes any bytes, and panics only if a parser is broken.

use checkup_core::Timestamp;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};

use crate::formats::badge;
use crate::formats::representation::{Cache, Representation, accepts, accepts_gzip};
use crate::site::router::parsers;

/// Reads lines of bytes as a request: its target, then its `Host`, `Accept`, `Accept-Encoding` and `If-None-Match`. A line that cannot be in a
/// request is left out.
pub fn request(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let names: [HeaderName; 4] = [HOST, ACCEPT, ACCEPT_ENCODING, IF_NONE_MATCH];
    let mut headers = HeaderMap::new();
    for (index, line) in lines.enumerate().take(64) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            // More than one line for each header, as a request may have.
            headers.append(&names[index % names.len()], value);
        }
    }
    negotiate(&headers);
    let Ok(uri) = http::Uri::try_from(target) else { return };
    for key in ["check", "since", "uptime", "tag", "v"] {
        let Some(value) = parsers::query(&uri, key) else { continue };
        let now = Timestamp::from_unix_nanos(1_795_310_912_000_000_000);
        let _ = (parsers::moment(&value, now), checkup_core::duration::parse(&value));
        let file = badge::file_name(&value);
        assert!(file.bytes().all(|byte| byte.is_ascii_graphic() && !b"/\\.".contains(&byte)), "a file name {file:?}");
    }
    let mut request = Request::new(axum::body::Body::empty());
    (*request.uri_mut(), *request.headers_mut()) = (uri, headers);
    let hosts = ["status.example.com".to_owned()];
    let named = |request: &axum::extract::Request| {
        let header = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        format!("{} {header}", request.uri()).to_ascii_lowercase()
    };
    if parsers::is_known(&request, &hosts) {
        let named = named(&request);
        let is_ours = ["status.example.com", "localhost", "["].iter().any(|host| named.contains(host));
        assert!(is_ours || named.bytes().any(|byte| byte.is_ascii_digit()), "a host that is not ours: {named:?}");
    }
}

/// A response is compressed, known or neither, and has content unless it is known.
fn negotiate(headers: &HeaderMap) {
    let _ = accepts(headers, "application/openmetrics-text");
    let content = Representation::new("text/plain", Cache::Revalidate, "status ".repeat(200));
    let response: Response<bytes::Bytes> = content.respond(headers);
    let is_compressed = response.headers().contains_key(http::header::CONTENT_ENCODING);
    match response.status().as_u16() {
        304 => {
            assert!(response.body().is_empty() && headers.contains_key(IF_NONE_MATCH), "a 304 that was not asked for")
        }
        _ => assert!(!response.body().is_empty() && is_compressed == accepts_gzip(headers), "the wrong encoding"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn inputs_of_the_corpus_are_accepted() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        checkup_testkit::for_each_input(&corpus.join("request"), request);
    }
}
