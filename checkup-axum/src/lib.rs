#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

use std::sync::Arc;

use axum::Router;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use checkup_core::{Monitor, Probe, ProbeAnswer};

/// Answers one probe, for a route of any path. Works with any state of the router.
///
/// The status code and the body are those of [`Monitor::probe`]. Caches must not store the answer.
pub fn probe<S>(monitor: &Arc<Monitor>, probe: Probe) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let monitor = Arc::clone(monitor);
    get(async move |headers: HeaderMap| respond(&monitor.probe(&probe), &headers))
}

/// Routes for the three probes of Kubernetes, under their usual paths: `/livez`, `/readyz` and `/startupz`. Merge them into a router.
pub fn probes<S>(monitor: &Arc<Monitor>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/livez", probe(monitor, Probe::liveness()))
        .route("/readyz", probe(monitor, Probe::readiness()))
        .route("/startupz", probe(monitor, Probe::startup()))
}

/// The answer as a response, for handlers that do more than answer a probe. The request's headers choose between text and JSON.
pub fn respond(answer: &ProbeAnswer, headers: &HeaderMap) -> Response {
    // A request may have several `Accept` headers, which count like one with commas.
    let accept: Vec<_> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let (media_type, body) = answer.body_for(Some(&accept.join(",")));
    let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store"), (VARY, "accept")];
    // Every status code of an answer is valid in HTTP.
    let code = StatusCode::from_u16(answer.status_code()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    (code, headers, body).into_response()
}
