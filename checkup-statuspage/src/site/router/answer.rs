use axum::body::Body;
use checkup_core::{StorageError, StorageErrorKind};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode, Uri};
use serde_json::json;
use url::form_urlencoded;

/// A line of text that is not cached.
pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", text.into())
}

/// `{"error": "…"}`.
pub(super) fn error(status: StatusCode, message: &str) -> Response<Body> {
    answer(status, "application/json", json!({ "error": message }).to_string())
}

pub(super) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "there is nothing here\n")
}

/// A response for an error of the storage. The details go to the log only, since they may name paths and hosts.
pub(super) fn failed(problem: &StorageError) -> Response<Body> {
    let status = status_of(problem);
    if status == StatusCode::NOT_FOUND {
        return not_found();
    }
    let mut answer = error(status, why(problem));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    answer
}

/// The response when there is no memory for another one.
pub(super) fn busy() -> Response<Body> {
    let mut answer = error(StatusCode::SERVICE_UNAVAILABLE, "too many responses are being sent; try again in a moment");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

/// The kind of the error as text. The error itself goes to the log.
pub(super) fn why(problem: &StorageError) -> &'static str {
    tracing::warn!(error = problem as &dyn std::error::Error, "a request cannot be answered");
    match problem.kind() {
        StorageErrorKind::NotFound => "there is nothing here",
        StorageErrorKind::Corrupt => "the stored data is broken; see the server's log",
        StorageErrorKind::Timeout => "the history could not be read in time; try again in a moment",
        _ => "the storage could not be read; try again in a moment, or see the server's log",
    }
}

pub(super) fn status_of(problem: &StorageError) -> StatusCode {
    match problem.kind() {
        StorageErrorKind::NotFound => StatusCode::NOT_FOUND,
        StorageErrorKind::Corrupt => StatusCode::BAD_GATEWAY,
        StorageErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The first value of a key in the query.
pub(crate) fn query(uri: &Uri, key: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.into_iter().find_map(|(name, value)| (name == key).then(|| value.into_owned()))
}

fn answer(status: StatusCode, content_type: &'static str, content: String) -> Response<Body> {
    let mut response = Response::new(Body::from(content));
    *response.status_mut() = status;
    let headers: [(HeaderName, &'static str); 3] =
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
