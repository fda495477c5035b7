//! Compatibility with upstream: its configuration and its directory work unchanged, and a reader that knows only its
//! format can read what we write.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::net::Ipv4Addr;
use std::path::Path;

use checkup::config::Format;
use checkup::{Checkup, Status, Timestamp};
use checkup_testkit::{Ca, DnsAnswer, DnsServer, HttpServer, Response, TcpServer, TlsOptions, TlsServer, closed_port};
use serde_json::{Value, json};

/// A config as in upstream's documentation: every key of the three checkers, and integer durations.
fn upstream_config(web: &HttpServer, tcp: &TcpServer, dns: &DnsServer, dir: &Path) -> Value {
    json!({
        "checkers": [
            {
                "type": "http", "endpoint_name": "Website", "endpoint_url": web.url("/"), "up_status": 200,
                "threshold_rtt": 500_000_000, "must_contain": "welcome", "must_not_contain": "error",
                "attempts": 5, "attempt_spacing": 1_000_000, "headers": { "X-Probe": ["a", "b"], "Host": ["shop.test"] },
            },
            { "type": "http", "endpoint_name": "Moved", "endpoint_url": web.url("/moved") },
            {
                "type": "tcp", "endpoint_name": "Port", "endpoint_url": tcp.addr().to_string(), "tls": false,
                "timeout": 1_000_000_000, "threshold_rtt": 500_000_000, "attempts": 2,
            },
            { "type": "tcp", "endpoint_name": "Closed port", "endpoint_url": closed_port().to_string() },
            {
                "type": "dns", "endpoint_name": "Name", "endpoint_url": dns.addr().to_string(),
                "hostname_fqdn": "www.example.test", "timeout": 1_000_000_000, "attempts": 1,
            },
        ],
        "storage": { "type": "fs", "dir": dir, "url": "http://127.0.0.1/checks", "check_expiry": 604_800_000_000_000_u64 },
        "concurrent_checks": 5,
        "timestamp": "0001-01-01T00:00:00Z",
    })
}

async fn run_upstream_config(dir: &Path) -> Checkup {
    let web = HttpServer::start(|request| match request.target.as_str() {
        "/" if request.header("x-probe") == Some("a, b") && request.header("host") == Some("shop.test") => {
            Response::new(200).body("welcome")
        }
        "/moved" => Response::new(301).header("Location", "/"),
        _ => Response::new(400),
    });
    let tcp = TcpServer::silent();
    let dns = DnsServer::start(|name| match name {
        "www.example.test" => DnsAnswer::A(vec![Ipv4Addr::new(192, 0, 2, 1)]),
        _ => DnsAnswer::Code(3),
    });
    let config = upstream_config(&web, &tcp, &dns, dir).to_string();
    let checkup = checkup::default_registry().parse(&config, Format::Json).unwrap();
    let report = checkup.check_and_store().await.unwrap();
    let statuses: Vec<_> = report.results.iter().map(|result| (result.name.as_str(), result.status)).collect();
    assert_eq!(
        statuses,
        [
            ("Website", Status::Healthy),
            ("Moved", Status::Down),
            ("Port", Status::Healthy),
            ("Closed port", Status::Down),
            ("Name", Status::Healthy),
        ],
        "{report}"
    );
    assert_eq!(report.get("Website").unwrap().attempts.len(), 5);
    assert_eq!(report.get("Moved").unwrap().reason().unwrap(), "response status 301 Moved Permanently");
    checkup
}

#[tokio::test]
async fn an_upstream_config_runs_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    run_upstream_config(dir.path()).await;
}

#[cfg(unix)]
#[tokio::test]
async fn upstreams_tls_and_exec_checks_run_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let ca = Ca::new();
    let root = dir.path().join("ca.pem");
    std::fs::write(&root, ca.pem()).unwrap();
    let server = TlsServer::silent(ca.server(&["127.0.0.1"]), TlsOptions::new());
    let tls = |threshold: u64| {
        json!({
            "type": "tls", "endpoint_name": "TLS", "endpoint_url": server.addr().to_string(), "timeout": 5_000_000_000_u64,
            "threshold_rtt": 5_000_000_000_u64, "attempts": 2, "cert_expiry_threshold": threshold, "trusted_roots": [root],
        })
    };
    let exec = |raise: &str, expected: &str| {
        json!({
            "type": "exec", "name": "exec", "command": "echo", "arguments": ["hello", "world"], "raise": raise,
            "must_contain": expected, "must_not_contain": "error", "threshold_rtt": 5_000_000_000_u64, "attempts": 2,
            "attempt_spacing": 1_000_000,
        })
    };
    let year = 365 * 24 * 3600 * 1_000_000_000;
    let checks =
        [tls(0), tls(year), exec("", "hello world"), exec("error", "x"), exec("warn", "x"), exec("warning", "x")];
    // Names must differ.
    let checks = checks.into_iter().enumerate().map(|(index, mut check)| {
        let key = if check["type"] == "tls" { "endpoint_name" } else { "name" };
        check[key] = format!("{index}").into();
        check
    });
    let config = json!({ "checkers": checks.collect::<Vec<_>>() }).to_string();
    let report = checkup::default_registry().parse(&config, Format::Json).unwrap().check().await;
    let statuses: Vec<_> = report.results.iter().map(|result| result.status).collect();
    use Status::{Degraded, Down, Healthy};
    assert_eq!(statuses, [Healthy, Degraded, Healthy, Down, Degraded, Degraded], "{report}");
    assert!(report.results[1].reason().unwrap().starts_with("certificate expiring soon ("), "{report}");
}

