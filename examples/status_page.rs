//! A service that serves its own status page from its monitor, with `/status/readyz`, `/status/metrics` and badges.
//!
//! `cargo run --example status_page` prints what is served and exits. With `-- --serve` it serves until Ctrl-C, so that you
//! can open the URL.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use checkup::archive::{Archive, MemoryFiles};
use checkup::http::Http;
use checkup::statuspage::{Site, StatusPage, serve};
use checkup::{Check, Checkup, Monitor, check_fn};
use checkup_testkit::{HttpServer, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let bank = HttpServer::start(|_| Response::new(503));
    let queue = Arc::new(AtomicUsize::new(0));
    let length = Arc::clone(&queue);
    let checkup = Checkup::builder()
        .check(Check::new("Bank", Http::new(bank.url("/health"))).group("Partners"))
        .check(
            check_fn("Queue", move || {
                let length = length.load(Ordering::Relaxed);
                async move { if length < 100 { Ok(()) } else { Err(format!("{length} jobs wait")) } }
            })
            .group("Orders")
            .tag("readiness"),
        )
        // The history is in memory here; a real service uses `Fs` or `S3`, so that it survives restarts.
        .storage(Archive::new(MemoryFiles::new()))
        .build()?;
    let (monitor, mut runs) = Monitor::builder(checkup).interval(Duration::from_secs(1)).start_and_subscribe()?;
    let monitor = Arc::new(monitor);

    let page = StatusPage::new().title("Shop").description("The status of the shop.");
    let site = Site::of_monitor(Arc::clone(&monitor)).page(page).build()?;
    let app = Router::new().route("/", get(|| async { "the shop" })).nest_service("/status", site.router());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("http://{address}/status");
    let server = tokio::spawn(serve(listener, app, async { drop(tokio::signal::ctrl_c().await) }));
    runs.next().await.ok_or("the monitor runs")?;

    for path in ["/status", "/status/"] {
        let page = answer(address, path).await?;
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("<title>"), "{page}");
    }
    for path in ["/status/readyz?tag=readiness", "/status/badge/Bank.svg", "/status/api/v1/status"] {
        let answer = answer(address, path).await?;
        println!("{path}: {}", answer.lines().next().unwrap_or_default());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    if std::env::args().any(|argument| argument == "--serve") {
        server.await??;
    }
    monitor.shutdown().await;
    Ok(())
}

async fn answer(address: std::net::SocketAddr, path: &str) -> Result<String, std::io::Error> {
    let mut connection = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
