//! Nodes in three places check one service and write to one bucket, without a lock or a leader. The bucket is unreachable for
//! a while, but nothing is lost. At the end, the results of all nodes are read.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use checkup::http::Http;
use checkup::storage_s3::S3;
use checkup::{Check, Checkup, Quorum, Spool, Status, StorageErrorKind, Timestamp, history};
use checkup_testkit::{HttpServer, Response, S3Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A real bucket is `S3::new("status").region("eu-west-1")`, with credentials from the environment.
    let bucket = S3Server::start();
    bucket.create_bucket("status");
    let shop_works = Arc::new(AtomicBool::new(true));
    let works = Arc::clone(&shop_works);
    let shop = HttpServer::start(move |_| Response::new(if works.load(Ordering::SeqCst) { 200 } else { 503 }));

    let spools = tempfile::tempdir()?;
    let node = |location: &str| {
        let storage = S3::new("status").endpoint(bucket.endpoint()).prefix("shop");
        let storage = storage.access_key(bucket.access_key_id(), bucket.secret_access_key());
        Checkup::builder()
            .check(Check::new("Shop", Http::new(shop.url("/"))))
            .location(location)
            .storage(storage.timeout(Duration::from_secs(2)))
            // Reports that cannot be stored now wait here.
            .spool(Spool::new(spools.path().join(location)))
            .build()
    };
    let nodes = [node("eu-west")?, node("us-east")?, node("asia")?];
    for node in &nodes {
        node.check_and_store().await?;
    }
    println!("three nodes stored {} check files", bucket.keys("status").len());

    // An outage of the bucket loses nothing, …
    bucket.stop();
    let report = nodes[0].check().await;
    match nodes[0].store(&report).await {
        Err(error) if error.kind() == StorageErrorKind::Spooled => println!("the bucket is unreachable: {error}"),
        other => return Err(format!("expected the report to be spooled, found {other:?}").into()),
    }
    bucket.start_again();
    // … since the next successful store also stores the queued reports.
    shop_works.store(false, Ordering::SeqCst);
    for node in &nodes[..2] {
        node.check_and_store().await?;
    }

    // Anyone with access to the bucket can read the results of all nodes.
    let storage = nodes[0].storage().ok_or("a storage is set")?;
    let reader = storage.reader().ok_or("S3 can be read")?;
    let now = Timestamp::now();
    let summary = history::read_summary(reader, now.saturating_sub(Duration::from_secs(24 * 3600))).await?;
    let verdict = &summary.verdicts(Quorum::Majority, now)[0];
    println!("{}: {}, {}", verdict.name, verdict.status, verdict.reason.as_deref().unwrap_or("for no reason"));
    for at in &verdict.locations {
        println!("  {:<9} {}", at.location.as_deref().unwrap_or_default(), at.status);
    }
    let results: usize = summary.series.iter().map(|series| series.recent.len()).sum();
    println!("{results} results, each read once");
    assert_eq!((verdict.status, results), (Status::Down, 6));
    Ok(())
}