/// Upstream's documented notifier objects, of each of its five types.
#[test]
fn upstreams_notifiers_are_accepted_unchanged() {
    let mail =
        json!({ "from": "checkup@example.com", "to": ["ops@example.com"], "subject": "Checkup: Service Unavailable" });
    let with = |more: Value| {
        let mut object = mail.clone();
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let smtp = json!({ "server": "smtp.example.com", "port": 25, "username": "u", "password": "hunter2" });
    let config = json!({
        "checkers": [],
        "notifier": { "type": "slack", "username": "checkup", "channel": "#ops", "webhook": "https://hooks.slack.com/services/T0/B0/XX" },
        "notifiers": [
            { "type": "discord", "webhook": "https://discord.com/api/webhooks/1/XX" },
            with(json!({ "type": "mail", "smtp": smtp })),
            with(json!({ "type": "mailgun", "apikey": "key-1", "domain": "mg.example.com" })),
            { "type": "pushover", "token": "t", "recipient": "r", "subject": "Checkup" },
        ],
    });
    let checkup = checkup::default_registry().parse(&config.to_string(), Format::Json).unwrap();
    assert_eq!(checkup.notifiers().len(), 5);
}

#[tokio::test]
async fn a_reader_that_knows_only_upstreams_format_reads_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    run_upstream_config(dir.path()).await;

    // Upstream's page reads the index first, then the files. It takes the timestamp from the digits before the first `-`.
    let read = |name: &str| serde_json::from_slice::<Value>(&std::fs::read(dir.path().join(name)).unwrap()).unwrap();
    let index = read("index.json");
    let (name, stamp) = index.as_object().unwrap().iter().next().unwrap();
    assert!(name.contains("-check.json") && stamp.is_i64(), "{name}: {stamp}");
    assert!(name.split('-').next().unwrap().parse::<i64>().unwrap() > 1_700_000_000_000_000_000);
    let results = read(name);
    let known =
        ["title", "endpoint", "timestamp", "times", "threshold", "healthy", "degraded", "down", "notice", "message"];
    for result in results.as_array().unwrap() {
        let verdicts = ["healthy", "degraded", "down"].iter().filter(|key| result[**key] == true).count();
        assert_eq!(verdicts, 1, "{result}");
        assert!(result.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{result}");
        assert!(result["times"].as_array().unwrap().iter().all(|time| time["rtt"].is_u64()), "{result}");
    }
}

#[tokio::test]
async fn an_upstream_directory_can_be_listed_read_and_continued() {
    let dir = tempfile::tempdir().unwrap();
    // Upstream writes these escapes, and an index value that differs from the timestamp in the name.
    let old = r#"[{"title":"A \u0026 B","endpoint":"http://127.0.0.1/","timestamp":1795000000000000001,"times":[{"rtt":1500000}],"threshold":500000000,"healthy":true}]"#;
    std::fs::write(dir.path().join("1795000000000000000-check.json"), format!("{old}\n")).unwrap();
    std::fs::write(dir.path().join("index.json"), r#"{"1795000000000000000-check.json":1795000000000000123}"#).unwrap();

    let checkup = run_upstream_config(dir.path()).await;
    let reader = checkup.storage().unwrap().reader().unwrap();
    let files = reader.list(Timestamp::default()).await.unwrap();
    assert_eq!(files.len(), 2);
    let results = reader.fetch(&files[0]).await.unwrap();
    assert_eq!((results[0].name.as_str(), results[0].status), ("A & B", Status::Healthy));
    assert_eq!(std::fs::read_to_string(dir.path().join(files[0].as_str())).unwrap().trim_end(), old, "unchanged");
}
