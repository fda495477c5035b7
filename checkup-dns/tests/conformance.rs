//! The DNS checker passes the conformance suite for checkers.

use std::sync::Arc;

use checkup_dns::{Dns, Transport};
use checkup_testkit::conformance::CheckerFixture;
use checkup_testkit::{DnsAnswer, DnsServer, TcpServer};

fn factory() -> CheckerFixture {
    let server = Arc::new(DnsServer::start(|name| match name {
        "api.example.test" => DnsAnswer::A(vec![[192, 0, 2, 10].into()]),
        _ => DnsAnswer::Code(3),
    }));
    let silent = Arc::new(TcpServer::silent());
    // Every message claims to be of 0x6161 bytes.
    let endless = TcpServer::endless("", "a");
    let (addr, silent_addr, endless_addr) = (server.addr(), silent.addr(), endless.addr());
    let ask = |server: std::net::SocketAddr, name: &str| Dns::new(server.to_string()).hostname(name);
    let counted = Arc::clone(&silent);
    CheckerFixture::new(move || ask(addr, "api.example.test"))
        .failing(move || ask(addr, "nowhere.example.test"))
        .hanging(move || ask(silent_addr, "api.example.test").transport(Transport::Tcp))
        .endless(move || ask(endless_addr, "api.example.test").transport(Transport::Tcp))
        .tries(move || server.queries() + silent.accepted())
        .open(move || counted.open())
        .keep(endless)
}

// No setting holds a secret.
checkup_testkit::checker_conformance!(factory, without: [secret]);
