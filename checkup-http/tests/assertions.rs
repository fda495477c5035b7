//! Tests conditions on responses of real servers.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod support;

use checkup_core::{Cause, Status};
use checkup_http::{HeaderAssertion, Http, JsonAssertion, UpStatus};
use checkup_testkit::{HttpServer, Response};
use support::{check, down, up};

fn answers(response: Response) -> HttpServer {
    HttpServer::start(move |_| response.clone())
}

#[tokio::test]
async fn a_status_from_200_to_204_is_up_and_others_are_down_with_upstreams_message() {
    for status in [200, 201, 204] {
        up(Http::new(answers(Response::new(status)).url("/"))).await;
    }
    let moved = answers(Response::new(301).header("location", "/elsewhere"));
    let (cause, reason) = down(Http::new(moved.url("/"))).await;
    assert_eq!((cause, reason.as_str()), (Cause::Assertion, "response status 301 Moved Permanently"));
    assert_eq!(moved.requests(), 1);
    let unknown = answers(Response::new(599));
    assert_eq!(down(Http::new(unknown.url("/"))).await.1, "response status 599");
    let other = answers(Response::new(206));
    assert_eq!(down(Http::new(other.url("/"))).await.1, "response status 206 Partial Content");
}

#[tokio::test]
async fn up_status_takes_codes_classes_ranges_and_lists() {
    let server = answers(Response::new(404));
    up(Http::new(server.url("/")).up_status(404)).await;
    up(Http::new(server.url("/")).up_status("4xx")).await;
    up(Http::new(server.url("/")).up_status(400..=410)).await;
    up(Http::new(server.url("/")).up_status(UpStatus::any(["2xx", "404"]))).await;
    assert_eq!(down(Http::new(server.url("/")).up_status(200)).await.1, "response status 404 Not Found");
}

#[tokio::test]
async fn texts_in_the_body_count_as_in_upstream() {
    let server = answers(Response::new(200).body("all is well"));
    up(Http::new(server.url("/")).must_contain("well").must_not_contain("error")).await;
    let (cause, reason) = down(Http::new(server.url("/")).must_contain("x")).await;
    assert_eq!((cause, reason.as_str()), (Cause::Assertion, "response does not contain 'x'"));
    assert_eq!(down(Http::new(server.url("/")).must_not_contain("is")).await.1, "response contains 'is'");
    up(Http::new(server.url("/")).must_match("^all .* well$")).await;
    assert_eq!(down(Http::new(server.url("/")).must_match("^x$")).await.1, "response does not match '^x$'");
}

#[tokio::test]
async fn json_and_headers_are_asserted_by_path_and_name() {
    let server = answers(Response::new(200).header("x-version", "1.2.3").body(r#"{"status": "ok", "lag": 3}"#));
    let http = || Http::new(server.url("/"));
    up(http()
        .json(JsonAssertion::new("$.status").equals("ok"))
        .json(JsonAssertion::new("$.lag").at_most(10))
        .response_header(HeaderAssertion::new("X-Version").matches(r"^1\.")))
    .await;
    let reason = down(http().json(JsonAssertion::new("$.status").equals("up"))).await.1;
    assert_eq!(reason, "json $.status is \"ok\", expected \"up\"");
    let reason = down(http().response_header(HeaderAssertion::new("x-version").equals("2"))).await.1;
    assert_eq!(reason, "response header x-version is \"1.2.3\", expected \"2\"");
    let html = answers(Response::new(200).body("<html>"));
    let reason = down(Http::new(html.url("/")).json(JsonAssertion::new("$.status"))).await.1;
    assert!(reason.starts_with("response is not JSON: ") && reason.ends_with("it begins with \"<html>\""), "{reason}");
}

#[tokio::test]
async fn the_request_is_as_in_the_settings() {
    let server = HttpServer::start(|request| {
        let host = request.header("host") == Some("virtual.example");
        let accept = request.header("accept") == Some("text/html, text/plain");
        let secret = request.header("authorization") == Some("Basic dXNlcjpodW50ZXIy");
        let as_asked = request.method == "POST" && request.target == "/a?b=c" && request.body == b"ping";
        let plain = request.header("accept-encoding").is_none() && request.header("connection") == Some("close");
        Response::new(if host && accept && secret && as_asked && plain { 200 } else { 400 })
    });
    let url = format!("http://user:hunter2@{}/a?b=c#fragment", server.addr());
    let http = Http::new(url)
        .method("post")
        .body("ping")
        .header("Host", "virtual.example")
        .header("Accept", "text/html")
        .header("Accept", "text/plain");
    let result = check(http).await;
    assert_eq!(result.status, Status::Healthy, "{result:?}");
    assert_eq!(result.endpoint, format!("http://{}/a?b=c#fragment", server.addr()));
}

#[tokio::test]
async fn every_attempt_opens_a_connection_and_closes_it() {
    let server = answers(Response::new(200).header("connection", "keep-alive").body("ok"));
    let check = checkup_core::Check::new("three", Http::new(server.url("/"))).attempts(3);
    support::run(check).await;
    assert_eq!((server.requests(), server.connections()), (3, 3));
    server.tcp().wait_idle().await;
}

#[tokio::test]
async fn the_host_is_resolved_as_set() {
    let server = HttpServer::start(|request| {
        Response::new(if request.header("host").is_some_and(|host| host.starts_with("name.invalid")) {
            200
        } else {
            400
        })
    });
    up(Http::new("http://name.invalid/").resolve(server.addr())).await;
    up(Http::new(format!("http://name.invalid:{}/", server.addr().port())).resolve("127.0.0.1")).await;
    let server = answers(Response::new(200));
    up(Http::new(format!("http://localhost:{}/", server.addr().port())).ip_version(checkup_http::IpVersion::V4)).await;
    let (cause, _) = down(Http::new(server.url("/")).ip_version(checkup_http::IpVersion::V6)).await;
    assert_eq!(cause, Cause::Dns);
}

#[tokio::test]
async fn a_head_request_waits_for_no_body() {
    let server = answers(Response::new(200).body("ok"));
    up(Http::new(server.url("/")).method("HEAD")).await;
}
