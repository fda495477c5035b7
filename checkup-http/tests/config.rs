//! The settings as JSON: upstream's and ours, read and written back.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use checkup_core::{IntoChecker, Secret};
use checkup_http::{Http, HttpChecker, JsonAssertion};
use checkup_testkit::conformance::all_problems_are_reported;
use serde_json::{Value, json};

fn read(json: Value) -> Http {
    serde_json::from_value(json).unwrap()
}

/// The keys of invalid settings.
fn places(http: Http) -> Vec<String> {
    let error = http.into_checker().unwrap_err();
    error.problems().iter().map(|problem| problem.place.clone()).collect()
}

#[test]
fn all_settings_survive_a_round_trip() {
    let everything = json!({
        "endpoint_url": "https://example.com/health",
        "method": "POST",
        "headers": {"X-Api-Key": ["one", "two"]},
        "body": "ping",
        "up_status": ["2xx", 404],
        "must_contain": "a",
        "must_not_contain": "b",
        "must_match": "c",
        "json": [{"path": "$.status", "equals": "ok"}, {"path": "$.error", "exists": false},
            {"path": "$.lag", "at_least": -5, "at_most": "0.1"}],
        "response_headers": [{"name": "content-type", "contains": "json"}],
        "follow_redirects": 3,
        "max_body_bytes": 1000,
        "ip_version": 4,
        "resolve": "192.0.2.7:8443",
        "lenient": true,
        "tls": {
            "ca_file": "ca.pem",
            "extra_ca_file": "extra.pem",
            "client_cert_file": "client.pem",
            "client_key_file": "client.key",
            "skip_verify": true,
            "min_version": "1.3",
            "server_name": "search.example",
        },
    });
    let http = read(everything.clone());
    assert_eq!(Secret::exposing(|| serde_json::to_value(&http).unwrap()), everything);
    http.into_checker().unwrap();
    // Settings that are left out stay out.
    let least = json!({"endpoint_url": "https://example.com/health"});
    assert_eq!(serde_json::to_value(read(least.clone())).unwrap(), least);
}

#[test]
fn secrets_are_not_shown_anywhere() {
    let url = "https://user:hunter2@example.com/?full=1&access_token=hunter2";
    let http = Http::new(url).header("X-Api-Key", "hunter2").body("hunter2");
    assert!(Secret::exposing(|| serde_json::to_string(&http).unwrap()).contains(url));
    let json = serde_json::to_string(&http).unwrap();
    let debug = format!("{http:?}");
    let checker = http.into_checker().unwrap();
    let shown = format!("{json}{debug}{checker:?}{}", checker.endpoint());
    assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{shown}");
    assert_eq!(checker.endpoint(), "https://example.com/?full=1&access_token=[redacted]");
}

#[test]
fn all_invalid_settings_are_reported_together() {
    let mut http = Http::new("example.com")
        .method("CONNECT")
        .header("a b", "x")
        .up_status("9999")
        .must_match("(")
        .json(JsonAssertion::new("$.ok"))
        .json(JsonAssertion::new("status").matches("("))
        .header("c d", "x")
        .follow_redirects(51)
        .max_body_bytes(0)
        .resolve("example.com");
    http.tls.client_cert_file = Some("client.pem".into());
    http.tls.server_name = Some("a b".into());
    assert_eq!(
        places(http),
        [
            "endpoint_url",
            "method",
            "headers.a b",
            "headers.c d",
            "up_status",
            "tls.client_key_file",
            "tls.server_name",
            "follow_redirects",
            "max_body_bytes",
            "resolve",
            "must_match",
            "json[1].path",
            "json[1].matches",
        ]
    );
    all_problems_are_reported(Http::new("a").method("CONNECT").into_checker(), &["endpoint_url", "method"]);
    assert_eq!(places(Http::new("http://a").method("HEAD").must_contain("x")), ["method"]);
    assert_eq!(places(Http::new("http://a").header("Content-Length", "7")), ["headers.Content-Length"]);
}

