//! The page in a service, over its monitor.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use checkup_core::{Check, Checkup, Monitor, check_fn};
use checkup_statuspage::{Site, StatusPage};
use checkup_testkit::{MemoryStorage, StubChecker};

use crate::client::Served;

async fn monitored(checkup: Checkup) -> (Arc<Monitor>, Site) {
    let monitor = Monitor::builder(checkup).interval(Duration::from_secs(3600));
    let (monitor, mut runs) = monitor.start_and_subscribe().unwrap();
    let monitor = Arc::new(monitor);
    let site = Site::of_monitor(Arc::clone(&monitor)).page(StatusPage::new().title("Shop")).build().unwrap();
    runs.next().await.unwrap();
    (monitor, site)
}

#[tokio::test]
async fn a_page_may_be_nested_with_and_without_a_final_slash() {
    let checkup = Checkup::builder().check(check_fn("a", || async { Ok::<_, String>(()) })).build().unwrap();
    let (_monitor, site) = monitored(checkup).await;
    let own = || get(|| async { "the service's own" });
    let nested = Router::new().route("/", own()).nest("/status", site.router());
    let server = Served::start(nested).await;
    assert_eq!(server.get("/").await.text(), "the service's own");
    let page = server.get("/status").await.text();
    // What a browser makes of it at `/status`.
    assert!(page.contains("src=\"./status/page.js?v="), "{page}");
    assert!(page.contains("href=\"./status/feed.atom\""), "{page}");
    assert_eq!(server.get("/status/page.js").await.status, 200);
    assert_eq!(server.get("/status/summary.json").await.json()["series"][0]["title"], "a");
    let as_service = Router::new().nest_service("/status", site.router());
    let server = Served::start(as_service).await;
    assert!(server.get("/status").await.text().contains("src=\"./status/page.js"));
    assert!(server.get("/status/").await.text().contains("src=\"page.js"));
}

#[tokio::test]
async fn it_answers_from_the_latest_run_and_never_checks_anything_itself() {
    let stub = StubChecker::fails("it is full");
    let healthy = check_fn("cache", || async { Ok::<_, String>(()) }).tag("front");
    let checkup =
        Checkup::builder().check(Check::new("queue", stub.clone()).tag("back")).check(healthy).build().unwrap();
    let (_monitor, site) = monitored(checkup).await;
    let server = Served::start(site.router()).await;
    let before = stub.attempts();
    for _ in 0..3 {
        assert_eq!(server.get("/readyz?tag=front").await.status, 200);
        let back = server.get("/readyz?tag=back").await;
        assert_eq!((back.status, back.text().as_str()), (503, "queue: down: it is full\n"));
        assert_eq!(server.get("/health").await.json()["status"], "fail");
        assert_eq!(server.get("/api/v1/status").await.json()["status"], "down");
    }
    assert_eq!(stub.attempts(), before);
    let metrics = server.get("/metrics").await.text();
    assert!(metrics.contains("checkup_up{check=\"queue\",endpoint=") && metrics.contains("} 0\n"), "{metrics}");
}

