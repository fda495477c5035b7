//! Readable errors: what failed, where, why, and what to do.

use checkup_core::{Cause, Failure, StorageError, StorageErrorKind};
use checkup_net::excerpt;

use crate::action::Action;
use crate::refusal::{Refusal, redacted};
use crate::remedy::explain;
use crate::target::Target;
use crate::wire::Answer;

/// Why there are no credentials, and what to do.
pub(crate) const NO_CREDENTIALS: &str = "found no credentials: set `access_key_id` and `secret_access_key`, or AWS_ACCESS_KEY_ID and \
     AWS_SECRET_ACCESS_KEY in the environment, or run Checkup where a role is attached; or set `anonymous` for a bucket that anyone may read";

/// The error of an action on the bucket or on a file in it.
pub(crate) fn failed(target: &Target, action: &Action, answer: Answer) -> StorageError {
    let (place, text) = (target.describe(), &action.text);
    match answer {
        Answer::Refused(refusal) => {
            let refusal = refusal.without(target.secrets());
            let (kind, why) = explain(target, action, &refusal);
            let colon = if why.is_empty() { "" } else { ": " };
            StorageError::new(format!("cannot {text} {place}{colon}{why}")).with_kind(kind).with_source(refusal)
        }
        Answer::None(failure) => {
            let (kind, why) = unreachable(&failure);
            StorageError::new(format!("cannot {text} {place}: {why}")).with_kind(kind).with_source(failure)
        }
    }
}

/// The error of getting a file that does not exist.
pub(crate) fn not_there(target: &Target, action: &Action, refusal: Refusal) -> StorageError {
    StorageError::new(format!("cannot {} {}: it does not exist", action.text, target.describe()))
        .with_kind(StorageErrorKind::NotFound)
        .with_source(refusal.without(target.secrets()))
}

/// The error of an action that took too long.
pub(crate) fn timed_out(target: &Target, action: &Action, answer: Option<Answer>) -> StorageError {
    let (place, timeout) = (target.describe(), target.timeout);
    let what = match answer {
        Some(Answer::Refused(_)) => "it took longer than",
        _ => "the server did not answer in time, which is",
    };
    let error = StorageError::new(format!(
        "cannot {} {place}: {what} {timeout:?}; check the server and the network in between, or raise `timeout`",
        action.text
    ))
    .with_kind(StorageErrorKind::Timeout);
    because(error, target, answer)
}

/// The error of an action whose responses were successful, but not from S3.
pub(crate) fn unexpected(target: &Target, action: &Action, error: &object_store::Error) -> StorageError {
    let text = redacted(&error.to_string(), target.secrets());
    let why = Failure::other(excerpt(text.as_bytes(), 300));
    StorageError::new(format!(
        "cannot {} {}: the answer is not what S3 answers; check that `endpoint` is that of an S3 server",
        action.text,
        target.describe()
    ))
    .with_source(why)
}

/// Makes the error, with the last answer as its source.
pub(crate) fn because(error: StorageError, target: &Target, answer: Option<Answer>) -> StorageError {
    match answer {
        Some(Answer::Refused(refusal)) => error.with_source(refusal.without(target.secrets())),
        Some(Answer::None(failure)) => error.with_source(failure),
        None => error,
    }
}

/// Why there was no answer, with the remedy.
fn unreachable(failure: &Failure) -> (StorageErrorKind, &'static str) {
    let other = StorageErrorKind::Other;
    match failure.cause() {
        Cause::Timeout => (
            StorageErrorKind::Timeout,
            "the server did not answer in time; check the server and the network in between, or raise `timeout`",
        ),
        Cause::Dns => (other, "the server's name cannot be resolved; check `endpoint` or `region`, and that DNS works"),
        Cause::Refused => (other, "nothing listens there; check that the server runs, and the port in `endpoint`"),
        Cause::Protocol => (other, "what answers there is not an S3 server; check `endpoint`"),
        Cause::Tls => (other, "the TLS connection failed; check the server's certificate, and the port in `endpoint`"),
        _ => (other, "the connection failed; check the server and the network in between"),
    }
}
