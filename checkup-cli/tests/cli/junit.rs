//! `--format junit`.

use std::env;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use checkup_testkit::HttpServer;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Value, json};

use crate::support::{Folder, ONE_CHECK, server};

/// Set by `.ci/tests`: documents must be checked against the schema, not only if `xmllint` happens to be installed.
const NEEDS_XMLLINT: &str = "CHECKUP_NEEDS_XMLLINT";

fn config(server: &HttpServer) -> Value {
    json!({
        "checkers": [
            { "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/"), "group": "Public" },
            { "type": "http", "endpoint_name": "Search", "endpoint_url": server.url("/slow"), "threshold_rtt": "1ms" },
            { "type": "http", "endpoint_name": "Shop", "endpoint_url": server.url("/bad"), "attempts": 2 },
            { "type": "tcp", "endpoint_name": "Port", "endpoint_url": server.addr().to_string() },
        ],
        "storage": { "type": "fs", "dir": "results" },
        "location": "eu <west>",
    })
}

/// The elements of a document with their attributes, in order: `failure type="refused" message="…"`. Fails on what
/// is not well-formed.
fn elements(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut elements = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => elements.push(describe(&element)),
            Event::Eof => return elements,
            _ => {}
        }
    }
}

fn describe(element: &BytesStart<'_>) -> String {
    let mut text = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
    for attribute in element.attributes() {
        let attribute = attribute.unwrap();
        let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).unwrap();
        text.push_str(&format!(" {}={value:?}", str::from_utf8(attribute.key.as_ref()).unwrap()));
    }
    text
}

/// Checks a document against the schema with xmllint, if that is installed or required.
fn validate(xml: &str) {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/junit.xsd");
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema", schema, "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound && env::var_os(NEEDS_XMLLINT).is_none() => return,
        Err(error) => panic!("xmllint: {error}"),
    };
    child.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{xml}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_is_a_test_case_of_its_group_or_type() {
    let server = server();
    let ran = Folder::new(&config(&server)).run(&["--format", "junit"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    validate(&ran.stdout);
    let elements = elements(&ran.stdout);
    let starts = [
        "testsuites",
        "testsuite name=\"checkup\" package=\"checkup\" id=\"0\" timestamp=\"",
        "properties",
        concat!("property name=\"checkup.version\" value=\"", env!("CARGO_PKG_VERSION"), "\""),
        "property name=\"checkup.location\" value=\"eu <west>\"",
        "testcase name=\"API\" classname=\"Public\" time=\"0.",
        "testcase name=\"Search\" classname=\"http\" time=\"0.",
        "failure type=\"degraded\" message=\"median round trip time exceeded threshold (1ms)\"",
        "testcase name=\"Shop\" classname=\"http\" time=\"0.",
        "failure type=\"assertion\" message=\"response status 503 Service Unavailable (2 of 2 attempts failed)\"",
        "testcase name=\"Port\" classname=\"tcp\" time=\"0.",
        "system-out",
        "system-err",
    ];
    assert_eq!(elements.len(), starts.len(), "{elements:#?}");
    for (element, start) in elements.iter().zip(starts) {
        assert!(element.starts_with(start), "{element} does not start with {start}");
    }
    assert!(elements[1].contains(" tests=\"4\" failures=\"2\" errors=\"0\" time=\""), "{}", elements[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_text_comes_from_outside_the_document_stays_valid() {
    let server = server();
    let evil = "]]></failure>\u{0}\u{1}\u{b}\u{1b}[2J\u{7f}\u{9b}\u{fffe}\u{ffff}<!-- &amp; \"quotes\" 'too'\r\n\ttext 日本 🙂";
    // A location has no control characters.
    let place: String = evil.chars().filter(|c| !c.is_control()).take(64).collect();
    let folder = Folder::new(&json!({
        "checkers": [
            { "type": "http", "endpoint_name": evil, "endpoint_url": server.url("/"), "must_contain": evil, "group": evil },
            { "type": "http", "endpoint_name": format!("{evil}!"), "endpoint_url": server.url("/bad") },
        ],
        "location": place,
    }));
    let ran = folder.run(&["--format", "junit"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    validate(&ran.stdout);
    let allowed = |c: char| c == '\n' || c >= ' ' && !c.is_control() && c != '\u{fffe}' && c != '\u{ffff}';
    assert!(ran.stdout.chars().all(allowed), "{}", ran.stdout);
    let text = elements(&ran.stdout).join("\n");
    // Escaped once by the command, and once more by `{:?}`.
    assert!(
        text.contains(r"]]></failure>\\u{0}\\u{1}\\u{b}\\u{1b}[2J\\u{7f}\\u{9b}\\u{fffe}\\u{ffff}<!-- &amp; "),
        "{text}"
    );
    assert!(text.contains("日本 🙂"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_when_it_stores_and_when_it_waits() {
    let server = server();
    let folder = Folder::new(&config(&server));
    for args in [&["--store", "--format", "junit"][..], &["wait", "--timeout", "1s", "--format", "junit"]] {
        let ran = folder.run(args);
        assert_eq!(ran.code, 1);
        validate(&ran.stdout);
        assert_eq!(elements(&ran.stdout).iter().filter(|element| element.starts_with("testcase ")).count(), 4);
    }
    assert_eq!(folder.stored().len(), 1);
    assert_eq!(folder.run(&["--quiet", "--format", "junit"]).parts(), (1, "", ""));
}

#[test]
fn the_schema_refuses_what_is_not_a_report() {
    if Command::new("xmllint").arg("--version").output().is_err() && env::var_os(NEEDS_XMLLINT).is_none() {
        return;
    }
    let ran = Folder::empty().file("checkup.json", ONE_CHECK).run(&["--format", "junit"]);
    validate(&ran.stdout);
    for (from, to) in
        [(" errors=\"0\"", ""), ("<system-out/>", ""), (" id=\"0\"", " id=\"x\""), ("<system-err/>", "<x/>")]
    {
        let broken = ran.stdout.replace(from, to);
        assert_ne!(broken, ran.stdout);
        assert!(std::panic::catch_unwind(|| validate(&broken)).is_err(), "{broken}");
    }
}
