//! Which pages of other origins may read responses (CORS).

use axum::body::Body;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue, ORIGIN, VARY};
use http::{HeaderMap, Response};

/// Whether a path is one that pages of other origins may read: the API, the data, the feed and the badges.
pub(super) fn is_public(path: &str) -> bool {
    ["/api/", "/badge", "/detail/"].iter().any(|start| path.starts_with(start))
        || ["/summary.json", "/feed.atom"].contains(&path)
}

/// Lets the page that asks read a response, if its origin is one of these.
pub(super) fn allow(answer: &mut Response<Body>, request: &HeaderMap, origins: &[String]) {
    if origins.iter().any(|origin| origin == "*") {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        return;
    }
    answer.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    let Some(asking) = request.get(ORIGIN) else { return };
    if origins.iter().any(|origin| origin.trim_end_matches('/').as_bytes() == asking.as_bytes()) {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, asking.clone());
    }
}
