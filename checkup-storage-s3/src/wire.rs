//! Records responses, because `object_store` exposes a server's response only in the text of its errors.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use checkup_core::{Cause, Failure};
use checkup_net::{excerpt, find_tls_failure};
use http::{Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use url::Url;

use crate::document;
use crate::listing::without_strange_names;
use crate::refusal::Refusal;

/// How much of the answer to a refused request is read.
const MAX_REFUSAL: usize = 64 << 10;

/// The longest answer other than an object: a page of a listing has a thousand keys of 1,024 bytes, each of them escaped.
const MAX_DOCUMENT: usize = 16 << 20;

tokio::task_local! {
    static LAST: Arc<Mutex<Option<Answer>>>;
}

/// The last answer to the requests of an operation, unless it was a success.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The server refused the request.
    Refused(Refusal),
    /// There was no answer, for this reason.
    None(Failure),
}

/// Runs an operation. Also returns the last answer to its requests, unless that was a success.
pub(crate) async fn watch<T>(work: impl Future<Output = T>) -> (T, Option<Answer>) {
    let last = Arc::default();
    let done = LAST.scope(Arc::clone(&last), work).await;
    let answer = last.lock().unwrap_or_else(PoisonError::into_inner).take();
    (done, answer)
}

/// Records the last answer in the operation that this task is running.
pub(crate) fn note(answer: Option<Answer>) {
    // Outside an operation, nothing needs it.
    let _ = LAST.try_with(|last| *last.lock().unwrap_or_else(PoisonError::into_inner) = answer);
}

/// A client that records responses, and corrects those that `object_store` would misunderstand.
#[derive(Debug)]
pub(crate) struct Watched(HttpClient);

impl Watched {
    pub(crate) fn new(client: HttpClient) -> Self {
        Self(client)
    }
}

#[async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (uri, kind) = (request.uri().clone(), Kind::of(&request));
        let host = uri.host().unwrap_or_default();
        let response = match self.0.execute(request).await {
            Ok(response) => response,
            Err(error) => {
                note(Some(Answer::None(failure(&error, host))));
                return Err(repeatable(error));
            }
        };
        let status = response.status();
        if status.is_success() {
            note(None);
            return match kind {
                Kind::Object => Ok(response),
                Kind::Look => look(response),
                Kind::Listing | Kind::Other => success(response, kind, host).await,
            };
        }
        if status == StatusCode::NOT_MODIFIED {
            note(None);
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        // A body that is too long or incomplete explains nothing.
        let body = Limited::new(body, MAX_REFUSAL).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let mut refusal = Refusal::new(status, &parts.headers, &body);
        if status.is_redirection() {
            let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
            refusal.redirect = location.and_then(|location| other_origin(&uri, location));
        }
        Ok(refuse(parts, refusal, body))
    }
}

/// What a request asks for, which determines what a good answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The content of an object, or a document that the AWS SDK reads.
    Object,
    /// The headers of an object.
    Look,
    Listing,
    /// A change, which is answered with nothing or with a document.
    Other,
}

impl Kind {
    fn of(request: &HttpRequest) -> Self {
        let is_listing = |query: &str| query.split('&').any(|part| part.starts_with("list-type="));
        match *request.method() {
            Method::GET if request.uri().query().is_some_and(is_listing) => Self::Listing,
            Method::GET => Self::Object,
            Method::HEAD => Self::Look,
            _ => Self::Other,
        }
    }
}

/// A refusal, with the status at which `object_store` repeats exactly the requests that may succeed later: those answered by a 5xx.
fn refuse(mut parts: http::response::Parts, refusal: Refusal, body: Bytes) -> HttpResponse {
    match parts.status {
        StatusCode::NOT_IMPLEMENTED | StatusCode::INSUFFICIENT_STORAGE => parts.status = StatusCode::BAD_REQUEST,
        _ if refusal.is_temporary() => parts.status = StatusCode::SERVICE_UNAVAILABLE,
        status if status.is_success() => parts.status = StatusCode::BAD_REQUEST,
        _ => {}
    }
    note(Some(Answer::Refused(refusal)));
    parts.headers.remove(header::CONTENT_LENGTH);
    HttpResponse::from_parts(parts, HttpResponseBody::from(body))
}

/// A success without a body: a web server that answers every path with a page would make each name look taken.
fn look(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let is_page = header(header::CONTENT_TYPE).is_some_and(|value| value.to_ascii_lowercase().starts_with("text/html"));
    // Some servers label an answer without a body as a page.
    if is_page && header(header::CONTENT_LENGTH) != Some("0") {
        return Err(no_s3("the answer is a web page"));
    }
    Ok(response)
}

/// A success whose body says whether it is one. The content type is unreliable: Swift sends its documents as `text/html`.
pub(crate) async fn success(response: HttpResponse, kind: Kind, host: &str) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let body = match Limited::new(body, MAX_DOCUMENT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            return Err(match error.downcast::<HttpError>() {
                Ok(error) => {
                    note(Some(Answer::None(failure(&error, host))));
                    *error
                }
                Err(_) => no_s3("the answer is longer than 16 MiB"),
            });
        }
    };
    let root = document::root(&body);
    let is_listing = kind == Kind::Listing;
    let body = match root.as_deref() {
        // Some servers start an answer before they know whether they will succeed.
        Some("Error") => {
            let refusal = Refusal::new(parts.status, &parts.headers, &body);
            return Ok(refuse(parts, refusal, body));
        }
        Some(root) if root.eq_ignore_ascii_case("html") => return Err(no_s3("the answer is a web page")),
        Some("ListBucketResult") if is_listing => without_strange_names(body),
        _ if is_listing => return Err(no_s3("the answer is not a listing")),
        _ => body,
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(body)))
}

/// The error of a success that no S3 server sends. Accepting it would lose a report, or find no history.
fn no_s3(why: &str) -> HttpError {
    let failure = Failure::protocol(why);
    note(Some(Answer::None(failure.clone())));
    HttpError::new(HttpErrorKind::Decode, failure)
}

/// Turns the error into one that `object_store` retries, even after a conditional put timed out: every request here may safely be
/// sent twice.
fn repeatable(error: HttpError) -> HttpError {
    match error.kind() {
        HttpErrorKind::Timeout | HttpErrorKind::Interrupted => HttpError::new(HttpErrorKind::Request, error),
        _ => error,
    }
}

/// The scheme, host and port that a redirect leads to, unless it stays at the server.
fn other_origin(from: &Uri, location: &str) -> Option<String> {
    let from = Url::parse(&from.to_string()).ok()?;
    let to = from.join(location).ok()?.origin();
    (to != from.origin()).then(|| to.ascii_serialization())
}

/// Explains why there was no response.
fn failure(error: &HttpError, host: &str) -> Failure {
    if let Some(failure) = find::<Failure>(error) {
        return failure.clone();
    }
    if let Some(failure) = find_tls_failure(error, host) {
        return failure;
    }
    match (error.kind(), find::<io::Error>(error)) {
        (HttpErrorKind::Timeout, _) => Failure::new(Cause::Timeout, "no answer in time"),
        // The message is made from the kind, since the text of the error could contain anything.
        (_, Some(io)) if io.kind() != io::ErrorKind::Other => io::Error::from(io.kind()).into(),
        _ => {
            let mut deepest: &(dyn Error + 'static) = error;
            while let Some(source) = deepest.source() {
                deepest = source;
            }
            Failure::new(Cause::Network, excerpt(deepest.to_string().as_bytes(), 200))
        }
    }
}

/// The first error of this type in the chain, including errors inside `io::Error`s.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}
