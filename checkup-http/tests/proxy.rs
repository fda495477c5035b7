//! Proxies named by the environment. Each test runs one check in another process, whose environment it sets.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod support;

use std::path::PathBuf;
use std::process::Command;

use checkup_core::{Check, Checkup};
use checkup_http::{Http, TlsSettings};
use checkup_testkit::{Ca, HttpServer, Response, TcpServer, TlsOptions};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

/// Checks `url` in a process with these variables. Returns the reason if it is down, or an empty text if it is healthy.
async fn outcome(url: &str, ca_file: Option<PathBuf>, variables: &[(&str, String)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "one_check_in_another_process", "--nocapture"]).env("CHECKUP_TEST_URL", url);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.envs(ca_file.map(|file| ("CHECKUP_TEST_CA", file)));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let line = output.lines().find_map(|line| line.split_once("outcome: ")).expect("the check has an outcome");
    line.1.to_owned()
}

#[tokio::test]
async fn one_check_in_another_process() {
    let Ok(url) = std::env::var("CHECKUP_TEST_URL") else { return };
    let mut http = Http::new(url).must_contain("ok");
    if let Ok(file) = std::env::var("CHECKUP_TEST_CA") {
        http = http.tls(TlsSettings::new().ca_file(file));
    }
    let outcome = match Checkup::builder().check(Check::new("test", http)).build() {
        Ok(checkup) => checkup.check().await.results[0].reason().unwrap_or_default().into_owned(),
        Err(error) => format!("invalid: {error}"),
    };
    println!("\noutcome: {outcome}");
}

/// A proxy that opens a tunnel to `destination` if the credentials are right.
fn tunnels(destination: std::net::SocketAddr) -> TcpServer {
    TcpServer::start(move |mut connection: TcpStream| async move {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if connection.read_buf(&mut request).await.is_ok_and(|length| length > 0) {
                continue;
            }
            return;
        }
        let request = String::from_utf8(request).unwrap();
        let right = request.starts_with("CONNECT search.example:443 HTTP/1.1\r\n")
            && request.contains("Proxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n");
        if !right {
            let _ = connection.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
            return;
        }
        let mut server = TcpStream::connect(destination).await.unwrap();
        let _ = connection.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
        let _ = copy_bidirectional(&mut connection, &mut server).await;
    })
}

#[tokio::test]
async fn plain_requests_name_the_whole_url() {
    let proxy = HttpServer::start(|request| {
        let right = request.target == "http://search.example/health?x"
            && request.header("host") == Some("search.example")
            && request.header("proxy-authorization") == Some("Basic dXNlcjpodW50ZXIy");
        Response::new(if right { 200 } else { 400 }).body("ok")
    });
    let variables = [("http_proxy", format!("http://user:hunter2@{}", proxy.addr()))];
    assert_eq!(outcome("http://search.example/health?x", None, &variables).await, "");
    assert_eq!(proxy.requests(), 1);
}

#[tokio::test]
async fn https_goes_through_a_tunnel() {
    let (ca, folder) = (Ca::new(), TempDir::new().unwrap());
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, ca.pem()).unwrap();
    let identity = ca.server(&["search.example"]);
    let server = HttpServer::start_tls(identity, TlsOptions::new(), |_| Response::new(200).body("ok"));
    let proxy = tunnels(server.addr());
    let variables = |credentials: &str| [("HTTPS_PROXY", format!("http://{credentials}{}", proxy.addr()))];
    let url = "https://search.example/";
    assert_eq!(outcome(url, Some(file.clone()), &variables("user:hunter2@")).await, "");
    let reason = outcome(url, Some(file), &variables("")).await;
    let refused = "refused to connect to search.example:443: 407 Proxy Authentication Required";
    assert_eq!(reason, format!("proxy {}: {refused}", proxy.addr()));
}

