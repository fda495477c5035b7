//! The TLS checker passes the conformance suite for checkers.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use checkup_testkit::conformance::CheckerFixture;
use checkup_testkit::{Ca, TcpServer, TlsOptions, TlsServer};
use checkup_tls::Tls;

fn factory() -> CheckerFixture {
    let ca = Ca::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, ca.pem()).unwrap();
    let healthy = TlsServer::silent(ca.server(&["127.0.0.1"]), TlsOptions::new());
    let failing = TlsServer::silent(Ca::new().server(&["127.0.0.1"]), TlsOptions::new());
    let (silent, endless) = (Arc::new(TcpServer::silent()), TcpServer::endless("", "all work and no play "));
    let at = move |address: std::net::SocketAddr| {
        let file = file.clone();
        move || Tls::new(address.to_string()).trusted_roots([&file])
    };
    let addresses = [healthy.addr(), failing.addr(), silent.addr(), endless.addr()].map(at);
    let [to_healthy, to_failing, to_silent, to_endless] = addresses;
    let counted = Arc::clone(&silent);
    CheckerFixture::new(to_healthy)
        .failing(to_failing)
        .hanging(to_silent)
        .endless(to_endless)
        .tries(move || healthy.tcp().accepted() + failing.tcp().accepted() + counted.accepted())
        .open(move || silent.open())
        .keep((dir, endless))
}

checkup_testkit::checker_conformance!(factory, without: [secret]);
