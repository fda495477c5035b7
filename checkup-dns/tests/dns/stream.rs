//! Servers over TCP that are broken or lie.

use std::future::pending;

use checkup_core::Cause;
use checkup_dns::{Dns, Transport};
use checkup_testkit::{TcpServer, closed_port, reset};
use hickory_proto::op::{Message, ResponseCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::datagram_server::{address, bytes, empty};
use crate::{AMPLE, SHORT, assert_down, assert_healthy, check_within, failure};

const NAME: &str = "www.example.test.";

fn dns(server: &TcpServer) -> Dns {
    Dns::new(server.addr().to_string()).transport(Transport::Tcp).hostname(NAME)
}

async fn query(stream: &mut TcpStream) -> Message {
    let length = stream.read_u16().await.unwrap();
    let mut query = vec![0; usize::from(length)];
    stream.read_exact(&mut query).await.unwrap();
    Message::from_vec(&query).unwrap()
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_times_out() {
    let server = TcpServer::silent();
    let result = check_within(SHORT, dns(&server)).await;
    assert_down(&result, Cause::Timeout, "timed out after 300ms waiting for the first byte of the answer");
    // The attempt has closed the connection.
    server.wait_idle().await;
}

#[tokio::test]
async fn a_server_that_announces_more_than_it_sends_times_out() {
    let server = TcpServer::start(|mut stream| async move {
        let _ = query(&mut stream).await;
        let _ = stream.write_all(&[0xff, 0xff, 0, 0]).await;
        pending::<()>().await;
    });
    let result = check_within(SHORT, dns(&server)).await;
    assert_down(&result, Cause::Timeout, "timed out after 300ms receiving the answer");
}

#[tokio::test]
async fn an_endless_answer_is_read_up_to_one_message() {
    let server = TcpServer::start(|mut stream| async move {
        let _ = query(&mut stream).await;
        while stream.write_all(&[0xff; 4096]).await.is_ok() {}
    });
    let result = check_within(AMPLE, dns(&server)).await;
    let (cause, message) = failure(&result);
    assert_eq!(cause, Cause::Protocol);
    assert!(message.starts_with("the answer is not a valid DNS message: "), "{message}");
}

#[tokio::test]
async fn a_closed_connection_is_named_with_how_much_arrived() {
    let server = TcpServer::start(|mut stream| async move {
        let _ = query(&mut stream).await;
    });
    let result = check_within(AMPLE, dns(&server)).await;
    assert_down(&result, Cause::Network, "the server closed the connection without an answer");

    let server = TcpServer::start(|mut stream| async move {
        let _ = query(&mut stream).await;
        let _ = stream.write_all(&[0, 100, 1, 2, 3]).await;
    });
    let result = check_within(AMPLE, dns(&server)).await;
    assert_down(&result, Cause::Network, "the server closed the connection after 3 of 100 bytes of the answer");
}

#[tokio::test]
async fn a_reset_is_named() {
    let server = TcpServer::start(|mut stream| async move {
        let _ = query(&mut stream).await;
        reset(stream);
    });
    let result = check_within(AMPLE, dns(&server)).await;
    assert_eq!(failure(&result).0, Cause::Network, "{result:?}");
}

#[tokio::test]
async fn an_empty_message_is_refused() {
    let server = TcpServer::start(|mut stream| async move {
        let _ = query(&mut stream).await;
        let _ = stream.write_all(&[0, 0]).await;
        pending::<()>().await;
    });
    let result = check_within(AMPLE, dns(&server)).await;
    assert_down(&result, Cause::Protocol, "the answer is cut off after 0 bytes; its header alone has 12");
}

#[tokio::test]
async fn another_id_is_an_error() {
    let server = TcpServer::start(|mut stream| async move {
        let mut answer = address(&query(&mut stream).await, NAME);
        answer.metadata.id = !answer.id;
        let answer = bytes(&answer);
        let _ = stream.write_u16(u16::try_from(answer.len()).unwrap()).await;
        let _ = stream.write_all(&answer).await;
        pending::<()>().await;
    });
    let result = check_within(AMPLE, dns(&server)).await;
    assert_down(&result, Cause::Protocol, "the answer does not have the id of the query");
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let closed = closed_port();
    let result = check_within(AMPLE, Dns::new(closed.to_string()).transport(Transport::Tcp).hostname(NAME)).await;
    assert_down(&result, Cause::Refused, &format!("connection to {closed} refused"));
}

/// Answers a query without EDNS. A query with EDNS gets no answer: the connection stays open, or is closed.
async fn without_edns(mut stream: TcpStream, closes: bool) {
    let query = query(&mut stream).await;
    if query.edns.is_none() {
        let answer = bytes(&address(&query, NAME));
        let _ = stream.write_u16(u16::try_from(answer.len()).unwrap()).await;
        let _ = stream.write_all(&answer).await;
    } else if !closes {
        // Until the client closes the connection.
        let _ = stream.read(&mut [0]).await;
    }
}

#[tokio::test]
async fn a_server_that_drops_edns_or_closes_because_of_it_is_asked_again_without() {
    for closes in [false, true] {
        let server = TcpServer::start(move |stream| without_edns(stream, closes));
        assert_healthy(&check_within(AMPLE, dns(&server).expect("192.0.2.10")).await);
        assert_eq!(server.accepted(), 2, "one connection for each query");
        // The attempt has closed both.
        server.wait_idle().await;
    }
}

#[tokio::test]
async fn a_server_that_refuses_edns_is_asked_again_without_on_the_same_connection() {
    let server = TcpServer::start(|mut stream| async move {
        for _ in 0..2 {
            let query = query(&mut stream).await;
            let refused = query.edns.is_some();
            let answer = bytes(&if refused { empty(&query, ResponseCode::FormErr) } else { address(&query, NAME) });
            let _ = stream.write_u16(u16::try_from(answer.len()).unwrap()).await;
            let _ = stream.write_all(&answer).await;
        }
        pending::<()>().await;
    });
    assert_healthy(&check_within(AMPLE, dns(&server)).await);
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_server_that_is_only_slow_is_believed() {
    let server = TcpServer::start(|mut stream| async move {
        let query = query(&mut stream).await;
        if query.edns.is_none() {
            // The second connection has been made, and does not answer.
            return pending::<()>().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let answer = bytes(&address(&query, NAME));
        let _ = stream.write_u16(u16::try_from(answer.len()).unwrap()).await;
        let _ = stream.write_all(&answer).await;
        pending::<()>().await;
    });
    assert_healthy(&check_within(AMPLE, dns(&server)).await);
}
