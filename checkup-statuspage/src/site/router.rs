//! The routes. All URLs are relative to where the router is nested.

mod answer;
mod cross_origin;
mod host;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::middleware::{Next, from_fn, map_response};
use axum::routing::get;
use bytes::Bytes;
use checkup_core::check_file::FileName;
use checkup_core::{StorageErrorKind, Timestamp, health};
use http::header::{ACCEPT_LANGUAGE, DATE, HeaderValue, IF_NONE_MATCH, VARY};
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use tokio::time::timeout;

use super::check_files::Failure;
use crate::formats::api::HistoryAnswer;
use crate::formats::badge;
use crate::formats::data;
use crate::formats::metrics;
use crate::formats::representation::JSON;
use crate::formats::representation::{Cache, Representation, accepts, accepts_gzip};
use crate::formats::time;
use crate::site::Site;
use crate::site::live::Source;
use crate::view::badge_value::BadgeValue;
use crate::view::overview::{median_rtt, uptime};
use answer::{error, failed, not_found, query, text};

type Answer = Response<Body>;

/// The parsers of requests, for fuzzing.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod parsers {
    pub(crate) use super::answer::query;
    pub(crate) use super::host::is_known;
    pub(crate) use super::moment;
}

/// The default span of a history.
const DEFAULT_HISTORY: Duration = Duration::from_secs(24 * 3600);

/// How long the page waits for the state that its HTML says.
const PAGE_PATIENCE: Duration = Duration::from_millis(500);

/// The longest time that a badge has the round-trip time of: as long as all results are known in detail.
const LONGEST_RTT: Duration = Duration::from_secs(24 * 3600);

/// How long a history waits for memory that other responses take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Site {
    /// The routes of the page, to serve with [`serve`](crate::serve) or to nest in the router of a service.
    ///
    /// | Path | |
    /// |---|---|
    /// | `/` | the page |
    /// | `/page.js`, `/summary.json` | what the page loads: its code, and all data in one request |
    /// | `/german.json` | its texts in German, for browsers that prefer them but did not ask for them |
    /// | `/detail/ID.json` | with many checks, the last day and the daily statistics of one, which the page loads when a visitor opens it |
    /// | `/api/v1/status` | the current state of every check |
    /// | `/api/v1/history?check=NAME&since=TIME` | days, incidents, messages and results of a check |
    /// | `/badge.svg`, `/badge/NAME.svg` | the state of all checks or of one; with `?uptime=30d` the uptime of that check, with `?rtt=24h` its median round-trip time |
    /// | `/feed.atom` | incidents, messages and maintenance |
    /// | `/healthz` | 200 while the process responds |
    /// | `/readyz?tag=TAG` | 200 if no check (with this tag) is down and all have recent results, else 503 |
    /// | `/health?tag=TAG` | the same in detail, as `application/health+json` |
    /// | `/metrics` | metrics for Prometheus |
    /// | `/pages/PATH/` | a page of the checks with a tag ([`StatusPage::pages`](crate::StatusPage::pages)), with the routes for visitors |
    /// | `/index.json`, `/<check file>` | the check files, in the layout of the original Checkup |
    ///
    /// The formats of the responses are in the documentation of the [crate](crate#the-json-api).
    pub fn router(&self) -> Router {
        self.with_parts(self.finished(pages().merge(operations())))
    }

    /// The routes for visitors: those of [`router`](Self::router) without `healthz`, `readyz`, `health` and `metrics`, which
    /// [`operations_router`](Self::operations_router) has.
    pub fn page_router(&self) -> Router {
        self.with_parts(self.finished(pages()))
    }

    /// Adds the pages of tags, each with the routes for visitors.
    fn with_parts(&self, router: Router) -> Router {
        self.0.parts.get().into_iter().flatten().fold(router, |router, (folder, part)| {
            router.nest_service(&format!("/{}", folder.trim_end_matches('/')), part.finished(pages()))
        })
    }

    /// The routes for orchestrators and Prometheus, to serve at an address that visitors cannot reach: `healthz`, `readyz`, `health` and
    /// `metrics`. They accept every host.
    pub fn operations_router(&self) -> Router {
        self.dated(operations().with_state(self.clone()))
    }

    fn finished(&self, router: Router<Self>) -> Router {
        let router = router.with_state(self.clone());
        let hosts: Arc<[String]> = self.0.settings.hosts.clone().into();
        let router = if hosts.is_empty() {
            router
        } else {
            router.layer(from_fn(move |request, next| known_host(Arc::clone(&hosts), request, next)))
        };
        let origins: Arc<[String]> = self.0.settings.cors_origins.clone().into();
        let router = if origins.is_empty() {
            router
        } else {
            router.layer(from_fn(move |request, next| shared(Arc::clone(&origins), request, next)))
        };
        self.dated(router)
    }

    fn dated(&self, router: Router) -> Router {
        let clock = self.0.clock.clone();
        if clock.is_custom() { router.layer(map_response(move |answer| dated(answer, clock.now()))) } else { router }
    }
}

