//! moto's server, behind a proxy that records the requests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use checkup_testkit::{HttpServer, Request, Response};

/// A header that moto accepts as a signature, since it does not verify it.
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// Everything that provisioning sets on a bucket, and where it is.
const SETTINGS: [&str; 6] = ["location", "policy", "cors", "lifecycle", "website", "publicAccessBlock"];

pub(crate) struct Moto {
    proxy: HttpServer,
    writes: Arc<Mutex<Vec<String>>>,
}

impl Moto {
    /// The server that the environment names.
    pub(crate) fn new() -> Self {
        address();
        let writes = Arc::<Mutex<Vec<String>>>::default();
        let taken = Arc::clone(&writes);
        let proxy = HttpServer::start(move |request| {
            if request.method != "GET" && request.method != "HEAD" {
                taken.lock().unwrap().push(format!("{} {}", request.method, request.target));
            }
            forward(&request)
        });
        Self { proxy, writes }
    }

    /// The endpoint whose requests are recorded.
    pub(crate) fn endpoint(&self) -> String {
        self.proxy.url("")
    }

    /// Takes the write requests so far.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.writes.lock().unwrap())
    }
}

/// Fails the tests, with an explanation, if the server is not running.
fn address() -> String {
    let address = std::env::var("CHECKUP_MOTO")
        .expect("CHECKUP_MOTO must be the URL of moto's server; `.ci/provision` starts one");
    address.strip_prefix("http://").expect("an http URL").to_owned()
}

/// A request as the owner of the bucket.
pub(crate) fn owner(method: &str, target: &str, body: &str) -> (u16, String) {
    exchange(method, target, &[("authorization", SIGNED)], body)
}

/// A request as anyone.
pub(crate) fn anyone(method: &str, target: &str) -> (u16, String) {
    exchange(method, target, &[], "")
}

/// A change by the owner, which must succeed.
pub(crate) fn put(target: &str, body: &str) {
    let (status, answer) = owner("PUT", target, body);
    assert!((200..300).contains(&status), "{target}: {status} {answer}");
}

/// A bucket on which nothing is set.
pub(crate) fn bucket(name: &str) {
    put(
        &format!("/{name}"),
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
    );
}

/// What is set on a bucket: the status and the document of each setting.
pub(crate) fn state(bucket: &str) -> Vec<(u16, String)> {
    let settings = SETTINGS.iter().map(|setting| owner("GET", &format!("/{bucket}?{setting}"), ""));
    // Refusals contain the number of the request.
    settings.map(|(status, body)| (status, if status == 200 { body } else { String::new() })).collect()
}

fn exchange(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<Vec<_>>();
    let (status, _, body) = send(method, target, &headers, body.as_bytes());
    (status, String::from_utf8(body).unwrap())
}

fn forward(request: &Request) -> Response {
    let own = ["connection", "content-length", "host"];
    let headers: Vec<_> = request.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    let (status, headers, body) = send(&request.method, &request.target, &headers, &request.body);
    let mut response = Response::new(status).body(body);
    for (name, value) in headers {
        if !["connection", "content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
            response = response.header(name, value);
        }
    }
    response
}

type Headers = Vec<(String, String)>;

fn send(method: &str, target: &str, headers: &[(String, String)], body: &[u8]) -> (u16, Headers, Vec<u8>) {
    let mut connection = TcpStream::connect(address()).unwrap();
    let length = body.len();
    let mut head = format!("{method} {target} HTTP/1.0\r\nhost: {}\r\ncontent-length: {length}\r\n", address());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    connection.write_all(body).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).unwrap();
    let mut lines = head.trim_end().lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    (status, headers.collect(), body)
}
