//! Slow readers of large files do not fill the memory. In a process of its own, which is measured.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::net::SocketAddr;

use checkup_core::{Attempt, CheckResult, IntoStorage as _, Timestamp};
use checkup_statuspage::{Site, serve};
use checkup_storage_fs::Fs;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const MIB: usize = 1 << 20;

/// A figure of `/proc/self/status`, in bytes.
fn memory(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// A check file of more than 4 MB, as compaction makes them.
fn large_file() -> Vec<u8> {
    let results = (0..31_000_i64).map(|number| {
        let mut result = CheckResult::new(format!("check {}", number % 20), "https://shop.example.com/health");
        result.timestamp = Timestamp::from_unix_nanos(1_795_340_100_000_000_000 + number * 1_000_000_000);
        result.attempts =
            vec![Attempt::success(std::time::Duration::from_micros(20_000 + number.unsigned_abs() * 7919 % 60_000))];
        result
    });
    checkup_core::check_file::encode(&results.collect::<Vec<_>>()).unwrap()
}

/// Asks for a file, and reads no more than the first line of the answer.
async fn ask(server: SocketAddr, name: &str) -> (TcpStream, u16) {
    let mut connection = TcpStream::connect(server).await.unwrap();
    let request = format!("GET /{name} HTTP/1.1\r\nHost: {server}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut line = [0; 12];
    connection.read_exact(&mut line).await.unwrap();
    let status = std::str::from_utf8(&line[9..]).unwrap().parse().unwrap();
    (connection, status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_of_large_files_share_a_bounded_memory() {
    const FILES: i64 = 16;
    const READERS: usize = 200;
    let dir = TempDir::new().unwrap();
    let content = large_file();
    assert!(content.len() > 4 * MIB - MIB / 2, "{}", content.len());
    let names: Vec<_> = (0..FILES).map(|number| format!("{}-check.json", 1_795_340_100_000_000_000 + number)).collect();
    for name in &names {
        std::fs::write(dir.path().join(name), &content).unwrap();
    }
    let size = content.len();
    drop(content);
    let site = Site::of_storage(Fs::new(dir.path()).into_storage().unwrap()).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, site.router(), std::future::pending()));
    // The peak counts from here.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS");
    let readers = (0..READERS).map(|number| {
        let name = names[number % names.len()].clone();
        tokio::spawn(async move { ask(server, &name).await })
    });
    let mut open = Vec::new();
    let mut refused = 0;
    for reader in readers.collect::<Vec<_>>() {
        match reader.await.unwrap() {
            (connection, 200) => open.push(connection),
            (_, 503) => refused += 1,
            (_, status) => panic!("{status}"),
        }
    }
    let grown = memory("VmHWM").saturating_sub(before);
    // Each answer on its own would be more than 700 MB; one copy of each file, 66 MB and as much again in preparation.
    assert!(open.len() * size > 150 * MIB, "{} were answered", open.len());
    assert!(refused > 0, "there is no room for all files");
    assert!(grown < 110 * MIB, "{} MiB for {} answers of {} KiB", grown / MIB, open.len(), size / 1024);
    // What is small is answered meanwhile, and what a client has already costs nothing.
    let (_, status) = ask(server, "healthz").await;
    assert_eq!(status, 200);
    // When the readers are gone, there is room again: for those who wait as long as it takes the server to see it.
    drop(open);
    while ask(server, &names[15]).await.1 == 503 {}
    assert_eq!(ask(server, &names[15]).await.1, 200);
}
