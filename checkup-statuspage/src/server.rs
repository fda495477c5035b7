//! A server for a router that withstands slow, idle and excessive clients.
//!
//! It is independent of the status page. It is in this crate because no other crate of the workspace serves HTTP, and because
//! `axum::serve` neither limits connections nor closes idle ones.

mod connections;
mod watched;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue};
use http::uri::Authority;
use http::{Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use connections::{Activity, Connections};
use watched::Watched;

/// The default limit of connections, if this process may open enough files.
const DEFAULT_MAX_CONNECTIONS: usize = 4096;

/// The limit of a request's head in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// The limit of a request's body in bytes. No route of the page reads one, but a merged router may.
const MAX_BODY: u64 = 64 * 1024;

/// The pause after a failed accept, for example with too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves a router over HTTP/1.1 until it is stopped.
///
/// - A request's head must arrive within a time limit, and may have at most 16 KiB. A request without exactly one valid `Host`, or with a
///   declared body of more than 64 KiB, is rejected.
/// - A connection is closed if it is idle for too long, or if its client does not read a response in time.
/// - The number of connections is limited. At the limit, a new connection replaces the one that has been idle longest, so
///   neither idle nor slow clients keep others out.
/// - When it stops, requests in flight still get their responses.
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use checkup_statuspage::Server;
/// use tokio::net::TcpListener;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let router = Router::new().route("/", get(|| async { "hello" }));
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// // Until a signal, in a real service.
/// let stop = async { tokio::time::sleep(Duration::from_millis(1)).await };
/// Server::new(router).max_connections(100).serve(listener, stop).await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    router: Router,
    max_connections: usize,
    head_timeout: Duration,
    idle_timeout: Duration,
    answer_timeout: Duration,
    grace: Duration,
    min_quiet: Duration,
}

impl Server {
    /// A server for this router, with the default limits.
    pub fn new(router: Router) -> Self {
        let half_of_the_files = open_files().map_or(512, |files| files / 2);
        Self {
            router,
            max_connections: DEFAULT_MAX_CONNECTIONS.min(half_of_the_files).max(1),
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(60),
            grace: Duration::from_secs(10),
            min_quiet: Duration::from_secs(1),
        }
    }

