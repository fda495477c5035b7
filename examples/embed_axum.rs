//! A shop as an axum service: checks of its dependencies, `/livez`, `/readyz` and `/startupz` from a background monitor, alerts
//! through a callback, and a shutdown that loses no request. Here a bank's API goes down and comes back, then the database pool runs dry.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use checkup::axum::probes;
use checkup::http::Http;
use checkup::{Check, Checkup, Monitor, Notifier, check_fn, notify_fn};
use checkup_testkit::{HttpServer, Response};
use deadpool_sqlite::{Config, Pool, PoolConfig, Runtime, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    // What the shop needs: a database, and a bank's API that can be switched off here.
    let dir = tempfile::tempdir()?;
    let mut database = Config::new(dir.path().join("shop.sqlite"));
    // A wait for a connection ends, with a reason, before the check's own timeout.
    database.pool = Some(PoolConfig { timeouts: Timeouts::wait_millis(500), ..PoolConfig::new(2) });
    let pool = database.create_pool(Runtime::Tokio1)?;
    query(pool.clone(), "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL)").await?;
    let open = Arc::new(AtomicBool::new(true));
    let bank = Arc::clone(&open);
    let bank = HttpServer::start(move |_| Response::new(if bank.load(Ordering::SeqCst) { 200 } else { 503 }));

    let (alerts, mut alerted) = mpsc::unbounded_channel();
    let checkup = Checkup::builder().checks(checks(&pool, bank.url("/health"))).notifier(send_to(alerts)).build()?;
    // A real service checks every 15 seconds or so.
    let monitor = Arc::new(Monitor::builder(checkup).interval(Duration::from_millis(100)).jitter(0.1).start()?);

    let app = Router::new().route("/", get(|| async { "welcome" })).merge(probes(&monitor));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = listener.local_addr()?;
    // A real service stops at SIGTERM: see `tokio::signal`.
    let (stop, stopped) = oneshot::channel::<()>();
    let draining = Arc::clone(&monitor);
    let stopped = async move {
        drop(stopped.await);
        // Readiness fails first, so that no more requests are sent here. In Kubernetes this takes some 10 seconds.
        draining.drain(Duration::from_secs(3)).await;
    };
    let server = tokio::spawn(axum::serve(listener, app).with_graceful_shutdown(stopped).into_future());

    readyz(&monitor, shop, 200, "database: healthy\norders: healthy\npayments: healthy\n").await?;
    assert_eq!(ask(shop, "/startupz").await?.0, 200);

    open.store(false, Ordering::SeqCst);
    assert_eq!(alerted.recv().await.as_deref(), Some("payments is down: response status 503 Service Unavailable"));
    readyz(&monitor, shop, 503, "payments: down: response status 503 Service Unavailable\n").await?;
    assert_eq!(ask(shop, "/livez").await?.0, 200, "a restart would not fix the bank");
    open.store(true, Ordering::SeqCst);
    assert_eq!(alerted.recv().await.as_deref(), Some("payments is up again"));
    readyz(&monitor, shop, 200, "payments: healthy\n").await?;

    let leaked = [pool.get().await?, pool.get().await?];
    readyz(&monitor, shop, 503, "database: down: Timeout").await?;
    assert_eq!(alerted.recv().await.as_deref().map(|alert| alert.starts_with("database is down")), Some(true));
    drop(leaked);
    readyz(&monitor, shop, 200, "database: healthy\n").await?;

    // While it drains, it still serves clients that have not noticed yet.
    drop(stop);
    readyz(&monitor, shop, 503, "draining\n").await?;
    assert_eq!(ask(shop, "/").await?, (200, "welcome".to_owned()));
    assert_eq!(ask(shop, "/livez").await?.0, 200, "a restart is not wanted");
    server.await??;
    assert!(TcpStream::connect(shop).await.is_err(), "the listener is closed");
    // Waits for running checks, and stores their results.
    monitor.shutdown().await;
    Ok(())
}

/// The checks are next to what they check. Liveness covers what a restart can fix; readiness covers what a request needs.
fn checks(pool: &Pool, bank: String) -> [Check; 4] {
    let (database, orders) = (pool.clone(), pool.clone());
    let mailer = tokio::spawn(std::future::pending::<()>()).abort_handle();
    let mailer = move || std::future::ready(if mailer.is_finished() { Err("the task has ended") } else { Ok(()) });
    [
        check_fn("database", move || query(database.clone(), "SELECT 1"))
            .endpoint("the shop's SQLite pool")
            .tag("startup")
            .tag("readiness"),
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

/// A notifier that sends one line for each check that went down or recovered.
fn send_to(alerts: mpsc::UnboundedSender<String>) -> impl Notifier {
    notify_fn(move |notification| {
        let alerts = alerts.clone();
        async move {
            for alert in &notification.alerts {
                println!("ALERT {alert}\n");
                alerts.send(alert.to_string())?;
            }
            Ok::<_, Error>(())
        }
    })
}

/// Asks `/readyz` after every run until it answers as wanted, and prints that.
async fn readyz(monitor: &Monitor, shop: SocketAddr, code: u16, text: &str) -> Result<(), Error> {
    let mut runs = monitor.subscribe();
    loop {
        let (status, body) = ask(shop, "/readyz").await?;
        if status == code && body.contains(text) {
            println!("/readyz answers {status}:\n{body}");
            return Ok(());
        }
        tokio::time::timeout(Duration::from_secs(10), runs.next()).await?.ok_or("the monitor has ended")?;
    }
}

async fn ask(shop: SocketAddr, path: &str) -> Result<(u16, String), Error> {
    let mut connection = TcpStream::connect(shop).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    Ok((head.split(' ').nth(1).ok_or("no status")?.parse()?, body.to_owned()))
}
