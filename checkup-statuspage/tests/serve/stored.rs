//! The page over a storage that others write to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checkup_core::check_file::FileName;
use checkup_core::{
    Attempt, Cause, CheckResult, Checkup, Report, Status, Storage, StorageError, StorageReader, Timestamp, async_trait,
    check_fn,
};
use checkup_statuspage::{Group, Site, SiteBuilder, StatusPage};
use checkup_testkit::MemoryStorage;
use serde_json::json;

use crate::client::Served;

const HOSTILE: &str = "</script><script>alert(\"1\")</script>'&\u{1b}[31m";

fn result(name: &str, location: &str, minutes_ago: u64, status: Status) -> CheckResult {
    let mut result = CheckResult::new(name, "https://example.com/");
    result.timestamp = Timestamp::now().saturating_sub(Duration::from_secs(60 * minutes_ago));
    result.location = Some(location).filter(|location| !location.is_empty()).map(Into::into);
    result.status = status;
    let rtt = Duration::from_millis(12);
    result.attempts = match status {
        Status::Down => vec![Attempt::failure(rtt, Cause::Refused, "connection refused")],
        _ => vec![Attempt::success(rtt)],
    };
    result
}

async fn store(storage: &MemoryStorage, results: Vec<CheckResult>) {
    storage.store(&Report::new(results)).await.unwrap();
}

/// Some results of three checks, one of them down.
async fn history() -> MemoryStorage {
    let storage = MemoryStorage::new();
    for minutes_ago in (0..30).rev() {
        let is_down = if minutes_ago < 5 { Status::Down } else { Status::Healthy };
        let healthy = Status::Healthy;
        store(
            &storage,
            vec![
                result("API", "eu", minutes_ago, healthy),
                result("API", "us", minutes_ago, healthy),
                result("database", "eu", minutes_ago, is_down),
                result(HOSTILE, HOSTILE, minutes_ago, healthy),
            ],
        )
        .await;
    }
    storage
}

fn site(storage: &MemoryStorage) -> Site {
    Site::of_storage(Arc::new(storage.clone())).refresh_after(Duration::ZERO).build().unwrap()
}

async fn served(storage: &MemoryStorage) -> Served {
    Served::start(site(storage).router()).await
}

/// Read once: figures of time have other digits a moment later, and then the length and the hash of an answer change.
async fn served_once(storage: &MemoryStorage) -> Served {
    let site = Site::of_storage(Arc::new(storage.clone())).refresh_after(Duration::from_secs(3600)).build().unwrap();
    Served::start(site.router()).await
}

#[tokio::test]
async fn every_path_answers_with_its_type_and_is_not_guessed_at() {
    let server = served_once(&history().await).await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/summary.json", "application/json"),
        ("/index.json", "application/json"),
        ("/api/v1/status", "application/json"),
        ("/api/v1/history?check=API", "application/json"),
        ("/badge.svg", "image/svg+xml"),
        ("/badge/API.svg", "image/svg+xml"),
        ("/badge/API.svg?uptime=30d", "image/svg+xml"),
        ("/feed.atom", "application/atom+xml; charset=utf-8"),
        ("/healthz", "text/plain; charset=utf-8"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, content_type), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let head = server.ask("HEAD", path, &[]).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), answer.body.len().to_string(), "{path}");
    }
}

#[tokio::test]
async fn openmetrics_is_sent_on_request() {
    let server = served(&history().await).await;
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let answer = server.ask("GET", "/metrics", &[("Accept", accept)]).await;
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.text().ends_with("# EOF\n"));
}

