//! The HTTP checker passes the conformance suite for checkers.

use std::sync::Arc;

use checkup_http::Http;
use checkup_testkit::conformance::CheckerFixture;
use checkup_testkit::{HttpServer, Response, TcpServer};

const SECRET: &str = "hunter2";

/// Settings with a secret in the URL, in a header and in the body.
fn http(path: &str, server: std::net::SocketAddr) -> Http {
    Http::new(format!("http://user:{SECRET}@{server}{path}"))
        .method("POST")
        .header("X-Token", SECRET)
        .body(format!("token={SECRET}"))
        .must_contain("fine")
}

fn factory() -> CheckerFixture {
    let server = Arc::new(HttpServer::start(|request| match request.target.as_str() {
        "/health" => Response::new(200).body("all is fine"),
        _ => Response::new(500).body(request.body),
    }));
    let silent = Arc::new(TcpServer::silent());
    let endless = TcpServer::endless("HTTP/1.1 200 OK\r\n\r\n", "all work and no play ");
    let (addr, silent_addr, endless_addr) = (server.addr(), silent.addr(), endless.addr());
    let counted = Arc::clone(&silent);
    CheckerFixture::new(move || http("/health", addr))
        .failing(move || http("/broken", addr))
        .hanging(move || http("/health", silent_addr))
        .endless(move || http("/health", endless_addr))
        .tries(move || server.connections() + silent.accepted())
        .open(move || counted.open())
        .secret(SECRET)
        .keep(endless)
}

checkup_testkit::checker_conformance!(factory);