/// Runs a check through a proxy that answers with this, and then closes the connection or not. Returns the reason.
async fn answered(answer: &'static [u8], closes: bool) -> String {
    let proxy = TcpServer::start(move |mut connection: TcpStream| async move {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if !connection.read_buf(&mut request).await.is_ok_and(|length| length > 0) {
                return;
            }
        }
        let _ = connection.write_all(answer).await;
        if !closes {
            let _ = connection.read_to_end(&mut request).await;
        }
    });
    let name = format!("proxy {}: ", proxy.addr());
    let reason = outcome("https://search.example/", None, &[("HTTPS_PROXY", format!("http://{}", proxy.addr()))]).await;
    reason.strip_prefix(&name).expect(&reason).to_owned()
}

#[tokio::test]
async fn a_refusal_with_a_page_is_reported() {
    let page = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n<p>no</p>\r\n";
    for closes in [true, false] {
        assert_eq!(answered(page, closes).await, "refused to connect to search.example:443: 403 Forbidden");
    }
    let torn = b"HTTP/1.1 503 Service Unavailable";
    assert_eq!(answered(torn, true).await, "refused to connect to search.example:443: 503 Service Unavailable");
}

#[tokio::test]
async fn an_answer_that_opens_no_tunnel_is_reported() {
    assert_eq!(answered(b"", true).await, "closed the connection without an answer");
    assert_eq!(answered(b"HTTP/1.1 200 OK\r\n", true).await, "closed the connection in the middle of its answer");
    assert_eq!(answered(b"SSH-2.0-x\r\n", false).await, "does not speak HTTP; its answer begins with \"SSH-2.0-x\"");
    assert_eq!(
        answered(b"HTTP/1.1 200 OK\r\n\r\nhello", false).await,
        "opened a tunnel to search.example:443 and sent into it \"hello\""
    );
}

#[tokio::test]
async fn no_proxy_and_this_machine_are_reached_directly() {
    let server = HttpServer::start(|_| Response::new(200).body("ok"));
    let proxy = TcpServer::reset();
    let mut variables = vec![("ALL_PROXY", format!("http://user:hunter2@{}", proxy.addr()))];
    assert_eq!(outcome(&server.url("/"), None, &variables).await, "");
    assert_eq!(proxy.accepted(), 0);
    let name = format!("http://{}.invalid/", "a".repeat(64));
    let reason = outcome(&name, None, &variables).await;
    assert!(reason.starts_with("connection reset") || reason.contains("proxy 127.0.0.1"), "{reason}");
    assert!(!reason.contains("hunter2"), "{reason}");
    for entry in ["invalid", ".INVALID, x", "*", "x invalid:80"] {
        variables.push(("NO_PROXY", entry.to_owned()));
        assert!(outcome(&name, None, &variables).await.starts_with("cannot resolve "), "{entry}");
        variables.pop();
    }
    variables.push(("NO_PROXY", "invalid:8080,192.0.2.0/24".to_owned()));
    assert!(!outcome(&name, None, &variables).await.starts_with("cannot resolve "));
}

#[tokio::test]
async fn a_variable_that_is_not_a_url_is_a_problem_of_the_settings() {
    let server = HttpServer::start(|_| Response::new(200).body("ok"));
    let variables =
        [("HTTP_PROXY", "http://user:hunter2@:x".to_owned()), ("HTTPS_PROXY", "socks5://hunter2:1080".to_owned())];
    let outcome = async |url: &str| outcome(url, None, &variables).await;
    let invalid = outcome("http://search.example/").await;
    let expected = "the environment variable HTTP_PROXY is not a URL such as http://proxy.example:3128 (";
    assert!(
        invalid.starts_with("invalid: ") && invalid.contains(expected) && !invalid.contains("hunter2"),
        "{invalid}"
    );
    let invalid = outcome("https://search.example/").await;
    assert!(invalid.contains("HTTPS_PROXY names a SOCKS proxy") && !invalid.contains("hunter2"), "{invalid}");
    // This machine is reached directly, whatever the variables say.
    assert_eq!(outcome(&server.url("/")).await, "");
}
