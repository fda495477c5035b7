//! The type `dns` in config files.

use checkup_core::IntoChecker;
use checkup_core::config::{Format, Registry};
use checkup_dns::Dns;
use checkup_testkit::conformance::all_problems_are_reported;

use crate::assert_healthy;
use crate::zone_server::{ZoneBuilder, ZoneServer};

fn registry() -> Registry {
    let mut registry = Registry::new();
    checkup_dns::register(&mut registry);
    registry
}

#[tokio::test]
async fn a_config_of_upstream_runs_unchanged() {
    let server = ZoneServer::start(vec![ZoneBuilder::example()]).await;
    let json = format!(
        r#"{{"checkers": [{{"type": "dns", "endpoint_name": "resolver", "endpoint_url": "{}",
             "hostname_fqdn": "www.example.test", "timeout": 20000000000, "attempts": 2}}]}}"#,
        server.addr
    );
    let report = registry().parse(&json, Format::Json).unwrap().check().await;
    assert_healthy(&report.results[0]);
    assert_eq!((&*report.results[0].name, report.results[0].attempts.len()), ("resolver", 2));
}

#[test]
fn errors_say_where_in_the_config_file() {
    let json = r#"{"checkers": [{"type": "dns", "endpoint_url": "x", "hostname_fqdn": "a.test", "record_type": "B"}]}"#;
    let error = registry().parse(json, Format::Json).unwrap_err().to_string();
    assert!(error.starts_with("checkers[0].record_type: expected a record type"), "{error}");
}

#[test]
fn all_problems_of_the_settings_are_reported() {
    let settings = Dns::new("udp://10.0.0.53").hostname("a b").record_type("AXFR").rcode("NO");
    all_problems_are_reported(settings.into_checker(), &["endpoint_url", "hostname_fqdn", "record_type", "rcode"]);
}

#[test]
fn the_schema_describes_every_key() {
    let schema = registry().schema().to_string();
    for key in
        ["hostname_fqdn", "record_type", "expect", "rcode", "transport", "https_path", "dnssec_trust_anchor_file"]
    {
        assert!(schema.contains(&format!("\"{key}\":")), "{key}");
    }
    assert!(schema.contains("The name to ask for, such as"), "{schema}");
}
