//! The storage is unreachable for a while, and no result is lost: `cargo run --release --example storage_outage`.
//!
//! Two nodes check the same service, each from its location, and store in one place. Here that is in memory, so that it can be
//! made to fail; a bucket behaves in the same way.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::Path;

use checkup::{Checkup, ConfigError, Spool, StorageErrorKind, Timestamp, check_fn, history};
use checkup_testkit::MemoryStorage;

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let (storage, folder) = (MemoryStorage::new(), tempfile::tempdir()?);
    let nodes = [
        node("eu-west", &storage, &folder.path().join("node-1"))?,
        node("us-east", &storage, &folder.path().join("node-2"))?,
    ];

    for (run, outage) in [(1, None), (2, Some("connection refused")), (3, Some("connection refused")), (4, None)] {
        match outage {
            Some(message) => storage.break_down(message),
            None => storage.repair(),
        }
        for (number, node) in (1..).zip(&nodes) {
            println!("run {run}, node {number}: {}", store(node).await?);
        }
    }

    let reader = nodes[0].storage().and_then(|storage| storage.reader()).ok_or("memory can be read")?;
    let history = history::read(reader, Timestamp::default()).await?;
    println!("\n{} results are read:", history.results.len());
    for result in &history.results {
        println!("{}  {}  {}", result.timestamp, result.location.as_deref().unwrap_or_default(), result.status);
    }
    assert_eq!(history.results.len(), 8);
    Ok(())
}

/// A node with its own spool: reports that it cannot store wait there, even across a restart of the node.
fn node(location: &str, storage: &MemoryStorage, spool: &Path) -> Result<Checkup, ConfigError> {
    Checkup::builder()
        .check(check_fn("queue", || async { Ok::<_, String>(()) }))
        .location(location)
        .storage(storage.clone())
        .spool(Spool::new(spool))
        .build()
}

/// Checks, stores, and prints the outcome.
async fn store(node: &Checkup) -> Result<String, Error> {
    match node.check_and_store().await {
        Ok(_) => Ok("stored".to_owned()),
        // Nothing is lost: the next store stores this report first. `waiting` deserves a metric and an alert.
        Err(error) if error.kind() == StorageErrorKind::Spooled => {
            let waiting = node.spool().ok_or("the node has a spool")?.waiting().await?;
            Ok(format!("in the spool, where {} waits now: {}", waiting.reports, cause(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// The root cause of an error.
fn cause(error: &dyn std::error::Error) -> &dyn std::error::Error {
    error.source().map_or(error, cause)
}
