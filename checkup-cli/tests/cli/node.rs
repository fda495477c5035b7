//! Which of many nodes the command is: its location.

use checkup_core::Report;
use serde_json::{Value, json};

use crate::support::{Folder, Ran, Running, server};

fn config(url: &str) -> Value {
    json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": url }],
        "storage": { "type": "fs", "dir": "results" },
        "location": "from-config",
    })
}

/// Where the results of a report say that they were made.
fn locations(json: &str) -> Vec<Option<String>> {
    serde_json::from_str::<Report>(json).unwrap().results.into_iter().map(|result| result.location).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_location_is_that_of_the_flag_else_of_the_environment_else_of_the_config() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/")));
    let run = |variable: &str, args: &[&str]| {
        let mut command = folder.command(&[&["--format", "json"], args].concat());
        let ran = Ran::of(command.env("CHECKUP_LOCATION", variable).output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        locations(&ran.stdout)
    };
    assert_eq!(run("", &[]), [Some("from-config".to_owned())]);
    assert_eq!(run("from-environment", &[]), [Some("from-environment".to_owned())]);
    assert_eq!(run("from-environment", &["--location", "from-flag"]), [Some("from-flag".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_checks_has_the_location() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/")));
    assert_eq!(folder.run(&["--store", "--location", "eu"]).parts(), (0, "", ""));
    assert_eq!(folder.stored()[0][0].location.as_deref(), Some("eu"));
    let name = std::fs::read_dir(folder.path("results")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(name.map(|name| name.into_string().unwrap()).any(|name| name.contains("-eu-")));

    let waited = folder.run(&["wait", "--format", "json", "--location", "us"]);
    assert_eq!(locations(&waited.stdout), [Some("us".to_owned())]);

    let mut running = Running::start(&folder, &["every", "hour", "--format", "json", "--location", "asia"]);
    assert_eq!(locations(&running.line("")), [Some("asia".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_that_cannot_be_is_told_before_anything_is_checked() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/")));
    let ran = folder.run(&["--location", " "]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("expected the name of a place, such as `eu-west`"), "{}", ran.stderr);

    let long = "x".repeat(65);
    for args in [&["--quiet"][..], &["--store"], &["every", "hour"], &["wait"], &["message", "hello"]] {
        let ran = Ran::of(folder.command(args).env("CHECKUP_LOCATION", &long).output().unwrap());
        assert_eq!(ran.parts(), (2, "", "checkup: CHECKUP_LOCATION: expected at most 64 characters, found 65\n"));
    }
    assert_eq!(server.connections(), 0);
}
