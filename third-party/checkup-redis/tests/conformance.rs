//! Tests the contract of `Checker`, with a loopback server that answers like Redis.

use std::sync::Arc;

use checkup_redis::Redis;
use checkup_testkit::conformance::CheckerFixture;
use checkup_testkit::{TcpServer, closed_port};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

fn factory() -> CheckerFixture {
    let [healthy, hanging] = [TcpServer::start(pong), TcpServer::silent()].map(Arc::new);
    let endless = TcpServer::endless("+", "x");
    let redis = |addr: std::net::SocketAddr| Redis { endpoint_url: addr.to_string(), password: "hunter2".into() };
    let (up, silent, open, long) = (healthy.addr(), hanging.addr(), Arc::clone(&hanging), endless.addr());
    CheckerFixture::new(move || redis(up))
        .failing(move || redis(closed_port()))
        .hanging(move || redis(silent))
        .endless(move || redis(long))
        .open(move || open.open())
        .secret("hunter2")
        .keep((healthy, endless))
}

/// Answers each command with its last word.
async fn pong(connection: TcpStream) {
    let mut connection = BufReader::new(connection);
    let mut word = String::new();
    while connection.read_line(&mut word).await.is_ok_and(|length| length > 0) {
        let answer = match word.trim_end() {
            "hunter2" => "+OK\r\n",
            "PING" => "+PONG\r\n",
            _ => "",
        };
        if connection.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        word.clear();
    }
}

checkup_testkit::checker_conformance!(factory, without: [tries]);
