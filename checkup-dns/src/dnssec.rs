//! [`Dnssec`]: validates answers (RFC 4035), with hickory's validator on top of this crate's exchanges.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use checkup_core::duration::GoDuration;
use checkup_core::{Failure, Phase};
use checkup_net::{excerpt, read_file};
use futures::stream::{self, Stream, StreamExt};
use hickory_net::dnssec::DnssecDnsHandle;
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::xfer::DnsHandle;
use hickory_net::{DnsError, NetError};
use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::dnssec::{Proof, TrustAnchors};
use hickory_proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Message, ResponseCode};
use hickory_proto::rr::{RData, Record};
use tokio::sync::OnceCell;

use crate::answer::{Question, shown};
use crate::exchange::Exchange;

/// How many queries may be used to validate one answer. A deep name needs about twenty.
const MAX_QUERIES: usize = 100;

const ANCHOR_KEY: &str = "dnssec_trust_anchor_file";

/// Validates answers up to a trust anchor.
pub(crate) struct Dnssec {
    /// The file with the trust anchors; `None` for the root zone's.
    file: Option<PathBuf>,
    anchors: OnceCell<Arc<TrustAnchors>>,
}

impl Dnssec {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { file, anchors: OnceCell::new() }
    }

    /// Reads the trust anchors, the first time it is called.
    pub(crate) async fn prepare(&self) -> Result<(), Failure> {
        self.anchors().await.map(|_| ())
    }

    /// Asks the question, judges the answer and validates it.
    pub(crate) async fn ask(&self, exchange: Exchange, query: Message, question: &Question) -> Result<(), Failure> {
        let anchors = self.anchors().await?;
        let handle = Handle { exchange: Arc::new(exchange), progress: Arc::default() };
        let validator = DnssecDnsHandle::with_trust_anchor(handle.clone(), Arc::clone(anchors));
        let answer = validator.send(DnsRequest::new(query, DnsRequestOptions::default())).next().await;
        let (answer, proof) = match answer {
            Some(Ok(answer)) => {
                let answer = answer.into_message();
                let proof = proof(&answer, question);
                (answer, proof)
            }
            Some(Err(NetError::Dns(DnsError::Nsec { response, proof, .. }))) => (response.into_message(), proof),
            Some(Err(error)) => return Err(from_net(error)),
            None => return Err(Failure::protocol("no answer to validate")),
        };
        Phase::end();
        let trouble = || handle.lock().trouble.take();
        match (question.judge(&answer), proof) {
            (judgement, Proof::Secure) => judgement,
            (Err(wrong), proof) => Err(Failure::assertion(format!("{wrong}; DNSSEC: the answer is {}", word(proof)))),
            (Ok(()), proof) => Err(unproven(proof, &answer, question, trouble())),
        }
    }

    async fn anchors(&self) -> Result<&Arc<TrustAnchors>, Failure> {
        self.anchors.get_or_try_init(|| self.load()).await
    }

    async fn load(&self) -> Result<Arc<TrustAnchors>, Failure> {
        let Some(file) = self.file.clone() else { return Ok(Arc::default()) };
        tokio::task::spawn_blocking(move || read_anchors(&file)).await.map_err(Failure::from_error)?
    }
}

/// Reads trust anchors. The monitor's own trouble, such as too many open files, keeps its cause.
fn read_anchors(file: &Path) -> Result<Arc<TrustAnchors>, Failure> {
    let content = read_file(file).map_err(|failure| failure.context(ANCHOR_KEY))?;
    let failure = |reason: &str| Failure::other(format!("{ANCHOR_KEY}: {}: {reason}", file.display()));
    let text =
        String::from_utf8(content).map_err(|_| failure("expected text, found other bytes; is it the right file?"))?;
    if !text.lines().any(|line| line.contains("DNSKEY")) {
        return Err(failure("expected DNSKEY records, one a line, found none; write them as in zone files"));
    }
    TrustAnchors::from_str(&text).map(Arc::new).map_err(|error| {
        let error = excerpt(error.to_string().as_bytes(), 200);
        failure(&format!("expected DNSKEY records, one a line, found something else: {error}"))
    })
}

impl fmt::Debug for Dnssec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dnssec").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Sends the validator's queries through the exchange, in the task of the attempt.
#[derive(Clone)]
struct Handle {
    exchange: Arc<Exchange>,
    progress: Arc<Mutex<Progress>>,
}

#[derive(Default)]
struct Progress {
    queries: usize,
    /// Why a key or a delegation is missing, if a query failed.
    trouble: Option<Failure>,
}

impl Handle {
    async fn ask(self, request: DnsRequest) -> Result<DnsResponse, NetError> {
        let (mut query, _) = request.into_parts();
        // This check does the validation: a validating resolver would otherwise withhold the answers that it finds bogus (RFC
        // 4035, section 3.2.2).
        query.metadata.checking_disabled = true;
        let number = {
            let mut progress = self.lock();
            progress.queries += 1;
            progress.queries
        };
        let about = query.queries.first().map(|query| format!("{} of {}", query.query_type, shown(&query.name)));
        let outcome = if number > MAX_QUERIES {
            Err(Failure::protocol(format!("more than {MAX_QUERIES} queries to validate one answer")))
        } else {
            self.exchange.ask(query).await
        };
        match outcome {
            // The response code of the answer itself is judged later. Those of keys and delegations are not, so they must be
            // successful.
            Ok(answer) if number == 1 || is_usable(&answer) => {
                DnsResponse::from_message(answer).map_err(NetError::from)
            }
            Ok(answer) => {
                let code = crate::rcode::name(answer.metadata.response_code);
                Err(self.note(Failure::assertion(code), about))
            }
            Err(failure) if number == 1 => Err(to_net(failure)),
            Err(failure) => Err(self.note(failure, about)),
        }
    }

