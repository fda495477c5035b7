//! The client of a bucket, created on first use.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use checkup_core::StorageError;
use futures::FutureExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, resolve_bucket_region};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::error::{self, NO_CREDENTIALS};
use crate::http_client::Wire;
use crate::refusal::redacted;
use crate::target::{Credentials, Target};
use crate::wire::watch;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long getting credentials may take: an instance's metadata service answers immediately, or there is none.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(5);

/// How many times a request is retried.
const MAX_RETRIES: usize = 4;

/// The pause before the first retry of a request, and the longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// The variables of the environment that give credentials.
const VARIABLES: [(&str, AmazonS3ConfigKey); 11] = [
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    ("AWS_ENDPOINT_URL_STS", AmazonS3ConfigKey::StsEndpoint),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", AmazonS3ConfigKey::MetadataEndpoint),
];

/// The variables that are part of a key, which is sent in a header or signs one.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Reads a variable of the environment, unless it is empty.
pub(crate) type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The clients of a bucket.
pub(crate) struct Connection {
    target: Target,
    environment: Environment,
    client: OnceCell<AmazonS3>,
    /// A client that deletes files one by one, for servers that cannot delete many with one request.
    single: OnceCell<AmazonS3>,
}

impl Connection {
    pub(crate) fn new(target: Target, environment: Environment) -> Self {
        Self { target, environment, client: OnceCell::new(), single: OnceCell::new() }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// A client that has credentials.
    pub(crate) async fn client(&self) -> Result<AmazonS3, StorageError> {
        let client = self
            .client
            .get_or_try_init(async || self.builder().await?.build().map_err(|error| self.unusable(&error)))
            .await?;
        self.get_credentials(client).await?;
        Ok(client.clone())
    }

    /// A client that deletes files one by one.
    pub(crate) async fn single(&self) -> Result<AmazonS3, StorageError> {
        let client = self.client().await?;
        let builder = async || {
            let builder = self.builder().await?.with_disable_bulk_delete(true);
            builder.with_credentials(client.credentials().clone()).build().map_err(|error| self.unusable(&error))
        };
        self.single.get_or_try_init(builder).await.cloned()
    }

    async fn builder(&self) -> Result<AmazonS3Builder, StorageError> {
        let Target { bucket, credentials, .. } = &self.target;
        let region = self.region().await?;
        // This endpoint already contains the bucket, and is used unchanged.
        let builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_endpoint(self.target.bucket_url(&region))
            .with_virtual_hosted_style_request(true)
            .with_region(region)
            .with_retry(self.retry())
            .with_client_options(self.options())
            .with_http_connector(self.wire());
        Ok(match credentials {
            Credentials::Anonymous => builder.with_skip_signature(true),
            Credentials::Key { id, secret, session_token } => {
                let builder = builder.with_access_key_id(id.expose()).with_secret_access_key(secret.expose());
                match session_token {
                    Some(token) => builder.with_token(token.expose()),
                    None => builder,
                }
            }
            Credentials::Chain => {
                let mut builder = builder;
                for (name, key) in VARIABLES {
                    let Some(value) = (self.environment)(name) else { continue };
                    if KEYS.contains(&name) && !value.chars().all(|c| c.is_ascii_graphic()) {
                        let place = self.target.describe();
                        return Err(StorageError::new(format!(
                            "cannot use {place}: {name} in the environment has a space or a line break in it; remove it"
                        )));
                    }
                    builder = builder.with_config(key, value);
                }
                builder
            }
        })
    }

    /// How requests are retried: after growing pauses, as long as another attempt has time to be answered.
    fn retry(&self) -> RetryConfig {
        let timeout = self.target.timeout;
        let backoff =
            BackoffConfig { init_backoff: self.pause(), max_backoff: (timeout / 10).min(MAX_PAUSE), base: 2.0 };
        // Counted from the first attempt. If it got no answer, there is a second attempt, but no third.
        RetryConfig { backoff, max_retries: MAX_RETRIES, retry_timeout: self.attempt() * 3 / 2 }
    }

    /// How long one attempt may take, so that two attempts and the pause between them fit into `timeout`.
    fn attempt(&self) -> Duration {
        self.target.timeout / 2 - self.pause()
    }

    /// The pause before the first retry.
    fn pause(&self) -> Duration {
        (self.target.timeout / 20).min(FIRST_PAUSE)
    }

    /// The factory for the HTTP clients.
    pub(crate) fn wire(&self) -> Wire {
        let attempt = self.attempt();
        // Credentials may come from another host.
        let is_plain = self.is_plain() && !matches!(self.target.credentials, Credentials::Chain);
        Wire { attempt, connect: CONNECT_TIMEOUT.min(attempt), is_plain }
    }

    /// The HTTP client's settings that `object_store` supports.
    pub(crate) fn options(&self) -> ClientOptions {
        ClientOptions::new().with_allow_http(self.is_plain())
    }

    fn is_plain(&self) -> bool {
        self.target.endpoint.as_ref().is_some_and(|url| url.scheme() == "http")
    }

    async fn region(&self) -> Result<String, StorageError> {
        if let Some(region) = &self.target.region {
            return Ok(region.clone());
        }
        let bucket = &self.target.bucket;
        let options = ClientOptions::new().with_connect_timeout(CONNECT_TIMEOUT).with_timeout(self.target.timeout / 2);
        resolve_bucket_region(bucket, &options).await.map_err(|error| {
            StorageError::new(format!(
                "cannot look up the region of the bucket `{bucket}` of Amazon S3; set `region`, or AWS_REGION in the environment"
            ))
            .with_source(error)
        })
    }

    /// Makes sure, within a time limit, that there are credentials.
    async fn get_credentials(&self, client: &AmazonS3) -> Result<(), StorageError> {
        if matches!(self.target.credentials, Credentials::Anonymous) {
            return Ok(());
        }
        if self.is_without_any() {
            return Err(self.no_credentials());
        }
        // This panics if it reads a token from a file and the token contains a line break.
        let getting = AssertUnwindSafe(client.credentials().get_credential()).catch_unwind();
        let (got, answer) = watch(timeout(CREDENTIALS_TIMEOUT, getting)).await;
        if let Ok(Ok(Ok(_))) = got {
            return Ok(());
        }
        let error = match self.credentials_source() {
            Some(source) => StorageError::new(format!(
                "cannot get credentials for {} from {source}; check it, or set `access_key_id` and `secret_access_key`",
                self.target.describe()
            )),
            None => self.no_credentials(),
        };
        Err(error::because(error, &self.target, answer))
    }

    /// Whether an instance's metadata service is the only remaining source, and the environment disables it.
    fn is_without_any(&self) -> bool {
        matches!(self.target.credentials, Credentials::Chain)
            && self.credentials_source().is_none()
            && (self.environment)("AWS_ACCESS_KEY_ID").is_none()
            && (self.environment)("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn no_credentials(&self) -> StorageError {
        StorageError::new(format!("cannot use {}: {NO_CREDENTIALS}", self.target.describe()))
    }

    /// The source of credentials that the environment names, if any.
    fn credentials_source(&self) -> Option<&'static str> {
        let is_set = |name| (self.environment)(name).is_some();
        match () {
            () if is_set("AWS_WEB_IDENTITY_TOKEN_FILE") && is_set("AWS_ROLE_ARN") => {
                Some("the web identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN)")
            }
            () if is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") => {
                Some("the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)")
            }
            () if is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI") && is_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") => {
                Some("the container (AWS_CONTAINER_CREDENTIALS_FULL_URI)")
            }
            () => None,
        }
    }

    fn unusable(&self, error: &object_store::Error) -> StorageError {
        let half = match (&self.target.credentials, (self.environment)("AWS_ACCESS_KEY_ID")) {
            (Credentials::Chain, Some(_)) => "; set AWS_SECRET_ACCESS_KEY in the environment too",
            (Credentials::Chain, None) if (self.environment)("AWS_SECRET_ACCESS_KEY").is_some() => {
                "; set AWS_ACCESS_KEY_ID in the environment too"
            }
            _ => "",
        };
        let text = redacted(&error.to_string(), self.target.secrets());
        StorageError::new(format!("cannot use {}: {text}{half}", self.target.describe()))
    }
}

