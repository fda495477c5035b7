//! Malicious and broken servers: every check ends in time and is down, with a reason that names the cause.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod support;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checkup_core::Cause;
use checkup_http::{Http, JsonAssertion, TlsSettings};
use checkup_testkit::{Ca, HttpServer, Response, TcpServer, TlsOptions, TlsServer, closed_port, reset};
use flate2::Compression;
use flate2::write::GzEncoder;
use support::{down, down_in_time, up};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn url(server: &TcpServer) -> String {
    format!("http://{}/", server.addr())
}

/// Reads the request, so that closing the connection does not reset it.
async fn read_request(connection: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && connection.read_buf(&mut request).await.is_ok_and(|length| length > 0) {}
}

/// A server that answers with these bytes and closes the connection.
fn says(answer: &'static [u8]) -> TcpServer {
    TcpServer::start(async move |mut connection: TcpStream| {
        read_request(&mut connection).await;
        let _ = connection.write_all(answer).await;
        let _ = connection.shutdown().await;
        let _ = connection.read(&mut [0]).await;
    })
}

/// A server that starts its answer with the first bytes and repeats the others until the client is gone, and a counter
/// of the bytes that it could send.
fn never_ends(start: &'static [u8], more: &'static [u8], pause: Duration) -> (TcpServer, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let server = TcpServer::start(move |mut connection: TcpStream| {
        let counter = Arc::clone(&counter);
        async move {
            read_request(&mut connection).await;
            let mut next = start;
            while connection.write_all(next).await.is_ok() {
                counter.fetch_add(next.len(), Ordering::Relaxed);
                next = more;
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        }
    });
    (server, sent)
}

const FLOOD: &[u8] = &[b'x'; 65_536];

#[tokio::test]
async fn silent_after_accept() {
    let server = TcpServer::silent();
    let (cause, reason) = down_in_time(Http::new(url(&server))).await;
    assert_eq!(cause, Cause::Timeout);
    assert_eq!(reason, "timed out after 400ms waiting for the first byte of the answer");
    server.wait_idle().await;
}

#[tokio::test]
async fn one_byte_at_a_time_in_the_head() {
    let (server, _) = never_ends(b"HTTP/1.1 200 OK\r\nx: ", b"x", Duration::from_millis(20));
    let (cause, reason) = down_in_time(Http::new(url(&server))).await;
    assert_eq!(cause, Cause::Timeout);
    assert_eq!(reason, "timed out after 400ms waiting for the first byte of the answer");
    server.wait_idle().await;
}

#[tokio::test]
async fn one_byte_at_a_time_in_the_body() {
    let (server, _) = never_ends(b"HTTP/1.1 200 OK\r\n\r\n", b"x", Duration::from_millis(20));
    let (cause, reason) = down_in_time(Http::new(url(&server)).must_contain("needle")).await;
    assert_eq!((cause, reason.as_str()), (Cause::Timeout, "timed out after 400ms receiving the answer"));
    server.wait_idle().await;
}

#[tokio::test]
async fn an_endless_head() {
    for line in ["a: b\r\n", "no end of this line"] {
        let more = line.repeat(4096).leak().as_bytes();
        let (server, sent) = never_ends(b"HTTP/1.1 200 OK\r\nx: ", more, Duration::ZERO);
        let (cause, reason) = down(Http::new(url(&server))).await;
        assert_eq!(cause, Cause::Protocol, "{reason}");
        assert_eq!(reason, "the head of the response has more than 64 KiB");
        server.wait_idle().await;
        assert!(sent.load(Ordering::Relaxed) < 64 << 20);
    }
}

#[tokio::test]
async fn endless_interim_responses() {
    let more = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(1000).leak().as_bytes();
    let (server, _) = never_ends(b"HTTP/1.1 100 Continue\r\n\r\n", more, Duration::ZERO);
    let (cause, reason) = down(Http::new(url(&server))).await;
    assert_eq!(cause, Cause::Protocol);
    assert_eq!(reason, "the server sent more than 64 KiB of interim responses (status 1xx) and no answer");
    server.wait_idle().await;
}

#[tokio::test]
async fn an_endless_body() {
    let (server, _) = never_ends(b"HTTP/1.1 200 OK\r\n\r\n", FLOOD, Duration::ZERO);
    let http = || Http::new(url(&server)).max_body_bytes(300_000);
    let reason = down(http().must_contain("needle")).await;
    let expected = "response does not contain 'needle' in its first 300000 bytes (max_body_bytes)";
    assert_eq!(reason, (Cause::Assertion, expected.to_owned()));
    for http in [
        http().must_not_contain("needle"),
        http().must_match("needle"),
        http().json(JsonAssertion::new("$")),
        http().must_contain("x").must_not_contain("y"),
    ] {
        let reason = down(http).await;
        let expected = "the response's body is longer than 300000 bytes (max_body_bytes)";
        assert_eq!(reason, (Cause::Assertion, expected.to_owned()));
    }
    // What has arrived is enough, and so is the head alone.
    up(http().must_contain("xxx")).await;
    up(http()).await;
    server.wait_idle().await;
}

#[tokio::test]
async fn a_body_is_not_read_unless_a_condition_needs_it() {
    let (server, sent) = never_ends(b"HTTP/1.1 200 OK\r\n\r\n", FLOOD, Duration::ZERO);
    up(Http::new(url(&server))).await;
    server.wait_idle().await;
    // The system's buffers hold a few megabytes on loopback.
    assert!(sent.load(Ordering::Relaxed) < 32 << 20);
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_long_is_not_read() {
    let server = says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n");
    let reason = down(Http::new(url(&server)).must_match("x")).await.1;
    assert_eq!(reason, "the response's body is longer than 1048576 bytes (max_body_bytes)");
}

#[tokio::test]
async fn a_compressed_bomb_stops_at_the_limit() {
    let server = HttpServer::start(|_| {
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![b'x'; 16 << 20]).unwrap();
        Response::new(200).header("content-encoding", "gzip").body(bomb.finish().unwrap())
    });
    up(Http::new(server.url("/"))).await;
    up(Http::new(server.url("/")).must_contain("xxx")).await;
    let reason = down(Http::new(server.url("/")).must_contain("needle")).await.1;
    assert_eq!(reason, "response does not contain 'needle' in its first 1048576 bytes (max_body_bytes)");
    let reason = down(Http::new(server.url("/")).json(JsonAssertion::new("$"))).await.1;
    assert_eq!(reason, "the response's body is longer than 1048576 bytes (max_body_bytes)");
}

#[tokio::test]
async fn an_endless_compressed_body() {
    let stored = [&b"\x00\xff\xff\x00\x00"[..], &[b'x'; 65_535]].concat().leak() as &[u8];
    let (server, _) = never_ends(b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n", stored, Duration::ZERO);
    let reason = down(Http::new(url(&server)).must_not_contain("needle").max_body_bytes(20_000)).await.1;
    assert_eq!(reason, "the response's body is longer than 20000 bytes (max_body_bytes)");
    server.wait_idle().await;
}

#[tokio::test]
async fn an_endless_body_of_one_byte_chunks() {
    let more = "1\r\nx\r\n".repeat(4096).leak().as_bytes();
    let (server, _) = never_ends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", more, Duration::ZERO);
    let reason = down(Http::new(url(&server)).must_not_contain("needle").max_body_bytes(20_000)).await.1;
    assert_eq!(reason, "the response's body is longer than 20000 bytes (max_body_bytes)");
    let (server, _) = never_ends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", FLOOD, Duration::ZERO);
    let (cause, reason) = down(Http::new(url(&server)).must_not_contain("needle")).await;
    assert_eq!(cause, Cause::Protocol, "{reason}");
}

#[tokio::test]
async fn resets_and_closes() {
    let server = TcpServer::reset();
    let (cause, reason) = down(Http::new(url(&server))).await;
    assert_eq!((cause, reason.as_str()), (Cause::Network, "connection reset by the other side"));

    for (start, expected) in [
        (&b""[..], "the server closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-", "the server closed the connection in the middle of its answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
            "the server closed the connection in the middle of its answer",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
            "the server closed the connection in the middle of its answer",
        ),
    ] {
        let server = says(start);
        let (cause, reason) = down(Http::new(url(&server)).must_contain("needle")).await;
        assert_eq!((cause, reason.as_str()), (Cause::Network, expected), "{start:?}");
    }

    let server = TcpServer::start(async |mut connection: TcpStream| {
        read_request(&mut connection).await;
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok").await;
        reset(connection);
    });
    let (cause, reason) = down(Http::new(url(&server)).must_contain("needle")).await;
    assert_eq!(cause, Cause::Network);
    // The system may discard what arrived before the reset, including the head.
    assert!(reason.ends_with("connection reset by the other side"), "{reason}");
}

#[tokio::test]
async fn other_protocols() {
    for (answer, expected) in [
        (
            &b"SSH-2.0-OpenSSH_9.9\r\n"[..],
            r#"the server does not speak HTTP; its answer begins with "SSH-2.0-OpenSSH_9.9\r\n""#,
        ),
        (
            b"\0\0\x12\x04\0\0\0\0\0",
            r#"the server does not speak HTTP; its answer begins with "\u{0}\u{0}\u{12}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}""#,
        ),
        (b"\x15\x03\x01\0\x02\x02\x46", "the server speaks TLS on this port; use https://"),
    ] {
        let server = says(answer);
        let (cause, reason) = down(Http::new(url(&server))).await;
        assert_eq!((cause, reason.as_str()), (Cause::Protocol, expected));
    }
}

#[tokio::test]
async fn a_malformed_head_names_what_is_wrong_in_it() {
    for (answer, expected) in [
        (&b"HTTP/1.1 abc\r\n\r\n"[..], r#"its status line is "HTTP/1.1 abc""#),
        (b"HTTP/1.1 abc\r\n", r#"its status line is "HTTP/1.1 abc""#),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", r#"Content-Length is "x", expected a number of bytes"#),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok", r#"Content-Length is "-1", expected a number of bytes"#),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
            r#"there are two headers Content-Length: "2" and "3""#,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nok",
            r#"Transfer-Encoding is "chunked, gzip"; chunked must be in it once, and last"#,
        ),
        (b"HTTP/1.1 200 OK\r\nServer x\r\n\r\nok", r#"line 2 of its head is "Server x", which is not a header"#),
        (b"HTTP/1.1 200 OK\r\n\0: x\r\n\r\nok", r#"the header "\u{0}" has a control character in it"#),
    ] {
        let server = says(answer);
        let (cause, reason) = down(Http::new(url(&server))).await;
        assert_eq!(cause, Cause::Protocol);
        assert_eq!(reason, format!("the server's answer is not valid HTTP: {expected}"));
        if !expected.starts_with("its status line") {
            up(Http::new(url(&server)).lenient(true)).await;
        }
    }
}

#[tokio::test]
async fn the_servers_text_is_escaped_and_bounded_in_the_reason() {
    let answer = format!("HTTP/1.1 500 \u{1b}[2J{}\r\n\r\n", "a".repeat(10_000)).leak().as_bytes();
    let server = says(answer);
    let reason = down(Http::new(url(&server))).await.1;
    assert!(!reason.contains('\u{1b}') && reason.len() < 600, "{reason}");
}

#[tokio::test]
async fn the_reason_phrase_is_the_servers() {
    let server = says(b"HTTP/1.1 503 Down for lunch\r\n\r\n");
    assert_eq!(down(Http::new(url(&server))).await.1, "response status 503 Down for lunch");
}

#[tokio::test]
async fn tls_to_a_plain_port_and_plain_to_a_tls_port() {
    let chatty = TcpServer::start(async |mut connection: TcpStream| {
        let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = connection.read(&mut [0; 1024]).await;
    });
    let (cause, reason) =
        down(Http::new(format!("https://{}/", chatty.addr())).tls(TlsSettings::new().skip_verify(true))).await;
    assert_eq!(
        (cause, reason.as_str()),
        (Cause::Tls, "the server does not speak TLS on this port; check the port, or connect without TLS")
    );

    let tls = TlsServer::silent(Ca::new().server(&["127.0.0.1"]), TlsOptions::new());
    let (cause, reason) = down(Http::new(format!("http://{}/", tls.addr()))).await;
    assert!(matches!(cause, Cause::Protocol | Cause::Network), "{reason}");
    assert_eq!(reason, "the server speaks TLS on this port; use https://");
}

#[tokio::test]
async fn silent_in_the_handshake() {
    let server = TcpServer::silent();
    let (cause, reason) =
        down_in_time(Http::new(format!("https://{}/", server.addr())).tls(TlsSettings::new().skip_verify(true))).await;
    assert_eq!((cause, reason.as_str()), (Cause::Timeout, "timed out after 400ms in the TLS handshake"));
    server.wait_idle().await;
}

#[tokio::test]
async fn refused_and_unresolvable() {
    let address = closed_port();
    let (cause, reason) = down(Http::new(format!("http://{address}/"))).await;
    assert_eq!((cause, reason), (Cause::Refused, format!("connection to {address} refused")));
    // Resolvers send no query for a label of 64 characters.
    let name = format!("{}.invalid", "a".repeat(64));
    let (cause, reason) = down(Http::new(format!("http://{name}/"))).await;
    assert_eq!(cause, Cause::Dns, "{reason}");
    assert!(reason.starts_with("cannot resolve "), "{reason}");
}
