//! The table of refusals: why a server refuses a request, and what to do about it.
//!
//! Servers agree on few codes. Garage reports `AccessDenied` for a wrong secret, an unknown key and a full quota alike; only its message
//! differs. So vague codes are looked up by message, all other codes directly, and remaining refusals by status.

use checkup_core::{StorageErrorKind, Timestamp};

use crate::action::Action;
use crate::refusal::Refusal;
use crate::target::{Credentials, Target};

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    NoFile,
    NoBucket,
    BadBucketName,
    UnknownKey,
    WrongSecret,
    SuspendedKey,
    ExpiredToken,
    WrongToken,
    WrongClock,
    Elsewhere,
    NoStorageClass,
    Archived,
    CustomerKey,
    Kms,
    Quota,
    ServerFull,
    Locked,
    TooLarge,
    Busy,
    SlowRequest,
    Disabled,
    NoAnonymous,
    Denied,
    NoS3,
    Unsupported,
    Fault,
    Unknown,
}

/// What a code means, regardless of the status.
///
/// Amazon: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>; those that begin with `XMinio` are `MinIO`'s, `QuotaExceeded`
/// and `UserSuspended` Ceph's, `Unauthorized` Cloudflare's.
const CODES: [(&str, Why); 48] = [
    ("NoSuchKey", Why::NoFile),
    ("NoSuchBucket", Why::NoBucket),
    ("InvalidBucketName", Why::BadBucketName),
    ("InvalidAccessKeyId", Why::UnknownKey),
    ("InvalidSecurity", Why::UnknownKey),
    ("NotSignedUp", Why::UnknownKey),
    ("InvalidClientTokenId", Why::UnknownKey),
    ("SignatureDoesNotMatch", Why::WrongSecret),
    ("UserSuspended", Why::SuspendedKey),
    ("AccountProblem", Why::SuspendedKey),
    ("ExpiredToken", Why::ExpiredToken),
    ("ExpiredTokenException", Why::ExpiredToken),
    ("TokenRefreshRequired", Why::ExpiredToken),
    ("InvalidToken", Why::WrongToken),
    ("RequestTimeTooSkewed", Why::WrongClock),
    ("RequestExpired", Why::WrongClock),
    ("RequestTimeSkewed", Why::WrongClock),
    ("AuthorizationHeaderMalformed", Why::Elsewhere),
    ("PermanentRedirect", Why::Elsewhere),
    ("TemporaryRedirect", Why::Elsewhere),
    ("Redirect", Why::Elsewhere),
    ("IllegalLocationConstraintException", Why::Elsewhere),
    ("InvalidStorageClass", Why::NoStorageClass),
    ("InvalidObjectState", Why::Archived),
    ("ServerSideEncryptionConfigurationNotFoundError", Why::Kms),
    ("KMS.DisabledException", Why::Kms),
    ("KMS.NotFoundException", Why::Kms),
    ("KMS.KMSInvalidStateException", Why::Kms),
    ("KMS.InvalidKeyUsageException", Why::Kms),
    ("KMS.InvalidStateException", Why::Kms),
    ("QuotaExceeded", Why::Quota),
    ("QuotaExceededException", Why::Quota),
    ("XMinioAdminBucketQuotaExceeded", Why::Quota),
    ("XMinioStorageFull", Why::ServerFull),
    ("InsufficientStorage", Why::ServerFull),
    ("ObjectLocked", Why::Locked),
    ("EntityTooLarge", Why::TooLarge),
    ("SlowDown", Why::Busy),
    ("SlowDownRead", Why::Busy),
    ("SlowDownWrite", Why::Busy),
    ("ServiceUnavailable", Why::Busy),
    ("TooManyRequests", Why::Busy),
    ("RequestLimitExceeded", Why::Busy),
    ("RequestTimeout", Why::SlowRequest),
    ("AllAccessDisabled", Why::Disabled),
    ("InternalError", Why::Fault),
    ("AccessDenied", Why::Denied),
    ("Forbidden", Why::Denied),
];

