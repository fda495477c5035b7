//! A run that stores.

use checkup_core::{Report, Status};
use checkup_testkit::{DnsAnswer, DnsServer, TcpServer};
use serde_json::json;

use crate::support::{Folder, server};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_stores_is_silent_and_still_tells_by_its_code() {
    let server = server();
    for (path, code, status) in [("/", 0, Status::Healthy), ("/bad", 1, Status::Down)] {
        let folder = Folder::new(&json!({
            "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": server.url(path) }],
            "storage": { "type": "fs", "dir": "results" },
        }));
        assert_eq!(folder.run(&["--store"]).parts(), (code, "", ""));
        let stored = folder.stored();
        assert_eq!(stored.len(), 1);
        assert_eq!((stored[0][0].name.as_str(), stored[0][0].status), ("API", status));

        let ran = folder.run(&["--store", "--format", "json"]);
        let printed: Report = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(folder.stored()[1], printed.results);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_storage_nothing_is_checked() {
    let server = server();
    let folder = Folder::new(&json!({ "checkers": [{ "type": "http", "endpoint_url": server.url("/") }] }));
    let ran = folder.run(&["--store"]);
    let expected = "checkup: --store needs a `storage` in the config file, and there is none\n";
    assert_eq!(ran.parts(), (2, "", expected));
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_fails_exits_with_3_and_the_report_is_not_lost() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "a-file/results" },
        "spool": false,
    }))
    .file("a-file", "");
    let ran = folder.run(&["--store", "--format", "text"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stdout.starts_with("healthy   API"), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("checkup: could not confirm that the report was stored: "), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

/// As in upstream's documentation: integer nanoseconds, its keys, and an empty list of `notifiers`.
#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_config_runs_unchanged() {
    let http = server();
    let tcp = TcpServer::silent();
    let dns = DnsServer::start(|_| DnsAnswer::A(vec![[127, 0, 0, 1].into()]));
    let folder = Folder::new(&json!({
        "checkers": [
            {
                "type": "http",
                "endpoint_name": "Website",
                "endpoint_url": http.url("/"),
                "attempts": 5,
                "threshold_rtt": 5_000_000_000_i64,
                "up_status": 200,
                "must_contain": "fine",
            },
            {
                "type": "tcp",
                "endpoint_name": "Socket",
                "endpoint_url": tcp.addr().to_string(),
                "attempts": 2,
                "timeout": 2_000_000_000_i64,
            },
            {
                "type": "dns",
                "endpoint_name": "Names",
                "endpoint_url": dns.addr().to_string(),
                "hostname_fqdn": "example.com",
                "timeout": 2_000_000_000_i64,
                "threshold_rtt": 5_000_000_000_i64,
            },
        ],
        "concurrent_checks": 5,
        "timestamp": "0001-01-01T00:00:00Z",
        "storage": { "type": "fs", "dir": "results", "check_expiry": 604_800_000_000_000_i64 },
        "notifiers": [],
    }));
    assert_eq!(folder.run(&["--store"]).parts(), (0, "", ""));
    let stored = folder.stored();
    let results: Vec<_> = stored[0].iter().map(|result| (result.name.as_str(), result.attempts.len())).collect();
    assert_eq!(results, [("Website", 5), ("Socket", 2), ("Names", 1)]);

    let index: serde_json::Value = serde_json::from_str(&folder.read("results/index.json")).unwrap();
    assert_eq!(index.as_object().unwrap().len(), 1);
}
