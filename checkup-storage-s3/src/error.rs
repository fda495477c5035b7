//! Errors in words: what failed, where, why, and what to do.

use checkup_core::{Cause, Failure, StorageError, StorageErrorKind, Timestamp};
use checkup_net::excerpt;

use crate::refusal::{Refusal, redacted};
use crate::target::{Credentials, Target};
use crate::wire::Answer;

/// Why there are no credentials, and what to do.
pub(crate) const NO_CREDENTIALS: &str = "found no credentials: set `access_key_id` and `secret_access_key`, or AWS_ACCESS_KEY_ID and \
     AWS_SECRET_ACCESS_KEY in the environment, or run it where a role is attached; or set `anonymous` for a bucket that anyone may read";

/// The error of an action on the bucket or a file in it.
pub(crate) fn failed(target: &Target, action: &str, answer: Answer) -> StorageError {
    let place = target.describe();
    match answer {
        Answer::Refused(refusal) => {
            let refusal = refusal.without(target.secrets());
            let (kind, why) = explain(target, &refusal);
            let colon = if why.is_empty() { "" } else { ": " };
            StorageError::new(format!("cannot {action} {place}{colon}{why}")).with_kind(kind).with_source(refusal)
        }
        Answer::None(failure) => {
            let (kind, why) = unreachable(&failure);
            StorageError::new(format!("cannot {action} {place}: {why}")).with_kind(kind).with_source(failure)
        }
    }
}

/// The error of getting a file that is not there.
pub(crate) fn not_there(target: &Target, action: &str, refusal: Refusal) -> StorageError {
    StorageError::new(format!("cannot {action} {}: it is not there", target.describe()))
        .with_kind(StorageErrorKind::NotFound)
        .with_source(refusal.without(target.secrets()))
}

/// The error of an action that was given up.
pub(crate) fn timed_out(target: &Target, action: &str, answer: Option<Answer>) -> StorageError {
    let (place, timeout) = (target.describe(), target.timeout);
    let error = StorageError::new(format!(
        "cannot {action} {place}: it took longer than {timeout:?}; see whether the server and the way to it are well, or raise `timeout`"
    ))
    .with_kind(StorageErrorKind::Timeout);
    because(error, target, answer)
}

/// The error of an action whose answers were all good, and yet not what was to be expected.
pub(crate) fn unexpected(target: &Target, action: &str, error: &object_store::Error) -> StorageError {
    let text = redacted(&error.to_string(), target.secrets());
    let why = Failure::other(excerpt(text.as_bytes(), 300));
    StorageError::new(format!("cannot {action} {}: the server's answer is not as it should be", target.describe()))
        .with_source(why)
}

/// The error with the last answer as its source.
pub(crate) fn because(error: StorageError, target: &Target, answer: Option<Answer>) -> StorageError {
    match answer {
        Some(Answer::Refused(refusal)) => error.with_source(refusal.without(target.secrets())),
        Some(Answer::None(failure)) => error.with_source(failure),
        None => error,
    }
}

