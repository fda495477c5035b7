//! Servers over UDP that are broken or lie: the check is down within its timeout, with the cause.

use std::net::Ipv4Addr;

use checkup_core::Cause;
use checkup_dns::Dns;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{Name, RData, Record};
use tokio::net::UdpSocket;

use crate::datagram_server::{DatagramServer, address, bytes, empty};
use crate::{AMPLE, SHORT, assert_down, assert_healthy, check_within, failure};

const NAME: &str = "www.example.test.";

fn dns(server: &DatagramServer) -> Dns {
    Dns::new(server.addr.to_string()).hostname(NAME)
}

/// Checks this server and returns the cause and the text of the failure.
async fn outcome(server: &DatagramServer) -> (Cause, String) {
    let result = check_within(AMPLE, dns(server)).await;
    let (cause, message) = failure(&result);
    (cause, message.to_owned())
}

#[tokio::test]
async fn a_silent_server_times_out_after_two_queries() {
    let server = DatagramServer::start(|_| vec![]).await;
    let result = check_within(SHORT, dns(&server)).await;
    assert_down(&result, Cause::Timeout, "timed out after 300ms waiting for the first byte of the answer");
    // The second query is without EDNS, since some servers drop queries with it. Whether it is sent before such a short
    // timeout is a race.
    assert!((1..=2).contains(&server.asked()), "{}", server.asked());
}

#[tokio::test]
async fn a_server_that_refuses_edns_is_asked_again_without() {
    for code in [ResponseCode::FormErr, ResponseCode::NotImp, ResponseCode::ServFail] {
        let server = DatagramServer::start(move |query| {
            vec![bytes(&if query.edns.is_some() { empty(&query, code) } else { address(&query, NAME) })]
        })
        .await;
        assert_healthy(&check_within(AMPLE, dns(&server)).await);
        assert_eq!(server.asked(), 2, "{code:?}");
    }
}