/// What a message (in lower case) means if the code says too little.
const MESSAGES: [(&str, Why); 14] = [
    // Garage.
    ("invalid signature", Why::WrongSecret),
    ("no such key", Why::UnknownKey),
    ("quota is reached", Why::Quota),
    ("date is too old", Why::WrongClock),
    ("anonymous access", Why::NoAnonymous),
    ("unexpected scope", Why::Elsewhere),
    // Amazon.
    ("form of server side encryption", Why::CustomerKey),
    ("kms:", Why::Kms),
    ("object lock", Why::Locked),
    ("worm protected", Why::Locked),
    // The key and the request differ in their region.
    ("the region", Why::Elsewhere),
    ("storage class", Why::NoStorageClass),
    ("quota exceeded", Why::Quota),
    // Swift.
    ("exceeds quota", Why::Quota),
];

/// Codes that servers use for many different causes.
const VAGUE: [&str; 7] =
    ["", "AccessDenied", "Forbidden", "InvalidRequest", "InvalidArgument", "BadRequest", "EntityTooLarge"];

/// Why this request was refused.
pub(crate) fn why(target: &Target, action: &Action, refusal: &Refusal) -> Why {
    let code = refusal.code.as_str();
    let message = refusal.message.to_ascii_lowercase();
    if VAGUE.contains(&code)
        && let Some((_, why)) = MESSAGES.iter().find(|(words, _)| message.contains(words))
    {
        return *why;
    }
    if let Some((_, why)) = CODES.iter().find(|(known, _)| *known == code) {
        return *why;
    }
    let is_anonymous = matches!(target.credentials, Credentials::Anonymous);
    match refusal.status {
        // Ceph does not say which argument is invalid. The storage class is the only one of a put that the settings can change.
        400 if code == "InvalidArgument" && target.storage_class.is_some() && action.permission == "s3:PutObject" => {
            Why::NoStorageClass
        }
        // Swift without credentials does not speak S3 at all.
        400 | 412 if is_anonymous && code.is_empty() => Why::NoAnonymous,
        300..400 => Why::Elsewhere,
        401 | 403 => Why::Denied,
        413 => Why::TooLarge,
        429 | 503 => Why::Busy,
        507 => Why::ServerFull,
        // S3 names the missing resource.
        400 | 404 if code.is_empty() => Why::NoS3,
        405 | 501 => Why::Unsupported,
        500.. => Why::Fault,
        _ => Why::Unknown,
    }
}

/// Describes the cause and the remedy.
pub(crate) fn explain(target: &Target, action: &Action, refusal: &Refusal) -> (StorageErrorKind, String) {
    let why = why(target, action, refusal);
    let kind = match why {
        Why::NoFile => StorageErrorKind::NotFound,
        Why::SlowRequest => StorageErrorKind::Timeout,
        _ => StorageErrorKind::Other,
    };
    (kind, words(why, target, action, refusal))
}

