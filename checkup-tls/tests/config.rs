//! Settings: upstream's are accepted unchanged, all of them round-trip, and the error of an invalid one names its key.

use std::time::Duration;

use checkup_core::IntoChecker;
use checkup_tls::{IpVersion, Tls, TlsSettings};

const PIN: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn upstreams_settings_are_accepted() {
    let json = r#"{"endpoint_url":"www.example.com:443","cert_expiry_threshold":604800000000000,"trusted_roots":["a.pem","b.pem"]}"#;
    let tls: Tls = serde_json::from_str(json).unwrap();
    let week = Duration::from_secs(7 * 24 * 3600);
    let expected = Tls::new("www.example.com:443").cert_expiry_threshold(week).trusted_roots(["a.pem", "b.pem"]);
    assert_eq!(tls, expected);
    tls.into_checker().unwrap();
    let zero = r#"{"endpoint_url":"www.example.com:443","cert_expiry_threshold":0,"trusted_roots":[]}"#;
    assert_eq!(serde_json::from_str::<Tls>(zero).unwrap(), Tls::new("www.example.com:443"));
}

#[test]
fn all_keys_read_and_write_back() {
    let tls = Tls::new("[::1]:8443")
        .starttls(checkup_tls::StartTls::Smtp)
        .cert_expiry_threshold(Duration::from_secs(3600))
        .trusted_roots(["a.pem"])
        .tls(TlsSettings::new().server_name("a.example").skip_verify(true))
        .names(["b.example", "10.0.0.5"])
        .issuer("Let's Encrypt")
        .fingerprint(PIN)
        .ip_version(IpVersion::V6);
    let json = serde_json::to_string(&tls).unwrap();
    assert_eq!(serde_json::from_str::<Tls>(&json).unwrap(), tls);
    tls.into_checker().unwrap();
    assert_eq!(serde_json::to_string(&Tls::new("x")).unwrap(), r#"{"endpoint_url":"x"}"#);
}

#[test]
fn invalid_settings_are_refused_with_their_key() {
    let tls = || Tls::new("a.example");
    for (settings, start) in [
        (Tls::new("https://a.example/"), "endpoint_url: expected a host and a port without a scheme"),
        (Tls::new("[::1]").ip_version(IpVersion::V4), "ip_version: expected the version of ::1, found 4"),
        (tls().trusted_roots(["a.pem", ""]), "trusted_roots[1]: expected a path, found an empty text"),
        (
            tls().trusted_roots(["a.pem"]).tls(TlsSettings::new().ca_file("b.pem")),
            "trusted_roots: expected either `trusted_roots` or `tls.ca_file`, found both",
        ),
        (tls().names(["a b"]), "names[0]: expected a host name or an IP address, found \"a b\""),
        (tls().fingerprint(PIN).fingerprint("abc"), "fingerprints[1]: expected a SHA-256 fingerprint with 64"),
        (tls().tls(TlsSettings::new().server_name("a b")), "tls.server_name: expected a host name"),
    ] {
        let error = settings.into_checker().unwrap_err().to_string();
        assert!(error.starts_with(start), "{error}");
    }
}

#[test]
fn all_problems_of_the_settings_are_reported() {
    let settings = Tls::new("a b").trusted_roots([""]).names(["a b", "b", "c d"]).fingerprint("x");
    checkup_testkit::conformance::all_problems_are_reported(
        settings.into_checker(),
        &["endpoint_url", "trusted_roots[0]", "tls.ca_file", "names[0]", "names[2]", "fingerprints[0]"],
    );
}

#[cfg(feature = "config")]
#[test]
fn the_type_is_tls() {
    use checkup_core::config::{Format, Registry};

    let mut registry = Registry::new();
    checkup_tls::register(&mut registry);
    let text = r#"{"checkers": [
        {"type": "tls", "endpoint_name": "Shop", "endpoint_url": "shop.example.com:443", "timeout": 2000000000,
         "threshold_rtt": 100000000, "attempts": 3, "cert_expiry_threshold": "30d", "issuer": "Let's Encrypt"}
    ]}"#;
    let checkup = registry.parse(text, Format::Json).unwrap();
    assert_eq!(checkup.checks().next().unwrap().shown_endpoint(), "shop.example.com:443");
    let error = registry.parse(&text.replace("\"30d\"", "30"), Format::Json).unwrap_err().to_string();
    assert!(error.starts_with("checkers[0].cert_expiry_threshold: expected a duration"), "{error}");
}
