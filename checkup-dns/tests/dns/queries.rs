//! Checks of a server that works correctly.

use checkup_core::{Cause, Phase};
use checkup_dns::{Dns, Expect, Transport};
use checkup_testkit::{TcpServer, closed_port};

use crate::zone_server::{ZoneBuilder, ZoneServer};
use crate::{assert_down, assert_healthy, check, failure};

async fn example() -> ZoneServer {
    ZoneServer::start(vec![ZoneBuilder::example()]).await
}

fn dns(server: &ZoneServer) -> Dns {
    Dns::new(server.addr.to_string())
}

#[tokio::test]
async fn a_name_with_an_address_is_healthy_with_and_without_the_trailing_dot() {
    let server = example().await;
    for name in ["www.example.test", "www.example.test.", "WWW.Example.Test", "alias.example.test"] {
        assert_healthy(&check(dns(&server).hostname(name)).await);
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_down() {
    let server = example().await;
    let result = check(dns(&server).hostname("gone.example.test")).await;
    assert_down(&result, Cause::Assertion, "gone.example.test does not exist (NXDOMAIN)");
    assert_healthy(&check(dns(&server).hostname("gone.example.test").rcode("NXDOMAIN")).await);
    let result = check(dns(&server).hostname("www.example.test").rcode("NXDOMAIN")).await;
    assert_down(&result, Cause::Assertion, "www.example.test exists (NOERROR), expected NXDOMAIN");
}

#[tokio::test]
async fn a_name_without_records_of_the_type_is_down() {
    let server = example().await;
    let result = check(dns(&server).hostname("example.test")).await;
    assert_down(&result, Cause::Assertion, "example.test has no A records");
    assert_healthy(&check(dns(&server).hostname("example.test").expect(Expect::Exactly(vec![]))).await);
}

#[tokio::test]
async fn an_unexpected_answer_is_down() {
    let server = example().await;
    let www = || dns(&server).hostname("www.example.test");
    assert_healthy(&check(www().expect("192.0.2.11")).await);
    assert_healthy(&check(www().expect(Expect::Exactly(vec!["192.0.2.11".into(), "192.0.2.10".into()]))).await);
    assert_healthy(&check(www().expect(Expect::Matches(r"^192\.0\.2\.".into()))).await);

    let result = check(www().expect("192.0.2.12")).await;
    let (cause, message) = failure(&result);
    assert_eq!(cause, Cause::Assertion);
    assert!(message.starts_with("answers 192.0.2.1") && message.ends_with(" do not contain 192.0.2.12"), "{message}");
    let result = check(www().expect(Expect::Exactly(vec!["192.0.2.10".into()]))).await;
    assert!(failure(&result).1.ends_with(" are not exactly 192.0.2.10"), "{result:?}");
    let result = check(www().expect(Expect::Matches("^10".into()))).await;
    assert!(failure(&result).1.ends_with(" do not match '^10'"), "{result:?}");
}

#[tokio::test]
async fn records_of_every_type_have_a_text_form() {
    let server = example().await;
    for (name, record_type, record) in [
        ("www.example.test", "AAAA", "2001:DB8:0::10"),
        ("example.test", "MX", "20 backup.example.test"),
        ("example.test", "TXT", "v=spf1 -all"),
        ("example.test", "NS", "ns.example.test."),
        ("example.test", "SOA", "ns.example.test admin.example.test 1 3600 600 86400 60"),
        ("example.test", "CAA", "0 issue \"ca.test\""),
        ("_sip._tcp.example.test", "SRV", "0 5 5060 sip.example.test"),
        ("alias.example.test", "CNAME", "www.example.test"),
        ("www.example.test", "TYPE28", "2001:db8::10"),
    ] {
        let result = check(dns(&server).hostname(name).record_type(record_type).expect(record)).await;
        assert_healthy(&result);
    }
}

#[tokio::test]
async fn a_name_outside_the_servers_zones_is_refused() {
    let server = example().await;
    let result = check(dns(&server).hostname("elsewhere.test")).await;
    assert_down(&result, Cause::Assertion, "the server refused to answer for elsewhere.test (REFUSED)");
    assert_healthy(&check(dns(&server).hostname("elsewhere.test").rcode("refused")).await);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_udp_comes_over_tcp() {
    let server = example().await;
    assert_healthy(&check(dns(&server).hostname("big.example.test").expect("10.0.0.199")).await);
}

#[tokio::test]
async fn tcp_alone_works() {
    let server = example().await;
    let result = check(dns(&server).transport(Transport::Tcp).hostname("www.example.test")).await;
    assert_healthy(&result);
    let phases = result.phases().expect("phases are marked");
    assert!(
        phases.iter().map(|(phase, _)| phase).eq([Phase::Connect, Phase::FirstByte, Phase::Transfer]),
        "{phases:?}"
    );
}

#[tokio::test]
async fn the_server_may_be_given_by_name() {
    let server = example().await;
    let result = check(Dns::new(format!("localhost:{}", server.addr.port())).hostname("www.example.test")).await;
    assert_healthy(&result);
    assert!(result.phases().expect("phases are marked").get(Phase::Dns).is_some());
    let result = check(Dns::new("does-not-exist.invalid").hostname("www.example.test")).await;
    assert_eq!(failure(&result).0, Cause::Dns);
}

#[tokio::test]
async fn without_a_name_the_server_has_to_accept_a_connection() {
    let server = TcpServer::silent();
    assert_healthy(&check(Dns::new(server.addr().to_string())).await);
    let closed = closed_port();
    let result = check(Dns::new(closed.to_string())).await;
    assert_down(&result, Cause::Refused, &format!("connection to {closed} refused"));
}

#[tokio::test]
async fn the_documented_settings_of_upstream_work() {
    let server = example().await;
    let json = format!(r#"{{"endpoint_url": "{}", "hostname_fqdn": "www.example.test"}}"#, server.addr);
    let dns: Dns = serde_json::from_str(&json).unwrap();
    let result = check(dns).await;
    assert_healthy(&result);
    assert_eq!(result.endpoint, server.addr.to_string());
}