    /// The limit of concurrent connections. 0 means 1. Default: 4,096, or half of the files that this process may open if that is less.
    /// The other half is left for checks and storage.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = count.max(1);
        self
    }

    /// How long a request's head may take to arrive, and how long a connection may wait for its next request. Default:
    /// 10 seconds.
    #[must_use]
    pub fn head_timeout(mut self, limit: Duration) -> Self {
        self.head_timeout = limit;
        self
    }

    /// How long a connection may be idle while no request is being processed. Default: 30 seconds.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// How long a client may take to read a response, even if it reads steadily. Default: 60 seconds.
    ///
    /// Responses take memory until they are read. Set it higher for a router with large downloads or streams.
    #[must_use]
    pub fn answer_timeout(mut self, limit: Duration) -> Self {
        self.answer_timeout = limit;
        self
    }

    /// How long requests in flight may take after the server is stopped. Default: 10 seconds.
    #[must_use]
    pub fn grace(mut self, limit: Duration) -> Self {
        self.grace = limit;
        self
    }

    /// Serves connections of this listener until `stop` completes, then finishes requests in flight.
    ///
    /// # Errors
    ///
    /// Currently none. Errors of connections and of accepting them are logged.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time and I/O enabled.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
        let mut stop = pin!(stop);
        let (stopping, stopped) = watch::channel(());
        let connections = Connections::new();
        let mut tasks = JoinSet::new();
        let mut pause = None;
        // An accepted connection for which there is no room yet, because the idle connection that was to be closed has a request again.
        let mut waiting = None;
        loop {
            let is_full = connections.len() >= self.max_connections;
            if let Some(stream) = waiting.take_if(|_| !is_full || connections.evict(self.min_quiet)) {
                tasks.spawn(self.clone().connection(stream, connections.add(), stopped.clone()));
                continue;
            }
            let has_room = waiting.is_none() && (!is_full || connections.can_evict(self.min_quiet));
            if !has_room && pause.is_none() {
                pause = Some(PAUSE);
            }
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = tasks.join_next() => if let Err(error) = ended {
                    tracing::error!(%error, "the handler of a request panicked");
                },
                () = sleep(pause.unwrap_or_default()), if pause.is_some() => pause = None,
                accepted = listener.accept(), if has_room && pause.is_none() => match accepted {
                    Ok((stream, _)) => waiting = Some(stream),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        // The process may have too many open files. Closing the connection that has been idle longest frees one.
                        connections.evict(Duration::ZERO);
                        pause = Some(PAUSE);
                    }
                },
            }
        }
        drop(listener);
        drop(stopping);
        if timeout(self.grace, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!(connections = tasks.len(), "requests did not complete in time and are cut off");
            tasks.shutdown().await;
        }
        Ok(())
    }

    async fn connection(self, stream: TcpStream, activity: Arc<Activity>, mut stopped: watch::Receiver<()>) {
        // Responses are written as a whole, so there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let inner = TowerToHyperService::new(self.router);
        let service = service_fn(|request: http::Request<Incoming>| {
            let working = activity.work();
            let refusal = refusal(&request);
            let answer = if refusal.is_some() { None } else { Some(inner.call(request)) };
            let activity = Arc::clone(&activity);
            async move {
                let _working = working;
                let answer = match answer {
                    Some(answer) => answer.await,
                    None => Ok(refusal.unwrap_or_default()),
                };
                activity.answered();
                answer
            }
        });
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            .max_buf_size(MAX_HEAD)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        let mut is_stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended with an error");
                    }
                    return;
                }
                // An error means that the sender was dropped, which is the signal to stop.
                _ = stopped.changed(), if !is_stopping => {
                    is_stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = activity.evicted() => return,
                // The head of the next request has its own limit. Anything else that is pending is a response that is not read.
                () = sleep_until(activity.answered_at() + self.answer_timeout), if !activity.is_working() => {
                    if !activity.is_working() && activity.answered_at() + self.answer_timeout <= Instant::now() {
                        return;
                    }
                }
                () = sleep_until(activity.moved() + self.idle_timeout) => {
                    if activity.is_working() {
                        activity.touch();
                    } else if activity.moved() + self.idle_timeout <= Instant::now() {
                        return;
                    }
                }
            }
        }
    }
}

/// Serves a router with the default limits of [`Server`] until `stop` completes.
///
/// # Errors
///
/// Like [`Server::serve`].
///
/// # Panics
///
/// Like [`Server::serve`].
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    Server::new(router).serve(listener, stop).await
}

/// The response to a request that does not reach the router.
fn refusal<B>(request: &http::Request<B>) -> Option<Response<Body>> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY) {
        return Some(refused(StatusCode::PAYLOAD_TOO_LARGE, "expected a request body of at most 64 KiB\n"));
    }
    if !has_valid_host(request) {
        return Some(refused(StatusCode::BAD_REQUEST, "expected one valid Host header\n"));
    }
    None
}

/// Whether there is exactly one `Host`, with a host and optionally a port (RFC 9112, 3.2).
///
/// HTTP/1.0 does not require one, and some load balancers still use HTTP/1.0 for health checks. Browsers do not, so it cannot be
/// used to read a page from another site.
fn has_valid_host<B>(request: &http::Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() <= Version::HTTP_10,
        (Some(host), None) => {
            let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
            authority.is_some_and(|authority| {
                let is_port = authority
                    .as_str()
                    .rsplit_once(':')
                    .is_none_or(|(_, port)| port.ends_with(']') || port.is_empty() || port.parse::<u16>().is_ok());
                !authority.host().is_empty() && !authority.as_str().contains('@') && is_port
            })
        }
        (Some(_), Some(_)) => false,
    }
}

fn refused(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The number of files that this process may open, on systems that report it (Linux).
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