#[tokio::test]
async fn it_is_not_ready_before_every_check_has_a_result() {
    let hanging = Check::new("slow", StubChecker::hangs()).tag("slow").timeout(Duration::from_secs(60));
    let quick = check_fn("quick", || async { Ok::<_, String>(()) }).tag("quick");
    let checkup = Checkup::builder().check(hanging).check(quick).build().unwrap();
    let monitor = Arc::new(Monitor::builder(checkup).start().unwrap());
    let server = Served::start(Site::of_monitor(Arc::clone(&monitor)).build().unwrap().router()).await;
    assert_eq!(server.get("/readyz?tag=slow").await.text(), "there are no results yet\n");
    while server.get("/readyz?tag=quick").await.status != 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn over_a_storage_it_shows_what_others_stored_too() {
    let storage = MemoryStorage::new();
    let other = Checkup::builder()
        .check(check_fn("elsewhere", || async { Ok::<_, String>(()) }))
        .storage(storage.clone())
        .location("moon")
        .build()
        .unwrap();
    other.check_and_store().await.unwrap();
    let own =
        Checkup::builder().check(check_fn("here", || async { Ok::<_, String>(()) })).storage(storage).build().unwrap();
    let (_monitor, site) = monitored(own).await;
    let server = Served::start(site.router()).await;
    let status = server.get("/api/v1/status").await.json();
    let names: Vec<_> =
        status["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["elsewhere", "here"]);
}

#[tokio::test]
async fn it_shows_its_own_results_while_its_storage_is_away() {
    let storage = MemoryStorage::new();
    storage.break_down("the disk is gone");
    let failing = Check::new("queue", StubChecker::fails("it is full"));
    let checkup = Checkup::builder().check(failing).storage(storage).build().unwrap();
    let (_monitor, site) = monitored(checkup).await;
    let server = Served::start(site.router()).await;
    let status = server.get("/api/v1/status").await;
    assert_eq!((status.status, &status.json()["status"]), (200, &"down".into()));
    assert!(server.get("/badge.svg").await.text().contains("down"));
}

#[tokio::test]
async fn a_tag_that_only_other_nodes_checks_have_is_unknown() {
    let check = |name: &str| check_fn(name, || async { Ok::<_, String>(()) }).tag(name);
    let own = Checkup::builder().check(check("here")).build().unwrap();
    let whole = Checkup::builder().check(check("here")).check(check("elsewhere")).build().unwrap();
    let (monitor, mut runs) = Monitor::builder(own).start_and_subscribe().unwrap();
    runs.next().await.unwrap();
    let site = Site::of_monitor(Arc::new(monitor)).checkup(&whole).build().unwrap();
    let server = Served::start(site.router()).await;
    assert_eq!(server.get("/readyz?tag=here").await.status, 200);
    assert_eq!(server.get("/readyz?tag=elsewhere").await.status, 404);
}

#[tokio::test]
async fn settings_that_cannot_work_and_storages_that_cannot_be_read_are_refused() {
    let storage: Arc<dyn checkup_core::Storage> = Arc::new(MemoryStorage::new());
    let problem = Site::of_storage(storage).page(StatusPage::new().title("")).build().unwrap_err();
    assert!(problem.to_string().starts_with("status_page.title: "), "{problem}");

    #[derive(Debug)]
    struct WriteOnly;
    #[checkup_core::async_trait]
    impl checkup_core::Storage for WriteOnly {
        async fn store(&self, _: &checkup_core::Report) -> Result<(), checkup_core::StorageError> {
            Ok(())
        }
    }
    let problem = Site::of_storage(Arc::new(WriteOnly)).build().unwrap_err();
    assert!(problem.to_string().contains("can be read"), "{problem}");
}

#[tokio::test]
async fn a_site_that_is_asked_to_checks_on_request_but_at_most_once_in_the_maximum_age() {
    let stub = StubChecker::fails("it is full");
    let healthy = check_fn("cache", || async { Ok::<_, String>(()) }).tag("front");
    let checkup =
        Checkup::builder().check(Check::new("queue", stub.clone()).tag("back")).check(healthy).build().unwrap();
    let site = Site::of_storage(Arc::new(MemoryStorage::new())).checkup(&checkup);
    let asking = site.clone().probe_when_stale(true).max_age(Duration::from_secs(3600)).build().unwrap();
    let server = Served::start(asking.router()).await;
    for _ in 0..3 {
        let back = server.get("/readyz?tag=back").await;
        assert_eq!((back.status, back.text().as_str()), (503, "queue: down: it is full\n"));
        assert_eq!(server.get("/readyz?tag=front").await.status, 200);
        assert_eq!(server.get("/health").await.json()["status"], "fail");
    }
    assert_eq!(stub.attempts(), 1);
    // Each time that it is too old, and only once for concurrent requests.
    let server =
        Served::start(site.clone().probe_when_stale(true).max_age(Duration::ZERO).build().unwrap().router()).await;
    server.get("/readyz").await;
    server.get("/readyz").await;
    assert_eq!(stub.attempts(), 3);
    let server = Served::start(site.build().unwrap().router()).await;
    assert_eq!(server.get("/readyz").await.text(), "there are no results yet\n");
    assert_eq!(stub.attempts(), 3);
}

#[tokio::test]
async fn a_request_for_a_host_that_is_not_listed_is_refused() {
    let checkup = Checkup::builder().check(check_fn("a", || async { Ok::<_, String>(()) })).build().unwrap();
    let monitor = Arc::new(Monitor::builder(checkup).interval(Duration::from_secs(3600)).start().unwrap());
    let page = StatusPage::new().host("status.example.com");
    let site = Site::of_monitor(Arc::clone(&monitor)).page(page).build().unwrap();
    let server = Served::start(site.router()).await;
    for (host, status) in
        [("status.example.com", 200), ("127.0.0.1:3000", 200), ("localhost", 200), ("evil.example", 400)]
    {
        let answer = server.ask_host(host, "/summary.json").await;
        assert_eq!(answer.status, status, "{host}");
        assert_eq!(answer.text().contains("series"), status == 200, "{host}");
    }
    // Where none is listed, all are answered.
    let site = Site::of_monitor(monitor).build().unwrap();
    assert_eq!(Served::start(site.router()).await.ask_host("any.example", "/healthz").await.status, 200);
}

#[tokio::test]
async fn an_empty_tag_is_a_tag_that_no_check_has() {
    let checkup = Checkup::builder().check(check_fn("a", || async { Ok::<_, String>(()) })).build().unwrap();
    let (_monitor, site) = monitored(checkup).await;
    let server = Served::start(site.router()).await;
    assert_eq!(server.get("/health").await.status, 200);
    for path in ["/health?tag=", "/health?tag=all", "/readyz?tag="] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}