    /// Keeps the first failure among the validator's queries.
    fn note(&self, failure: Failure, about: Option<String>) -> NetError {
        let failure = failure.context(about.unwrap_or_default());
        self.lock().trouble.get_or_insert_with(|| failure.clone());
        to_net(failure)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DnsHandle for Handle {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        Box::pin(stream::once(self.clone().ask(request)))
    }
}

fn is_usable(answer: &Message) -> bool {
    matches!(answer.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
}

/// Carries a failure through the validator.
fn to_net(failure: Failure) -> NetError {
    NetError::Io(Arc::new(io::Error::other(failure)))
}

fn from_net(error: NetError) -> Failure {
    if let NetError::Io(error) = &error
        && let Some(failure) = error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>())
    {
        return failure.clone();
    }
    Failure::protocol(format!("DNSSEC: {}", excerpt(error.to_string().as_bytes(), 200)))
}

/// Determines how well an answer that the validator accepted is proven.
pub(crate) fn proof(answer: &Message, question: &Question) -> Proof {
    let relevant = question.relevant(answer);
    let positive: Vec<&Record> = relevant.aliases.iter().chain(&relevant.records).copied().collect();
    if !positive.is_empty() {
        return weakest(&positive);
    }
    // NSEC and NSEC3 records prove that there are no records.
    let denials = answer
        .authorities
        .iter()
        .filter(|record| matches!(record.data, RData::DNSSEC(DNSSECRData::NSEC(_) | DNSSECRData::NSEC3(_))));
    let denials: Vec<_> = denials.collect();
    if denials.is_empty() { Proof::Insecure } else { weakest(&denials) }
}

fn weakest(records: &[&Record]) -> Proof {
    let any = |proof| records.iter().any(|record| record.proof == proof);
    [Proof::Bogus, Proof::Indeterminate, Proof::Insecure].into_iter().find(|proof| any(*proof)).unwrap_or(Proof::Secure)
}

fn word(proof: Proof) -> &'static str {
    match proof {
        Proof::Secure => "secure",
        Proof::Insecure => "insecure",
        Proof::Bogus => "bogus",
        Proof::Indeterminate => "not validated",
    }
}

pub(crate) fn unproven(proof: Proof, answer: &Message, question: &Question, trouble: Option<Failure>) -> Failure {
    let name = shown(&question.name);
    if proof == Proof::Insecure {
        return Failure::assertion(format!("DNSSEC: the answer is insecure: {name} is not in a signed zone"));
    }
    // The dates say more than a failed query, which may not have mattered.
    if let Some(why) = out_of_date(answer) {
        return Failure::assertion(format!("DNSSEC: the answer is {}: {why}", word(proof)));
    }
    if let Some(trouble) = trouble {
        return Failure::new(trouble.cause(), format!("DNSSEC: the answer cannot be validated: {trouble}"));
    }
    let message = format!("DNSSEC: the answer is {}: its signatures do not lead to a trusted key", word(proof));
    Failure::assertion(message)
}

/// Says what is wrong with the dates of an answer's signatures. Expired signatures are how zones usually become bogus.
fn out_of_date(answer: &Message) -> Option<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    // Dates of signatures are serial numbers (RFC 1982).
    let now = now as u32;
    answer.answers.iter().chain(&answer.authorities).find_map(|record| {
        let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else { return None };
        let input = signature.input();
        let since =
            |then: u32| i32::try_from(now.wrapping_sub(then)).ok().and_then(|seconds| u64::try_from(seconds).ok());
        let signed = format!("the signature of {} {}", shown(&record.name), input.type_covered);
        match (since(input.sig_expiration.get()), since(input.sig_inception.get())) {
            (Some(ago), _) if ago > 0 => Some(format!("{signed} expired {} ago", GoDuration(Duration::from_secs(ago)))),
            (_, None) => Some(format!("{signed} is not valid yet")),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use hickory_proto::dnssec::Algorithm;
    use hickory_proto::dnssec::rdata::RRSIG;
    use hickory_proto::dnssec::rdata::sig::SigInput;
    use hickory_proto::op::{MessageType, OpCode};
    use hickory_proto::rr::{Name, RecordType, SerialNumber};

    use super::*;

    /// An answer with a signature that is valid during this period, in seconds from now.
    fn signed(inception: i64, expiration: i64) -> Message {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        let date = |offset: i64| SerialNumber::from((now + offset) as u32);
        let input = SigInput {
            type_covered: RecordType::A,
            algorithm: Algorithm::ED25519,
            num_labels: 2,
            original_ttl: 60,
            sig_expiration: date(expiration),
            sig_inception: date(inception),
            key_tag: 1,
            signer_name: Name::from_ascii("example.test.").unwrap(),
        };
        let data = RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, vec![0; 64])));
        let mut answer = Message::new(1, MessageType::Response, OpCode::Query);
        answer.add_answer(Record::from_rdata(Name::from_ascii("www.example.test.").unwrap(), 60, data));
        answer
    }

    #[test]
    fn signatures_outside_their_dates_are_reported_as_such() {
        assert_eq!(out_of_date(&signed(-3600, 3600)), None);
        assert_eq!(
            out_of_date(&signed(3600, 7200)).as_deref(),
            Some("the signature of www.example.test A is not valid yet")
        );
        let expired = out_of_date(&signed(-7200, -3600)).unwrap();
        assert!(expired.starts_with("the signature of www.example.test A expired 1h0m"), "{expired}");
    }

    #[test]
    fn a_failure_keeps_its_cause_through_the_validator() {
        let failure = Failure::new(checkup_core::Cause::Refused, "connection refused");
        assert_eq!(from_net(to_net(failure.clone())), failure);
    }
}
