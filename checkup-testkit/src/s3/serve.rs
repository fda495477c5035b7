//! The server around the protocol: connections, counts, and faults.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use checkup_core::async_trait;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, IF_NONE_MATCH};
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse, S3Result, s3_error};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::S3Requests;
use super::backend::Backend;
use super::dialect::{S3Dialect, S3Refusal};
use super::faults::Faults;

/// How far a client's clock may differ.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>
const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// What all threads of a server share.
pub(super) struct State {
    pub(super) backend: Backend,
    access_key: (&'static str, &'static str),
    faults: Arc<Mutex<Faults>>,
    requests: Arc<Mutex<S3Requests>>,
}

impl State {
    pub(super) fn new(access_key: (&'static str, &'static str)) -> Self {
        let (faults, requests) = (Arc::<Mutex<Faults>>::default(), Arc::<Mutex<S3Requests>>::default());
        let backend = Backend::new(Arc::clone(&faults), Arc::clone(&requests));
        Self { backend, access_key, faults, requests }
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, S3Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn service(&self) -> S3Service {
        let mut builder = S3ServiceBuilder::new(self.backend.clone());
        builder.set_auth(Auth(self.access_key));
        builder.set_access(Access(Arc::clone(&self.faults)));
        builder.build()
    }
}

/// Serves until it is stopped or its owner is dropped.
pub(super) fn serve(listener: std::net::TcpListener, state: Arc<State>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let listener = TcpListener::from_std(listener).expect("the runtime has I/O");
        tokio::select! {
            () = accept(listener, state) => {}
            _ = stopped => {}
        }
    });
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let service = state.service();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((connection, _)) = accepted {
                    connections.spawn(converse(connection, Arc::clone(&state), service.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(connection: TcpStream, state: Arc<State>, service: S3Service) {
    // Small answers are not held back.
    let _ = connection.set_nodelay(true);
    let answer = service_fn(move |request| {
        let (state, service) = (Arc::clone(&state), service.clone());
        async move { answer(request, &state, &service).await.ok_or(Lost) }
    });
    // The client reports an error.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await;
}

/// The answer to a request, or `None` if it is lost.
async fn answer(request: Request<Incoming>, state: &State, service: &S3Service) -> Option<HttpResponse> {
    count(&request, &mut state.requests());
    let faults = state.faults().clone();
    sleep(faults.delay).await;
    if let Some(refusal) = refuse(&request, &faults) {
        return Some(refusal);
    }
    let is_bulk = request.method() == Method::POST;
    let response = hyper::service::Service::call(service, request).await;
    let response = match response {
        Ok(response) => Ok(in_dialect(response, faults.dialect, is_bulk).await),
        failed => failed,
    };
    let is_lost = {
        let mut faults = state.faults();
        let is_lost = faults.lose_answers > 0;
        faults.lose_answers = faults.lose_answers.saturating_sub(1);
        is_lost
    };
    response.ok().filter(|_| !is_lost)
}

fn count(request: &Request<Incoming>, requests: &mut S3Requests) {
    let path = request.uri().path().trim_matches('/');
    let (is_object, query) = (path.contains('/'), request.uri().query().unwrap_or_default());
    let kind = match *request.method() {
        Method::PUT if is_object => &mut requests.put,
        Method::GET if is_object => &mut requests.get,
        Method::HEAD if is_object => &mut requests.head,
        Method::GET if query.contains("list-type=2") => &mut requests.list,
        Method::DELETE if is_object => &mut requests.delete,
        Method::POST if query.split('&').any(|part| matches!(part, "delete" | "delete=")) => &mut requests.delete,
        _ => &mut requests.other,
    };
    *kind += 1;
}

/// The refusal of a request that is not handled at all.
fn refuse(request: &Request<Incoming>, faults: &Faults) -> Option<HttpResponse> {
    if let Some(refusal) = faults.refuse_all {
        return Some(word(refusal));
    }
    if faults.unavailable {
        return Some(error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "Reduce your request rate.", ""));
    }
    let refuses_conditions = faults.refuse_put_conditions || faults.dialect.refuses_put_conditions();
    if refuses_conditions && request.headers().contains_key(IF_NONE_MATCH) {
        let why = "A header you provided implies functionality that is not implemented.";
        return Some(error(StatusCode::NOT_IMPLEMENTED, "NotImplemented", why, ""));
    }
    if faults.refuse_bulk_deletes && request.method() == Method::POST {
        let why = "A request you provided implies functionality that is not implemented.";
        return Some(error(StatusCode::NOT_IMPLEMENTED, "NotImplemented", why, ""));
    }
    if faults.dialect.denies_bulk_deletes() && request.method() == Method::POST {
        return faults.dialect.refusal("AccessDenied").map(word);
    }
    let is_signed = request.headers().contains_key("x-amz-date");
    if !is_signed && let Some(refusal) = faults.dialect.no_anonymous() {
        return Some(word(refusal));
    }
    if is_signed && faults.clock_ahead > MAX_SKEW {
        let time = humantime::format_rfc3339_seconds(SystemTime::now() + faults.clock_ahead);
        let why = "The difference between the request time and the current time is too large.";
        let more = format!("<ServerTime>{time}</ServerTime>");
        return Some(error(StatusCode::FORBIDDEN, "RequestTimeTooSkewed", why, &more));
    }
    None
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses>
fn error(status: StatusCode, code: &str, message: &str, more: &str) -> HttpResponse {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>");
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = status;
    response
}

fn word(refusal: &S3Refusal) -> HttpResponse {
    let mut response = HttpResponse::new(Body::from(refusal.body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(refusal.status).expect("the table has good statuses");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(refusal.content_type));
    response
}

/// Changes the answer to that of a server with this dialect.
async fn in_dialect(response: HttpResponse, dialect: S3Dialect, is_bulk: bool) -> HttpResponse {
    if response.status().is_success() {
        let mut response = response;
        if is_bulk && dialect.mislabels_documents() {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
        }
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    match code.and_then(|code| dialect.refusal(code)).filter(|_| dialect != S3Dialect::Amazon) {
        Some(refusal) => word(refusal),
        None => HttpResponse::from_parts(parts, Body::from(body)),
    }
}

/// The keys that the server knows.
struct Auth((&'static str, &'static str));

#[async_trait]
impl S3Auth for Auth {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match access_key == self.0.0 {
            true => Ok(SecretKey::from(self.0.1)),
            false => {
                Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
            }
        }
    }
}

/// What each may do.
struct Access(Arc<Mutex<Faults>>);

#[async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reads = matches!(context.s3_op().name(), "GetObject" | "HeadObject" | "HeadBucket" | "ListObjectsV2");
        let name = context.s3_op().name();
        if faults.deny_deletes && matches!(name, "DeleteObject" | "DeleteObjects")
            || faults.deny_listing && name == "ListObjectsV2"
        {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        match context.credentials() {
            Some(_) if reads || !faults.read_only => Ok(()),
            None if reads && faults.anyone_may_read && faults.dialect != S3Dialect::Garage => Ok(()),
            _ => Err(s3_error!(AccessDenied, "Access Denied")),
        }
    }
}

/// A lost answer: hyper then closes the connection.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer is lost")
    }
}

impl std::error::Error for Lost {}
