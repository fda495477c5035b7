//! `--format github`.

use serde_json::{Value, json};

use crate::support::{Folder, Ran, normal, server};

fn config(server: &checkup_testkit::HttpServer) -> Value {
    json!({
        "checkers": [
            { "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") },
            { "type": "http", "endpoint_name": "Search", "endpoint_url": server.url("/slow"), "threshold_rtt": "1ms" },
            { "type": "http", "endpoint_name": "Shop: 100%", "endpoint_url": server.url("/bad") },
        ],
        "storage": { "type": "fs", "dir": "results" },
    })
}

const ANNOTATIONS: &str = "\
::warning title=Search is degraded::median round trip time exceeded threshold (1ms) (http://SERVER/slow)
::error title=Shop%3A 100%25 is down::response status 503 Service Unavailable (http://SERVER/bad)
1 healthy, 1 degraded, 1 down in TIME
";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_healthy_is_annotated() {
    let server = server();
    let folder = Folder::new(&config(&server));
    let ran = folder.run(&["--format", "github"]);
    assert_eq!(normal(&ran.stdout, &server), ANNOTATIONS);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_when_it_stores_and_when_it_waits() {
    let server = server();
    let folder = Folder::new(&config(&server));
    let ran = folder.run(&["--store", "--format", "github"]);
    assert_eq!((ran.code, normal(&ran.stdout, &server).as_str()), (1, ANNOTATIONS));
    assert_eq!(folder.stored().len(), 1);
    let ran = folder.run(&["wait", "--timeout", "1s", "--format", "github"]);
    assert_eq!((ran.code, normal(&ran.stdout, &server).as_str()), (1, ANNOTATIONS));
    assert_eq!(folder.run(&["--quiet", "--format", "github"]).parts(), (1, "", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_as_in_every_other_output() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let run = |variables: &[(&str, &str)]| {
        let mut command = folder.command(&["--format", "github"]);
        Ran::of(command.envs(variables.iter().copied()).output().unwrap()).stdout
    };
    assert!(run(&[("CLICOLOR_FORCE", "1")]).starts_with("\u{1b}[32m1 healthy\u{1b}[0m in "));
    assert!(run(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).starts_with("1 healthy in "));
}
