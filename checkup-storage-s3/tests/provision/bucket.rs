//! The settings of a bucket after it was provisioned, once and repeatedly.

use std::time::Duration;

use checkup_core::{Provision, ProvisionChange as Change};
use serde_json::Value;

use super::moto::{Moto, owner, state};
use super::{chain, changes, provision, try_provision};

/// Settings with which a lifecycle rule can be made.
fn settings(endpoint: &str, bucket: &str) -> checkup_storage_s3::S3 {
    super::settings(endpoint, bucket).tag_check_files(true)
}

const DAY: Duration = Duration::from_secs(24 * 3600);

fn full() -> Provision {
    Provision::new().website().cors_origin("https://status.example.com").expire_after(90 * DAY)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_created_with_everything_that_a_page_needs() {
    let moto = Moto::new();
    let steps = provision(settings(&moto.endpoint(), "fresh"), full()).await;
    assert_eq!(
        changes(&steps),
        [
            ("bucket", Change::Created),
            ("CORS", Change::Created),
            ("lifecycle", Change::Created),
            ("website", Change::Created),
            ("public access block", Change::Created),
            ("bucket policy", Change::Created),
        ]
    );
    assert!(steps[1..].iter().all(|step| step.document.is_some()), "{steps:?}");
    let documents = state("fresh");
    for ((status, document), parts) in documents.iter().zip([
        ["eu-west-1", ""],
        ["arn:aws:s3:::fresh/checks/*-check.json", "\"s3:prefix\""],
        ["<AllowedOrigin>https://status.example.com</AllowedOrigin>", "<ExposeHeader>ETag</ExposeHeader>"],
        ["<Prefix>checks/</Prefix>", "<Days>90</Days>"],
        ["<Suffix>index.html</Suffix>", ""],
        ["<BlockPublicAcls>true</BlockPublicAcls>", "<BlockPublicPolicy>false</BlockPublicPolicy>"],
    ]) {
        assert_eq!(*status, 200);
        assert!(parts.iter().all(|part| document.contains(part)), "{parts:?} in {document}");
    }
    // The bucket exists before anything is public, and becomes public last.
    let writes = moto.writes();
    assert_eq!(writes.len(), 7, "the rule is written twice: {writes:?}");
    assert!(writes[0].starts_with("PUT /fresh") && writes[6].contains("policy"), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_finds_everything_as_requested_and_writes_nothing() {
    let moto = Moto::new();
    let settings = settings(&moto.endpoint(), "twice");
    provision(settings.clone(), full()).await;
    let (before, writes) = (state("twice"), moto.writes());
    assert_eq!(writes.len(), 7, "{writes:?}");
    let steps = provision(settings, full()).await;
    assert!(steps.iter().all(|step| step.change == Change::Unchanged && step.document.is_none()), "{steps:?}");
    assert_eq!(steps.len(), 6);
    assert_eq!(moto.writes(), [""; 0]);
    assert_eq!(state("twice"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn later_requests_are_added_and_the_rest_is_kept() {
    let moto = Moto::new();
    let settings = settings(&moto.endpoint(), "later");
    let least = provision(settings.clone(), Provision::new()).await;
    assert_eq!(least.len(), 4, "neither website nor lifecycle: {least:?}");
    assert!(state("later")[2].1.contains("<AllowedOrigin>*</AllowedOrigin>"));
    let steps = provision(settings.clone(), full()).await;
    assert_eq!(
        changes(&steps),
        [
            ("bucket", Change::Unchanged),
            ("CORS", Change::Updated),
            ("lifecycle", Change::Created),
            ("website", Change::Created),
            ("public access block", Change::Unchanged),
            ("bucket policy", Change::Updated),
        ]
    );
    let cors = &state("later")[2].1;
    assert!(!cors.contains("<AllowedOrigin>*</AllowedOrigin>"), "the rule is replaced: {cors}");
    let before = state("later");
    let again = provision(settings.clone(), Provision::new().cors_origin("https://status.example.com")).await;
    assert!(again.iter().all(|step| step.change == Change::Unchanged), "{again:?}");
    assert_eq!(state("later"), before, "what is not asked for stays");
    let longer = provision(settings, full().expire_after(91 * DAY)).await;
    assert_eq!(changes(&longer)[2], ("lifecycle", Change::Updated));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reports_the_plan_and_changes_nothing() {
    let moto = Moto::new();
    let missing = settings(&moto.endpoint(), "planned");
    let steps = provision(missing.clone(), full().dry_run()).await;
    assert_eq!(steps.len(), 6);
    assert!(steps.iter().all(|step| step.change == Change::WouldCreate), "{steps:?}");
    let policy: Value = serde_json::from_str(steps[5].document.as_ref().unwrap()).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 3);
    assert_eq!(owner("GET", "/planned?location", "").0, 404, "there is still no bucket");

    provision(missing.clone(), Provision::new()).await;
    let before = state("planned");
    moto.writes();
    let steps = provision(missing.clone(), full().dry_run()).await;
    assert_eq!(
        changes(&steps),
        [
            ("bucket", Change::Unchanged),
            ("CORS", Change::WouldUpdate),
            ("lifecycle", Change::WouldCreate),
            ("website", Change::WouldCreate),
            ("public access block", Change::Unchanged),
            ("bucket policy", Change::WouldUpdate),
        ]
    );
    assert_eq!(moto.writes(), [""; 0]);
    assert_eq!(state("planned"), before);
    // The run then does exactly what was planned.
    let done = provision(missing, full()).await;
    let documents =
        |steps: &[checkup_core::ProvisionStep]| steps.iter().map(|step| step.document.clone()).collect::<Vec<_>>();
    assert_eq!(documents(&done), documents(&steps));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_region_is_one_without_a_name() {
    let moto = Moto::new();
    let settings = settings(&moto.endpoint(), "oldest").region("us-east-1");
    assert_eq!(changes(&provision(settings.clone(), Provision::new()).await)[0], ("bucket", Change::Created));
    assert_eq!(changes(&provision(settings, Provision::new()).await)[0], ("bucket", Change::Unchanged));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_origin_is_refused_before_any_change() {
    let moto = Moto::new();
    let request = Provision::new().cors_origin("status.example.com");
    let (steps, result) = try_provision(settings(&moto.endpoint(), "origin"), request).await;
    assert!(chain(&result.unwrap_err()).contains("cors_origins"));
    assert_eq!((steps.len(), moto.writes().len()), (0, 0));
}