#[tokio::test]
async fn known_content_is_a_304_and_large_content_is_compressed() {
    let storage = history().await;
    // A single bad result is not an incident.
    for minutes_ago in [1, 0] {
        let many = (0..50).map(|number| result(&format!("check {number}"), "", minutes_ago, Status::Down));
        store(&storage, many.collect()).await;
    }
    let server = served_once(&storage).await;
    for path in ["/", "/page.js", "/summary.json", "/index.json", "/api/v1/status", "/feed.atom"] {
        let answer = server.ask("GET", path, &[("Accept-Encoding", "gzip, br")]).await;
        assert_eq!(answer.header("content-encoding"), "gzip", "{path}");
        let vary = if path == "/" { "accept-encoding, accept-language" } else { "accept-encoding" };
        assert_eq!(answer.header("vary"), vary, "{path}");
        assert_eq!(answer.text(), server.get(path).await.text(), "{path}");
        let known = server.ask("GET", path, &[("If-None-Match", answer.header("etag"))]).await;
        assert_eq!((known.status, known.body.len()), (304, 0), "{path}");
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let server = served(&history().await).await;
    for path in ["/", "/summary.json", "/badge/API.svg", "/1473318000000000000-check.json"] {
        let answer = server.ask("POST", path, &[]).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"), "{path}");
    }
    for path in ["/nothing", "/favicon.ico", "/badge/nobody.svg", "/api/v2/status", "/1473318000000000000-check.json"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_page_and_all_its_data_are_three_requests() {
    let server = served(&history().await).await;
    let html = server.get("/").await.text();
    let (_, rest) = html.split_once("src=\"page.js?v=").expect("the script");
    let (version, _) = rest.split_once('"').unwrap();
    let script = server.get(&format!("/page.js?v={version}")).await;
    assert!(script.header("cache-control").contains("immutable"));
    assert!(!script.text().contains("\nimport "), "it imports nothing");
    let data = server.get("/summary.json").await.json();
    assert_eq!(data["version"], 2);
    let titles: Vec<_> = data["series"].as_array().unwrap().iter().map(|series| &series["title"]).collect();
    assert_eq!(titles, [&json!(HOSTILE), &json!("API"), &json!("API"), &json!("database")]);
    assert_eq!(data["files"], json!([]));
}

#[tokio::test]
async fn the_policy_lets_nothing_run_but_the_script() {
    let server = served(&history().await).await;
    let page = server.get("/").await;
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"));
}

#[tokio::test]
async fn the_state_has_a_reason_a_start_and_uptimes() {
    let storage = history().await;
    let groups = StatusPage::new().group(Group::new("Shop", ["API"]));
    let site = Site::of_storage(Arc::new(storage)).page(groups).build().unwrap();
    let server = Served::start(site.router()).await;
    let status = server.get("/api/v1/status").await.json();
    assert_eq!(status["status"], "down");
    let check = |name: &str| status["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
    let (api, database) = (check("API"), check("database"));
    assert_eq!((&api["status"], &api["group"]), (&json!("healthy"), &json!("Shop")));
    assert_eq!(api["locations"].as_array().unwrap().len(), 2);
    assert_eq!(api["locations"][0]["rtt_ms"], 12.0);
    assert_eq!(database["status"], "down");
    assert!(database["reason"].as_str().unwrap().contains("connection refused"));
    let since: Timestamp = database["since"].as_str().unwrap().parse().unwrap();
    assert_eq!(Timestamp::now().since(since).as_secs() / 60, 4);
    let uptime = database["uptime"]["24h"].as_f64().unwrap();
    // The last result is from now: 25 of 29 minutes, and the time that the test takes.
    assert!((uptime - 25.0 / 29.0).abs() < 0.01, "{uptime}");
}

#[tokio::test]
async fn the_history_of_a_check_starts_at_the_given_time() {
    let server = served(&history().await).await;
    let all = server.get("/api/v1/history?check=database").await.json();
    assert_eq!(all["series"][0]["results"].as_array().unwrap().len(), 30);
    assert_eq!(all["series"][0]["incidents"][0]["status"], "down");
    assert_eq!(all["series"][0]["incidents"][0]["reason"], "connection refused");
    let late = server.get("/api/v1/history?check=database&since=10m").await.json();
    let results = late["series"][0]["results"].as_array().unwrap();
    assert!((9..=11).contains(&results.len()), "{}", results.len());
    for (path, status) in [
        ("/api/v1/history", 400),
        ("/api/v1/history?check=API&since=yesterday", 400),
        ("/api/v1/history?check=nobody", 404),
        ("/api/v1/history?check=API&since=2026-01-01T00:00:00Z", 200),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json().get("error").is_some(), status != 200, "{path}");
    }
}

#[tokio::test]
async fn badges_are_found_by_name_and_by_the_name_of_their_file() {
    let server = served(&history().await).await;
    let down = server.get("/badge/database.svg").await.text();
    assert!(down.contains("database: down"), "{down}");
    let uptime = server.get("/badge/database.svg?uptime=1d").await.text();
    assert!(uptime.contains("database: 86."), "{uptime}");
    let encoded = "/badge/%3C%2Fscript%3E%3Cscript%3Ealert(%221%22)%3C%2Fscript%3E%27&%1B[31m.svg";
    let hostile = server.get(encoded).await;
    assert_eq!(hostile.status, 200);
    assert!(!hostile.text().contains("<script"), "{}", hostile.text());
    assert_eq!(server.get("/badge/API.svg?uptime=long").await.status, 400);
    assert!(server.get("/badge.svg").await.text().contains("Status: down"));
}

#[tokio::test]
async fn the_feed_has_the_incident_and_the_message() {
    let storage = history().await;
    let mut announced = result("API", "eu", 0, Status::Healthy);
    announced.message = Some("We <b>know</b>".into());
    store(&storage, vec![announced]).await;
    let feed = served(&storage).await.get("/feed.atom").await.text();
    assert!(feed.contains("<title>database is down</title>"), "{feed}");
    assert!(feed.contains("We &lt;b&gt;know&lt;/b&gt;"), "{feed}");
}

#[tokio::test]
async fn a_broken_check_file_loses_only_its_own_results() {
    let storage = history().await;
    let broken = FileName::at(Timestamp::now());
    storage.put(broken.clone(), "[{\"title\": \"AP");
    let server = served(&storage).await;
    let data = server.get("/summary.json").await.json();
    assert_eq!(data["unread"], json!([broken.as_str()]));
    assert_eq!(data["series"].as_array().unwrap().len(), 4);
    assert_eq!(server.get(&format!("/{broken}")).await.status, 502);
    assert_eq!(server.get("/api/v1/status").await.status, 200);
    // So does one that arrives later.
    let later = FileName::at(Timestamp::now());
    storage.put(later.clone(), "");
    store(&storage, vec![result("new", "", 0, Status::Healthy)]).await;
    let data = loop {
        let data = server.get("/summary.json").await.json();
        if data["series"].as_array().unwrap().len() == 5 {
            break data;
        }
    };
    assert_eq!(data["unread"], json!([broken.as_str(), later.as_str()]));
}

#[tokio::test]
async fn check_files_and_their_index_have_the_layout_of_the_original() {
    let storage = history().await;
    let server = served(&storage).await;
    let index = server.get("/index.json").await.json();
    let index = index.as_object().unwrap();
    assert_eq!(index.len(), 30);
    for (name, stamp) in index.iter().take(2) {
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        assert_eq!(digits, stamp.to_string());
        let file = server.get(&format!("/{name}")).await;
        let results: Vec<CheckResult> = serde_json::from_slice(&file.body).unwrap();
        assert_eq!(results.len(), 4);
        assert!(file.header("cache-control").contains("immutable"));
    }
}

#[tokio::test]
async fn only_check_files_can_be_reached() {
    let dir = tempfile::tempdir().unwrap();
    let storage = dir.path().join("checks");
    let checkup = Checkup::builder()
        .check(check_fn("a", || async { Ok::<_, String>(()) }))
        .storage(checkup_storage_fs::Fs::new(&storage))
        .build()
        .unwrap();
    checkup.check_and_store().await.unwrap();
    std::fs::write(dir.path().join("secret-check.json"), "secret").unwrap();
    std::fs::write(storage.join("secret.txt"), "secret").unwrap();
    std::fs::write(dir.path().join("1-check.json"), "[]").unwrap();
    let site = Site::of_storage(Arc::clone(checkup.storage().unwrap())).build().unwrap();
    let server = Served::start(site.router()).await;
    for path in [
        "/secret.txt",
        "/../secret-check.json",
        "/..%2f1-check.json",
        "/%2e%2e/1-check.json",
        "/..%5c1-check.json",
        "/....//1-check.json",
        "/1-check.json%00.txt",
        "/.checkup/index",
        "/.checkup%2findex",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/badge/..%2f..%2fsecret.txt.svg",
        "/1-/../../1-check.json",
        "/%ff%fe",
    ] {
        let answer = server.get(path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert!(!answer.text().contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn a_failing_storage_is_reported_and_the_last_known_history_is_still_shown() {
    let storage = history().await;
    storage.break_down("the disk is gone");
    let cold = served(&storage).await;
    for path in ["/summary.json", "/api/v1/status", "/feed.atom", "/badge.svg", "/index.json", "/health", "/metrics"] {
        let answer = cold.get(path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{path}");
        // The details are not public: they may name paths.
        assert!(answer.text().contains("the storage could not be read"), "{path}: {}", answer.text());
        assert!(!answer.text().contains("disk"), "{path}: {}", answer.text());
    }
    let readiness = cold.get("/readyz").await;
    assert_eq!((readiness.status, readiness.text().contains("disk")), (503, false));
    assert_eq!(cold.get("/").await.status, 200, "the page itself needs no storage");
    assert_eq!(cold.get("/healthz").await.status, 200);
    storage.repair();
    assert_eq!(cold.get("/summary.json").await.status, 200);
    storage.break_down("again");
    for _ in 0..3 {
        assert_eq!(cold.get("/summary.json").await.status, 200);
    }
}

#[tokio::test]
async fn readiness_is_that_of_the_checks_with_a_tag() {
    let storage = history().await;
    let check = |name: &str, tag: &str| check_fn(name, || async { Ok::<_, String>(()) }).tag(tag);
    let checkup = Checkup::builder().check(check("API", "front")).check(check("database", "back")).build().unwrap();
    let site = Site::of_storage(Arc::new(storage.clone())).checkup(&checkup).build().unwrap();
    let server = Served::start(site.router()).await;
    assert_eq!(server.get("/readyz?tag=front").await.status, 200);
    let back = server.get("/readyz?tag=back").await;
    assert_eq!((back.status, back.text().starts_with("database: down: ")), (503, true), "{}", back.text());
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/readyz?tag=nobody").await.status, 404);
    let health = server.get("/health?tag=front").await;
    assert_eq!((health.status, health.header("content-type")), (200, "application/health+json"));
    assert_eq!(health.json()["checks"]["API:responseTime"][1]["componentId"], "us");
    let strict = Site::of_storage(Arc::new(storage)).max_age(Duration::ZERO).build().unwrap();
    let server = Served::start(strict.router()).await;
    assert_eq!(server.get("/readyz").await.status, 503, "all results are too old");
}

#[tokio::test]
async fn a_check_that_was_removed_counts_for_nothing_once_its_results_are_old() {
    let storage = MemoryStorage::new();
    store(&storage, vec![result("API", "", 1, Status::Healthy), result("old API", "", 30, Status::Down)]).await;
    let checkup =
        |name: &str| Checkup::builder().check(check_fn(name, || async { Ok::<_, String>(()) })).build().unwrap();
    let of = |site: SiteBuilder| async { Served::start(site.build().unwrap().router()).await };
    let site = || Site::of_storage(Arc::new(storage.clone()));
    let server = of(site().checkup(&checkup("API"))).await;
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (200, "API: healthy\n"));
    assert_eq!(server.get("/api/v1/status").await.json()["status"], "healthy");
    assert!(server.get("/badge.svg").await.text().contains("operational"));
    // If the checks are unknown, its node may have stopped.
    let server = of(site()).await;
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/api/v1/status").await.json()["status"], "stale");
    // The maximum age is a setting.
    let server = of(site().checkup(&checkup("old API")).max_age(Duration::from_secs(30))).await;
    assert_eq!(server.get("/readyz").await.text(), "old API: stale\n");
}

#[tokio::test]
async fn checks_that_are_rare_are_ready_and_what_is_shown_does_not_falsify_figures() {
    let storage = MemoryStorage::new();
    let days_ago = |days: u64| days * 24 * 60;
    let (down, healthy) = (Status::Down, Status::Healthy);
    for (minutes_ago, status) in
        [(days_ago(20), down), (days_ago(20) - 1, healthy), (300, healthy), (180, healthy), (60, healthy)]
    {
        let result = result("API", "", minutes_ago, status);
        storage.put(FileName::at(result.timestamp), serde_json::to_string(&[result]).unwrap());
    }
    let short = StatusPage::new().timeframe(Duration::from_secs(24 * 3600));
    let site = Site::of_storage(Arc::new(storage)).page(short);
    let server = Served::start(site.build().unwrap().router()).await;
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (200, "API: healthy\n"));
    let status = server.get("/api/v1/status").await.json();
    // One minute of the known hours.
    let uptime = status["checks"][0]["uptime"]["90d"].as_f64().unwrap();
    assert!((0.99..0.999).contains(&uptime), "{status}");
    assert_eq!(status["checks"][0]["uptime"]["7d"], 1.0, "{status}");
    // The incident is not shown.
    assert!(!server.get("/feed.atom").await.text().contains("was down"));
}

/// A storage that counts how often it is listed.
#[derive(Debug)]
struct Counting(MemoryStorage, AtomicUsize);

#[async_trait]
impl Storage for Counting {
    async fn store(&self, report: &Report) -> Result<(), StorageError> {
        self.0.store(report).await
    }

    fn reader(&self) -> Option<&dyn StorageReader> {
        Some(self)
    }
}

#[async_trait]
impl StorageReader for Counting {
    async fn list(&self, since: Timestamp) -> Result<Vec<FileName>, StorageError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        StorageReader::list(&self.0, since).await
    }

    async fn fetch(&self, name: &FileName) -> Result<Vec<CheckResult>, StorageError> {
        StorageReader::fetch(&self.0, name).await
    }
}

#[tokio::test]
async fn concurrent_requests_read_the_storage_once() {
    let storage = Arc::new(Counting(history().await, AtomicUsize::new(0)));
    let site = Site::of_storage(Arc::clone(&storage) as Arc<dyn Storage>);
    let server = Served::start(site.refresh_after(Duration::from_secs(3600)).build().unwrap().router()).await;
    assert_eq!(server.get("/summary.json").await.status, 200);
    let after_one = storage.1.load(Ordering::SeqCst);
    let many = (0..100).map(|_| server.get("/summary.json"));
    for answer in futures::future::join_all(many).await {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(storage.1.load(Ordering::SeqCst), after_one);
    // The same if nothing is known yet.
    let storage = Arc::new(Counting(history().await, AtomicUsize::new(0)));
    let site = Site::of_storage(Arc::clone(&storage) as Arc<dyn Storage>).build().unwrap();
    let server = Served::start(site.router()).await;
    let many = (0..100).map(|_| server.get("/summary.json"));
    for answer in futures::future::join_all(many).await {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(storage.1.load(Ordering::SeqCst), after_one);
}

#[tokio::test]
async fn a_storage_without_results_has_an_empty_page() {
    let server = served(&MemoryStorage::new()).await;
    assert_eq!(server.get("/summary.json").await.json()["series"], json!([]));
    assert_eq!(
        server.get("/api/v1/status").await.json(),
        json!({ "status": "empty", "checks": [], "announcements": [], "maintenance": [] })
    );
    assert!(server.get("/badge.svg").await.text().contains("unknown"));
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/index.json").await.json(), json!({}));
}
