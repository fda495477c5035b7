//! What goes over the wire, watched: `object_store` hides what a server answered in the text of its errors.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use checkup_core::{Cause, Failure};
use checkup_net::{IpVersion, excerpt, find_tls_failure};
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use object_store::ClientOptions;
use object_store::client::{
    DnsFuture, DnsResolver, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};

use crate::listing::without_strange_names;
use crate::refusal::Refusal;

/// How much of the answer to a request that failed is read.
const MAX_REFUSAL: usize = 64 << 10;

/// The longest page of a listing: a thousand keys of 1,024 bytes each, every one of them escaped, are less.
const MAX_LISTING: usize = 16 << 20;

tokio::task_local! {
    static LAST: Arc<Mutex<Option<Answer>>>;
}

/// The last answer to the requests of an operation, if it was no success.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The server said no.
    Refused(Refusal),
    /// There was no answer, and why.
    None(Failure),
}

/// Does the work of an operation, and tells what the last answer to its requests was, if it was no success.
pub(crate) async fn watch<T>(work: impl Future<Output = T>) -> (T, Option<Answer>) {
    let last = Arc::default();
    let done = LAST.scope(Arc::clone(&last), work).await;
    let answer = last.lock().unwrap_or_else(PoisonError::into_inner).take();
    (done, answer)
}

fn note(answer: Option<Answer>) {
    // Outside of an operation nobody asks.
    let _ = LAST.try_with(|last| *last.lock().unwrap_or_else(PoisonError::into_inner) = answer);
}

/// Makes the clients whose answers are watched.
#[derive(Debug)]
pub(crate) struct Wire;

impl HttpConnector for Wire {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let options = options.clone().with_dns_resolver(Arc::new(SystemResolver));
        Ok(HttpClient::new(Watched(ReqwestConnector::default().connect(&options)?)))
    }
}

#[derive(Debug)]
struct Watched(HttpClient);

#[async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let is_listing = is_listing(&request);
        let is_for_page = request.method() == Method::GET && !is_listing;
        let response = match self.0.execute(request).await {
            Ok(response) => response,
            Err(error) => {
                note(Some(Answer::None(failure(&error, &host))));
                return Err(error);
            }
        };
        let status = response.status();
        if status.is_success() && !is_for_page && is_web_page(&response) {
            // Who takes it for a success loses a report, or finds no history.
            let failure = Failure::protocol("the answer is a web page");
            note(Some(Answer::None(failure.clone())));
            return Err(HttpError::new(HttpErrorKind::Decode, failure));
        }
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            note(None);
            return if is_listing { clean(response, &host).await } else { Ok(response) };
        }
        let (mut parts, body) = response.into_parts();
        // What cannot be read, or is too long, explains nothing.
        let body = Limited::new(body, MAX_REFUSAL).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let refusal = Refusal::new(status, &parts.headers, &body);
        // A 5xx is repeated, and nothing else.
        match status {
            StatusCode::NOT_IMPLEMENTED => parts.status = StatusCode::BAD_REQUEST,
            _ if refusal.is_timeout() => parts.status = StatusCode::SERVICE_UNAVAILABLE,
            _ => {}
        }
        note(Some(Answer::Refused(refusal)));
        parts.headers.remove(header::CONTENT_LENGTH);
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(body)))
    }
}

/// A listing that `object_store` can read.
async fn clean(response: HttpResponse, host: &str) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let error = match Limited::new(body, MAX_LISTING).collect().await {
        Ok(body) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            let body = without_strange_names(body.to_bytes());
            return Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(body)));
        }
        Err(error) => match error.downcast::<HttpError>() {
            Ok(error) => *error,
            Err(_) => HttpError::new(HttpErrorKind::Decode, Failure::protocol("the listing is longer than 16 MiB")),
        },
    };
    note(Some(Answer::None(failure(&error, host))));
    Err(error)
}

fn is_listing(request: &HttpRequest) -> bool {
    request.uri().query().is_some_and(|query| query.split('&').any(|part| part.starts_with("list-type=")))
}

fn is_web_page(response: &HttpResponse) -> bool {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    // Some servers call an answer without a body a page, which it is not.
    header(header::CONTENT_LENGTH) != Some("0")
        && header(header::CONTENT_TYPE).is_some_and(|value| value.to_ascii_lowercase().starts_with("text/html"))
}

/// Why there was no answer, in words.
fn failure(error: &HttpError, host: &str) -> Failure {
    if let Some(failure) = find::<Failure>(error) {
        return failure.clone();
    }
    if let Some(failure) = find_tls_failure(error, host) {
        return failure;
    }
    match (error.kind(), find::<io::Error>(error)) {
        (HttpErrorKind::Timeout, _) => Failure::new(Cause::Timeout, "no answer in time"),
        // The kind has the words; the error itself may hold anything.
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

/// The first error of this type in the chain, what is inside of `io::Error`s included.
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

/// Names by the system's resolver, as everywhere in Checkup, with errors in words.
#[derive(Debug)]
struct SystemResolver;

impl DnsResolver for SystemResolver {
    fn resolve(&self, host: &str) -> DnsFuture {
        let host = host.to_owned();
        Box::pin(async move {
            let found = checkup_net::resolve(&host, 0, IpVersion::Any).await?;
            Ok(found.into_iter().map(|address| address.ip()).collect())
        })
    }
}
