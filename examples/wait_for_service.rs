//! An integration test: starts a service, waits until it is healthy, then tests it. It also shows the error if the service never becomes
//! healthy.
//!
//! In a test file the two functions would be `#[tokio::test]`s.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use checkup::http::Http;
use checkup::{Check, Checkup, ConfigError};
use checkup_testkit::{HttpServer, Request, Response, closed_port};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    the_service_greets().await?;
    a_service_that_never_comes_up_is_reported_with_its_reason().await
}

async fn the_service_greets() -> Result<(), Error> {
    let service = start_service();

    // This replaces a sleep, which would be too short on a slow machine and too long on all others.
    let healthy = service_checkup(&service.url(""))?.wait_until_healthy(Duration::from_secs(30)).await?;
    println!("Up after {} requests:\n{healthy}", service.requests());

    // The actual test. It can use any client, or checks, which report what was expected and what was found.
    let greeting = Http::new(service.url("/greet?name=Ada")).up_status(200).must_contain("hello Ada");
    let nobody = Http::new(service.url("/greet")).up_status(400).must_contain("who?");
    let tests = Checkup::builder()
        .check(Check::new("greets by name", greeting))
        .check(Check::new("refuses to greet nobody", nobody))
        .build()?;
    let report = tests.check().await;
    report.assert_healthy(); // panics with every reason
    println!("{report}");
    Ok(())
}

async fn a_service_that_never_comes_up_is_reported_with_its_reason() -> Result<(), Error> {
    let nothing = format!("http://{}", closed_port());
    let waited = service_checkup(&nothing)?.wait_until_healthy(Duration::from_millis(500)).await;

    // With `?` in a test, the test fails with this message.
    let Err(error) = waited else { return Err("nothing listens there".into()) };
    println!("{error}");
    assert!(error.to_string().starts_with("not healthy within 500ms\ndown"), "{error}");
    assert!(error.report.results.iter().all(|result| result.reason().is_some_and(|reason| reason.contains("refused"))));
    Ok(())
}

/// Defines when the service counts as up. The program itself can use the same function for its `/readyz`.
fn service_checkup(url: &str) -> Result<Checkup, ConfigError> {
    Checkup::builder().check(Check::new("service", Http::new(format!("{url}/health")).must_contain("ready"))).build()
}

/// A service that starts slowly: it answers 503 to the first three requests.
fn start_service() -> HttpServer {
    let requests = AtomicUsize::new(0);
    HttpServer::start(move |request: Request| match request.target.as_str() {
        _ if requests.fetch_add(1, Ordering::SeqCst) < 3 => Response::new(503).body("starting"),
        "/health" => Response::new(200).body("ready"),
        target => match target.strip_prefix("/greet?name=") {
            Some(name) => Response::new(200).body(format!("hello {name}")),
            None => Response::new(400).body("who?"),
        },
    })
}
