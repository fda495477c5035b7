//! Checks real servers, stores the results and prints them: `cargo run -p checkup-quickstart`. With `-- --serve` it keeps checking,
//! and serves the status page.
//!
//! The servers are small and run on loopback, so that it works without the internet: one is healthy, one is slow, one fails, and one
//! speaks a line protocol over TCP. The results are stored in memory.
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use checkup::archive::{Archive, MemoryFiles};
use checkup::http::Http;
use checkup::statuspage::{Site, StatusPage};
use checkup::tcp::Tcp;
use checkup::{Check, Checkup, Monitor, check_fn, statuspage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where the status page is served, if the port is free.
const PAGE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let is_serving = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--serve") => true,
        Some(other) => return Err(format!("expected `--serve` or nothing, found `{other}`").into()),
    };
    let (web, cache, closed) = (web_server().await?, cache_server().await?, closed_port().await?);

    let checkup = Checkup::builder()
        .check(Check::new("API", Http::new(format!("http://{web}/health")).must_contain("ok")).attempts(3))
        .check(Check::new("Search", Http::new(format!("http://{web}/search"))).threshold_rtt(Duration::from_millis(50)))
        .check(Check::new("Shop", Http::new(format!("http://{web}/shop"))))
        .check(Check::new("Cache", Tcp::new(cache.to_string()).send("PING\r\n").expect("PONG")))
        .check(Check::new("Database", Tcp::new(closed.to_string())))
        .check(check_fn("Disk", || async { std::fs::metadata("/").map(|_| ()) }))
        .storage(Archive::new(MemoryFiles::new()))
        .build()?;

    let report = checkup.check_and_store().await?;
    println!("{report}");

    if is_serving {
        return serve(checkup).await;
    }
    println!("Next: `cargo run -p checkup-quickstart -- --serve` keeps checking, and serves the status page.");
    println!("      `cargo run -p checkup-cli -- https://example.com` checks your own URL.");
    Ok(())
}

/// Checks every ten seconds, and serves the status page until the process is stopped.
async fn serve(checkup: Checkup) -> Result<(), Box<dyn std::error::Error>> {
    let monitor = Monitor::builder(checkup).interval(Duration::from_secs(10)).start()?;
    let page = StatusPage::new().title("Quickstart");
    let site = Site::of_monitor(monitor.into()).page(page).build()?;
    let listener = match TcpListener::bind(PAGE).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
    };
    println!("The status page: http://{}/ (Ctrl-C stops it)", listener.local_addr()?);
    statuspage::serve(listener, site.router(), pending()).await?;
    Ok(())
}

/// A web server with a healthy, a slow and a broken page.
async fn web_server() -> io::Result<SocketAddr> {
    let search = || async {
        tokio::time::sleep(Duration::from_millis(120)).await;
        "results"
    };
    let router = Router::new()
        .route("/health", get(|| async { r#"{"status":"ok"}"# }))
        .route("/search", get(search))
        .route("/shop", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "something broke") }));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(statuspage::serve(listener, router, pending()));
    Ok(address)
}

/// A server that answers `PING` as Redis does.
async fn cache_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer_ping(connection));
        }
    });
    Ok(address)
}

async fn answer_ping(mut connection: TcpStream) -> io::Result<()> {
    let mut request = [0; 64];
    while connection.read(&mut request).await? > 0 {
        connection.write_all(b"+PONG\r\n").await?;
    }
    Ok(())
}

/// A port on which nothing listens.
async fn closed_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()
}
