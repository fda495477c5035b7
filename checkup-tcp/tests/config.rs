//! Settings: upstream's are accepted unchanged, all of them round-trip, and the error of an invalid one names its key.

use checkup_core::{IntoChecker, Secret};
use checkup_net::{IpVersion, TlsSettings, TlsVersion};
use checkup_tcp::{Expect, Tcp};

fn refused(tcp: Tcp) -> String {
    tcp.into_checker().expect_err("the settings are invalid").to_string()
}

#[test]
fn upstreams_settings_are_accepted() {
    let json = r#"{"endpoint_url":"db:5432","tls":true,"tls_skip_verify":true,"tls_ca_file":"testdata/ca.pem"}"#;
    let tcp: Tcp = serde_json::from_str(json).unwrap();
    assert_eq!(tcp, Tcp::new("db:5432").tls(TlsSettings::new().skip_verify(true).ca_file("testdata/ca.pem")));
    tcp.into_checker().unwrap();
    // Upstream accepts these without `tls`.
    let json = r#"{"endpoint_url":"db:5432","tls_skip_verify":true,"tls_ca_file":"testdata/ca.pem"}"#;
    serde_json::from_str::<Tcp>(json).unwrap().into_checker().unwrap();
}

#[test]
fn all_keys_read_and_write_back() {
    let tcp = Tcp::new("[::1]:636")
        .tls(
            TlsSettings::new()
                .extra_ca_file("extra.pem")
                .client_cert("client.pem", "client.key")
                .min_version(TlsVersion::Tls13)
                .server_name("ldap.example"),
        )
        .starttls(checkup_tcp::StartTls::Ldap)
        .cert_expiry(std::time::Duration::from_secs(3600))
        .ip_version(IpVersion::V6)
        .send("QUIT\r\n")
        .expect(Expect::Matches("^bye".into()))
        .max_read_bytes(100);
    let json = Secret::exposing(|| serde_json::to_string(&tcp).unwrap());
    assert_eq!(serde_json::from_str::<Tcp>(&json).unwrap(), tcp);
    tcp.into_checker().unwrap();
}

#[test]
fn what_is_sent_is_not_shown() {
    let tcp = Tcp::new("db:6379").send("AUTH hunter2\r\n");
    assert!(!format!("{tcp:?} {:?}", tcp.clone().into_checker()).contains("hunter2"));
    assert_eq!(serde_json::to_string(&tcp).unwrap(), r#"{"endpoint_url":"db:6379","send":"[redacted]"}"#);
}

#[test]
fn unknown_keys_are_refused() {
    let error = serde_json::from_str::<Tcp>(r#"{"endpoint_url": "db:1", "expected": "x"}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `expected`"), "{error}");
}

#[test]
fn invalid_settings_are_refused_with_their_key() {
    let tls = |settings| Tcp::new("db:1").tls(settings);
    let mut without_key = TlsSettings::new();
    without_key.client_cert_file = Some("client.pem".into());
    for (tcp, start) in [
        (Tcp::new("db"), "endpoint_url: expected a host and a port such as \"db.internal:5432\""),
        (Tcp::new("tcp://db:1"), "endpoint_url: expected a host and a port without a scheme"),
        (Tcp::new("münchen.example:1").tls(TlsSettings::new()), "endpoint_url: expected a host name or an IP address"),
        (Tcp::new("[::1]:1").ip_version(IpVersion::V4), "ip_version: expected the version of ::1, found 4"),
        (
            tls(TlsSettings::new().server_name("a b")),
            "tls.server_name: expected a host name or an IP address that a certificate can contain, found \"a b\"",
        ),
        (tls(without_key), "tls.client_key_file: expected a file, found none"),
        (Tcp::new("db:1").expect(""), "expect: expected a text, found an empty one"),
        (Tcp::new("db:1").expect(Expect::Matches("(".into())), "expect.matches: expected a regular expression, found "),
        (Tcp::new("db:1").max_read_bytes(0), "max_read_bytes: expected 1 to 1048576, found 0"),
    ] {
        let error = refused(tcp);
        assert!(error.starts_with(start), "{error}");
    }
}

#[test]
fn all_problems_are_reported_together() {
    let tcp = Tcp::new("db").tls(TlsSettings::new().server_name("a b")).expect("").max_read_bytes(0);
    let error = tcp.into_checker().unwrap_err();
    let places: Vec<_> = error.problems().iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["endpoint_url", "tls.server_name", "expect", "max_read_bytes"]);
}

#[cfg(feature = "config")]
mod registry {
    use checkup_core::config::{Format, Registry};

    #[test]
    fn the_type_is_tcp() {
        let mut registry = Registry::new();
        checkup_tcp::register(&mut registry);
        let text = r#"{"checkers": [
            {"type": "tcp", "endpoint_name": "Redis", "endpoint_url": "redis:6379", "timeout": 2000000000,
             "attempts": 3, "ip_version": 4, "send": "PING\r\n", "expect": {"matches": "^\\+PONG"}}
        ]}"#;
        let checkup = registry.parse(text, Format::Json).unwrap();
        assert_eq!(checkup.checks().next().unwrap().shown_endpoint(), "redis:6379");
        let schema = registry.schema().to_string();
        for key in ["min_version", "tls_ca_file", "max_read_bytes", "ip_version", "matches"] {
            assert!(schema.contains(key), "{key}");
        }
        let wrong = text.replace("\"ip_version\": 4", "\"ip_version\": 5");
        let error = registry.parse(&wrong, Format::Json).unwrap_err().to_string();
        assert!(error.starts_with("checkers[0].ip_version: "), "{error}");
        for (tls, expected) in [
            ("1", "checkers[0].tls: expected true, false or an object of TLS settings"),
            (r#"{"cafile": "ca.pem"}"#, "checkers[0].tls.cafile: unknown key"),
            (r#"{"skip_verify": "maybe"}"#, "checkers[0].tls.skip_verify: expected"),
            (r#"{"server_name": "a b"}"#, "checkers[0].tls.server_name: expected a host name"),
        ] {
            let wrong = text.replace("\"attempts\": 3", &format!("\"tls\": {tls}"));
            let error = registry.parse(&wrong, Format::Json).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}

#[test]
fn all_problems_of_the_settings_are_reported() {
    let settings = Tcp::new("db").expect("").max_read_bytes(0);
    checkup_testkit::conformance::all_problems_are_reported(
        settings.into_checker(),
        &["endpoint_url", "expect", "max_read_bytes"],
    );
}
