//! Checks real servers, stores the results and prints them: `cargo run --release --example quickstart`.
//!
//! The servers are small and run on loopback, so that it works without the internet: one is healthy, one is slow, one fails,
//! one speaks a line protocol over TCP, and one answers DNS queries.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use checkup::dns::Dns;
use checkup::http::Http;
use checkup::storage_fs::Fs;
use checkup::tcp::Tcp;
use checkup::{Check, Checkup, Timestamp, check_fn};
use checkup_testkit::{DnsAnswer, DnsServer, HttpServer, Response, TcpServer, closed_port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let web = HttpServer::start(|request| match request.target.as_str() {
        "/health" => Response::new(200).header("Content-Type", "application/json").body(r#"{"status":"ok"}"#),
        "/search" => Response::new(200).body("results").delay(Duration::from_millis(120)),
        _ => Response::new(500).body("something broke"),
    });
    let cache = TcpServer::start(answer_ping);
    let names = DnsServer::start(|name| match name {
        "api.example.test" => DnsAnswer::A(vec![Ipv4Addr::new(192, 0, 2, 10)]),
        _ => DnsAnswer::Code(3),
    });

    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/quickstart");
    let checkup = Checkup::builder()
        .check(Check::new("API", Http::new(web.url("/health")).must_contain("ok")).attempts(3))
        .check(Check::new("Search", Http::new(web.url("/search"))).threshold_rtt(Duration::from_millis(50)))
        .check(Check::new("Shop", Http::new(web.url("/shop"))))
        .check(Check::new("Cache", Tcp::new(cache.addr().to_string()).send("PING\r\n").expect("PONG")))
        .check(Check::new("Database", Tcp::new(closed_port().to_string())))
        .check(Check::new("DNS", Dns::new(names.addr().to_string()).hostname("api.example.test")))
        .check(Check::new("Old name", Dns::new(names.addr().to_string()).hostname("old.example.test")))
        .check(check_fn("Disk", || async { std::fs::metadata("/").map(|_| ()) }))
        .storage(Fs::new(&dir).check_expiry(Duration::from_secs(3600)))
        .build()?;

    let report = checkup.check_and_store().await?;
    println!("{report}");

    let reader = checkup.storage().and_then(|storage| storage.reader()).ok_or("the file storage can be read")?;
    let files = reader.list(Timestamp::now().saturating_sub(Duration::from_secs(3600))).await?;
    println!("Stored in {} ({} runs in the last hour).", dir.display(), files.len());
    println!("Next: `cargo run --release -p checkup-cli -- init` writes a config to start from.");
    Ok(())
}

/// Answers `PING` as Redis does.
async fn answer_ping(mut connection: TcpStream) {
    let mut request = [0; 64];
    while connection.read(&mut request).await.is_ok_and(|length| length > 0) {
        if connection.write_all(b"+PONG\r\n").await.is_err() {
            return;
        }
    }
}
