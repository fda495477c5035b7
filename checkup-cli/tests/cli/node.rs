//! Which of many nodes the command is: its location, and its share of the checks.

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

/// The locations of the results of a report.
fn locations(json: &str) -> Vec<Option<String>> {
    serde_json::from_str::<Report>(json)
        .unwrap()
        .results
        .into_iter()
        .map(|result| result.location.as_deref().map(str::to_owned))
        .collect()
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

/// Eight checks that share a server, and how many of them each of these nodes checks.
fn many(url: &str) -> Value {
    let checkers: Vec<_> =
        (0..8).map(|n| json!({ "type": "http", "endpoint_name": format!("check {n}"), "endpoint_url": url })).collect();
    json!({ "checkers": checkers, "storage": { "type": "fs", "dir": "results" } })
}

fn names(json: &str) -> Vec<String> {
    serde_json::from_str::<Report>(json).unwrap().results.into_iter().map(|result| result.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_is_in_just_one_shard() {
    let server = server();
    let folder = Folder::new(&many(&server.url("/")));
    let mut all = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let ran = folder.run(&["--format", "json", "--shard", shard]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        all.extend(names(&ran.stdout));
    }
    all.sort_unstable();
    assert_eq!(all, (0..8).map(|n| format!("check {n}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shard_is_that_of_the_flag_else_of_the_environment_else_of_the_config() {
    let server = server();
    let mut config = many(&server.url("/"));
    let of = |args: &[&str]| {
        names(&Folder::new(&many(&server.url("/"))).run(&[&["--format", "json"], args].concat()).stdout)
    };
    let shards = [of(&["--shard", "1/3"]), of(&["--shard", "2/3"]), of(&["--shard", "3/3"])];
    config["shard"] = json!({ "index": 1, "count": 3 });
    let folder = Folder::new(&config);
    let run = |variable: &str, args: &[&str]| {
        let mut command = folder.command(&[&["--format", "json"], args].concat());
        names(&Ran::of(command.env("CHECKUP_SHARD", variable).output().unwrap()).stdout)
    };
    assert_eq!(run("", &[]), shards[0]);
    assert_eq!(run("2/3", &[]), shards[1]);
    assert_eq!(run("2/3", &["--shard", "3/3"]), shards[2]);
    assert_eq!(run("", &["--shard", "1/1"]).len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_nothing_to_check_says_so_and_is_healthy() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "results" },
    }));
    let is_idle = |shard: &&str| folder.run(&["--shard", shard]).stderr.starts_with("checkup: nothing to check");
    let (idle, busy): (Vec<_>, Vec<_>) = ["1/2", "2/2"].into_iter().partition(is_idle);
    assert_eq!((idle.len(), busy.len()), (1, 1));
    let shown = format!("checkup: nothing to check: none of the checks is in shard {}\n", idle[0]);
    let ran = folder.run(&["--only", "api", "--shard", idle[0]]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, shown.as_str()));
    let ran = folder.run(&["wait", "--format", "json", "--shard", idle[0]]);
    assert_eq!(ran.parts(), (0, "[]\n", shown.as_str()));
    // A run that stores prints nothing, and there is nothing to store.
    assert_eq!(folder.run(&["--store", "--shard", idle[0]]).parts(), (0, "", ""));
    assert!(folder.stored().is_empty());
    // A message is about any check.
    {
        let ran = folder.run(&["message", "hello", "--shard", idle[0]]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        assert!(ran.stdout.starts_with("Message ") && ran.stdout.ends_with(" posted\n"), "{ran:?}");
    }
    assert_eq!(folder.stored()[0][0].message.as_deref(), Some("hello"));
    // A name that no check has is still an error.
    assert_eq!(folder.run(&["--only", "search", "--shard", idle[0]]).code, 2);
}

#[test]
fn a_shard_that_cannot_be_is_told() {
    let folder = Folder::new(&many("http://127.0.0.1:1/"));
    let expected = "expected a shard such as 2/8, the second of eight, found 9/8";
    let ran = folder.run(&["--shard", "9/8"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    let ran = Ran::of(folder.command(&["every", "hour", "--quiet"]).env("CHECKUP_SHARD", "9/8").output().unwrap());
    assert_eq!(ran.parts(), (2, "", format!("checkup: CHECKUP_SHARD: {expected}\n").as_str()));
}
