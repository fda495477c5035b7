//! Validation, with zones signed by the tests.

use std::path::PathBuf;

use checkup_core::Cause;
use checkup_dns::{Dns, Transport};
use checkup_testkit::TcpServer;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::datagram_server::{DatagramServer, bytes, empty};
use crate::zone_server::{ZoneBuilder, ZoneKey, ZoneServer};
use crate::{assert_down, assert_healthy, check, failure};

const NAME: &str = "www.example.test";

/// A file with trust anchors.
struct Anchors {
    file: PathBuf,
    _dir: TempDir,
}

impl Anchors {
    fn new(lines: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("anchors.key");
        std::fs::write(&file, lines).unwrap();
        Self { file, _dir: dir }
    }
}

async fn signed() -> (ZoneServer, Anchors) {
    let key = ZoneKey::new();
    let anchors = Anchors::new(&key.trust_anchor("example.test."));
    (ZoneServer::start(vec![ZoneBuilder::example().signed(key)]).await, anchors)
}

fn dns(server: &ZoneServer, anchors: &Anchors) -> Dns {
    Dns::new(server.addr.to_string()).dnssec(true).dnssec_trust_anchor_file(&anchors.file)
}

#[tokio::test]
async fn a_valid_answer_is_healthy() {
    let (server, anchors) = signed().await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let dns = || dns(&server, &anchors).transport(transport);
        assert_healthy(&check(dns().hostname(NAME).expect("192.0.2.10")).await);
        assert_healthy(&check(dns().hostname("alias.example.test")).await);
        assert_healthy(&check(dns().hostname("example.test").record_type("MX")).await);
    }
}

#[tokio::test]
async fn a_valid_denial_is_healthy_if_it_is_expected() {
    let (server, anchors) = signed().await;
    assert_healthy(&check(dns(&server, &anchors).hostname("gone.example.test").rcode("NXDOMAIN")).await);
    let result = check(dns(&server, &anchors).hostname("gone.example.test")).await;
    assert_down(&result, Cause::Assertion, "gone.example.test does not exist (NXDOMAIN)");
}

#[tokio::test]
async fn a_valid_but_wrong_answer_is_down_because_it_is_wrong() {
    let (server, anchors) = signed().await;
    let result = check(dns(&server, &anchors).hostname(NAME).expect("192.0.2.12")).await;
    assert!(failure(&result).1.ends_with("do not contain 192.0.2.12"), "{result:?}");
}

#[tokio::test]
async fn a_signature_by_a_key_that_is_not_trusted_is_bogus() {
    let (server, _) = signed().await;
    let stranger = Anchors::new(&ZoneKey::new().trust_anchor("example.test."));
    let result = check(dns(&server, &stranger).hostname(NAME)).await;
    let (cause, message) = failure(&result);
    assert!(message.starts_with("DNSSEC: "), "{cause}: {message}");
    let result = check(dns(&server, &stranger).hostname(NAME).expect("192.0.2.12")).await;
    let (_, message) = failure(&result);
    assert!(message.contains("do not contain 192.0.2.12; DNSSEC: the answer is "), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_that_its_parent_proves_to_be_unsigned_is_insecure() {
    let key = ZoneKey::new();
    let anchors = Anchors::new(&key.trust_anchor("test."));
    let parent = ZoneBuilder::new("test.").record("example.test.", RecordType::NS, "ns.example.test.").signed(key);
    let parent = ZoneServer::start(vec![parent]).await;
    let child = ZoneServer::start(vec![ZoneBuilder::example()]).await;
    let (parent_addr, child_addr) = (parent.addr, child.addr);
    // Works like a resolver: asks the parent about the delegation, and the child about everything else.
    let resolver = DatagramServer::start(move |query| {
        let of_parent = query.queries[0].query_type == RecordType::DS || query.queries[0].name.num_labels() == 1;
        vec![forward(if of_parent { parent_addr } else { child_addr }, &query)]
    })
    .await;
    let dns = Dns::new(resolver.addr.to_string()).dnssec(true).dnssec_trust_anchor_file(&anchors.file).hostname(NAME);
    let result = check(dns).await;
    assert_down(&result, Cause::Assertion, "DNSSEC: the answer is insecure: www.example.test is not in a signed zone");
}

#[tokio::test]
async fn an_unsigned_answer_below_a_trust_anchor_is_bogus() {
    let anchors = Anchors::new(&ZoneKey::new().trust_anchor("example.test."));
    let server = ZoneServer::start(vec![ZoneBuilder::example()]).await;
    let result = check(dns(&server, &anchors).hostname(NAME)).await;
    assert!(failure(&result).1.starts_with("DNSSEC: the answer "), "{result:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_give_the_keys_is_named() {
    let (server, anchors) = signed().await;
    let upstream = server.addr;
    let hiding = DatagramServer::start(move |query| {
        if query.queries[0].query_type == RecordType::DNSKEY {
            return vec![bytes(&empty(&query, ResponseCode::ServFail))];
        }
        vec![forward(upstream, &query)]
    })
    .await;
    let dns = Dns::new(hiding.addr.to_string()).dnssec(true).dnssec_trust_anchor_file(&anchors.file).hostname(NAME);
    let result = check(dns).await;
    let (cause, message) = failure(&result);
    assert_eq!(cause, Cause::Assertion);
    assert_eq!(message, "DNSSEC: the answer cannot be validated: DNSKEY of example.test: SERVFAIL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_closes_each_connection_after_one_answer_is_asked_on_new_connections() {
    let (server, anchors) = signed().await;
    let upstream = server.addr;
    let closing = TcpServer::start(move |mut stream| async move {
        let length = stream.read_u16().await.unwrap();
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        let answer = forward(upstream, &Message::from_vec(&query).unwrap());
        stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    });
    let dns = Dns::new(closing.addr().to_string()).transport(Transport::Tcp);
    let result = check(dns.dnssec(true).dnssec_trust_anchor_file(&anchors.file).hostname(NAME)).await;
    assert_healthy(&result);
    assert!(closing.accepted() > 1);
}

#[tokio::test]
async fn an_invalid_trust_anchor_file_is_named() {
    let (server, _) = signed().await;
    for (anchors, remedy) in [
        (Anchors::new("nothing here"), "expected DNSKEY records"),
        (Anchors::new("example.test. IN DNSKEY 257 3 15 !!!"), "anchors.key: "),
    ] {
        let result = check(dns(&server, &anchors).hostname(NAME)).await;
        let (cause, message) = failure(&result);
        assert_eq!(cause, Cause::Other);
        assert!(message.starts_with("dnssec_trust_anchor_file: ") && message.contains(remedy), "{message}");
    }
    let missing =
        Dns::new(server.addr.to_string()).hostname(NAME).dnssec(true).dnssec_trust_anchor_file("no/such/file");
    let result = check(missing).await;
    assert!(
        failure(&result).1.starts_with("dnssec_trust_anchor_file: cannot read no/such/file: there is no such file"),
        "{result:?}"
    );
}

/// Asks another server, on a thread that may block.
fn forward(upstream: std::net::SocketAddr, query: &Message) -> Vec<u8> {
    let query = bytes(query);
    let asking = std::thread::spawn(move || {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(upstream).unwrap();
        socket.send(&query).unwrap();
        let mut buffer = vec![0; 4096];
        let length = socket.recv(&mut buffer).unwrap();
        buffer.truncate(length);
        buffer
    });
    tokio::task::block_in_place(|| asking.join().unwrap())
}
