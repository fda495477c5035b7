//! Servers that have a setting but answer in an unusual form.

use std::sync::{Arc, Mutex};

use checkup_core::{Provision, ProvisionChange as Change};
use checkup_testkit::{HttpServer, Response};

use super::refusals::{bare, refuse, subject};
use super::{chain, changes, settings, try_provision};

/// Ceph RGW 16.2's answer to reading the public access block.
const CEPH_BLOCK: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><BlockPublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
    <IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets>\
    </BlockPublicAccessBlockConfiguration>";

#[tokio::test]
async fn the_public_access_block_of_ceph_is_read_and_changed() {
    for block in [CEPH_BLOCK.to_owned(), CEPH_BLOCK.replace(">true<", ">TRUE<").replace(">false<", ">FALSE<")] {
        let written = Arc::new(Mutex::new(String::new()));
        let taken = Arc::clone(&written);
        let server = HttpServer::start(move |request| match (request.method.as_str(), subject(&request)) {
            ("GET", "publicAccessBlock") => {
                Response::new(200).header("content-type", "application/xml").body(block.clone())
            }
            ("PUT", "publicAccessBlock") => {
                *taken.lock().unwrap() = String::from_utf8(request.body).unwrap();
                Response::new(200)
            }
            // It refuses a public policy as long as they are blocked.
            ("PUT", "policy") if taken.lock().unwrap().is_empty() => refuse(403, "AccessDenied", ""),
            _ => bare(&request),
        });
        let (steps, result) = try_provision(settings(&server.url(""), "status"), Provision::new()).await;
        result.unwrap();
        assert!(changes(&steps).contains(&("public access block", Change::Updated)), "{steps:?}");
        assert_eq!(changes(&steps).last(), Some(&("bucket policy", Change::Created)));
        let written = written.lock().unwrap();
        for part in ["<BlockPublicAcls>true<", "<IgnorePublicAcls>false<", "<BlockPublicPolicy>false<"] {
            assert!(written.contains(part), "{part} in {written}");
        }
    }
}

#[tokio::test]
async fn an_empty_answer_says_that_nothing_is_set() {
    for status in [200, 204] {
        let server = HttpServer::start(move |request| match (request.method.as_str(), subject(&request)) {
            ("GET", "website" | "cors" | "lifecycle" | "policy") => Response::new(status),
            _ => bare(&request),
        });
        let (steps, result) = try_provision(settings(&server.url(""), "status"), Provision::new().website()).await;
        result.unwrap();
        assert_eq!(
            changes(&steps),
            [
                ("bucket", Change::Unchanged),
                ("CORS", Change::Created),
                ("website", Change::Created),
                ("public access block", Change::Unchanged),
                ("bucket policy", Change::Created),
            ],
            "{status}"
        );
    }
}

#[tokio::test]
async fn an_unreadable_setting_is_left_unchanged_and_reported_at_the_end() {
    for setting in ["cors", "website", "publicAccessBlock", "lifecycle"] {
        let server = HttpServer::start(move |request| match (request.method.as_str(), subject(&request)) {
            ("GET", found) if found == setting => Response::new(200).body("<Unknown><What/></Unknown>"),
            ("PUT", found) if found == setting => panic!("what cannot be read must not be replaced"),
            _ => bare(&request),
        });
        let request = Provision::new().website().expire_after(std::time::Duration::from_secs(2 * 24 * 3600));
        let (steps, result) = try_provision(settings(&server.url(""), "status"), request).await;
        let error = chain(&result.unwrap_err());
        assert!(error.contains("not what S3 answers") && error.contains("server's own tools"), "{setting}: {error}");
        assert_eq!(steps.last().unwrap().what, "bucket policy", "the steps after it are done: {steps:?}");
        assert!(steps.iter().any(|step| step.detail.contains("left as it is")), "{steps:?}");
        assert!(!steps.iter().any(|step| step.detail.contains("does not have it")), "{steps:?}");
    }
}

#[tokio::test]
async fn a_policy_that_is_denied_names_the_public_access_block() {
    let server = HttpServer::start(|request| match (request.method.as_str(), subject(&request)) {
        ("PUT", "policy") => refuse(403, "AccessDenied", ""),
        _ => bare(&request),
    });
    let (_, result) = try_provision(settings(&server.url(""), "status"), Provision::new()).await;
    let error = chain(&result.unwrap_err());
    assert!(error.contains("needs s3:PutBucketPolicy") && error.contains("Block Public Access"), "{error}");
}