#[tokio::test]
async fn a_server_that_drops_edns_is_asked_again_without() {
    let server =
        DatagramServer::start(|query| if query.edns.is_some() { vec![] } else { vec![bytes(&address(&query, NAME))] })
            .await;
    assert_healthy(&check_within(AMPLE, dns(&server)).await);
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn a_server_that_speaks_edns_is_asked_once_even_if_it_fails() {
    let server = DatagramServer::start(|query| {
        let mut answer = empty(&query, ResponseCode::ServFail);
        answer.edns = query.edns;
        vec![bytes(&answer)]
    })
    .await;
    let (cause, message) = outcome(&server).await;
    assert_eq!(cause, Cause::Assertion);
    assert!(message.contains("SERVFAIL"), "{message}");
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let result = check_within(AMPLE, Dns::new(format!("127.0.0.1:{port}")).hostname(NAME)).await;
    assert_down(&result, Cause::Refused, &format!("nothing listens on UDP port {port} of 127.0.0.1"));
}

#[tokio::test]
async fn answers_with_another_id_are_ignored() {
    fn forged(query: &hickory_proto::op::Message) -> Vec<u8> {
        let mut forged = address(query, NAME);
        forged.metadata.id = !query.id;
        bytes(&forged)
    }
    let server = DatagramServer::start(|query| vec![forged(&query)]).await;
    let result = check_within(SHORT, dns(&server)).await;
    assert_eq!(failure(&result).0, Cause::Timeout);

    let server =
        DatagramServer::start(|query| vec![forged(&query), vec![7], vec![], bytes(&address(&query, NAME))]).await;
    assert_healthy(&check_within(AMPLE, dns(&server)).await);
}

#[tokio::test]
async fn an_answer_to_another_question_is_refused() {
    let server = DatagramServer::start(|mut query| {
        query.queries[0].name = Name::from_ascii("evil.test.").unwrap();
        vec![bytes(&address(&query, "evil.test."))]
    })
    .await;
    let (cause, message) = outcome(&server).await;
    assert_eq!((cause, &*message), (Cause::Protocol, "the answer is for another question: evil.test A"));
}

#[tokio::test]
async fn records_of_another_name_are_ignored() {
    let server = DatagramServer::start(|query| vec![bytes(&address(&query, "evil.test."))]).await;
    let (cause, message) = outcome(&server).await;
    assert_eq!(cause, Cause::Assertion);
    assert_eq!(message, "www.example.test has no A records: the answer is about another name, evil.test");
}

#[tokio::test]
async fn a_name_in_an_answer_cannot_contain_terminal_escapes() {
    let server = DatagramServer::start(|query| {
        let owner = Name::from_labels([&b"\x1b[2J\r\n"[..], b"test"]).unwrap();
        let mut answer = empty(&query, ResponseCode::NoError);
        answer.add_answer(Record::from_rdata(owner, 60, RData::A(Ipv4Addr::LOCALHOST.into())));
        vec![bytes(&answer)]
    })
    .await;
    let (_, message) = outcome(&server).await;
    assert!(message.contains("about another name") && !message.contains(char::is_control), "{message:?}");
}

#[tokio::test]
async fn garbage_is_not_a_message() {
    let server = DatagramServer::start(|query| {
        let mut garbage = vec![0xff; 100];
        garbage[..2].copy_from_slice(&query.id.to_be_bytes());
        // Not truncated.
        garbage[2] = 0x81;
        vec![garbage]
    })
    .await;
    let (cause, message) = outcome(&server).await;
    assert_eq!(cause, Cause::Protocol);
    assert!(message.starts_with("the answer is not a valid DNS message: "), "{message}");
}

#[tokio::test]
async fn a_message_that_is_cut_off_is_refused() {
    let whole = DatagramServer::start(|query| vec![bytes(&address(&query, NAME))]).await;
    assert_healthy(&check_within(AMPLE, dns(&whole)).await);
    // At every byte after the id.
    for length in 2..bytes(&address(&hickory_proto::op::Message::query(), NAME)).len() {
        let server = DatagramServer::start(move |query| {
            let mut answer = bytes(&address(&query, NAME));
            answer.truncate(length);
            vec![answer]
        })
        .await;
        let (cause, message) = outcome(&server).await;
        assert_eq!(cause, Cause::Protocol, "{length}: {message}");
    }
}

#[tokio::test]
async fn an_echo_of_the_query_is_not_an_answer() {
    let server = DatagramServer::start(|query| vec![bytes(&query)]).await;
    let (cause, message) = outcome(&server).await;
    assert_eq!((cause, &*message), (Cause::Protocol, "the answer is a DNS message, but not an answer to a query"));
}

#[tokio::test]
async fn a_loop_of_compression_pointers_ends() {
    let server = DatagramServer::start(|query| {
        let mut answer = bytes(&empty(&query, ResponseCode::NoError));
        answer[7] = 1;
        // A record whose name points at itself.
        let here = 0xc000 | u16::try_from(answer.len()).unwrap();
        answer.extend_from_slice(&here.to_be_bytes());
        answer.extend_from_slice(&[0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 10]);
        vec![answer]
    })
    .await;
    let (cause, message) = outcome(&server).await;
    assert_eq!(cause, Cause::Protocol);
    assert!(message.starts_with("the answer is not a valid DNS message: "), "{message}");
}

#[tokio::test]
async fn an_oversized_datagram_is_refused() {
    let server = DatagramServer::start(|query| {
        let mut answer = empty(&query, ResponseCode::NoError);
        for _ in 0..20 {
            let text = RData::TXT(TXT::new(vec!["x".repeat(250)]));
            answer.add_answer(Record::from_rdata(Name::from_ascii(NAME).unwrap(), 60, text));
        }
        vec![bytes(&answer)]
    })
    .await;
    let (cause, message) = outcome(&server).await;
    assert_eq!((cause, &*message), (Cause::Protocol, "the answer over UDP is longer than 4096 bytes"));
}

#[tokio::test]
async fn a_truncated_answer_without_tcp_says_so() {
    let server = DatagramServer::start(|query| {
        let mut answer = empty(&query, ResponseCode::NoError);
        answer.metadata.truncation = true;
        vec![bytes(&answer)]
    })
    .await;
    let (cause, message) = outcome(&server).await;
    assert_eq!(cause, Cause::Refused);
    let expected =
        format!("the answer over UDP is truncated, and asking over TCP fails: connection to {} refused", server.addr);
    assert_eq!(message, expected);
}

#[tokio::test]
async fn error_codes_are_named_with_and_without_the_question() {
    for (code, text) in [
        (ResponseCode::ServFail, "the server failed to find an answer for www.example.test (SERVFAIL)"),
        (ResponseCode::Refused, "the server refused to answer for www.example.test (REFUSED)"),
        (ResponseCode::FormErr, "the server did not understand the query for www.example.test (FORMERR)"),
        (ResponseCode::NotImp, "the server does not implement this query for www.example.test (NOTIMP)"),
        (ResponseCode::NXDomain, "www.example.test does not exist (NXDOMAIN)"),
        (ResponseCode::from_low(13), "the server answered RCODE 13 for www.example.test"),
    ] {
        for with_question in [true, false] {
            let server = DatagramServer::start(move |query| {
                let mut answer = empty(&query, code);
                if !with_question {
                    answer.queries.clear();
                }
                vec![bytes(&answer)]
            })
            .await;
            let (cause, message) = outcome(&server).await;
            assert_eq!((cause, &*message), (Cause::Assertion, text));
        }
    }
}