impl fmt::Debug for Connection {
    /// Omits the clients, which hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("target", &self.target).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use checkup_testkit::{HttpServer, Response, TcpServer, closed_port};

    use super::*;
    use crate::S3;

    /// The error of a bucket whose credentials are those of this environment.
    async fn error(variables: &[(&str, &str)]) -> StorageError {
        let settings = S3::new("status").endpoint("http://127.0.0.1:9");
        let target = Target::with_environment(&settings, &|_| None).unwrap();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let environment =
            move |name: &str| variables.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
        Connection::new(target, Box::new(environment)).client().await.unwrap_err()
    }

    #[tokio::test]
    async fn without_credentials_the_error_says_what_to_set() {
        let service = |addr| format!("http://{addr}");
        let closed = service(closed_port());
        let no_role = HttpServer::start(|_| Response::new(404));
        for variables in [
            &[("AWS_EC2_METADATA_DISABLED", "true")][..],
            &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &closed)],
            &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &no_role.url(""))],
        ] {
            let error = error(variables).await.to_string();
            assert!(
                error.starts_with("cannot use the bucket `status` at http://127.0.0.1:9: found no credentials"),
                "{error}"
            );
            assert!(error.contains("`secret_access_key`") && error.contains("AWS_ACCESS_KEY_ID"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_metadata_service_that_does_not_answer_does_not_delay_the_error_for_long() {
        let silent = TcpServer::silent();
        let start = tokio::time::Instant::now();
        let error = error(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &format!("http://{}", silent.addr()))]).await;
        assert!(error.to_string().contains("found no credentials"), "{error}");
        assert!(start.elapsed() <= CREDENTIALS_TIMEOUT + Duration::from_secs(1), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_failing_source_of_credentials_is_named() {
        let forbidden = HttpServer::start(|_| Response::new(403).body("<Error><Code>Nope</Code></Error>"));
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), "token").unwrap();
        let failed = error(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &forbidden.url("/role")),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.path().to_str().unwrap()),
        ])
        .await;
        assert!(failed.to_string().contains("from the container (AWS_CONTAINER_CREDENTIALS_FULL_URI)"), "{failed}");
        assert!(failed.source().unwrap().to_string().contains("403 Nope"), "{failed:?}");
        let missing = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/file"), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/a")];
        let failed = error(&missing).await.to_string();
        assert!(failed.contains("from the web identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN)"), "{failed}");
    }

    #[tokio::test]
    async fn half_a_key_in_the_environment_is_reported() {
        let failed = error(&[("AWS_ACCESS_KEY_ID", "AKIA")]).await.to_string();
        assert!(failed.contains("AWS_SECRET_ACCESS_KEY"), "{failed}");
    }

    #[tokio::test]
    async fn a_line_break_in_the_environment_or_a_file_is_reported_and_not_shown() {
        let failed = error(&[("AWS_ACCESS_KEY_ID", "AKIA\n"), ("AWS_SECRET_ACCESS_KEY", "hidden")]).await.to_string();
        assert!(failed.contains("AWS_ACCESS_KEY_ID in the environment has a space or a line break"), "{failed}");
        let service = HttpServer::start(|_| Response::new(404));
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), "hid\nden").unwrap();
        let failed = error(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &service.url("/role")),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.path().to_str().unwrap()),
        ])
        .await
        .to_string();
        assert!(failed.contains("cannot get credentials") && !failed.contains("hid"), "{failed}");
    }
}
