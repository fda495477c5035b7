//! Measures the cost of a plain HTTP check compared with a bare hyper exchange; `.ci/instructions` runs it under callgrind.
//!
//! Modes: `checks N` runs N checks through the engine, `hyper N` makes N bare exchanges, each on a new
//! connection, and `rss N` prints the peak resident memory (kB) of N checks. The server is a separate process.

#![allow(clippy::print_stdout, missing_docs, reason = "a program for a script")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use checkup_core::{Check, Checkup};
use checkup_http::Http;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const WORKERS: usize = 256;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let mode = arguments.next().unwrap_or_default();
    let count = arguments.next().map_or(Ok(100), |count| count.parse())?;
    if mode == "server" {
        return serve();
    }
    let server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match mode.as_str() {
        "hyper" => runtime.block_on(hyper_exchanges(server.address, count)),
        "checks" => runtime.block_on(checks(server.address, count)),
        "rss" => {
            runtime.block_on(checks(server.address, count))?;
            println!("{}", peak_kilobytes()?);
            Ok(())
        }
        // `cargo bench` and `cargo test` run this, to check that both modes work.
        _ => {
            runtime.block_on(hyper_exchanges(server.address, 10))?;
            runtime.block_on(checks(server.address, 10))
        }
    }
}

/// The peak resident memory of this process, as reported by Linux.
fn peak_kilobytes() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

async fn hyper_exchanges(address: SocketAddr, count: usize) -> Result<(), Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS.min(count) {
        let next = Arc::clone(&next);
        workers.spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < count {
                hyper_exchange(address).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(())
}

async fn checks(address: SocketAddr, count: usize) -> Result<(), Failure> {
    let url = format!("http://{address}/");
    let checks = (0..count).map(|_| Check::new("check", Http::new(url.as_str())));
    let report = Checkup::builder().checks(checks).build()?.check().await;
    if !report.is_healthy() {
        return Err(report.to_string().into());
    }
    Ok(())
}

async fn hyper_exchange(address: SocketAddr) -> Result<(), Failure> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = http::Request::get("/").header("host", address.to_string()).body(Empty::<bytes::Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status != 200 || body != "ok" {
        return Err("a wrong answer".into());
    }
    Ok(())
}

/// The server, in a separate process to exclude its instructions from the count.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output of the server")?).read_line(&mut line)?;
        Ok(Self { address: line.trim().parse()?, process })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    for stream in listener.incoming() {
        let mut stream = stream?;
        std::thread::spawn(move || {
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(read @ 1..) => request.extend_from_slice(&buffer[..read]),
                    _ => return,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok");
            let _ = stream.read(&mut buffer);
        });
    }
    Ok(())
}