/// What visitors see.
fn pages() -> Router<Site> {
    Router::new()
        .route("/", get(page))
        .route("/index.html", get(page))
        .route("/page.js", get(script))
        .route("/summary.json", get(summary))
        .route("/german.json", get(german))
        .route("/detail/{file}", get(detail))
        .route("/index.json", get(index))
        .route("/feed.atom", get(feed))
        .route("/api/v1/status", get(status))
        .route("/api/v1/history", get(history))
        .route("/badge.svg", get(badge_of_all))
        .route("/badge/{file}", get(badge_of_one))
        .route("/{file}", get(check_file))
}

/// What orchestrators and Prometheus ask for.
fn operations() -> Router<Site> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/health", get(health_report))
        .route("/metrics", get(metrics_text))
}

/// Rejects requests for other hosts. Another site's page can send them if its name is made to resolve to this server (DNS rebinding).
async fn known_host(hosts: Arc<[String]>, request: Request, next: Next) -> Answer {
    if host::is_known(&request, &hosts) {
        return next.run(request).await;
    }
    error(StatusCode::BAD_REQUEST, "this host is not in `hosts` of the settings of the status page")
}

/// A response that pages of these origins may read, if it is one that others may.
async fn shared(origins: Arc<[String]>, request: Request, next: Next) -> Answer {
    let headers = cross_origin::is_public(request.uri().path()).then(|| request.headers().clone());
    let mut answer = next.run(request).await;
    if let Some(headers) = headers {
        cross_origin::allow(&mut answer, &headers, &origins);
    }
    answer
}

/// A response with its date, which the page uses as the current time.
async fn dated(mut answer: Answer, now: Timestamp) -> Answer {
    if let Ok(date) = HeaderValue::from_str(&time::http_date(now)) {
        answer.headers_mut().insert(DATE, date);
    }
    answer
}

async fn page(State(site): State<Site>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Answer {
    // For browsers at `/status`, the other files are in `status/`; at `/status/`, they are next to the page.
    let base = uri.path().rsplit('/').next().filter(|last| !last.is_empty() && *last != "index.html");
    // The dot keeps the name from being read as a scheme.
    let base = base.map(|base| format!("./{base}/")).unwrap_or_default();
    // A slow storage does not keep the page from saying that it loads.
    let state = timeout(PAGE_PATIENCE, site.state()).await;
    let shown = state.ok().and_then(Result::ok).map(|state| state.shown.clone());
    let languages = headers.get(ACCEPT_LANGUAGE).and_then(|languages| languages.to_str().ok()).unwrap_or_default();
    let mut answer = site.0.page.index_with(&base, shown, languages).respond(&headers);
    answer.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding, accept-language"));
    answer
}

async fn script(State(site): State<Site>, uri: Uri, headers: HeaderMap) -> Answer {
    site.0.page.script_at(query(&uri, "v").as_deref()).respond(&headers)
}

async fn german(State(site): State<Site>, headers: HeaderMap) -> Answer {
    site.0.page.german.respond(&headers)
}

async fn summary(State(site): State<Site>, headers: HeaderMap) -> Answer {
    match site.state().await {
        Ok(state) => state.data.respond(&headers),
        Err(problem) => failed(&problem),
    }
}

async fn detail(State(site): State<Site>, Path(file): Path<String>, headers: HeaderMap) -> Answer {
    let state = match site.state().await {
        Ok(state) => state,
        Err(problem) => return failed(&problem),
    };
    let gzip = accepts_gzip(&headers);
    let make = move || {
        let data = data::detail(&state.summary, file.strip_suffix(".json")?)?;
        Some(in_one_encoding(data.into(), gzip))
    };
    let missing = "no check has this id; `summary.json` has the ids";
    made_on_request(&site, make, &headers, missing).await
}

async fn status(State(site): State<Site>, headers: HeaderMap) -> Answer {
    match site.state().await {
        Ok(state) => state.status.respond(&headers),
        Err(problem) => failed(&problem),
    }
}

async fn feed(State(site): State<Site>, headers: HeaderMap) -> Answer {
    match site.state().await {
        Ok(state) => state.feed.respond(&headers),
        Err(problem) => failed(&problem),
    }
}

async fn history(State(site): State<Site>, uri: Uri, headers: HeaderMap) -> Answer {
    let now = site.0.clock.now();
    let Some(check) = query(&uri, "check") else {
        return error(StatusCode::BAD_REQUEST, "expected the name of a check: `?check=NAME`");
    };
    let since = match query(&uri, "since").map(|since| moment(&since, now)) {
        None => now.saturating_sub(DEFAULT_HISTORY),
        Some(Some(since)) => since,
        Some(None) => {
            let expected =
                "expected `since` to be a time such as `2026-01-31T00:00:00Z`, or a duration before now such as `24h`";
            return error(StatusCode::BAD_REQUEST, expected);
        }
    };
    let state = match site.state().await {
        Ok(state) => state,
        Err(problem) => return failed(&problem),
    };
    let since = since.max(now.saturating_sub(site.0.settings.timeframe));
    let gzip = accepts_gzip(&headers);
    let make = move || {
        let answer = HistoryAnswer::new(&state.summary, &check, &state.overview.rules, since, now)?;
        // It can always be written as JSON: it has only strings, numbers and lists.
        Some(in_one_encoding(serde_json::to_vec(&answer).unwrap_or_default().into(), gzip))
    };
    let missing = "no check has this name; `api/v1/status` lists all checks";
    made_on_request(&site, make, &headers, missing).await
}

fn in_one_encoding(answer: Bytes, gzip: bool) -> Representation {
    let tag = Representation::tag_of(&answer);
    Representation::in_one_encoding(JSON, Cache::Revalidate, &tag, answer, gzip)
}

/// A response that takes processor time and memory to make: few are made concurrently. `None` is not found.
async fn made_on_request(
    site: &Site,
    make: impl FnOnce() -> Option<Representation> + Send + 'static,
    headers: &HeaderMap,
    missing: &str,
) -> Answer {
    // The semaphore is never closed.
    let _permit = site.0.histories.acquire().await;
    match tokio::task::spawn_blocking(make).await {
        Ok(Some(answer)) => {
            let room = site.0.answers.hold(&answer.sent_content(), PATIENCE).await;
            match answer.held(|_| room.clone()) {
                Some(answer) => answer.respond(headers),
                None => answer::busy(),
            }
        }
        Ok(None) => error(StatusCode::NOT_FOUND, missing),
        Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "the response could not be made"),
    }
}

