//! Redirects: followed only on request, limited in number, and with nothing for one origin sent to another.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod support;

use checkup_core::Cause;
use checkup_http::Http;
use checkup_testkit::{HttpServer, Request, Response, TcpServer, closed_port};
use support::{down, down_in_time, up};

fn redirect(status: u16, location: impl Into<String>) -> Response {
    Response::new(status).header("location", location)
}

/// A server where `/4` redirects to `/3` and so on, down to `/0`.
fn stairs() -> HttpServer {
    HttpServer::start(|request| match request.target[1..].parse::<u32>() {
        Ok(0) => Response::new(200).body("the end"),
        Ok(step) => redirect(302, format!("{}", step - 1)),
        Err(_) => Response::new(404),
    })
}

#[tokio::test]
async fn followed_up_to_the_maximum() {
    let server = stairs();
    up(Http::new(server.url("/3")).follow_redirects(3).must_contain("the end")).await;
    assert_eq!((server.requests(), server.connections()), (4, 4));
    let (cause, reason) = down(Http::new(server.url("/4")).follow_redirects(3)).await;
    assert_eq!((cause, reason.as_str()), (Cause::Assertion, "redirected more than 3 times"));
    let reason = down(Http::new(server.url("/2")).follow_redirects(1)).await.1;
    assert_eq!(reason, "redirected more than once");
    assert_eq!(down(Http::new(server.url("/1"))).await.1, "response status 302 Found");
    server.tcp().wait_idle().await;
}

