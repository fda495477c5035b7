//! The handlers: status codes, media types and headers, in a router with a state.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use checkup_axum::{probe, probes};
use checkup_core::{Checkup, Monitor, Observation, Probe, check_fn};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// A database that works, and a queue that is degraded.
async fn monitor() -> Arc<Monitor> {
    let long = || async { Ok::<_, std::io::Error>(Observation::new().degraded("200 jobs wait")) };
    let checkup = Checkup::builder()
        .check(check_fn("database", || async { Ok::<_, std::io::Error>(()) }).tag("readiness").tag("startup"))
        .check(check_fn("queue", long).tag("readiness"))
        .check(check_fn("worker", || async { Err::<(), _>("the worker is gone") }).tag("liveness"))
        .build()
        .unwrap();
    let (monitor, mut runs) = Monitor::builder(checkup).start_and_subscribe().unwrap();
    runs.next().await.unwrap();
    Arc::new(monitor)
}

/// Status, media type, `Cache-Control` and body.
async fn ask(app: &Router, request: axum::http::request::Builder) -> (u16, String, String, String) {
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (media_type, cache) = (header("content-type"), header("cache-control"));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, media_type, cache, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_three_probes_answer_under_their_usual_paths() {
    let monitor = monitor().await;
    // Works with any state.
    let app = Router::new().merge(probes::<u8>(&monitor)).with_state(7_u8);
    let text =
        |status, body: &str| (status, "text/plain; charset=utf-8".to_owned(), "no-store".to_owned(), body.to_owned());
    let ready = "database: healthy\nqueue: degraded: 200 jobs wait\n";
    assert_eq!(ask(&app, Request::get("/readyz")).await, text(200, ready));
    assert_eq!(ask(&app, Request::get("/livez")).await, text(503, "worker: down: the worker is gone\n"));
    assert_eq!(ask(&app, Request::get("/startupz")).await, text(200, "database: healthy\n"));
    assert_eq!(ask(&app, Request::head("/readyz")).await, text(200, ""));
    monitor.drain(Duration::ZERO).await;
    assert_eq!(ask(&app, Request::get("/readyz")).await, text(503, &format!("draining\n{ready}")));
    assert_eq!(ask(&app, Request::get("/startupz")).await.0, 200);
}

#[tokio::test]
async fn json_and_settings_are_as_asked_for() {
    let monitor = monitor().await;
    let strict = Probe::readiness().degraded_status(429);
    let app: Router = Router::new().route("/health", probe(&monitor, strict));
    let request =
        Request::get("/health").header("accept", "text/html").header("accept", "application/health+json;q=0.9");
    let (status, media_type, cache, body) = ask(&app, request).await;
    assert_eq!((status, &*media_type, &*cache), (429, "application/health+json", "no-store"));
    assert!(body.contains(r#""status":"fail""#) && body.contains(r#""queue:responseTime""#), "{body}");
}