async fn badge_of_all(State(site): State<Site>, headers: HeaderMap) -> Answer {
    let state = match site.state().await {
        Ok(state) => state,
        Err(problem) => return failed(&problem),
    };
    svg(&site.0.settings.title, &state.overview.overall.badge(), &headers)
}

async fn badge_of_one(State(site): State<Site>, Path(file): Path<String>, uri: Uri, headers: HeaderMap) -> Answer {
    let state = match site.state().await {
        Ok(state) => state,
        Err(problem) => return failed(&problem),
    };
    let name = file.strip_suffix(".svg").unwrap_or(&file);
    let checks = &state.overview.checks;
    let exact = checks.iter().find(|check| check.verdict.name == name);
    let Some(check) = exact.or_else(|| checks.iter().find(|check| badge::file_name(&check.verdict.name) == name))
    else {
        return not_found();
    };
    let own = |series: &&checkup_core::summary::Series| series.name == check.verdict.name;
    let of_check = || -> Vec<_> { state.summary.series.iter().filter(own).collect() };
    if let Some(time) = query(&uri, "rtt") {
        let time = checkup_core::duration::parse(&time).ok().filter(|time| *time <= LONGEST_RTT);
        let Some(time) = time else {
            return error(StatusCode::BAD_REQUEST, "expected `rtt` to be a time of up to a day such as `24h`");
        };
        let median = median_rtt(&state.summary, &of_check(), site.0.clock.now(), time);
        return svg(&check.verdict.name, &median.map_or(BadgeValue::Unknown, BadgeValue::Rtt), &headers);
    }
    let value = match query(&uri, "uptime").map(|time| checkup_core::duration::parse(&time)) {
        None => check.state().badge(),
        Some(Ok(time)) => {
            let series = of_check();
            let share = uptime(&state.summary, &series, state.overview.rules.quorum, site.0.clock.now(), time);
            share.map_or(BadgeValue::Unknown, BadgeValue::Uptime)
        }
        Some(Err(_)) => return error(StatusCode::BAD_REQUEST, "expected `uptime` to be a time such as `30d`"),
    };
    svg(&check.verdict.name, &value, &headers)
}

