//! Health checks in an axum service: a background monitor, and `/healthz` and `/readyz` that answer from it.
//!
//! The service checks what it depends on (here a small server on loopback), asks itself once, and stops gracefully.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use checkup::http::Http;
use checkup::{Check, Checkup, Monitor, Report, check_fn};
use checkup_testkit::{HttpServer, Response};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let upstream = HttpServer::start(|_| Response::new(200).body("ok"));

    // The checks stand next to what they check.
    let checkup = Checkup::builder()
        .check(Check::new("upstream API", Http::new(upstream.url("/health"))).tag("readiness"))
        .check(check_fn("worker", || async { Ok::<_, std::io::Error>(()) }).tag("readiness"))
        .build()?;
    let monitor = Arc::new(Monitor::builder(checkup.clone()).interval(Duration::from_secs(15)).start()?);

    let app = Router::new()
        .route("/healthz", get(|| async { "alive" }))
        .route("/readyz", get(readyz))
        .with_state(Arc::clone(&monitor));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server =
        tokio::spawn(
            async move { axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) }).await },
        );

    // What a platform's probe would do, with the library itself: wait until the service is ready.
    let probe =
        Checkup::builder().check(Check::new("service", Http::new(format!("http://{address}/readyz")))).build()?;
    let report = probe.wait_until_healthy(Duration::from_secs(10)).await?;
    println!("{report}");

    drop(stop);
    server.await??;
    if let Some(monitor) = Arc::into_inner(monitor) {
        monitor.shutdown().await;
    }
    Ok(())
}

/// 200 if every check is healthy, else 503, with the results; from the latest run, never by checking on request.
async fn readyz(State(monitor): State<Arc<Monitor>>) -> (StatusCode, Json<Report>) {
    match monitor.latest() {
        Some(report) if report.is_healthy() => (StatusCode::OK, Json(Report::clone(&report))),
        Some(report) => (StatusCode::SERVICE_UNAVAILABLE, Json(Report::clone(&report))),
        None => (StatusCode::SERVICE_UNAVAILABLE, Json(Report::default())),
    }
}
