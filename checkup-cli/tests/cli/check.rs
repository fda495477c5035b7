//! A single run.

use std::io;
use std::process::Stdio;

use checkup_core::{Report, Status};
use serde_json::json;

use crate::support::{Folder, Ran, normal, server};

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_a_table_with_the_reason_under_each_check_that_is_not_healthy() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/"), "tags": ["public", "eu"] },
        { "type": "http", "endpoint_name": "Search", "endpoint_url": server.url("/slow"), "threshold_rtt": "1ms", "attempts": 2 },
        { "type": "http", "endpoint_name": "Payments", "endpoint_url": server.url("/bad"), "attempts": 2 },
        { "type": "tcp", "endpoint_name": "日本", "endpoint_url": server.addr().to_string() },
        { "type": "tcp", "endpoint_url": server.addr().to_string() },
    ]}));
    let ran = folder.run(&[]);
    let table = "\
healthy   API  TIME  http://SERVER/  #public #eu
degraded  Search  TIME  http://SERVER/slow
          median round trip time exceeded threshold (1ms)
down      Payments  TIME  http://SERVER/bad
          response status 503 Service Unavailable (2 of 2 attempts failed)
healthy   日本  TIME  SERVER
healthy   SERVER  TIME
3 healthy, 1 degraded, 1 down in TIME
";
    assert_eq!(normal(&ran.stdout, &server), table);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_have_headings_and_what_is_down_because_of_another_says_so() {
    let server = server();
    let check = |name: &str, path: &str, group: &str| {
        let group = Some(group).filter(|group| !group.is_empty());
        json!({ "type": "http", "endpoint_name": name, "endpoint_url": server.url(path), "group": group })
    };
    let mut shop = check("Shop", "/bad", "");
    shop["depends_on"] = json!(["Database"]);
    let checkers = json!({ "checkers": [check("Database", "/bad", "Data"), shop, check("Cache", "/", "Data")] });
    let ran = Folder::new(&checkers).run(&[]);
    let table = "\
Data
down      Database  TIME  http://SERVER/bad
          response status 503 Service Unavailable
healthy   Cache  TIME  http://SERVER/

down      Shop  TIME  http://SERVER/bad
          down because of Database: response status 503 Service Unavailable

1 healthy, 2 down in TIME
";
    assert_eq!(normal(&ran.stdout, &server), table);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_aligned_whatever_the_width_of_characters() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "日本語", "endpoint_url": server.url("/") },
        { "type": "http", "endpoint_name": "abcdefgh", "endpoint_url": server.url("/") },
    ]}));
    let ran = folder.run(&[]);
    let columns: Vec<_> = ran
        .stdout
        .lines()
        .take(2)
        .map(|line| unicode_width::UnicodeWidthStr::width(line.split("http://").next().unwrap()))
        .collect();
    assert_eq!(columns[0], columns[1], "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_healthy_exits_with_0_and_degraded_with_1() {
    let server = server();
    let check = |path: &str| json!({ "type": "http", "endpoint_url": server.url(path), "threshold_rtt": "20ms" });
    let healthy = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    assert_eq!(healthy.run(&[]).code, 0);
    let degraded = Folder::new(&json!({ "checkers": [check("/slow")] }));
    let ran = degraded.run(&[]);
    assert!(ran.stdout.starts_with("degraded  "), "{}", ran.stdout);
    assert_eq!(ran.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_document_as_in_a_check_file() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") },
        { "type": "http", "endpoint_name": "Payments\u{9b}31m", "endpoint_url": server.url("/bad") },
    ]}));
    let ran = folder.run(&["--format", "json"]);
    let report: Report = serde_json::from_str(&ran.stdout).unwrap();
    let results: Vec<_> = report.results.iter().map(|result| (result.name.as_str(), result.status)).collect();
    assert_eq!(results, [("API", Status::Healthy), ("Payments\u{9b}31m", Status::Down)]);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(ran.stdout.contains("Payments\\u009b31m"), "{}", ran.stdout);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_selects_by_name_and_by_tag() {
    let server = server();
    let url = server.url("/");
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "API", "endpoint_url": url, "tags": ["public"] },
        { "type": "http", "endpoint_name": "Search", "endpoint_url": url, "tags": ["public", "eu"] },
        { "type": "http", "endpoint_name": "Database", "endpoint_url": url },
    ]}));
    let names = |args: &[&str]| {
        let ran = folder.run(&[&["--format", "json"], args].concat());
        let report: Report = serde_json::from_str(&ran.stdout).unwrap();
        report.results.into_iter().map(|result| result.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--only", "database"]), ["Database"]);
    assert_eq!(names(&["--only", "tag:public"]), ["API", "Search"]);
    assert_eq!(names(&["--only", "Database", "--only", "tag:eu"]), ["Search", "Database"]);

    let ran = folder.run(&["--only", "tag:eu", "--only", "databse"]);
    let expected = "checkup: no check is named \"databse\"; did you mean \"Database\"? (checks: \"API\", \"Search\", \"Database\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
    let ran = folder.run(&["--only", "tag:publik"]);
    let expected = "checkup: no check has the tag \"publik\"; did you mean \"public\"? (tags: \"public\", \"eu\")\n";
    assert_eq!(ran.parts(), (2, "", expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_printed_on_request() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/"), "attempts": 3 },
    ]}));
    let ran = folder.run(&["--stats"]);
    let text = normal(&ran.stdout, &server);
    assert!(
        text.contains("\n          3 attempts: median TIME, mean TIME, min TIME, max TIME, total TIME\n"),
        "{text}"
    );
    assert!(text.contains("\n          connect TIME, first byte TIME"), "{text}");
    assert!(!folder.run(&[]).stdout.contains("attempts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_leaves_it_to_the_exit_code() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/bad") }] }));
    assert_eq!(folder.run(&["--quiet"]).parts(), (1, "", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_reasons_cannot_write_to_the_terminal() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [
        { "type": "http", "endpoint_name": "a\u{1b}[2J\r\nhealthy  b", "endpoint_url": server.url("/"), "must_contain": "\u{1b}]0;title\u{7}" },
    ]}));
    let ran = folder.run(&[]);
    assert!(!ran.stdout.chars().any(|c| c.is_control() && c != '\n'), "{:?}", ran.stdout);
    assert!(ran.stdout.starts_with("down      a\\u{1b}[2J\\r\\nhealthy  b  "), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_for_terminals_unless_asked_for() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = folder.command(args);
        command.envs(variables.iter().copied());
        Ran::of(command.output().unwrap()).stdout
    };
    let green = "\u{1b}[32mhealthy\u{1b}[0m";
    assert!(run(&["--color", "always"], &[]).starts_with(green));
    assert!(run(&[], &[("CLICOLOR_FORCE", "1")]).starts_with(green));
    assert!(!run(&[], &[]).contains('\u{1b}'));
    assert!(!run(&["--color=never"], &[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(!run(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_gone_away_is_no_error() {
    let server = server();
    for (path, code) in [("/", 0), ("/bad", 1)] {
        let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url(path) }] }));
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = folder.command(&[]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(Ran::of(output).parts(), (code, "", ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verbose_tells_what_happens_on_standard_error() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let ran = folder.run(&["-v"]);
    assert!(ran.stderr.contains("run finished"), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("healthy  "), "{}", ran.stdout);
    let ran = Ran::of(folder.command(&[]).env("RUST_LOG", "checkup_core=nonsense").output().unwrap());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("checkup: RUST_LOG: "), "{}", ran.stderr);
}