fn words(why: Why, target: &Target, action: &Action, refusal: &Refusal) -> String {
    let Target { bucket, .. } = target;
    let text = match why {
        Why::NoFile => "it does not exist",
        Why::NoBucket => {
            return format!(
                "there is no bucket `{bucket}`; check `bucket`, `region` and `endpoint`, or make it with `checkup provision`"
            );
        }
        Why::BadBucketName => {
            return format!("the server does not accept the name `{bucket}` for a bucket; check `bucket`");
        }
        Why::UnknownKey => {
            return format!("the server does not know the access key{}", set_key(target, "access_key_id"));
        }
        Why::WrongSecret => {
            return format!("the secret of the access key is wrong{}", set_key(target, "secret_access_key"));
        }
        Why::SuspendedKey => {
            "the account of the access key is suspended; ask the server's operator, or use another key"
        }
        Why::ExpiredToken => "the session token has expired; get new credentials",
        Why::WrongToken => return format!("the session token is wrong{}", set_key(target, "session_token")),
        Why::WrongClock => {
            let off = refusal.server_time.map(clock_difference).unwrap_or_default();
            return format!(
                "this machine's clock differs too much from the server's{off}; set it, and keep it right with NTP"
            );
        }
        Why::Elsewhere => return elsewhere(target, refusal),
        Why::NoStorageClass => {
            let class = target.storage_class.as_deref().unwrap_or_default();
            return format!(
                "the server does not have the storage class {class:?}; set another `storage_class`, or none"
            );
        }
        Why::Archived => {
            "the object is archived and cannot be read until it is restored; restore it, and exclude check files from the \
             bucket's rule that archives objects"
        }
        Why::CustomerKey => {
            "the object is encrypted with a key that its writer keeps (SSE-C), which Checkup does not support; store check \
             files with the bucket's own encryption"
        }
        Why::Kms => {
            "the key in KMS that encrypts the bucket cannot be used; enable it, and allow the access key's user kms:Decrypt and \
             kms:GenerateDataKey on it"
        }
        Why::Quota => {
            "the quota of the bucket or of its owner is used up; raise it, or keep less of the history with `check_expiry`"
        }
        Why::ServerFull => {
            "the server's disks are full; free some space there, or keep less of the history with `check_expiry`"
        }
        Why::Locked => {
            "the object is locked against changes until its retention ends; use a bucket without object lock, since \
             compaction and retention delete check files"
        }
        Why::TooLarge => "the server does not accept an object of this size; raise its limit",
        Why::Busy => "the server asks for fewer requests; try again later",
        Why::SlowRequest => "the server did not get the request in time; check the network in between",
        Why::Disabled => "all access to the bucket is disabled; ask its owner",
        Why::NoAnonymous => "the server gives no access without an access key; set one instead of `anonymous`",
        Why::Denied => return denied(target, action),
        Why::NoS3 => "no S3 server answers there; check `endpoint`",
        Why::Unsupported => "the server does not support this request; check that it is an S3 server, and `endpoint`",
        Why::Fault => "the server has a fault; try again later",
        Why::Unknown => "",
    };
    text.to_owned()
}

fn denied(target: &Target, action: &Action) -> String {
    if matches!(target.credentials, Credentials::Anonymous) {
        return "access is denied without an access key; allow it in the bucket's policy, or set a key instead of `anonymous`"
            .to_owned();
    }
    let Action { permission, .. } = action;
    match *permission {
        "s3:PutObject" | "s3:GetObject" | "s3:DeleteObject" => {
            let objects = &target.prefix;
            format!(
                "access is denied; the access key's user needs {permission} on the objects `{objects}*` of the bucket"
            )
        }
        permission => format!("access is denied; the access key's user needs {permission} on the bucket"),
    }
}

fn elsewhere(target: &Target, refusal: &Refusal) -> String {
    let is_name =
        |region: &&String| !region.is_empty() && region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let region = refusal.region.as_ref().filter(is_name);
    match (region, &refusal.redirect) {
        (Some(region), _) if target.region.as_ref() != Some(region) => {
            format!("the bucket is in another region; set `region` to {region:?}")
        }
        (_, Some(origin)) => format!(
            "the server redirects to {origin}, and credentials are sent to no other server; set `endpoint` and `region` to where the \
             bucket is"
        ),
        (_, None) if (300..400).contains(&refusal.status) && refusal.code.is_empty() => {
            "the server redirects, which an S3 server does not do there; check `endpoint`".to_owned()
        }
        _ => "the bucket is in another region, or at another endpoint; set `region` and `endpoint` to where it is"
            .to_owned(),
    }
}

/// What to do about a part of an access key, which depends on where the key comes from.
fn set_key(target: &Target, key: &str) -> String {
    match target.credentials {
        Credentials::Key { .. } => format!("; check `{key}`"),
        Credentials::Chain => {
            "; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the environment, or the role"
                .to_owned()
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