#[test]
fn a_header_is_trimmed_and_must_be_on_one_line() {
    for value in ["hunter2\n", "hunter2\r\n", " hunter2 \n\n"] {
        Http::new("http://a").header("Authorization", format!("Bearer {value}")).into_checker().unwrap();
    }
    for (value, reason) in
        [("hunter2\nhunter2", "found a line break inside"), ("hunter2\u{1}hunter2", "control characters")]
    {
        let error = Http::new("http://a").header("X-Token", value).into_checker().unwrap_err().to_string();
        assert!(error.starts_with("headers.X-Token: ") && error.contains(reason), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_check_is_small() {
    // This way, ten thousand checks fit into a few megabytes.
    assert!(std::mem::size_of::<HttpChecker>() <= 320, "{}", std::mem::size_of::<HttpChecker>());
}

#[cfg(feature = "config")]
mod files {
    use checkup_core::config::{Format, Registry};

    fn registry() -> Registry {
        let mut registry = Registry::new();
        checkup_http::register(&mut registry);
        registry
    }

    #[test]
    fn upstreams_settings_are_read_unchanged() {
        let text = r#"{"checkers": [{
            "type": "http", "endpoint_name": "Website", "endpoint_url": "https://example.com", "up_status": 0,
            "threshold_rtt": 500000000, "must_contain": "x", "must_not_contain": "", "attempts": 5,
            "attempt_spacing": 1000000, "headers": {"Host": ["virtual.example"], "Accept": ["text/html", "text/plain"]}
        }]}"#;
        let checkup = registry().parse(text, Format::Json).unwrap();
        let check = checkup.checks().next().unwrap();
        assert_eq!((&*check.name(), &*check.shown_endpoint()), ("Website", "https://example.com"));
    }

    #[test]
    fn a_problem_says_where_it_is() {
        let text = r#"{"checkers": [{"type": "http", "endpoint_url": "example.com"}]}"#;
        let error = registry().parse(text, Format::Json).unwrap_err().to_string();
        assert!(error.contains("checkers[0].endpoint_url: expected a URL such as"), "{error}");
        assert!(error.contains("put https:// or http:// in front"), "{error}");
        let text = r#"{"checkers": [{"type": "http", "endpoint_url": "http://a", "must_contains": "x"}]}"#;
        let error = registry().parse(text, Format::Json).unwrap_err().to_string();
        assert!(error.contains("must_contain"), "{error}");
        let text = r#"{"checkers": [{"type": "http", "endpoint_url": "http://a", "tls_ca_file": "ca.pem"}]}"#;
        let error = registry().parse(text, Format::Json).unwrap_err().to_string();
        assert!(error.starts_with("checkers[0].tls_ca_file: unknown key; did you mean `tls"), "{error}");
        let text = r#"{"checkers": [{"type": "http", "endpoint_url": "http://a", "up_status": {}}]}"#;
        let error = registry().parse(text, Format::Json).unwrap_err().to_string();
        assert!(error.contains("checkers[0].up_status") && error.contains("\"2xx\""), "{error}");
    }

    #[tokio::test]
    async fn numbers_are_compared_as_they_are_written_in_any_format() {
        const NUMBERS: &str = r#"{"decimal": 0.10000000000000000001, "integer": 123456789012345678901234567890}"#;
        let server = checkup_testkit::HttpServer::start(|_| checkup_testkit::Response::new(200).body(NUMBERS));
        let url = server.url("/");
        for (path, key, number, is_met) in [
            ("decimal", "equals", "0.10000000000000000001", true),
            ("decimal", "equals", "0.1", false),
            ("decimal", "equals", "0.10000000000000000002", false),
            ("decimal", "at_least", "0.10000000000000000001", true),
            ("decimal", "at_least", "0.10000000000000000002", false),
            ("decimal", "at_most", "0.10000000000000000001", true),
            ("decimal", "at_most", "0.10000000000000000000", false),
            ("integer", "equals", "123456789012345678901234567890", true),
            ("integer", "equals", "1.2345678901234567890123456789e29", true),
            ("integer", "equals", "123456789012345678901234567891", false),
            ("integer", "at_most", "123456789012345678901234567889", false),
            ("integer", "at_least", "1e20", true),
        ] {
            for (format, text) in [
                (
                    Format::Json,
                    format!(
                        r#"{{"checkers": [{{"type": "http", "endpoint_url": "{url}", "json": [{{"path": "$.{path}", "{key}": {number}}}]}}]}}"#
                    ),
                ),
                (
                    Format::Yaml,
                    format!(
                        "checkers:\n- type: http\n  endpoint_url: {url}\n  json:\n  - path: $.{path}\n    {key}: {number}\n"
                    ),
                ),
                (
                    Format::Toml,
                    format!(
                        "[[checkers]]\ntype = 'http'\nendpoint_url = '{url}'\njson = [{{ path = '$.{path}', {key} = {number} }}]\n"
                    ),
                ),
            ] {
                let checkup = registry().parse(&text, format).unwrap();
                let report = checkup.check().await;
                assert_eq!(report.is_healthy(), is_met, "{text}: {report}");
                // What is written back means the same.
                let written = serde_json::to_string(&checkup).unwrap();
                let report = registry().parse(&written, Format::Json).unwrap().check().await;
                assert_eq!(report.is_healthy(), is_met, "{written}: {report}");
            }
        }
    }

    #[test]
    fn a_number_with_many_digits_is_a_number_to_every_other_setting() {
        let parse = |setting: &str| {
            let text = format!("checkers: [{{ type: http, endpoint_url: 'http://a', {setting} }}]");
            registry().parse(&text, Format::Yaml)
        };
        for (setting, message) in [
            ("must_contain: 0.10000000000000000001", "must_contain: expected a string, found 0.1"),
            ("attempts: 0.10000000000000000001", "attempts: expected"),
            ("up_status: 0.10000000000000000001", "up_status"),
            ("timeout: 0.10000000000000000001", "timeout: expected a duration"),
        ] {
            let error = parse(setting).unwrap_err().to_string();
            assert!(error.contains(message) && !error.contains("object"), "{error}");
        }
        parse("timeout: 10000000000000000").unwrap();
    }

    #[tokio::test]
    async fn values_of_the_environment_are_not_shown() {
        let server = checkup_testkit::HttpServer::start(|request| {
            let body = r#"{"a": "x"}"#;
            match request.target.as_str() {
                "/hunter2" => checkup_testkit::Response::new(302).header("location", "/hunter2/"),
                "/hunter2/" => checkup_testkit::Response::new(302).header("location", "/hunter2"),
                _ => checkup_testkit::Response::new(200).header("x-a", "x").body(body),
            }
        });
        let (addr, s) = (server.addr(), "${SECRET}");
        let check = |rest: String| format!(r#"{{"type": "http", "endpoint_name": "a", {rest}}}"#);
        let url = format!(r#""endpoint_url": "http://{addr}/x""#);
        let checks = [
            format!(r#"{url}, "must_contain": "{s}""#),
            format!(r#"{url}, "must_match": "^{s}""#),
            format!(r#"{url}, "json": [{{"path": "$.a", "equals": "{s}"}}]"#),
            format!(r#"{url}, "json": [{{"path": "$.a", "contains": "{s}"}}]"#),
            format!(r#"{url}, "json": [{{"path": "$.a", "matches": "{s}"}}]"#),
            format!(r#"{url}, "response_headers": [{{"name": "x-a", "equals": "{s}"}}]"#),
            format!(r#""endpoint_url": "http://{addr}/{s}", "follow_redirects": 3"#),
            format!(r#""endpoint_url": "http://{addr}/?{s}", "up_status": 204"#),
        ]
        .map(check)
        .join(",");
        let text = format!(r#"{{"checkers": [{checks}]}}"#);
        let checkup = registry().parse_with(&text, Format::Json, |_| Some("hunter2".to_owned())).unwrap();
        let report = checkup.check().await;
        for result in &report.results {
            let shown = format!("{result:?} {}", result.reason().unwrap());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        assert_eq!(report.results[0].reason().unwrap(), "response does not contain '[redacted]'");
    }

    #[test]
    fn a_reason_is_given_even_if_the_value_is_not_shown() {
        let text = r#"{"checkers": [{
            "type": "http", "endpoint_url": "http://a", "headers": {"X-Token": ["${TOKEN}"]}, "must_match": "${PATTERN}"
        }]}"#;
        let lookup = |name: &str| Some(if name == "TOKEN" { "hunter\n2" } else { "(hunter2" }.to_owned());
        let error = registry().parse_with(text, Format::Json, lookup).unwrap_err().to_string();
        assert!(error.contains("found a line break inside") && error.contains("TOKEN"), "{error}");
        assert!(error.contains("unclosed group") && error.contains("PATTERN"), "{error}");
        assert!(!error.contains("hunter"), "{error}");
    }
}
