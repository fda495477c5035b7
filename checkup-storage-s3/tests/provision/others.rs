//! Settings on the bucket that others have made are kept.

use std::time::Duration;

use checkup_core::{Provision, ProvisionChange as Change};
use serde_json::{Value, json};

use super::moto::{Moto, bucket, put, state};
use super::{changes, provision, settings};

fn policy(bucket: &str) -> Value {
    serde_json::from_str(&state(bucket)[1].1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_others_are_kept() {
    let moto = Moto::new();
    bucket("shared");
    let theirs = json!({"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::shared/uploads/*"});
    put("/shared?policy", &json!({"Version": "2012-10-17", "Id": "hers", "Statement": [theirs]}).to_string());
    let steps = provision(settings(&moto.endpoint(), "shared"), Provision::new()).await;
    assert_eq!(changes(&steps).last(), Some(&("bucket policy", Change::Updated)));
    assert!(steps.last().unwrap().detail.ends_with("another statement is kept"), "{steps:?}");
    let merged = policy("shared");
    assert_eq!((&merged["Id"], &merged["Statement"][0]), (&json!("hers"), &theirs));
    assert_eq!(merged["Statement"].as_array().unwrap().len(), 3);

    // Another prefix of the bucket belongs to somebody else, too.
    provision(settings(&moto.endpoint(), "shared").prefix("staging"), Provision::new()).await;
    let both = policy("shared");
    assert_eq!(both["Statement"].as_array().unwrap()[..3], merged["Statement"].as_array().unwrap()[..]);
    assert_eq!(both["Statement"].as_array().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn cors_and_lifecycle_rules_of_others_are_kept() {
    let moto = Moto::new();
    bucket("ruled");
    put(
        "/ruled?cors",
        "<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>",
    );
    put(
        "/ruled?lifecycle",
        "<LifecycleConfiguration><Rule><ID>theirs</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>\
         <Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>",
    );
    let request = Provision::new().expire_after(Duration::from_secs(90 * 24 * 3600));
    let steps = provision(settings(&moto.endpoint(), "ruled").tag_check_files(true), request.clone()).await;
    assert_eq!(changes(&steps)[1..3], [("CORS", Change::Updated), ("lifecycle", Change::Updated)]);
    let found = state("ruled");
    for part in ["https://app.example", "<AllowedMethod>PUT</AllowedMethod>", "<AllowedOrigin>*</AllowedOrigin>"] {
        assert!(found[2].1.contains(part), "{part} in {}", found[2].1);
    }
    for part in [
        "<ID>theirs</ID>",
        "<Prefix>logs/</Prefix>",
        "<StorageClass>GLACIER</StorageClass>",
        "<Key>checkup-storage</Key>",
    ] {
        assert!(found[3].1.contains(part), "{part} in {}", found[3].1);
    }
    let again = provision(settings(&moto.endpoint(), "ruled").tag_check_files(true), request).await;
    assert!(again.iter().all(|step| step.change == Change::Unchanged), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_blocks_public_policies_is_taken_away() {
    let moto = Moto::new();
    bucket("blocked");
    put(
        "/blocked?publicAccessBlock",
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls>\
         <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
    );
    let settings = settings(&moto.endpoint(), "blocked");
    let steps = provision(settings.clone(), Provision::new()).await;
    assert!(changes(&steps).contains(&("public access block", Change::Updated)));
    let block = &state("blocked")[5].1;
    for part in [
        "<BlockPublicAcls>true<",
        "<IgnorePublicAcls>false<",
        "<BlockPublicPolicy>false<",
        "<RestrictPublicBuckets>false<",
    ] {
        assert!(block.contains(part), "{part} in {block}");
    }
    let again = provision(settings, Provision::new()).await;
    assert!(again.iter().all(|step| step.change == Change::Unchanged), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_website_of_others_is_kept() {
    let moto = Moto::new();
    bucket("webbed");
    put(
        "/webbed?website",
        "<WebsiteConfiguration><IndexDocument><Suffix>home.html</Suffix></IndexDocument></WebsiteConfiguration>",
    );
    let steps = provision(settings(&moto.endpoint(), "webbed"), Provision::new().website()).await;
    assert!(changes(&steps).contains(&("website", Change::Unchanged)));
    assert!(state("webbed")[4].1.contains("home.html"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_was_there_without_a_block_gets_none() {
    let moto = Moto::new();
    bucket("old-one");
    let steps = provision(settings(&moto.endpoint(), "old-one"), Provision::new()).await;
    assert!(changes(&steps).contains(&("public access block", Change::Unchanged)));
    assert_eq!(state("old-one")[5].0, 404, "its public ACLs, if it has any, still work");
}