#[tokio::test]
async fn a_loop_is_reported_as_such() {
    let server = HttpServer::start(|request| redirect(301, if request.target == "/a" { "/b" } else { "/a" }));
    let (cause, reason) = down(Http::new(server.url("/a")).follow_redirects(5)).await;
    assert_eq!(cause, Cause::Assertion);
    assert_eq!(reason, format!("redirect loop: redirected back to http://{}/a", server.addr()));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_redirect_to_an_unusable_location_is_reported() {
    let server = HttpServer::start(|request| match request.target.as_str() {
        "/mail" => redirect(302, "mailto:root@example.com?secret"),
        "/refused" => redirect(302, format!("http://{}/path?token=hunter2", closed_port())),
        _ => Response::new(302),
    });
    let (cause, reason) = down(Http::new(server.url("/mail")).follow_redirects(1)).await;
    assert_eq!(cause, Cause::Protocol);
    assert_eq!(reason, "redirected to \"mailto:root\", which is not an http or https URL");
    let (cause, reason) = down(Http::new(server.url("/refused")).follow_redirects(1)).await;
    assert_eq!(cause, Cause::Refused);
    let address = closed_port();
    assert_eq!(reason, format!("redirected to http://{address}/path: connection to {address} refused"));
    let reason = down(Http::new(server.url("/none")).follow_redirects(1)).await.1;
    assert_eq!(reason, "response status 302 Found");
}

#[tokio::test]
async fn the_method_changes_as_in_browsers() {
    let server = HttpServer::start(|request| match request.target.strip_prefix("/from/") {
        Some(status) => redirect(status.parse().unwrap(), "/to"),
        None => Response::new(200).body(format!(
            "{} {} {}",
            request.method,
            request.body.len(),
            request.header("content-type").unwrap_or("none")
        )),
    });
    for (status, expected) in [
        (301, "GET 0 none"),
        (302, "GET 0 none"),
        (303, "GET 0 none"),
        (307, "POST 4 text/plain"),
        (308, "POST 4 text/plain"),
    ] {
        let http = Http::new(server.url(&format!("/from/{status}"))).method("POST").body("ping");
        up(http.header("Content-Type", "text/plain").follow_redirects(1).must_contain(expected)).await;
    }
    let http = Http::new(server.url("/from/302")).method("PUT").body("ping");
    up(http.follow_redirects(1).must_contain("PUT 4")).await;
}

#[tokio::test]
async fn another_origin_gets_nothing_that_was_meant_for_the_first() {
    let has_secrets =
        |request: &Request| ["authorization", "x-api-key", "cookie"].map(|name| request.header(name).is_some());
    let other = HttpServer::start(move |request| {
        let host = request.header("host").is_some_and(|host| host.starts_with("127.0.0.1:"));
        let kept = request.header("accept") == Some("text/html");
        Response::new(if has_secrets(&request) == [false; 3] && host && kept { 200 } else { 400 })
    });
    let to_other = other.url("/");
    let server = HttpServer::start(move |request| {
        let all = has_secrets(&request) == [true; 3] && request.header("host") == Some("virtual.example");
        match request.target.as_str() {
            _ if !all => Response::new(400),
            "/same" => redirect(302, "/other"),
            _ => redirect(302, to_other.clone()),
        }
    });
    let url = format!("http://user:hunter2@{}/same", server.addr());
    let http = Http::new(url)
        .header("X-Api-Key", "hunter2")
        .header("Cookie", "id=hunter2")
        .header("Accept", "text/html")
        .header("Host", "virtual.example");
    up(http.follow_redirects(2)).await;
}

#[tokio::test]
async fn a_body_is_not_sent_to_another_origin() {
    let other = HttpServer::start(|_| Response::new(200));
    let to_other = other.url("/path?token=hunter2");
    let server = HttpServer::start(move |request| {
        let status = request.target.strip_prefix('/').and_then(|status| status.parse().ok()).unwrap_or(307);
        redirect(status, to_other.clone())
    });
    for (method, status) in [("POST", 307), ("POST", 308), ("PUT", 307), ("GET", 308), ("PUT", 301), ("DELETE", 302)] {
        let http = Http::new(server.url(&format!("/{status}"))).method(method).body("hunter2").follow_redirects(1);
        let (cause, reason) = down(http.clone()).await;
        assert_eq!(cause, Cause::Assertion);
        let expected = format!("redirected ({status}) to http://{}/path, which is another origin: ", other.addr());
        assert!(reason.starts_with(&expected) && !reason.contains("hunter2"), "{reason}");
    }
    assert_eq!(other.requests(), 0);
    // Without a body, or when it is dropped, there is nothing to keep back.
    up(Http::new(server.url("/307")).method("POST").follow_redirects(1)).await;
    up(Http::new(server.url("/303")).method("POST").body("hunter2").follow_redirects(1)).await;
}

#[tokio::test]
async fn cookies_set_by_a_redirect_are_sent_where_they_belong() {
    let other = HttpServer::start(|request| Response::new(if request.header("cookie").is_none() { 200 } else { 400 }));
    let to_other = other.url("/");
    // A page that sets a cookie and redirects to itself, and admits only requests with that cookie.
    let server = HttpServer::start(move |request| match (request.target.as_str(), request.header("cookie")) {
        ("/", Some("lang=en; session=abc")) => Response::new(200),
        ("/", Some("lang=en")) => redirect(302, "/").header("set-cookie", "session=abc; HttpOnly; Path=/"),
        ("/out", _) => redirect(302, to_other.clone()).header("set-cookie", "session=abc; Path=/"),
        _ => Response::new(403),
    });
    up(Http::new(server.url("/")).header("Cookie", "lang=en").follow_redirects(2)).await;
    assert_eq!(server.requests(), 2);
    up(Http::new(server.url("/out")).header("Cookie", "lang=en").follow_redirects(2)).await;
    // Each attempt starts without cookies.
    let check =
        checkup_core::Check::new("twice", Http::new(server.url("/")).header("Cookie", "lang=en").follow_redirects(2));
    support::run(check.attempts(2)).await;
    assert_eq!(server.requests(), 7);
}

#[tokio::test]
async fn the_time_limit_covers_all_redirects() {
    let silent = TcpServer::silent();
    let to_silent = format!("http://{}/", silent.addr());
    let server = HttpServer::start(move |_| redirect(302, to_silent.clone()));
    let (cause, reason) = down_in_time(Http::new(server.url("/")).follow_redirects(1)).await;
    assert_eq!(cause, Cause::Timeout);
    assert_eq!(reason, "timed out after 400ms waiting for the first byte of the answer");
    silent.wait_idle().await;
}
