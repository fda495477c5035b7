//! Servers for tests: the real one over a directory of check files, and a plain one for static files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use checkup_core::summary::Summary;
use checkup_core::{IntoStorage, Timestamp};
use checkup_statuspage::{Group, Link, Site, StaticPage, StatusPage, serve};
use checkup_storage_fs::Fs;
use http::{HeaderMap, StatusCode, Uri, header};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::fixture::History;

/// A server on loopback that stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Web {
    pub(crate) url: String,
    task: JoinHandle<()>,
}

impl Web {
    /// Serves a router.
    pub(crate) async fn of(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { serve(listener, router, std::future::pending()).await.unwrap() });
        Self { url, task }
    }

    /// The real page over the check files of a directory.
    pub(crate) async fn serving(dir: &Path, settings: StatusPage) -> Self {
        let storage = Fs::new(dir).into_storage().unwrap();
        let site = Site::of_storage(storage).page(settings).refresh_after(Duration::ZERO).build().unwrap();
        Self::of(site.router()).await
    }

    /// The same with a clock that is stopped at a time, in milliseconds since 1970.
    pub(crate) async fn serving_at(dir: &Path, settings: StatusPage, now: i64) -> Self {
        let storage = Fs::new(dir).into_storage().unwrap();
        let now = Timestamp::from_unix_nanos(now * 1_000_000);
        let site = Site::of_storage(storage).page(settings).refresh_after(Duration::ZERO).clock(move || now);
        Self::of(site.build().unwrap().router()).await
    }

    /// Serves the files of a directory like any web server.
    pub(crate) async fn of_files(dir: &Path) -> Self {
        Self::of(files(dir)).await
    }
}

/// A router for the files of a directory, like any web server.
pub(crate) fn files(dir: &Path) -> Router {
    Router::new().fallback(file).with_state(Arc::new(dir.to_owned()))
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A served history with the usual settings. The directory lives as long as the server.
pub(crate) async fn serving(history: &History) -> (Web, TempDir) {
    let dir = TempDir::new().unwrap();
    history.write(dir.path());
    (Web::serving(dir.path(), settings()).await, dir)
}

/// A page with groups and links.
pub(crate) fn settings() -> StatusPage {
    StatusPage::new()
        .title("Acme Status")
        .link(Link::new("Support", "https://example.com/support"))
        .group(Group::new("Core", ["API", "Website", "Login"]))
        .group(Group::new("Commerce", ["Search", "Payments", "Webhooks"]))
}

async fn file(State(dir): State<Arc<PathBuf>>, uri: Uri, headers: HeaderMap) -> Response {
    let name = uri.path().trim_start_matches('/');
    let name = if name.is_empty() { "index.html" } else { name };
    let Ok(content) = tokio::fs::read(dir.join(name)).await else { return StatusCode::NOT_FOUND.into_response() };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        _ => "application/json",
    };
    let tag = format!(
        "\"{}-{}\"",
        content.len(),
        content.iter().fold(7_u64, |hash, byte| hash.wrapping_mul(31) + u64::from(*byte))
    );
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::ETAG, tag)], content).into_response()
}

/// Writes a static page into a directory of check files.
pub(crate) fn export(dir: &Path, settings: &StatusPage) {
    let page = StaticPage::new(settings).unwrap();
    for file in page.files(&Summary::new(), Timestamp::now()).unwrap() {
        let path = dir.join(file.name());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.content()).unwrap();
    }
}
