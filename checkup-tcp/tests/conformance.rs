//! The TCP checker passes the conformance suite for checkers, both plain and over TLS.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use checkup_tcp::{Tcp, TlsSettings};
use checkup_testkit::conformance::CheckerFixture;
use checkup_testkit::{Ca, TcpServer, TlsOptions, TlsServer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

const SECRET: &str = "hunter2";

/// Answers each line with `+OK` and the line.
async fn echo(connection: impl AsyncRead + AsyncWrite + Unpin) {
    let mut connection = BufReader::new(connection);
    let mut line = String::new();
    let _ = connection.read_line(&mut line).await;
    let _ = connection.write_all(format!("+OK {line}").as_bytes()).await;
    let _ = connection.shutdown().await;
}

fn greeting(server: std::net::SocketAddr) -> Tcp {
    Tcp::new(server.to_string()).send(format!("AUTH {SECRET}\n"))
}

mod plain {
    use super::*;

    fn factory() -> CheckerFixture {
        let servers = Arc::new([TcpServer::start(echo), TcpServer::start(|_| async {}), TcpServer::silent()]);
        let [echoing, closing, silent] = [0, 1, 2].map(|index: usize| servers[index].addr());
        let endless = TcpServer::endless("", "all work and no play ");
        let endless_addr = endless.addr();
        let counted = Arc::clone(&servers);
        CheckerFixture::new(move || greeting(echoing).expect("+OK"))
            .failing(move || greeting(closing).expect("+OK"))
            .hanging(move || greeting(silent).expect("+OK"))
            .endless(move || greeting(endless_addr).expect("+OK"))
            .tries(move || servers.iter().map(TcpServer::accepted).sum())
            .open(move || counted[2].open())
            .secret(SECRET)
            .keep(endless)
    }

    checkup_testkit::checker_conformance!(factory);
}

mod tls {
    use super::*;

    fn factory() -> CheckerFixture {
        let ca = Ca::new();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, ca.pem()).unwrap();
        let identity = || ca.server(&["127.0.0.1"]);
        let servers = Arc::new([
            TlsServer::start(identity(), TlsOptions::new(), echo),
            // Signed by an authority that the check does not trust.
            TlsServer::start(Ca::new().server(&["127.0.0.1"]), TlsOptions::new(), echo),
            TlsServer::silent(identity(), TlsOptions::new()),
        ]);
        let settings = move |server| greeting(server).tls(TlsSettings::new().ca_file(&file)).expect("+OK");
        let at = |index: usize| {
            let (settings, server) = (settings.clone(), servers[index].addr());
            move || settings(server)
        };
        let counted = Arc::clone(&servers);
        CheckerFixture::new(at(0))
            .failing(at(1))
            .hanging(at(2))
            .tries({
                let servers = Arc::clone(&servers);
                move || servers.iter().map(|server| server.tcp().accepted()).sum()
            })
            .open(move || counted[2].tcp().open())
            .secret(SECRET)
            .keep(dir)
    }

    checkup_testkit::checker_conformance!(factory, without: [endless]);
}