fn svg(label: &str, value: &BadgeValue, headers: &HeaderMap) -> Answer {
    // It is an image. If it is opened as a document, it must not run or load anything.
    let image = Representation::new("image/svg+xml", Cache::Revalidate, badge::svg(label, value));
    image.with_policy("default-src 'none'; style-src 'unsafe-inline'").respond(headers)
}

async fn healthz() -> Answer {
    text(StatusCode::OK, "ok\n")
}

async fn readyz(State(site): State<Site>, uri: Uri) -> Answer {
    if matches!(site.0.live.source(), Source::Monitor(monitor) if monitor.is_draining()) {
        return text(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match site.health(query(&uri, "tag").as_deref()).await {
        Ok(Some(checks)) => {
            let (is_ready, lines) = health::readiness(&checks, site.question());
            text(status_of(is_ready), lines)
        }
        Ok(None) => text(StatusCode::NOT_FOUND, "no check has this tag\n"),
        Err(problem) => text(answer::status_of(&problem), format!("{}\n", answer::why(&problem))),
    }
}

async fn health_report(State(site): State<Site>, uri: Uri, headers: HeaderMap) -> Answer {
    let tag = query(&uri, "tag");
    // An empty tag is not the same as no tag. Only tags of checks are kept, and these are few.
    let key = tag.as_deref().map_or_else(|| "all".to_owned(), |tag| format!("tag {tag}"));
    if let Some(known) = site.0.health_reports.known(&key).await {
        return known.respond(&headers);
    }
    let checks = match site.health(tag.as_deref()).await {
        Ok(Some(checks)) => checks,
        Ok(None) => return error(StatusCode::NOT_FOUND, "no check has this tag"),
        Err(problem) => return failed(&problem),
    };
    let question = site.question();
    let make = move || {
        let (is_ready, report) = health::report(&checks, question);
        Representation::new("application/health+json", Cache::Never, report.to_string())
            .with_status(status_of(is_ready))
    };
    respond(site.0.health_reports.get(&key, make).await, &headers)
}

async fn metrics_text(State(site): State<Site>, headers: HeaderMap) -> Answer {
    // A scrape updates the history even if the page is not visited.
    if let (Source::Storage(_), Err(problem)) = (site.0.live.source(), site.state().await) {
        return failed(&problem);
    }
    let content_type = match accepts(&headers, "application/openmetrics-text") {
        true => metrics::OPENMETRICS,
        false => metrics::PROMETHEUS,
    };
    let own = site.clone();
    let make = move || {
        let metrics = own.0.live.metrics();
        let text = if content_type == metrics::OPENMETRICS { metrics.text() } else { metrics.prometheus_text() };
        Representation::new(content_type, Cache::Never, text)
    };
    let mut answer = respond(site.0.metrics_texts.get(content_type, make).await, &headers);
    answer.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    answer
}

fn status_of(is_ready: bool) -> StatusCode {
    if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn respond(made: Option<Representation>, headers: &HeaderMap) -> Answer {
    match made {
        Some(answer) => answer.respond(headers),
        None => error(StatusCode::INTERNAL_SERVER_ERROR, "the response could not be made"),
    }
}

async fn index(State(site): State<Site>, headers: HeaderMap) -> Answer {
    if site.keeps_check_files() {
        return not_found();
    }
    match site.0.files.index().await {
        Ok(index) => index.respond(&headers),
        Err(failure) => not_given(&failure),
    }
}

async fn check_file(State(site): State<Site>, method: Method, Path(file): Path<String>, headers: HeaderMap) -> Answer {
    // Visitors learn nothing about other files, not even whether they exist.
    let Some(name) = FileName::parse(&file).filter(|_| !site.keeps_check_files()) else {
        return not_found();
    };
    // Content that the visitor already has, or does not want, is neither read nor compressed.
    let needs_no_content = method == Method::HEAD || headers.contains_key(IF_NONE_MATCH);
    if needs_no_content {
        match site.0.files.head(&name).await {
            Ok(head) if method == Method::HEAD || head.known(&headers) => return head.respond(&headers),
            Ok(_) => {}
            Err(Failure::Storage(problem))
                if problem.kind() == StorageErrorKind::NotFound && method != Method::HEAD => {}
            Err(failure) => return not_given(&failure),
        }
    }
    match site.0.files.get(&name, accepts_gzip(&headers)).await {
        Ok(file) => file.respond(&headers),
        Err(failure) => not_given(&failure),
    }
}

fn not_given(failure: &Failure) -> Answer {
    match failure {
        Failure::Busy => answer::busy(),
        Failure::Storage(problem) => failed(problem),
    }
}

/// A time, or a duration before now.
pub(crate) fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    time::parse(text).or_else(|| Some(now.saturating_sub(checkup_core::duration::parse(text).ok()?)))
}
