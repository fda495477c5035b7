//! [`Question`]: what to ask, and whether an answer is as expected.

use std::fmt::Write;

use checkup_core::Failure;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use crate::expect::{Expectation, canonical};
use crate::{extended_error, rcode};

/// What to ask, and what to expect.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) name: Name,
    pub(crate) record_type: RecordType,
    pub(crate) rcode: ResponseCode,
    pub(crate) expectation: Expectation,
}

/// How many aliases are followed. For comparison, BIND stops at 16 and Unbound at 11.
const MAX_ALIASES: usize = 16;

impl Question {
    pub(crate) fn query(&self) -> Query {
        Query::query(self.name.clone(), self.record_type)
    }

    /// Judges an answer: the response code, then the records.
    pub(crate) fn judge(&self, answer: &Message) -> Result<(), Failure> {
        self.judge_code(answer)?;
        if self.rcode != ResponseCode::NoError {
            return Ok(());
        }
        let relevant = self.relevant(answer);
        if relevant.records.is_empty() {
            return if self.expectation.wants_none() { Ok(()) } else { Err(self.no_records(answer, &relevant)) };
        }
        let found: Vec<_> = relevant.records.iter().map(|record| text(record)).collect();
        self.expectation.judge(&found)
    }

    /// Selects the records that answer the question: those of the type that belong to the name, or to the name that it is an
    /// alias of.
    pub(crate) fn relevant<'a>(&self, answer: &'a Message) -> Relevant<'a> {
        let internet = |record: &&Record| record.dns_class == DNSClass::IN;
        let mut relevant = Relevant { aliases: Vec::new(), records: Vec::new() };
        let mut owner = &self.name;
        loop {
            let of_owner = answer.answers.iter().filter(internet).filter(|record| record.name == *owner);
            for record in of_owner.clone() {
                if self.record_type == RecordType::ANY || record.record_type() == self.record_type {
                    relevant.records.push(record);
                }
            }
            if !relevant.records.is_empty() || relevant.aliases.len() == MAX_ALIASES {
                return relevant;
            }
            let alias = of_owner.clone().find_map(|record| match &record.data {
                RData::CNAME(target) => Some((record, &target.0)),
                _ => None,
            });
            let Some((record, target)) = alias else { return relevant };
            relevant.aliases.push(record);
            owner = target;
        }
    }

    fn judge_code(&self, answer: &Message) -> Result<(), Failure> {
        let code = answer.metadata.response_code;
        if code == self.rcode {
            return Ok(());
        }
        let name = shown(&self.name);
        let mut text = match code {
            ResponseCode::NoError => format!("{name} exists (NOERROR)"),
            ResponseCode::NXDomain => format!("{name} does not exist (NXDOMAIN)"),
            ResponseCode::ServFail => format!("the server failed to find an answer for {name} (SERVFAIL)"),
            ResponseCode::Refused => format!("the server refused to answer for {name} (REFUSED)"),
            ResponseCode::NotImp => format!("the server does not implement this query for {name} (NOTIMP)"),
            ResponseCode::FormErr => format!("the server did not understand the query for {name} (FORMERR)"),
            code => format!("the server answered {} for {name}", rcode::name(code)),
        };
        if self.rcode != ResponseCode::NoError {
            let _ = write!(text, ", expected {}", rcode::name(self.rcode));
        }
        if let Some(reason) = extended_error::text(answer) {
            let _ = write!(text, "; the server says: {reason}");
        }
        Err(Failure::assertion(text))
    }

    fn no_records(&self, answer: &Message, relevant: &Relevant<'_>) -> Failure {
        let name = shown(&self.name);
        let records = match self.record_type {
            RecordType::ANY => "records".to_owned(),
            other => format!("{other} records"),
        };
        if let Some(RData::CNAME(target)) = relevant.aliases.last().map(|alias| &alias.data) {
            return Failure::assertion(format!("{name} is an alias of {}, which has no {records}", shown(&target.0)));
        }
        let foreign = answer.answers.iter().find(|record| record.name != self.name);
        match foreign {
            Some(record) => Failure::assertion(format!(
                "{name} has no {records}: the answer is about another name, {}",
                shown(&record.name)
            )),
            None => Failure::assertion(format!("{name} has no {records}")),
        }
    }
}

/// The records of a message that answer the question.
#[derive(Debug)]
pub(crate) struct Relevant<'a> {
    /// The CNAME records from the name on, in order.
    pub(crate) aliases: Vec<&'a Record>,
    /// The records of the type.
    pub(crate) records: Vec<&'a Record>,
}

