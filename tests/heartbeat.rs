//! Beats of jobs in a bucket, with the check files of several nodes.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions only, not in their helpers")]

use std::time::Duration;

use checkup::heartbeat::{Beat, Heartbeat, Job};
use checkup::storage_s3::{S3, S3Storage};
use checkup::{Check, Checkup, Status, Storage, Timestamp};
use checkup_testkit::S3Server;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn jobs_and_nodes_share_a_bucket_with_a_prefix() {
    let server = S3Server::start();
    server.create_bucket("status");
    let storage = || {
        let settings = S3::new("status").prefix("production/").endpoint(server.endpoint());
        S3Storage::new(settings.access_key(server.access_key_id(), server.secret_access_key())).unwrap()
    };
    let (job, node) = (storage(), storage());
    let backup = Heartbeat::new("nightly backup", HOUR);
    let check = Check::new("Backup", backup.clone());
    let checkup = Checkup::builder().check(check).storage(node.clone()).build().unwrap();
    let status = async || checkup.check_and_store().await.unwrap().results[0].clone();
    assert_eq!(status().await.status, Status::Down);
    for _ in 0..20 {
        backup.beat(&job).await.unwrap();
    }
    assert_eq!(status().await.status, Status::Healthy);
    Job::new("nightly backup").report(&job, &Beat::failed().message("full").location("eu")).await.unwrap();
    let failed = status().await;
    assert!(failed.reason().unwrap().ends_with(" at eu: full"), "{failed:?}");

    // They are bounded, and no listing of check files has them.
    let files = node.files();
    let beats = files.list_before("beat-", "beat.", 100).await.unwrap();
    assert_eq!(beats.len(), 16, "{beats:?}");
    let names = node.reader().unwrap().list(Timestamp::from_unix_nanos(0)).await.unwrap();
    assert_eq!(names.len(), 3, "{names:?}");
    node.maintainer().unwrap().maintain().await.unwrap();
    assert_eq!(files.list_before("beat-", "beat.", 100).await.unwrap(), beats);
    // Visitors of a page read check files only.
    assert!(names.iter().all(|name| name.as_str().ends_with("-check.json")));
}

#[tokio::test]
async fn a_bucket_that_is_away_is_no_verdict_on_the_job() {
    let server = S3Server::start();
    let settings = S3::new("none").endpoint(server.endpoint()).timeout(Duration::from_secs(5));
    let storage = S3Storage::new(settings.access_key(server.access_key_id(), server.secret_access_key())).unwrap();
    let backup = Heartbeat::new("backup", HOUR);
    let error = backup.beat(&storage).await.unwrap_err().to_string();
    assert!(!error.contains(server.secret_access_key()), "{error}");
    let check = Check::new("Backup", backup).timeout(Duration::from_millis(500));
    let report = Checkup::builder().check(check).storage(storage).build().unwrap().check().await;
    assert_eq!(report.results[0].status, Status::Unknown, "{report:?}");
}
