//! Requests to the bucket with the SDK, and their outcomes.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use checkup_core::StorageError;
use md5::{Digest, Md5};
use object_store::client::HttpConnector;
use tokio::time::{sleep, timeout};

use super::http::{Http, NOTHING_SET};
use crate::action::Action;
use crate::connection::Connection;
use crate::error;
use crate::refusal::Refusal;
use crate::target::{self, Target, environment};
use crate::wire::{Answer, watch};

/// The pauses before retrying a write that may have been refused because the previous change has not spread yet.
pub(super) const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// The answer to a request.
#[derive(Debug)]
pub(super) enum Reply<T> {
    Done(T),
    Refused(Refusal),
    /// A successful response that the SDK cannot read.
    Strange,
}

/// The outcome of reading a setting.
#[derive(Debug)]
pub(super) enum Found<T> {
    There(T),
    Missing,
    /// The server does not have such a setting.
    Unsupported,
    /// The server has such a setting, in a form that cannot be read.
    Unreadable,
}

/// The outcome of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// The server does not have such a setting.
    Unsupported,
}

/// The bucket, accessed with the SDK.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    target: Target,
    region: String,
}

impl Api {
    /// Gets credentials, without sending a request to the bucket.
    pub(super) async fn new(target: &Target, region: &str) -> Result<Self, StorageError> {
        if matches!(target.credentials, target::Credentials::Anonymous) {
            return Err(StorageError::new(format!(
                "cannot provision {} without an access key; set one instead of `anonymous`",
                target.describe()
            )));
        }
        let target = Target { region: Some(region.to_owned()), ..target.clone() };
        let connection = Connection::new(target.clone(), Box::new(environment));
        let credential = connection.client().await?.credentials().get_credential().await.map_err(unusable)?;
        let credentials =
            Credentials::new(&credential.key_id, &credential.secret_key, credential.token.clone(), None, "checkup");
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(target.timeout / 2).build();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(credentials)
            .region(Region::new(region.to_owned()))
            .http_client(Http(connection.wire().connect(&connection.options()).map_err(unusable)?))
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .force_path_style(target.path_style);
        let config = match &target.endpoint {
            Some(endpoint) => config.endpoint_url(endpoint.as_str().trim_end_matches('/')),
            None => config,
        };
        Ok(Self { client: Client::from_conf(config.build()), target, region: region.to_owned() })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// Sends a request, with its retries, within `timeout`.
    ///
    /// # Errors
    ///
    /// If there is no answer. A refusal is not an error here.
    pub(super) async fn send<T, E>(
        &self,
        call: &Action,
        request: impl Future<Output = Result<T, E>>,
    ) -> Result<Reply<T>, StorageError> {
        let (done, answer) = watch(timeout(self.target.timeout, request)).await;
        match (done, answer) {
            (Ok(Ok(done)), _) => Ok(Reply::Done(done)),
            (Ok(Err(_)), Some(Answer::Refused(refusal))) => Ok(Reply::Refused(refusal.without(self.target.secrets()))),
            (Ok(Err(_)), Some(answer)) => Err(error::failed(&self.target, call, answer)),
            (Ok(Err(_)), None) => Ok(Reply::Strange),
            (Err(_), answer) => Err(error::timed_out(&self.target, call, answer)),
        }
    }

    /// Reads a setting. A refusal with the code `missing` means that it is not set.
    pub(super) async fn look<T, E>(
        &self,
        call: &Action,
        missing: &str,
        request: impl Future<Output = Result<T, E>>,
    ) -> Result<Found<T>, StorageError> {
        match self.send(call, request).await? {
            Reply::Done(found) => Ok(Found::There(found)),
            Reply::Refused(refusal) if refusal.code == missing || refusal.code == NOTHING_SET => Ok(Found::Missing),
            Reply::Refused(refusal) if is_unsupported(&refusal) => Ok(Found::Unsupported),
            Reply::Refused(refusal) => Err(self.refused(call, refusal)),
            Reply::Strange => Ok(Found::Unreadable),
        }
    }

    /// Writes a setting. Tries again after a refusal that `passes`, since an earlier change takes a moment to spread.
    pub(super) async fn write<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        call: &Action,
        passes: impl Fn(&Refusal) -> bool,
        mut request: impl FnMut() -> F,
    ) -> Result<Written, StorageError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let refusal = match self.send(call, request()).await? {
                Reply::Done(_) => return Ok(Written::Done),
                Reply::Refused(refusal) if is_unsupported(&refusal) => return Ok(Written::Unsupported),
                Reply::Refused(refusal) => refusal,
                Reply::Strange => return Err(self.strange(call)),
            };
            match pauses.next().filter(|_| passes(&refusal)) {
                Some(pause) => sleep(pause).await,
                None => return Err(self.refused(call, refusal)),
            }
        }
    }

    /// The error of an answer that is not S3's.
    pub(super) fn strange(&self, call: &Action) -> StorageError {
        let place = self.target.describe();
        StorageError::new(format!(
            "cannot {} {place}: the answer is not what S3 answers; check `endpoint`, or set this with the server's own tools",
            call.text
        ))
    }

    /// The error of a refused request: what failed, why, and what to do.
    pub(super) fn refused(&self, call: &Action, refusal: Refusal) -> StorageError {
        if !refusal.is_denied() {
            return error::failed(&self.target, call, Answer::Refused(refusal));
        }
        let unless = match call.permission {
            "s3:ListBucket" => ", or the bucket belongs to another account",
            "s3:PutBucketPolicy" => {
                ", or the bucket or its whole account forbids public policies (`Block Public Access`)"
            }
            _ => "",
        };
        StorageError::new(format!(
            "cannot {} {}: access is denied; the access key's user needs {} on the bucket{unless}",
            call.text,
            self.target.describe(),
            call.permission
        ))
        .with_source(refusal)
    }
}

/// Whether a new bucket, or a change to it, has not spread yet.
pub(super) fn is_early(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_str(), "NoSuchBucket" | "OperationAborted")
}

/// Whether the server does not support the setting. Some servers ignore its name and try to create the bucket again.
fn is_unsupported(refusal: &Refusal) -> bool {
    matches!(refusal.status, 405 | 501)
        || matches!(
            refusal.code.as_str(),
            "NotImplemented"
                | "XNotImplemented"
                | "MethodNotAllowed"
                | "BucketAlreadyExists"
                | "BucketAlreadyOwnedByYou"
        )
}

/// The error of credentials that were valid a moment ago, or of the HTTP client. No remedy is known.
fn unusable(error: object_store::Error) -> StorageError {
    StorageError::new("cannot use the AWS SDK").with_source(error)
}

/// Adds a checksum for servers that require one but do not support the SDK's.
pub(super) fn add_md5(request: &mut HttpRequest) {
    if let Some(body) = request.body().bytes() {
        let digest = BASE64_STANDARD.encode(Md5::digest(body));
        request.headers_mut().insert("content-md5", digest);
    }
}
