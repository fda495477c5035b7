//! Waits for everything that a service needs, the way `docker compose` does with `depends_on` and `condition: service_healthy`:
//! a database's port, a name in DNS, and an API that needs both. There is one wait, and one reason if it takes long.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use checkup::dns::Dns;
use checkup::http::Http;
use checkup::tcp::Tcp;
use checkup::{Check, Checkup};
use checkup_testkit::{DnsAnswer, DnsServer, HttpServer, Response};
use tokio::net::TcpSocket;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The services. Nothing listens on the port of the database yet, and without it the API fails.
    let database = TcpSocket::new_v4()?;
    database.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let database_port = database.local_addr()?;
    let names = DnsServer::start(|name| match name {
        "api.shop.test" => DnsAnswer::A(vec![Ipv4Addr::LOCALHOST]),
        _ => DnsAnswer::Code(3),
    });
    let connected = Arc::new(AtomicBool::new(false));
    let api_connected = Arc::clone(&connected);
    let api = HttpServer::start(move |_| match api_connected.load(Ordering::SeqCst) {
        true => Response::new(200).body(r#"{"status":"ok"}"#),
        false => Response::new(500).body("no database"),
    });

    // Defines when each service counts as up, and what depends on what. With a config file, use `checkup wait --timeout 60s`.
    let dependencies = Checkup::builder()
        .check(Check::new("database", Tcp::new(database_port.to_string())))
        .check(Check::new("name", Dns::new(names.addr().to_string()).hostname("api.shop.test").expect("127.0.0.1")))
        .check(
            Check::new("api", Http::new(api.url("/health")).must_contain(r#""status":"ok""#))
                .depends_on("database")
                .depends_on("name"),
        )
        .build()?;

    // Two checks are down, and one of them is the cause.
    let report = dependencies.check().await;
    println!("{report}");
    assert!(report.get("name").is_some_and(|name| name.is_healthy()));
    assert_eq!(report.get("api").and_then(|api| api.because_of.as_deref()), Some("database"));

    // The database comes up while the test waits, and then so does the API.
    let starting = tokio::spawn(async move {
        let listening = database.listen(16);
        connected.store(listening.is_ok(), Ordering::SeqCst);
        listening
    });
    let report = dependencies.wait_until_healthy(Duration::from_secs(30)).await?;
    println!("{report}");

    // The tests follow, and need not wait again.
    let database = starting.await??;
    assert_eq!(database.local_addr()?, database_port);
    Ok(())
}
