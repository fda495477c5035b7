//! `checkup provision`. Its effects on a bucket are tested in `checkup-storage-s3`, against a server that knows policies.

use serde_json::{Value, json};

use crate::support::{Folder, ONE_CHECK};

fn config(storage: &Value) -> Value {
    let mut config: Value = serde_json::from_str(ONE_CHECK).unwrap();
    config["storage"] = storage.clone();
    config
}

#[test]
fn a_storage_that_needs_nothing_says_so() {
    let folder = Folder::new(&config(&json!({ "type": "fs", "dir": "results" })));
    let error = "checkup: the storage `fs` needs no provisioning\n";
    assert_eq!(folder.run(&["provision"]).parts(), (2, "", error));
    assert!(!folder.path("results").exists());
    let without = Folder::new(&serde_json::from_str(ONE_CHECK).unwrap()).run(&["provision"]);
    assert!(without.code == 2 && without.stderr.contains("needs a `storage`"), "{without:?}");
}

#[test]
fn options_that_cannot_work_are_usage_errors() {
    let folder = Folder::new(&config(&json!({ "type": "fs", "dir": "results" })));
    let ran = folder.run(&["provision", "--origin", "status.example.com", "--expire-after", "0"]);
    assert!(ran.code == 2 && ran.stderr.contains("cors_origins") && ran.stderr.contains("expire_after"), "{ran:?}");
    assert_eq!(folder.run(&["provision", "azure"]).code, 2);
    let ran = folder.run(&["provision", "s3", "--config", "checkup.json"]);
    assert!(ran.code == 2 && ran.stderr.contains("--config has no effect"), "{ran:?}");
}

#[test]
fn without_a_config_file_the_bucket_is_that_of_the_environment() {
    let folder = Folder::empty();
    let mut command = folder.command(&["provision", "s3"]);
    command.env_remove("AWS_BUCKET_NAME");
    let ran = crate::support::Ran::of(command.output().unwrap());
    assert!(ran.code == 2 && ran.stderr.contains("AWS_BUCKET_NAME is not set"), "{ran:?}");
    let mut command = folder.command(&["provision", "s3"]);
    command.env("AWS_BUCKET_NAME", "No Bucket").env("AWS_REGION", "eu-west-1");
    let ran = crate::support::Ran::of(command.output().unwrap());
    assert!(ran.code == 2 && ran.stderr.contains("the environment: storage.bucket"), "{ran:?}");
}

#[cfg(not(feature = "provision"))]
#[test]
fn without_the_feature_the_command_says_where_it_is() {
    let folder = Folder::new(&config(&json!({ "type": "s3", "bucket": "status", "region": "eu-west-1" })));
    let ran = folder.run(&["provision", "--dry-run"]);
    assert!(ran.code == 2 && ran.stderr.contains("with the feature `provision`"), "{ran:?}");
}

#[cfg(feature = "provision")]
mod with_the_feature {
    use std::process::Command;

    use checkup_testkit::{HttpServer, Request, Response};

    use super::*;
    use crate::support::Ran;

    const SECRET: &str = "never-to-be-shown";

    /// A server without buckets, on which none may be created; it answers `denied` to the last step.
    fn server() -> HttpServer {
        HttpServer::start(|request| answer(&request))
    }

    fn answer(request: &Request) -> Response {
        let refuse = |status, code| Response::new(status).body(format!("<Error><Code>{code}</Code></Error>"));
        if request.method == "GET" { refuse(404, "NoSuchBucket") } else { refuse(403, "AccessDenied") }
    }

    fn storage(server: &HttpServer) -> Value {
        json!({ "type": "s3", "bucket": "status", "region": "eu-west-1", "prefix": "checks", "endpoint": server.url(""),
            "access_key_id": "AKID", "secret_access_key": SECRET, "tag_check_files": true })
    }

    fn run(mut command: Command) -> Ran {
        let ran = Ran::of(command.output().unwrap());
        assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET), "{ran:?}");
        ran
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_dry_run_prints_the_plan_with_its_documents() {
        let server = server();
        let folder = Folder::new(&config(&storage(&server)));
        let ran =
            run(folder.command(&["provision", "--dry-run", "--website", "--origin", "https://status.example.com"]));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let steps: Vec<_> = ran.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
        let place = format!("+ would create bucket: status in {}", server.url(""));
        assert_eq!(
            steps,
            [
                place.as_str(),
                "+ would create CORS: pages of https://status.example.com may read",
                "+ would create website: index.html is shown for a folder, over http",
                "+ would create public access block: a public policy is allowed; what is set against public ACLs stays",
                "+ would create bucket policy: anyone may read check files, the page's files and the files derived from them in checks/, and list with this prefix",
            ]
        );
        assert!(ran.stdout.contains("\"arn:aws:s3:::status/checks/*-check.json\""), "{}", ran.stdout);
        assert_eq!(server.requests(), 1, "it only looks for the bucket");
        let ran = run(folder.command(&["provision", "--dry-run", "--quiet"]));
        assert_eq!(ran.parts(), (0, "", ""));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn as_json_a_step_has_its_document() {
        let server = server();
        let folder = Folder::new(&config(&storage(&server)));
        let ran = run(folder.command(&["provision", "--dry-run", "--expire-after", "90d", "--format", "json"]));
        let steps: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(steps[0]["what"], "bucket");
        assert_eq!((&steps[2]["what"], &steps[2]["change"]), (&json!("lifecycle"), &json!("would create")));
        assert_eq!(steps[2]["document"]["Rules"][0]["Expiration"]["Days"], 90);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_failure_is_code_3_and_names_the_permission() {
        let server = server();
        let ran = run(Folder::new(&config(&storage(&server))).command(&["provision"]));
        assert!(ran.code == 3 && ran.stderr.contains("s3:CreateBucket"), "{ran:?}");
        let ran = run(Folder::new(&config(&storage(&server))).command(&["provision", "--format", "json"]));
        assert_eq!((ran.code, ran.stdout.as_str()), (3, "[]\n"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_environment_is_enough() {
        let server = server();
        let folder = Folder::empty();
        let mut command = folder.command(&["provision", "s3", "--dry-run"]);
        command.env("AWS_BUCKET_NAME", "status").env("AWS_ENDPOINT_URL", server.url(""));
        command.env("AWS_ACCESS_KEY_ID", "AKID").env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_REGION", "eu-west-1");
        let ran = run(command);
        assert!(ran.code == 0 && ran.stdout.contains("would create bucket: status"), "{ran:?}");
    }
}
