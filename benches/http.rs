//! Compares a plain HTTP check through the engine with a bare hyper exchange, each on a new connection.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::net::SocketAddr;

use checkup::http::Http;
use checkup::{Check, Checkup};
use checkup_testkit::{HttpServer, Response};
use criterion::{Criterion, criterion_group, criterion_main};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

fn http(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let server = runtime.block_on(async { HttpServer::start(|_| Response::new(200).body("ok")) });
    let mut group = criterion.benchmark_group("http");

    let address = server.addr();
    group.bench_function("bare hyper exchange", |bencher| {
        bencher.iter(|| runtime.block_on(exchange(address)).expect("an exchange"));
    });

    let check = Check::new("API", Http::new(server.url("/")));
    let checkup = Checkup::builder().check(check).build().expect("a valid check");
    group.bench_function("check through the engine", |bencher| {
        bencher.iter(|| runtime.block_on(checkup.check()).assert_healthy());
    });
    group.finish();
}

async fn exchange(address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get("/").header("Host", address.to_string()).body(Empty::<&[u8]>::new())?;
    let body = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
    assert_eq!(body, "ok");
    drop(sender);
    connection.await??;
    Ok(())
}

criterion_group!(benches, http);
criterion_main!(benches);
