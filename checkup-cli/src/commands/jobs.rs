//! The jobs whose reports the checks of type `heartbeat` read, and how they report over HTTP.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::routing::post;
use checkup_core::{Checkup, ErrorChain, Secret, Storage};
use checkup_heartbeat::{Beat, HeartbeatChecker, Job};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::node;

/// The longest text that a job can send, in bytes.
const MAX_TEXT: usize = 4096;

/// How long a job may take to send its text.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long storing may take.
const STORE_LIMIT: Duration = Duration::from_secs(40);

/// How many reports are stored concurrently. More wait.
const CONCURRENT: usize = 8;

/// How many more may wait.
const WAITING: usize = 256;

/// A job whose reports a check reads.
pub(super) struct KnownJob {
    pub(super) job: Job,
    token: Option<Secret>,
}

/// The jobs of all checks of type `heartbeat`, those in other shards included.
pub(super) fn of(checkup: &Checkup) -> Vec<KnownJob> {
    let whole = node::whole(checkup);
    let checkers = whole.checks().filter_map(|check| check.checker().ok());
    let heartbeats = checkers.filter_map(|checker| {
        let checker: &dyn Any = &**checker;
        checker.downcast_ref::<HeartbeatChecker>()
    });
    heartbeats.map(|checker| KnownJob { job: checker.job().clone(), token: checker.token().cloned() }).collect()
}

/// The routes to which jobs with a token report: `POST /beat/<token>`, `/beat/<token>/begin` and `/beat/<token>/fail`, with a text in the
/// body.
pub(super) fn router(checkup: &Checkup) -> Router {
    let jobs: Vec<_> = of(checkup).into_iter().filter(|known| known.token.is_some()).collect();
    let (Some(storage), false) = (checkup.storage(), jobs.is_empty()) else { return Router::new() };
    let receiver = Receiver {
        jobs,
        storage: Arc::clone(storage),
        location: checkup.location().map(ToOwned::to_owned),
        storing: Semaphore::new(CONCURRENT),
        received: Semaphore::new(CONCURRENT + WAITING),
    };
    Router::new()
        .route("/beat/{token}", post(ended))
        .route("/beat/{token}/{event}", post(reported))
        .with_state(Arc::new(receiver))
}

/// Stores what jobs report.
struct Receiver {
    jobs: Vec<KnownJob>,
    storage: Arc<dyn Storage>,
    location: Option<String>,
    storing: Semaphore,
    received: Semaphore,
}

type Answer = Response<Body>;

async fn ended(State(receiver): State<Arc<Receiver>>, Path(token): Path<String>, request: Request) -> Answer {
    receiver.receive(&token, Beat::ok(), request).await
}

async fn reported(
    State(receiver): State<Arc<Receiver>>,
    Path((token, event)): Path<(String, String)>,
    request: Request,
) -> Answer {
    match event.as_str() {
        "begin" => receiver.receive(&token, Beat::began(), request).await,
        "fail" => receiver.receive(&token, Beat::failed(), request).await,
        _ => answer(StatusCode::NOT_FOUND, "expected /beat/TOKEN, /beat/TOKEN/begin or /beat/TOKEN/fail\n"),
    }
}

impl Receiver {
    async fn receive(&self, token: &str, mut beat: Beat, request: Request) -> Answer {
        let Some(job) = self.job(token) else { return answer(StatusCode::NOT_FOUND, "there is no such job\n") };
        let Ok(_received) = self.received.try_acquire() else {
            return answer(StatusCode::SERVICE_UNAVAILABLE, "too many jobs report; try again in a moment\n");
        };
        let text = match timeout(PATIENCE, to_bytes(request.into_body(), MAX_TEXT)).await {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                return answer(StatusCode::PAYLOAD_TOO_LARGE, "the text is incomplete, or longer than 4 KiB\n");
            }
            Err(_) => return answer(StatusCode::REQUEST_TIMEOUT, "the text did not arrive in time\n"),
        };
        beat = beat.message(String::from_utf8_lossy(&text));
        if let Some(location) = &self.location {
            beat = beat.location(location);
        }
        let store = async {
            // An error would mean that the semaphore is closed, which never happens.
            let _storing = self.storing.acquire().await.ok();
            job.report(&*self.storage, &beat).await
        };
        match timeout(STORE_LIMIT, store).await {
            Ok(Ok(())) => answer(StatusCode::OK, "ok\n"),
            failed => {
                let why = match &failed {
                    Ok(Err(error)) => ErrorChain(error).to_string(),
                    _ => "the storage did not answer in time".to_owned(),
                };
                tracing::warn!(job = job.name(), error = why, "the report of a job was not stored");
                answer(StatusCode::SERVICE_UNAVAILABLE, "the report could not be stored; try again in a moment\n")
            }
        }
    }

    /// The job with this token. Compares all of them in full, so that the time says nothing about the tokens.
    fn job(&self, token: &str) -> Option<&Job> {
        let is_same = |other: &str| {
            let differing = token.bytes().zip(other.bytes()).fold(0, |bits, (one, other)| bits | (one ^ other));
            token.len() == other.len() && differing == 0
        };
        let matches = |known: &KnownJob| known.token.as_ref().is_some_and(|own| is_same(own.expose()));
        self.jobs.iter().fold(None, |found, known| if matches(known) { Some(&known.job) } else { found })
    }
}

fn answer(status: StatusCode, text: &'static str) -> Answer {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
