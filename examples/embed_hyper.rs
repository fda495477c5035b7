//! Health checks in a service on plain hyper, without a web framework: `/livez` and `/readyz` from a background monitor.
//!
//! `/readyz` answers with text here, for people with `curl`; `embed_axum` answers with JSON and has more checks.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use checkup::http::Http;
use checkup::{Check, Checkup, Monitor, Probe, check_fn};
use checkup_testkit::{HttpServer, Response as Answer};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    // The service's dependency: the API of another service, which is still starting.
    let started = Arc::new(AtomicBool::new(false));
    let search = Arc::clone(&started);
    let search = HttpServer::start(move |_| Answer::new(if search.load(Ordering::SeqCst) { 200 } else { 503 }));
    let checkup = Checkup::builder()
        .check(Check::new("search", Http::new(search.url("/health"))).tag("readiness"))
        .check(check_fn("templates", || ready(std::fs::metadata("examples").map(|_| ()))).tag("readiness"))
        .build()?;
    // A real service checks every 15 seconds or so.
    let monitor = Arc::new(Monitor::builder(checkup).interval(Duration::from_millis(100)).start()?);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let readyz = format!("http://{}/readyz", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(serve(listener, Arc::clone(&monitor), stopped));

    // Does what a platform's probe does, using the library itself: the service is not ready at first, then it is.
    let probe = |status: u16, text: &str| {
        let check = Check::new(
            format!("/readyz answers {status}"),
            Http::new(readyz.as_str()).up_status(status).must_contain(text),
        );
        Checkup::builder().check(check).build()
    };
    let limit = Duration::from_secs(10);
    println!(
        "{}",
        probe(503, "search: down: response status 503 Service Unavailable")?.wait_until_healthy(limit).await?
    );
    started.store(true, Ordering::SeqCst);
    println!("{}", probe(200, "search: healthy")?.wait_until_healthy(limit).await?);

    // A real service stops at SIGTERM: see `tokio::signal`. Stop taking requests first, then stop the monitor.
    let _ = stop.send(());
    server.await??;
    monitor.shutdown().await;
    Ok(())
}

/// Serves until `stopped`, then closes each open connection after its current answer.
async fn serve(listener: TcpListener, monitor: Arc<Monitor>, mut stopped: oneshot::Receiver<()>) -> Result<(), Error> {
    let connections = GracefulShutdown::new();
    loop {
        let connection = tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => TokioIo::new(accepted?.0),
        };
        let monitor = Arc::clone(&monitor);
        let service = service_fn(move |request| ready(Ok::<_, Infallible>(answer(&monitor, &request))));
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(connection, service);
        // A client that closes its connection early is not an error of the service.
        tokio::spawn(connections.watch(connection));
    }
    connections.shutdown().await;
    Ok(())
}

/// Answers from the latest runs, without running any check.
fn answer(monitor: &Monitor, request: &Request<Incoming>) -> Response<String> {
    let probe = match request.uri().path() {
        "/livez" => Probe::liveness(),
        "/readyz" => Probe::readiness(),
        _ => return respond(404, String::new()),
    };
    let answer = monitor.probe(&probe);
    respond(answer.status_code(), answer.text())
}

fn respond(status: u16, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
