use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;

/// A server that stops when this is dropped.
struct Running {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<io::Result<()>>,
}

impl Running {
    async fn start(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.serve(listener, async { drop(stopped.await) }));
        Self { addr, stop: Some(stop), ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    async fn get(&self, path: &str) -> String {
        exchange(self.connect().await, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
    }

    fn stop(&mut self) {
        drop(self.stop.take());
    }
}

async fn exchange(mut connection: TcpStream, request: &str) -> String {
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // After a response, anything may follow, including a reset.
    let _ = connection.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Waits until the server has closed the connection, and returns what it sent.
async fn closed(mut connection: TcpStream) -> String {
    let mut rest = Vec::new();
    let _ = connection.read_to_end(&mut rest).await;
    String::from_utf8_lossy(&rest).into_owned()
}

fn hello() -> Server {
    let router =
        Router::new().route("/", get(|| async { "hello" })).route("/post", post(|body: String| async { body }));
    Server::new(router)
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_is_cut_off() {
    let running = Running::start(hello().head_timeout(Duration::from_millis(100))).await;
    let mut slow = running.connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let answer = closed(slow).await;
    assert!(!answer.contains("200 OK"), "{answer}");
    assert!(running.get("/").await.ends_with("hello"));
}

#[tokio::test]
async fn a_request_needs_one_valid_host() {
    let running = Running::start(hello()).await;
    let status = async |head: &str| {
        let answer = exchange(running.connect().await, &format!("GET / {head}Connection: close\r\n\r\n")).await;
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    for head in [
        "HTTP/1.1\r\nHost: x\r\n",
        "HTTP/1.1\r\nHost: [::1]:3000\r\n",
        "HTTP/1.1\r\nHost: a.example:80\r\n",
        "HTTP/1.0\r\n",
    ] {
        assert_eq!(status(head).await, "200", "{head}");
    }
    for head in [
        "HTTP/1.1\r\n",
        "HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        "HTTP/1.1\r\nHost: a b<>\r\n",
        "HTTP/1.1\r\nHost: \r\n",
        "HTTP/1.1\r\nHost: user@a\r\n",
        "HTTP/1.1\r\nHost: a:port\r\n",
        "HTTP/1.1\r\nHost: a/b\r\n",
        "HTTP/1.0\r\nHost: a, b\r\n",
    ] {
        assert_eq!(status(head).await, "400", "{head}");
    }
}

#[tokio::test]
async fn a_client_that_reads_its_answer_too_slowly_is_cut_off() {
    let large = "x".repeat(64 << 20);
    let router = Router::new().route("/", get(move || std::future::ready(large.clone())));
    let server = Server::new(router).idle_timeout(Duration::from_secs(60)).answer_timeout(Duration::from_millis(300));
    let running = Running::start(server).await;
    let mut slow = running.connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // It reads all the time, so the connection is never idle, but it gets only a small part of the response.
    let mut read = 0;
    let mut piece = [0; 256];
    loop {
        match slow.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(bytes) => read += bytes,
        }
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }
    assert!(read < 64 << 20, "{read}");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let large = "x".repeat(64 << 20);
    let router = Router::new().route("/", get(move || std::future::ready(large.clone())));
    let running = Running::start(Server::new(router).idle_timeout(Duration::from_millis(200))).await;
    let mut deaf = running.connect().await;
    deaf.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // Nothing is read until the server has given up. Its end of the connection is closed then, whatever was buffered.
    while deaf.write(b"G").await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(closed(deaf).await.len() < 64 << 20);
}

#[tokio::test]
async fn connections_that_are_idle_do_not_keep_others_out() {
    let mut server = hello().max_connections(8);
    server.min_quiet = Duration::ZERO;
    let running = Running::start(server).await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(running.connect().await);
    }
    for _ in 0..20 {
        assert!(running.get("/").await.ends_with("hello"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_idle_connections_do_not_stop_it() {
    let running = Running::start(hello()).await;
    let mut idle = Vec::new();
    // Both ends of each connection are in this process, and count toward its open files.
    let most = open_files().map_or(1000, |files| (files / 2).saturating_sub(100).min(1000));
    for _ in 0..most {
        idle.push(running.connect().await);
    }
    for _ in 0..50 {
        assert!(running.get("/").await.ends_with("hello"));
    }
    assert_eq!(idle.len(), most);
}

#[tokio::test]
async fn the_limit_of_connections_holds_while_all_of_them_have_requests() {
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (signal, wait) = (Arc::clone(&begun), Arc::clone(&release));
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let handler = move || {
        let (signal, wait) = (Arc::clone(&signal), Arc::clone(&wait));
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            signal.notify_one();
            wait.notified().await;
            "done"
        }
    };
    let mut server = Server::new(Router::new().route("/", get(handler))).max_connections(1);
    server.min_quiet = Duration::ZERO;
    let running = Running::start(server).await;
    let asked = async || {
        let mut connection = running.connect().await;
        connection.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        connection
    };
    let first = asked().await;
    begun.notified().await;
    let second = asked().await;
    // A paused clock advances only when nothing else can run, so the server has accepted all that it would.
    tokio::time::pause();
    sleep(20 * PAUSE).await;
    tokio::time::resume();
    assert_eq!(requests.load(Ordering::Relaxed), 1, "the second is not accepted while the first is being processed");
    release.notify_one();
    assert!(closed(first).await.ends_with("done"));
    begun.notified().await;
    release.notify_one();
    assert!(closed(second).await.ends_with("done"));
}

#[tokio::test]
async fn stopping_finishes_requests_and_closes_idle_connections() {
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (signal, wait) = (Arc::clone(&begun), Arc::clone(&release));
    let handler = move || {
        let (signal, wait) = (Arc::clone(&signal), Arc::clone(&wait));
        async move {
            signal.notify_one();
            wait.notified().await;
            "done"
        }
    };
    let mut running = Running::start(Server::new(Router::new().route("/", get(handler)))).await;
    let idle = running.connect().await;
    let mut asking = running.connect().await;
    asking.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    begun.notified().await;
    running.stop();
    assert_eq!(closed(idle).await, "");
    release.notify_one();
    assert!(closed(asking).await.ends_with("done"));
    running.ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(running.addr).await.is_err(), "the listener is closed");
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_when_the_grace_is_over() {
    let begun = Arc::new(Notify::new());
    let signal = Arc::clone(&begun);
    let handler = move || {
        signal.notify_one();
        std::future::pending::<&str>()
    };
    let server = Server::new(Router::new().route("/", get(handler))).grace(Duration::from_millis(50));
    let mut running = Running::start(server).await;
    let mut asking = running.connect().await;
    asking.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    begun.notified().await;
    running.stop();
    assert_eq!(closed(asking).await, "");
    running.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn heads_and_bodies_that_are_too_large_are_refused() {
    let running = Running::start(hello()).await;
    let long = "x".repeat(20_000);
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n");
    let answer = exchange(running.connect().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let request = "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n";
    let answer = exchange(running.connect().await, request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let many: String = (0..200).map(|number| format!("X-{number}: y\r\n")).collect();
    let answer = exchange(running.connect().await, &format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn bytes_that_are_not_http_get_an_error_and_do_not_affect_others() {
    let running = Running::start(hello()).await;
    let answer = exchange(running.connect().await, "\u{16}\u{3}\u{1} TLS, perhaps\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(running.get("/").await.ends_with("hello"));
}

#[tokio::test]
async fn a_handler_that_panics_closes_only_its_own_connection() {
    async fn panics() -> &'static str {
        panic!("in the middle")
    }
    let router = Router::new().route("/", get(|| async { "hello" })).route("/panic", get(panics));
    let running = Running::start(Server::new(router)).await;
    assert_eq!(running.get("/panic").await, "");
    assert!(running.get("/").await.ends_with("hello"));
}
