//! Entry points for fuzzing: the parser of what DNS servers send. Not part of the API.
//!
//! It takes any bytes, and panics only if the parser is broken.

use checkup_core::Failure;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use crate::answer::Question;
use crate::expect::Expectation;
use crate::{Expect, dnssec, exchange, extended_error};

/// Reads bytes as an answer, and judges it by several expectations.
pub fn answer(bytes: &[u8]) {
    let Ok(name) = Name::from_ascii("example.test.") else { return };
    let types = [RecordType::A, RecordType::TXT, RecordType::MX, RecordType::ANY];
    for question in types.into_iter().flat_map(|record_type| questions(&name, record_type)) {
        let mut query = Message::query();
        query.metadata.id = 0;
        query.add_query(question.query());
        match exchange::read(bytes, &query) {
            Ok(message) => judge(&question, &message),
            Err(failure) => expect_short(&failure),
        }
    }
    // Without the checks that an answer belongs to a query, which few inputs pass.
    let Ok(message) = Message::from_vec(bytes) else { return };
    let asked =
        message.queries.first().map_or((name, RecordType::ANY), |query: &Query| (query.name.clone(), query.query_type));
    for question in questions(&asked.0, asked.1) {
        judge(&question, &message);
    }
}

fn questions(name: &Name, record_type: RecordType) -> Vec<Question> {
    let expectations = [
        None,
        Some(Expect::Matches("^v=spf1 ".to_owned())),
        Some(Expect::Exactly(Vec::new())),
        Some(Expect::Contains(vec!["192.0.2.1".to_owned()])),
    ];
    let expectations = expectations.iter().filter_map(|expect| Expectation::new(expect.as_ref(), record_type).ok());
    let codes = [ResponseCode::NoError, ResponseCode::NXDomain];
    let pairs = expectations.flat_map(|expectation| codes.map(|rcode| (expectation.clone(), rcode)));
    pairs.map(|(expectation, rcode)| Question { name: name.clone(), record_type, rcode, expectation }).collect()
}

fn judge(question: &Question, message: &Message) {
    if let Err(failure) = question.judge(message) {
        expect_short(&failure);
    }
    let proof = dnssec::proof(message, question);
    expect_short(&dnssec::unproven(proof, message, question, None));
    let _ = (extended_error::text(message), exchange::refuses_edns(message));
}

/// What a server sends must not fill a message, nor control a terminal.
fn expect_short(failure: &Failure) {
    let text = failure.message();
    assert!(text.chars().count() <= 8000, "a message of {} characters", text.chars().count());
    assert_eq!(checkup_core::text::escape(text), text, "a message has characters that mislead");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn inputs_of_the_corpus_are_accepted() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        checkup_testkit::for_each_input(&corpus.join("dns_answer"), answer);
    }
}
