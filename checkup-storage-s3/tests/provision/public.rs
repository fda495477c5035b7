//! What anyone may do with a bucket that was provisioned. moto asks the policy for objects; it lets anyone list, so that the
//! policy's condition on that is a unit test of the policy.

use checkup_core::{CheckResult, IntoStorage, Provision, Report, Timestamp};

use super::moto::{Moto, anyone, bucket, owner, put};
use super::{provision, settings};

/// Leaves out the one pattern with `?`, which is for the parts of a large summary. AWS knows `?`; moto fails on a policy with it. The unit
/// tests of the policy match this pattern by AWS's rules.
fn leave_out_question_marks(bucket: &str) {
    const PATTERN: &str = "summary-*-*-????????????????.json";
    let (_, policy) = owner("GET", &format!("/{bucket}?policy"), "");
    assert!(policy.contains(PATTERN), "{policy}");
    put(&format!("/{bucket}?policy"), &policy.replace(PATTERN, "summary.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_may_read_check_files_and_nothing_else() {
    let moto = Moto::new();
    let settings = settings(&moto.endpoint(), "public");
    provision(settings.clone(), Provision::new()).await;
    leave_out_question_marks("public");
    let storage = settings.clone().into_storage().unwrap();
    storage.store(&Report::new(vec![CheckResult::new("API", "https://example.com")])).await.unwrap();
    for key in ["checks/secret.txt", "checks/index.html", "other/1795000000000000000-check.json", "secret.txt"] {
        put(&format!("/public/{key}"), "hidden");
    }
    put("/public/checks/summary.json", "{}");

    let name = storage.reader().unwrap().list(Timestamp::from_unix_nanos(0)).await.unwrap().remove(0);
    let (status, content) = anyone("GET", &format!("/public/checks/{name}"));
    assert!(status == 200 && content.contains("https://example.com"), "{status} {content}");
    assert_eq!(anyone("GET", "/public/checks/summary.json").0, 200);
    for key in ["checks/secret.txt", "checks/index.html", "other/1795000000000000000-check.json", "secret.txt"] {
        let (status, content) = anyone("GET", &format!("/public/{key}"));
        assert!(status == 403 && !content.contains("hidden"), "{key}: {status} {content}");
    }
    let (status, listed) = anyone("GET", "/public?list-type=2&prefix=checks/");
    assert!(status == 200 && listed.contains(&name.to_string()), "{status} {listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_without_a_key_reads_the_history() {
    let moto = Moto::new();
    let owned = settings(&moto.endpoint(), "history");
    provision(owned.clone(), Provision::new()).await;
    let storage = owned.clone().into_storage().unwrap();
    storage.store(&Report::new(vec![CheckResult::new("API", "https://example.com")])).await.unwrap();
    let mut anonymous = owned.anonymous(true);
    (anonymous.access_key_id, anonymous.secret_access_key) = (None, None);
    let storage = anonymous.into_storage().unwrap();
    let reader = storage.reader().unwrap();
    let names = reader.list(Timestamp::from_unix_nanos(0)).await.unwrap();
    assert_eq!(reader.fetch(&names[0]).await.unwrap()[0].name, "API");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_files_are_public_if_the_page_is_there() {
    let moto = Moto::new();
    provision(settings(&moto.endpoint(), "paged"), Provision::new().page()).await;
    leave_out_question_marks("paged");
    for key in ["checks/index.html", "checks/page.js", "checks/badge/api.svg", "checks/secret.txt", "index.html"] {
        put(&format!("/paged/{key}"), "content");
    }
    for (key, status) in [
        ("checks/index.html", 200),
        ("checks/page.js", 200),
        ("checks/badge/api.svg", 200),
        ("checks/secret.txt", 403),
        ("index.html", 403),
    ] {
        assert_eq!(anyone("GET", &format!("/paged/{key}")).0, status, "{key}");
    }
}

/// Proves that the tests above can fail: without provisioning, nothing is public.
#[tokio::test(flavor = "multi_thread")]
async fn before_it_is_provisioned_nothing_is_public() {
    let _moto = Moto::new();
    bucket("closed");
    put("/closed/checks/1-check.json", "[]");
    assert_eq!(anyone("GET", "/closed/checks/1-check.json").0, 403);
}