/// Formats a name as people write it: without the trailing dot, in ASCII, with unusual characters escaped.
pub(crate) fn shown(name: &Name) -> String {
    if name.is_root() {
        return ".".to_owned();
    }
    let mut text = name.to_ascii();
    if text.ends_with('.') {
        text.pop();
    }
    checkup_net::excerpt(text.as_bytes(), 255)
}

/// Returns the canonical text of a record's data.
fn text(record: &Record) -> String {
    let mut text = String::new();
    // `to_string` panics on data that has no text form (OPT).
    let _ = write!(text, "{}", record.data);
    canonical(&text, record.record_type())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_proto::op::{MessageType, OpCode};
    use hickory_proto::rr::rdata::{A, CNAME, TXT};

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn a(owner: &str, last: u8) -> Record {
        Record::from_rdata(name(owner), 60, RData::A(A(Ipv4Addr::new(10, 0, 0, last))))
    }

    fn alias(owner: &str, target: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))))
    }

    fn answer(code: ResponseCode, records: &[Record]) -> Message {
        let mut message = Message::new(1, MessageType::Response, OpCode::Query);
        message.metadata.response_code = code;
        message.add_answers(records.to_vec());
        message
    }

    fn question(rcode: ResponseCode, expectation: Expectation) -> Question {
        Question { name: name("example.test."), record_type: RecordType::A, rcode, expectation }
    }

    fn judged(question: &Question, code: ResponseCode, records: &[Record]) -> Result<(), String> {
        question.judge(&answer(code, records)).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn each_wrong_answer_has_its_own_message() {
        let any = question(ResponseCode::NoError, Expectation::Any);
        let cases: &[(ResponseCode, &[Record], &str)] = &[
            (ResponseCode::NXDomain, &[], "example.test does not exist (NXDOMAIN)"),
            (ResponseCode::ServFail, &[], "the server failed to find an answer for example.test (SERVFAIL)"),
            (ResponseCode::Refused, &[], "the server refused to answer for example.test (REFUSED)"),
            (ResponseCode::BADVERS, &[], "the server answered BADVERS for example.test"),
            (ResponseCode::NoError, &[], "example.test has no A records"),
            (
                ResponseCode::NoError,
                &[a("evil.test.", 6)],
                "example.test has no A records: the answer is about another name, evil.test",
            ),
            (
                ResponseCode::NoError,
                &[alias("example.test.", "www.test.")],
                "example.test is an alias of www.test, which has no A records",
            ),
        ];
        for (code, records, message) in cases {
            assert_eq!(judged(&any, *code, records), Err((*message).to_owned()));
        }
    }

    #[test]
    fn an_expected_code_needs_no_records_and_other_codes_fail() {
        let missing = question(ResponseCode::NXDomain, Expectation::Any);
        assert_eq!(judged(&missing, ResponseCode::NXDomain, &[]), Ok(()));
        assert_eq!(
            judged(&missing, ResponseCode::NoError, &[a("example.test.", 1)]),
            Err("example.test exists (NOERROR), expected NXDOMAIN".to_owned())
        );
        let none = question(ResponseCode::NoError, Expectation::Exactly(Vec::new()));
        assert_eq!(judged(&none, ResponseCode::NoError, &[]), Ok(()));
    }

    #[test]
    fn aliases_are_followed_in_any_order_and_in_any_case() {
        let one = question(ResponseCode::NoError, Expectation::Contains(vec!["10.0.0.1".to_owned().into()]));
        let records = [a("C.test.", 1), alias("b.test.", "c.test."), alias("Example.Test.", "B.test.")];
        assert_eq!(judged(&one, ResponseCode::NoError, &records), Ok(()));
    }

    #[test]
    fn a_loop_of_aliases_ends() {
        let any = question(ResponseCode::NoError, Expectation::Any);
        let records = [alias("example.test.", "b.test."), alias("b.test.", "example.test.")];
        assert!(judged(&any, ResponseCode::NoError, &records).unwrap_err().contains("is an alias of"));
    }

    #[test]
    fn records_of_another_class_are_ignored() {
        let any = question(ResponseCode::NoError, Expectation::Any);
        let mut chaos = a("example.test.", 1);
        chaos.dns_class = DNSClass::CH;
        assert!(judged(&any, ResponseCode::NoError, &[chaos]).is_err());
    }

    #[test]
    fn the_texts_of_a_txt_record_are_joined() {
        let record = TXT::new(vec!["v=DKIM1; p=abc".to_owned(), "def".to_owned()]);
        let record = Record::from_rdata(name("example.test."), 60, RData::TXT(record));
        assert_eq!(text(&record), "v=DKIM1; p=abcdef");
    }
}