/// The cause in words, with the remedy.
fn explain(target: &Target, refusal: &Refusal) -> (StorageErrorKind, String) {
    let Target { bucket, .. } = target;
    let why = match (refusal.status, refusal.code.as_str()) {
        (_, "NoSuchKey") => return (StorageErrorKind::NotFound, "it is not there".to_owned()),
        (_, "NoSuchBucket") => format!(
            "there is no bucket `{bucket}`; see whether `bucket`, `region` and `endpoint` are right, or make it with `checkup provision`"
        ),
        (_, "InvalidAccessKeyId" | "InvalidSecurity" | "NotSignedUp") => {
            format!("the server does not know the access key{}", set_key(target, "access_key_id"))
        }
        (_, "SignatureDoesNotMatch") => {
            format!("the secret of the access key is wrong{}", set_key(target, "secret_access_key"))
        }
        (_, "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException") => {
            "the session token has expired; get new credentials".to_owned()
        }
        (_, "InvalidToken") => format!("the session token is wrong{}", set_key(target, "session_token")),
        (_, "RequestTimeTooSkewed" | "RequestExpired") => {
            let off = refusal.server_time.map(clock_difference).unwrap_or_default();
            format!("this machine's clock is too far from the server's{off}; set it right, and keep it so with NTP")
        }
        (_, "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException") | (301, _) => {
            wrong_region(refusal)
        }
        (_, "InvalidStorageClass") => {
            "the server does not have this storage class; set another `storage_class`, or none".to_owned()
        }
        (_, "SlowDown" | "ServiceUnavailable" | "TooManyRequests") | (429 | 503, _) => {
            "the server asks for fewer requests; try again later".to_owned()
        }
        (_, "RequestTimeout") => {
            let why = "the server did not get the request in time; see whether the way to it is well";
            return (StorageErrorKind::Timeout, why.to_owned());
        }
        (_, "AllAccessDisabled") => "all access to the bucket is disabled; ask its owner".to_owned(),
        (401 | 403, _) => denied(target),
        // S3 says what it is that is not there.
        (404, "") => "no S3 server answers there, or `endpoint` is wrong".to_owned(),
        (405 | 501, _) => {
            "the server cannot do that; see whether it is an S3 server, and `endpoint` is right".to_owned()
        }
        (500.., _) => "the server has a fault; try again later".to_owned(),
        _ => String::new(),
    };
    (StorageErrorKind::Other, why)
}

fn denied(target: &Target) -> String {
    match target.credentials {
        Credentials::Anonymous => {
            "anyone may not do that; allow it in the bucket's policy, or set an access key instead of `anonymous`".to_owned()
        }
        Credentials::Key { .. } | Credentials::Chain => {
            "access is denied; give whoever the access key belongs to s3:PutObject, s3:GetObject and s3:DeleteObject on the objects, \
             and s3:ListBucket on the bucket"
                .to_owned()
        }
    }
}

fn wrong_region(refusal: &Refusal) -> String {
    let is_name = |region: &&String| region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match refusal.region.as_ref().filter(is_name) {
        Some(region) => format!("the bucket is in another region; set `region` to {region:?}"),
        None => "the bucket is in another region, or at another endpoint; set `region` and `endpoint` to where it is"
            .to_owned(),
    }
}

/// What to do about a part of an access key, which depends on where it is from.
fn set_key(target: &Target, key: &str) -> String {
    match target.credentials {
        Credentials::Key { .. } => format!("; set `{key}` right"),
        Credentials::Chain => {
            "; set that of the environment right (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), or the role's".to_owned()
        }
        Credentials::Anonymous => String::new(),
    }
}

fn clock_difference(server_time: Timestamp) -> String {
    let now = Timestamp::now().unix_nanos();
    let seconds = now.abs_diff(server_time.unix_nanos()) / 1_000_000_000;
    let direction = if now < server_time.unix_nanos() { "behind" } else { "ahead" };
    format!(" ({seconds} s {direction})")
}

/// Why there was no answer, with the remedy.
fn unreachable(failure: &Failure) -> (StorageErrorKind, &'static str) {
    let other = StorageErrorKind::Other;
    match failure.cause() {
        Cause::Timeout => (
            StorageErrorKind::Timeout,
            "the server did not answer in time; see whether it and the way to it are well, or raise `timeout`",
        ),
        Cause::Dns => {
            (other, "the server's name cannot be resolved; see whether `endpoint` or `region` is right, and DNS works")
        }
        Cause::Refused => {
            (other, "nobody listens there; see whether the server runs, and `endpoint` has the right port")
        }
        Cause::Protocol => (other, "what answers there is no S3 server; see whether `endpoint` is right"),
        Cause::Tls => (
            other,
            "the TLS connection failed; see whether the server's certificate is good, and `endpoint` has the right port",
        ),
        _ => (other, "the connection failed; see whether the server and the way to it are well"),
    }
}
