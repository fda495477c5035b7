//! Servers that refuse requests, lack something that Amazon's have, or do not answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkup_core::{Provision, ProvisionChange as Change, StorageErrorKind};
use checkup_testkit::{HttpServer, Request, Response, S3Server};

use super::{chain, changes, settings, try_provision};

/// A refusal as S3 writes it.
pub(crate) fn refuse(status: u16, code: &str, message: &str) -> Response {
    Response::new(status).body(format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

fn denied() -> Response {
    refuse(403, "AccessDenied", "Access Denied")
}

/// The setting of the bucket that a request is about: `policy`, or nothing for the bucket itself.
pub(crate) fn subject(request: &Request) -> &str {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    ["policy", "cors", "lifecycle", "website", "publicAccessBlock"]
        .into_iter()
        .find(|setting| query.split('&').any(|part| part.trim_end_matches('=') == *setting))
        .unwrap_or_default()
}

/// The answers of a good server for a bucket on which nothing is set.
pub(crate) fn bare(request: &Request) -> Response {
    match (request.method.as_str(), subject(request)) {
        ("GET", "policy") => refuse(404, "NoSuchBucketPolicy", ""),
        ("GET", "cors") => refuse(404, "NoSuchCORSConfiguration", ""),
        ("GET", "lifecycle") => refuse(404, "NoSuchLifecycleConfiguration", ""),
        ("GET", "website") => refuse(404, "NoSuchWebsiteConfiguration", ""),
        ("GET", "publicAccessBlock") => refuse(404, "NoSuchPublicAccessBlockConfiguration", ""),
        ("GET", _) => Response::new(200).body("<ListBucketResult></ListBucketResult>"),
        _ => Response::new(200),
    }
}

fn full() -> Provision {
    Provision::new().website().expire_after(Duration::from_secs(90 * 24 * 3600))
}

/// The error of a server that answers `answer` to some requests, and is good otherwise.
async fn error_of(answer: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> String {
    let server = HttpServer::start(move |request| answer(&request).unwrap_or_else(|| bare(&request)));
    let settings = settings(&server.url(""), "status").tag_check_files(true);
    let (_, result) = try_provision(settings, full()).await;
    chain(&result.unwrap_err())
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    for (method, setting, permission) in [
        ("GET", "cors", "s3:GetBucketCORS"),
        ("PUT", "cors", "s3:PutBucketCORS"),
        ("GET", "lifecycle", "s3:GetLifecycleConfiguration"),
        ("PUT", "lifecycle", "s3:PutLifecycleConfiguration"),
        ("GET", "website", "s3:GetBucketWebsite"),
        ("PUT", "website", "s3:PutBucketWebsite"),
        ("GET", "publicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("GET", "policy", "s3:GetBucketPolicy"),
        ("PUT", "policy", "s3:PutBucketPolicy"),
    ] {
        let error =
            error_of(move |request| (request.method == method && subject(request) == setting).then(denied)).await;
        assert!(error.contains(&format!("needs {permission} on the bucket")), "{method} {setting}: {error}");
        assert!(error.ends_with("the server answered 403 AccessDenied: Access Denied"), "{error}");
    }
    let list = error_of(|request| (request.method == "GET" && subject(request).is_empty()).then(denied)).await;
    assert!(list.contains("s3:ListBucket") && list.contains("another account"), "{list}");
    let create = error_of(|request| match (request.method.as_str(), subject(request)) {
        ("GET", "") => Some(refuse(404, "NoSuchBucket", "")),
        ("PUT", "") => Some(denied()),
        _ => None,
    })
    .await;
    assert!(create.contains("s3:CreateBucket"), "{create}");
}

#[tokio::test]
async fn the_steps_before_a_failure_are_reported() {
    let server = HttpServer::start(|request| match (request.method.as_str(), subject(&request)) {
        ("PUT", "website") => denied(),
        _ => bare(&request),
    });
    let (steps, result) = try_provision(settings(&server.url(""), "status"), full()).await;
    assert!(result.is_err());
    assert_eq!(
        changes(&steps),
        [("bucket", Change::Unchanged), ("CORS", Change::Created), ("lifecycle", Change::Unsupported)]
    );
}

#[tokio::test]
async fn what_a_server_lacks_is_reported_and_left_out() {
    let refusals =
        [(501, "NotImplemented"), (405, "MethodNotAllowed"), (400, "NotImplemented"), (409, "BucketAlreadyOwnedByYou")];
    for (status, code) in refusals {
        let server = HttpServer::start(move |request| match subject(&request) {
            "" | "policy" => bare(&request),
            _ => refuse(status, code, "A header you provided implies functionality that is not implemented"),
        });
        let (steps, result) = try_provision(settings(&server.url(""), "status"), full()).await;
        result.unwrap();
        assert_eq!(
            changes(&steps),
            [
                ("bucket", Change::Unchanged),
                ("CORS", Change::Unsupported),
                ("lifecycle", Change::Unsupported),
                ("website", Change::Unsupported),
                ("public access block", Change::Unsupported),
                ("bucket policy", Change::Created),
            ],
            "{status} {code}"
        );
        assert!(steps[3].detail.contains("this server does not have it"), "{steps:?}");
    }
}

#[tokio::test]
async fn a_server_that_lists_whatever_it_is_asked_has_no_public_access_block() {
    let server = HttpServer::start(|request| match (request.method.as_str(), subject(&request)) {
        ("GET", "publicAccessBlock") => Response::new(200).body("<ListBucketResult></ListBucketResult>"),
        _ => bare(&request),
    });
    let (steps, result) = try_provision(settings(&server.url(""), "status"), Provision::new()).await;
    result.unwrap();
    assert!(changes(&steps).contains(&("public access block", Change::Unsupported)), "{steps:?}");
}

#[tokio::test]
async fn a_server_without_bucket_policies_is_an_error_with_a_remedy() {
    let error = error_of(|request| (subject(request) == "policy").then(|| refuse(501, "NotImplemented", ""))).await;
    assert!(error.contains("does not have bucket policies") && error.contains("checkup serve"), "{error}");
}

#[tokio::test]
async fn wrong_keys_a_wrong_region_and_a_name_that_is_taken_are_reported_with_the_remedy() {
    for (code, status, remedy) in [
        ("InvalidAccessKeyId", 403, "`access_key_id`"),
        ("SignatureDoesNotMatch", 403, "`secret_access_key`"),
        ("RequestTimeTooSkewed", 403, "clock"),
        ("AuthorizationHeaderMalformed", 400, "`region` to \"eu-north-1\""),
    ] {
        let body = format!(
            "<Error><Code>{code}</Code><Message>{} </Message><Region>eu-north-1</Region></Error>",
            super::SECRET
        );
        let error = error_of(move |_| Some(Response::new(status).body(body.clone()))).await;
        assert!(error.contains(remedy) && error.contains(code), "{error}");
        assert!(!error.contains(super::SECRET), "{error}");
    }
    let error = error_of(|request| match (request.method.as_str(), subject(request)) {
        ("GET", "") => Some(refuse(404, "NoSuchBucket", "")),
        ("PUT", "") => Some(refuse(409, "BucketAlreadyExists", "")),
        _ => None,
    })
    .await;
    assert!(error.contains("another account has a bucket of this name"), "{error}");
}

#[tokio::test]
async fn a_bucket_that_another_run_creates_meanwhile_is_used() {
    let server = HttpServer::start(|request| match (request.method.as_str(), subject(&request)) {
        ("GET", "") => refuse(404, "NoSuchBucket", ""),
        ("PUT", "") => refuse(409, "BucketAlreadyOwnedByYou", ""),
        _ => bare(&request),
    });
    let (steps, result) = try_provision(settings(&server.url(""), "status"), Provision::new()).await;
    result.unwrap();
    assert_eq!(changes(&steps)[0], ("bucket", Change::Unchanged));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_refused_right_after_the_block_is_gone_is_put_again() {
    let refused = Arc::new(Mutex::new(0));
    let count = Arc::clone(&refused);
    let block =
        "<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    let server = HttpServer::start(move |request| match (request.method.as_str(), subject(&request)) {
        ("GET", "publicAccessBlock") => Response::new(200).body(block),
        ("PUT", "policy") => {
            let mut refused = count.lock().unwrap();
            *refused += 1;
            if *refused < 3 { denied() } else { Response::new(204) }
        }
        _ => bare(&request),
    });
    let (steps, result) = try_provision(settings(&server.url(""), "status"), Provision::new()).await;
    result.unwrap();
    assert_eq!(changes(&steps).last(), Some(&("bucket policy", Change::Created)));
    assert_eq!(*refused.lock().unwrap(), 3);
}

#[tokio::test]
async fn every_write_has_a_checksum_that_old_servers_know() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&bodies);
    let server = HttpServer::start(move |request| {
        if request.method == "PUT" {
            taken.lock().unwrap().push((request.header("content-md5").map(ToOwned::to_owned), request.target.clone()));
        }
        bare(&request)
    });
    let (_, result) = try_provision(settings(&server.url(""), "status"), full()).await;
    result.unwrap();
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.len(), 3, "{bodies:?}");
    assert!(bodies.iter().all(|(md5, _)| md5.as_ref().is_some_and(|md5| md5.len() == 24)), "{bodies:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_does_not_answer_is_reported() {
    let (steps, result) = try_provision(settings("http://127.0.0.1:1", "status"), Provision::new()).await;
    let error = chain(&result.unwrap_err());
    assert!(steps.is_empty() && error.contains("nothing listens there"), "{error}");

    let server = HttpServer::start(|request| bare(&request).delay(Duration::from_secs(600)));
    let settings = settings(&server.url(""), "status").timeout(Duration::from_secs(1));
    let (_, result) = try_provision(settings, Provision::new()).await;
    assert_eq!(result.unwrap_err().kind(), StorageErrorKind::Timeout);
}

#[tokio::test]
async fn a_server_that_does_not_speak_s3_is_reported() {
    let server = HttpServer::start(|_| Response::new(200).body("<html>Welcome!</html>"));
    let (_, result) = try_provision(settings(&server.url(""), "status"), Provision::new()).await;
    let error = chain(&result.unwrap_err());
    assert!(error.contains("`endpoint`") || error.contains("not JSON"), "{error}");
}

#[tokio::test]
async fn without_a_key_nothing_can_be_provisioned() {
    let server = S3Server::start();
    let mut settings = settings(&server.endpoint(), "status").anonymous(true);
    (settings.access_key_id, settings.secret_access_key) = (None, None);
    let (_, result) = try_provision(settings, Provision::new()).await;
    assert!(chain(&result.unwrap_err()).contains("access key"));
}
