//! Responses seen in the field, byte for byte, and the correct verdict on each.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod support;

use std::io::Write;

use checkup_core::Cause;
use checkup_http::{Http, JsonAssertion};
use checkup_testkit::TcpServer;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use support::{down, up};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server that answers every request with these bytes, and closes the connection.
fn says(answer: impl Into<Vec<u8>>) -> TcpServer {
    let answer = std::sync::Arc::new(answer.into());
    TcpServer::start(move |mut connection: TcpStream| {
        let answer = std::sync::Arc::clone(&answer);
        async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                if !connection.read_buf(&mut request).await.is_ok_and(|length| length > 0) {
                    return;
                }
            }
            let _ = connection.write_all(&answer).await;
            let _ = connection.shutdown().await;
            let _ = connection.read(&mut [0]).await;
        }
    })
}

fn get(server: &TcpServer) -> Http {
    Http::new(format!("http://{}/", server.addr()))
}

/// A response with these headers and this body.
fn response(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn heads_that_browsers_and_curl_accept_are_accepted() {
    let many: String = (0..101).map(|index| format!("X-H{index}: 1\r\n")).collect();
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Security-Policy: default-src 'self'\r\n  https://a.example\r\nContent-Length: 2\r\n\r\nok".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nok".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 2\r\n\r\nok"),
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=\"y\"\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 900\r\n\r\n2\r\nok\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok".to_owned(),
        "HTTP/1.1 200\r\nServer : x\r\n\r\nok".to_owned(),
        "HTTP/1.1 200 OK\nEmpty:\nno name: x\n\nok".to_owned(),
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(),
    ] {
        let server = says(answer.as_str());
        up(get(&server)).await;
        up(get(&server).must_match("^ok$")).await;
    }
}

#[tokio::test]
async fn encoded_bodies_are_decoded_before_they_are_searched() {
    let text = b"welcome, this is not an error";
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(text).unwrap();
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(text).unwrap();
    for answer in [
        response("Content-Encoding: gzip\r\n", &gzip(text)),
        response("Content-Encoding: X-GZip, identity\r\n", &gzip(text)),
        response("Content-Encoding: deflate\r\n", &zlib.finish().unwrap()),
        response("Content-Encoding: deflate\r\n", &deflate.finish().unwrap()),
        response("Content-Encoding: gzip, gzip\r\n", &gzip(&gzip(text))),
        response("Content-Encoding: gzip\r\n", &[gzip(text), b"garbage".to_vec()].concat()),
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n".to_vec(), gzip(text)].concat(),
    ] {
        let server = says(answer);
        up(get(&server).must_contain("welcome")).await;
        assert_eq!(down(get(&server).must_not_contain("error")).await.1, "response contains 'error'");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_decoded_names_its_coding() {
    for (answer, expected) in [
        (
            response("Content-Encoding: compress\r\n", b"x"),
            "the response's content coding is \"compress\", expected gzip, deflate, br or zstd",
        ),
        (
            response("Content-Encoding: gzip\r\n", b"<html>plain text</html>"),
            "the response's body is not valid gzip, which its coding says it is",
        ),
        (
            response("Content-Encoding: gzip\r\n", &gzip(b"error")[..15]),
            "the response's body is incomplete: its gzip coding does not end",
        ),
        (
            response("Content-Type: text/plain; charset=utf-32\r\n", b"error"),
            "the response's charset is \"utf-32\", which is not supported",
        ),
    ] {
        let server = says(answer);
        let outcome = down(get(&server).must_not_contain("error")).await;
        assert_eq!(outcome, (Cause::Protocol, expected.to_owned()));
        // Without a condition on the body, it does not matter.
        up(get(&server)).await;
    }
}

#[tokio::test]
async fn texts_are_found_in_every_charset() {
    let utf_16 = "Grüße".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    for answer in [
        response("Content-Type: text/html; charset=iso-8859-1\r\n", b"Gr\xfc\xdfe"),
        response("Content-Type: text/html; charset=\"windows-1252\"\r\n", b"Gr\xfc\xdfe"),
        response("Content-Type: text/html\r\n", "Grüße".as_bytes()),
        response("", &[b"\xfe\xff", &utf_16[..]].concat()),
        response("Content-Type: text/plain; charset=utf-16\r\n", &utf_16),
        response("Content-Type: text/plain; charset=latin1\r\nContent-Encoding: gzip\r\n", &gzip(b"Gr\xfc\xdfe")),
    ] {
        let server = says(answer);
        up(get(&server).must_contain("Grüße").must_match("^Grüße$")).await;
        down(get(&server).must_not_contain("üß")).await;
    }
}

#[tokio::test]
async fn json_is_read_after_a_byte_order_mark_and_in_utf_16() {
    let utf_16 = "{\"status\":\"ok\"}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for body in [b"\xef\xbb\xbf{\"status\":\"ok\"}".to_vec(), [b"\xff\xfe", &utf_16[..]].concat(), utf_16] {
        up(get(&says(response("", &body))).json(JsonAssertion::new("$.status").equals("ok"))).await;
    }
}

#[tokio::test]
async fn json_numbers_are_compared_exactly() {
    let server = says(response("", b"{\"id\":9007199254740992, \"sum\":0.30000000000000004, \"big\":1e400}"));
    let (cause, reason) = down(get(&server).json(JsonAssertion::new("$.id").equals(9_007_199_254_740_993_u64))).await;
    assert_eq!(
        (cause, reason.as_str()),
        (Cause::Assertion, "json $.id is 9007199254740992, expected 9007199254740993")
    );
    up(get(&server).json(JsonAssertion::new("$.id").equals(9_007_199_254_740_992_u64))).await;
    down(get(&server).json(JsonAssertion::new("$.id").at_least(9_007_199_254_740_993_u64))).await;
    let reason = down(get(&server).json(JsonAssertion::new("$.sum").at_most("0.3"))).await.1;
    assert_eq!(reason, "json $.sum is 0.30000000000000004, expected at most 0.3");
    up(get(&server).json(JsonAssertion::new("$.big").at_least("1e399"))).await;
}

#[tokio::test]
async fn a_secret_with_a_line_break_at_its_end_is_trimmed() {
    let server = checkup_testkit::HttpServer::start(|request| {
        let right =
            request.header("authorization") == Some("Bearer s3cr3t") && request.header("x-list") == Some("a, b");
        checkup_testkit::Response::new(if right { 200 } else { 401 })
    });
    let http = Http::new(server.url("/")).header("Authorization", "Bearer s3cr3t\n");
    up(http.header("X-List", "a\r\n").header("X-List", " b\n")).await;
}
