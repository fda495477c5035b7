//! The lifecycle rule: it matches check files only, or it is not made.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkup_core::{Provision, ProvisionChange as Change, ProvisionStep};
use checkup_storage_s3::S3;
use checkup_testkit::{HttpServer, Response};

use super::refusals::{bare, refuse, subject};
use super::{settings, try_provision};

const THEIRS: &str = "<Rule><ID>theirs</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>\
    <Expiration><Days>7</Days></Expiration></Rule>";

/// A server that keeps the lifecycle rules that it is given, after applying `change` to each.
struct Server {
    http: HttpServer,
    rules: Arc<Mutex<Option<String>>>,
    /// The documents that were put, and `DELETE`.
    writes: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(rules: Option<String>, change: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        let (rules, writes) = (Arc::new(Mutex::new(rules)), Arc::new(Mutex::new(Vec::new())));
        let (kept, taken) = (Arc::clone(&rules), Arc::clone(&writes));
        let http = HttpServer::start(move |request| match (request.method.as_str(), subject(&request)) {
            ("GET", "lifecycle") => match kept.lock().unwrap().clone() {
                Some(rules) => Response::new(200).body(rules),
                None => refuse(404, "NoSuchLifecycleConfiguration", ""),
            },
            ("PUT", "lifecycle") => {
                let document = String::from_utf8(request.body).unwrap();
                taken.lock().unwrap().push(document.clone());
                *kept.lock().unwrap() = Some(change(document));
                Response::new(200)
            }
            ("DELETE", "lifecycle") => {
                taken.lock().unwrap().push("DELETE".to_owned());
                *kept.lock().unwrap() = None;
                Response::new(204)
            }
            _ => bare(&request),
        });
        Self { http, rules, writes }
    }

    fn settings(&self, prefix: &str) -> S3 {
        settings(&self.http.url(""), "status").prefix(prefix)
    }

    fn rules(&self) -> Option<String> {
        self.rules.lock().unwrap().clone()
    }

    fn writes(&self) -> Vec<String> {
        std::mem::take(&mut *self.writes.lock().unwrap())
    }
}

fn expiring() -> Provision {
    Provision::new().expire_after(Duration::from_secs(2 * 24 * 3600))
}

async fn lifecycle(settings: S3, request: Provision) -> Option<ProvisionStep> {
    let (steps, result) = try_provision(settings, request).await;
    result.unwrap();
    steps.into_iter().find(|step| step.what == "lifecycle")
}

/// The rules that an earlier version set for a prefix: here those of `pub/`.
fn wide() -> String {
    let rule = |id: &str, prefix: &str, action: &str| {
        format!("<Rule><ID>{id}</ID><Filter><Prefix>{prefix}</Prefix></Filter><Status>Enabled</Status>{action}</Rule>")
    };
    // The hash of `pub/`.
    let hash = format!(
        "{:08x}",
        "pub/".bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    );
    let expire = "<Expiration><Days>2</Days></Expiration>";
    [
        rule(&format!("CheckupExpire{hash}-1"), "pub/1", expire),
        rule(&format!("CheckupExpire{hash}-2"), "pub/2", expire),
        rule(
            &format!("CheckupUploads{hash}"),
            "pub/",
            "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
        ),
    ]
    .concat()
}

fn document(rules: &str) -> String {
    format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>")
}

#[tokio::test]
async fn a_rule_matches_the_tag_of_the_storage_and_is_switched_on_last() {
    for prefix in ["pub", ""] {
        let server = Server::start(Some(document(THEIRS)), |rules| rules);
        let settings = server.settings(prefix).tag_check_files(true);
        let step = lifecycle(settings.clone(), expiring()).await.unwrap();
        assert_eq!(step.change, Change::Updated, "{step}");
        let rules = server.rules().unwrap();
        for part in ["<Key>checkup-storage</Key>", "<Days>2</Days>", "<ID>theirs</ID>", "<Status>Enabled</Status>"] {
            assert!(rules.contains(part), "{part} in {rules}");
        }
        assert_eq!(rules.contains("<And><Prefix>pub/</Prefix><Tag>"), !prefix.is_empty(), "{rules}");
        assert!(!rules.contains("Disabled") && rules.matches("<Rule>").count() == 2, "{rules}");
        let writes = server.writes();
        assert!(writes.len() == 2 && writes[0].contains("<Status>Disabled</Status>"), "{writes:?}");
        let again = lifecycle(settings, expiring()).await.unwrap();
        assert_eq!((again.change, server.writes().len()), (Change::Unchanged, 0));
    }
}

