//! A shop as an axum service: checks of its dependencies, `/healthz`, `/livez` and `/readyz` from a background monitor,
//! alerts through a callback, and a graceful shutdown. Here a bank's API goes down and comes back, then the database pool runs dry.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use checkup::http::Http;
use checkup::{Check, Checkup, Monitor, Notification, Notifier, NotifyError, Report, Status, async_trait, check_fn};
use checkup_testkit::{HttpServer, Response};
use deadpool_sqlite::{Config, Pool, PoolConfig, Runtime, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Shared = State<Arc<Monitor>>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    // The shop's dependencies: a database, and a bank's API that this example can switch off.
    let dir = tempfile::tempdir()?;
    let mut database = Config::new(dir.path().join("shop.sqlite"));
    // Waiting for a connection ends before the check's own timeout, so the failure names the reason.
    database.pool = Some(PoolConfig { timeouts: Timeouts::wait_millis(500), ..PoolConfig::new(2) });
    let pool = database.create_pool(Runtime::Tokio1)?;
    query(pool.clone(), "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL)").await?;
    let open = Arc::new(AtomicBool::new(true));
    let bank = Arc::clone(&open);
    let bank = HttpServer::start(move |_| Response::new(if bank.load(Ordering::SeqCst) { 200 } else { 503 }));

    let (alerts, mut alerted) = mpsc::unbounded_channel();
    let checkup = Checkup::builder().checks(checks(&pool, bank.url("/health"))).notifier(Alerts(alerts)).build()?;
    // A real service checks every 15 seconds or so.
    let monitor = Arc::new(Monitor::builder(checkup).interval(Duration::from_millis(100)).jitter(0.1).start()?);

    let app = Router::new()
        .route("/healthz", get(|| async { "the process answers" }))
        .route("/livez", get(|State(monitor): Shared| async move { probe(&monitor, "liveness") }))
        .route("/readyz", get(|State(monitor): Shared| async move { probe(&monitor, "readiness") }))
        .with_state(Arc::clone(&monitor));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = listener.local_addr()?;
    // A real service stops at SIGTERM: see `tokio::signal`.
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
    let server = tokio::spawn(server.into_future());

    let report = readyz(&monitor, shop, |status, _| status == 200).await?;
    report.assert_healthy();

    open.store(false, Ordering::SeqCst);
    assert_eq!(alerted.recv().await.as_deref(), Some("payments is down: response status 503 Service Unavailable"));
    readyz(&monitor, shop, |status, _| status == 503).await?;
    assert_eq!(ask(shop, "/livez").await?.0, 200, "a restart would not fix the bank");
    open.store(true, Ordering::SeqCst);
    assert_eq!(alerted.recv().await.as_deref(), Some("payments is healthy"));
    readyz(&monitor, shop, |status, _| status == 200).await?;

    let leaked = [pool.get().await?, pool.get().await?];
    let because_of = |report: &Report| report.get("orders").and_then(|orders| orders.because_of.clone());
    readyz(&monitor, shop, |status, report| status == 503 && because_of(report).as_deref() == Some("database")).await?;
    drop(leaked);
    readyz(&monitor, shop, |status, _| status == 200).await?;

    // Stop accepting requests first, then stop the monitor, so that probes are answered until the end.
    drop(stop);
    server.await??;
    monitor.shutdown().await;
    Ok(())
}

/// Defines the checks next to what they check. Liveness covers what a restart can fix; readiness covers what a request needs.
fn checks(pool: &Pool, bank: String) -> [Check; 4] {
    let (database, orders) = (pool.clone(), pool.clone());
    let mailer = tokio::spawn(std::future::pending::<()>()).abort_handle();
    let mailer = move || std::future::ready(if mailer.is_finished() { Err("the task has ended") } else { Ok(()) });
    [
        check_fn("database", move || query(database.clone(), "SELECT 1")).tag("readiness"),
        check_fn("orders", move || query(orders.clone(), "SELECT count(*) FROM orders"))
            .depends_on("database")
            .tag("readiness"),
        Check::new("payments", Http::new(bank)).tag("readiness"),
        check_fn("mailer", mailer).tag("liveness"),
    ]
    .map(|check| check.timeout(Duration::from_secs(2)))
}

async fn query(pool: Pool, sql: &'static str) -> Result<(), Error> {
    let connection = pool.get().await?;
    let query = connection.interact(move |connection| connection.prepare(sql)?.raw_query().next().map(|_| ()));
    Ok(query.await.map_err(|panic| panic.to_string())??)
}

/// Answers from the latest runs, without running any check. Degraded means slow but still working.
fn probe(monitor: &Monitor, tag: &str) -> (StatusCode, Json<Report>) {
    match monitor.latest_of(|check| check.has_tag(tag)) {
        Some(report) if report.status() < Status::Down => (StatusCode::OK, Json(report)),
        report => (StatusCode::SERVICE_UNAVAILABLE, Json(report.unwrap_or_default())),
    }
}

/// The notifier's callback: sends one line for each check whose status changed.
#[derive(Debug)]
struct Alerts(mpsc::UnboundedSender<String>);

#[async_trait]
impl Notifier for Alerts {
    async fn notify(&self, notification: &Notification) -> Result<(), NotifyError> {
        for change in &notification.changes {
            let reason = change.result.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
            let line = format!("{} is {}{reason}", change.result.name, change.result.status);
            println!("ALERT {line}\n");
            self.0.send(line).map_err(|error| NotifyError::new("nobody listens").with_source(error))?;
        }
        Ok(())
    }
}

/// Asks `/readyz` after every run until it answers as wanted, and prints that.
async fn readyz(monitor: &Monitor, shop: SocketAddr, wanted: impl Fn(u16, &Report) -> bool) -> Result<Report, Error> {
    let mut runs = monitor.subscribe();
    loop {
        let (status, report) = ask(shop, "/readyz").await?;
        if wanted(status, &report) {
            println!("/readyz answers {status}:\n{report}");
            return Ok(report);
        }
        tokio::time::timeout(Duration::from_secs(10), runs.next()).await?.ok_or("the monitor has ended")?;
    }
}

async fn ask(shop: SocketAddr, path: &str) -> Result<(u16, Report), Error> {
    let mut connection = TcpStream::connect(shop).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    Ok((head.split(' ').nth(1).ok_or("no status")?.parse()?, serde_json::from_str(body)?))
}