#[tokio::test]
async fn no_rule_is_made_where_it_would_match_other_objects() {
    // Without a tag only a prefix is left, which `pub/1notes.txt` and `pub/2026/photo.jpg` have too.
    let server = Server::start(Some(document(THEIRS)), |rules| rules);
    let step = lifecycle(server.settings("pub"), expiring()).await.unwrap();
    assert_eq!((step.change, server.writes().len()), (Change::Unsupported, 0));
    assert!(step.detail.contains("`tag_check_files`") && step.detail.contains("`check_expiry`"), "{step}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drops_the_tag_of_a_rule_gets_none() {
    for existing in [None, Some(document(THEIRS))] {
        // Like a server that reads only the elements it knows.
        let drop_tag = |rules: String| {
            let (begin, rest) = rules.split_once("<Tag>").unwrap_or((&rules, ""));
            let end = rest.split_once("</Tag>").map_or("", |(_, end)| end);
            format!("{begin}{end}")
        };
        let server = Server::start(existing.clone(), drop_tag);
        let step = lifecycle(server.settings("pub").tag_check_files(true), expiring()).await.unwrap();
        assert_eq!(step.change, Change::Unsupported, "{step}");
        assert!(step.detail.contains("does not keep the tag") && step.detail.contains("`check_expiry`"), "{step}");
        let writes = server.writes();
        assert!(
            !writes[0].contains(">2</Days></Expiration><ID>Checkup") || writes[0].contains("Disabled"),
            "{writes:?}"
        );
        assert!(!server.rules().unwrap_or_default().contains("Checkup"), "{:?}", server.rules());
        assert_eq!(server.rules().unwrap_or_default().contains("theirs"), existing.is_some());
    }
}

#[tokio::test]
async fn rules_of_an_earlier_version_that_match_too_much_are_removed() {
    for (tagged, request) in
        [(false, Provision::new()), (false, expiring()), (true, Provision::new()), (true, expiring())]
    {
        let server = Server::start(Some(document(&(wide() + THEIRS))), |rules| rules);
        let settings = server.settings("pub").tag_check_files(tagged);
        let is_made = tagged && request.expire_after.is_some();
        let step = lifecycle(settings.clone(), request.clone().dry_run()).await.unwrap();
        assert_eq!((step.change, server.writes().len()), (Change::WouldUpdate, 0));
        let step = lifecycle(settings, request).await.unwrap();
        assert_eq!(step.change, Change::Updated);
        assert!(step.detail.contains("3 rules") && step.detail.contains("other objects"), "{step}");
        let rules = server.rules().unwrap();
        assert!(
            rules.contains("theirs") && !rules.contains("<Prefix>pub/1<") && !rules.contains("CheckupUploads"),
            "{rules}"
        );
        assert_eq!(rules.contains("<Key>checkup-storage</Key>"), is_made, "{rules}");
    }
    let server = Server::start(Some(document(&wide())), |rules| rules);
    lifecycle(server.settings("pub"), Provision::new()).await.unwrap();
    assert_eq!((server.rules(), server.writes()), (None, vec!["DELETE".to_owned()]));
    // Rules for another prefix belong to another storage.
    let server = Server::start(Some(document(&wide())), |rules| rules);
    assert_eq!(lifecycle(server.settings("prod"), Provision::new()).await, None);
    assert!(server.rules().is_some());
}

#[tokio::test]
async fn a_key_that_may_not_read_the_rules_provisions_everything_else() {
    let server = HttpServer::start(|request| match subject(&request) {
        "lifecycle" => refuse(403, "AccessDenied", ""),
        _ => bare(&request),
    });
    let settings = settings(&server.url(""), "status");
    assert_eq!(lifecycle(settings.clone(), Provision::new()).await, None);
    assert!(try_provision(settings, expiring()).await.1.is_err());
}
