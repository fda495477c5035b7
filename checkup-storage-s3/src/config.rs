//! [`S3`]: the settings.

use std::time::Duration;

use checkup_core::Secret;
use checkup_core::archive::Retention;
use serde::{Deserialize, Serialize};

/// Settings of the S3 storage: `{"type": "s3", "bucket": "status", "region": "eu-west-1"}`.
///
/// Amazon S3, with credentials from the environment, a web identity, the container or the instance:
///
/// ```
/// # use checkup_storage_s3::S3;
/// let settings = S3::new("status").region("eu-west-1").prefix("production");
/// let json = r#"{"bucket":"status","region":"eu-west-1","prefix":"production"}"#;
/// assert_eq!(settings, serde_json::from_str(json)?);
/// # checkup_core::IntoStorage::into_storage(settings)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// MinIO, Garage, Ceph, or any other server that speaks S3, here with keys from the environment:
///
/// ```
/// # use checkup_storage_s3::S3;
/// # let settings: S3 = serde_json::from_str(
/// r#"{
///     "bucket": "status",
///     "endpoint": "https://minio.example.com:9000",
///     "access_key_id": "${MINIO_ACCESS_KEY}",
///     "secret_access_key": "${MINIO_SECRET_KEY}"
/// }"#
/// # )?;
/// # checkup_core::IntoStorage::into_storage(settings)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The region of Garage is `"region": "garage"` unless configured otherwise.
///
/// Cloudflare R2:
///
/// ```
/// # use checkup_storage_s3::S3;
/// # let settings: S3 = serde_json::from_str(
/// r#"{
///     "bucket": "status",
///     "endpoint": "https://0123456789abcdef.r2.cloudflarestorage.com",
///     "region": "auto",
///     "access_key_id": "${R2_ACCESS_KEY_ID}",
///     "secret_access_key": "${R2_SECRET_ACCESS_KEY}"
/// }"#
/// # )?;
/// # checkup_core::IntoStorage::into_storage(settings)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct S3 {
    /// The bucket. It must exist; `checkup provision` can create it.
    pub bucket: String,
    /// The bucket's region, such as `eu-west-1`. Default: `AWS_REGION` or `AWS_DEFAULT_REGION` in the environment; otherwise `us-east-1`
    /// if `endpoint` is set; otherwise the region that Amazon names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The id of the access key. Requires `secret_access_key`. Default: empty, which uses credentials from the environment
    /// (`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`), a web identity, the container or the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The secret of the access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<Secret>,
    /// The session token of a temporary access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<Secret>,
    /// Whether to send requests without a signature, which needs no credentials, for a bucket that anyone may read. Default: false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub anonymous: bool,
    /// The URL of a server other than Amazon's, without the bucket. Default: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` in the
    /// environment; otherwise Amazon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Whether the bucket is in the URL's path instead of its host name. Default: true if `endpoint` is set, or the bucket's
    /// name has a dot in it, since a certificate would not match such a host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// The prefix of all keys, such as `production/`: the "folder" of the check files. A `/` is added at its end if it is missing. Default:
    /// none. Each prefix of a bucket is a separate storage.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Where the files of the status page are published, if the check files are private: another prefix of the bucket, or empty for its root.
    /// `checkup provision` then lets anyone read the page only, and the page shows what the last `checkup statuspage deploy` has published.
    /// Default: next to the check files, which are public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_prefix: Option<String>,
    /// The storage class of the check files, such as `INTELLIGENT_TIERING`. Default: the bucket's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Whether check files carry the tag `checkup-storage`, by which a lifecycle rule (`checkup provision --expire-after`) distinguishes them
    /// from other objects. This requires the permission `s3:PutObjectTagging` and a server with object tags. Default: false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub tag_check_files: bool,
    /// Whether to update an `index.json` with the latest check files after each store, for a page on a server that lets anyone read files but
    /// not list them, such as Garage's web endpoint. Set it for every node and for `statuspage deploy`. It costs two listings and a put for
    /// each store. Default: false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub index: bool,
    /// `check_expiry`, `summary_expiry` and `compact`: how long check files and daily statistics are kept.
    #[serde(flatten)]
    pub retention: Retention,
    /// How long a request may take with all its retries, from 1 to 50 seconds. Default: 30 seconds. A whole store may take 60 seconds.
    #[serde(default = "default_timeout", with = "checkup_core::duration", skip_serializing_if = "is_default_timeout")]
    #[cfg_attr(feature = "config", schemars(with = "checkup_core::config::DurationSchema"))]
    pub timeout: Duration,
}

impl S3 {
    /// Stores at the root of this bucket and keeps everything.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            region: None,
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            anonymous: false,
            endpoint: None,
            path_style: None,
            prefix: String::new(),
            page_prefix: None,
            storage_class: None,
            tag_check_files: false,
            index: false,
            retention: Retention::new(),
            timeout: default_timeout(),
        }
    }

    /// The bucket's region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Signs requests with this access key.
    #[must_use]
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.access_key_id = Some(id.into());
        self.secret_access_key = Some(secret.into());
        self
    }

    /// The session token of a temporary access key.
    #[must_use]
    pub fn session_token(mut self, token: impl Into<Secret>) -> Self {
        self.session_token = Some(token.into());
        self
    }

    /// Whether requests are sent without a signature. Default: false.
    #[must_use]
    pub fn anonymous(mut self, anonymous: bool) -> Self {
        self.anonymous = anonymous;
        self
    }

    /// The URL of a server other than Amazon's, without the bucket.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Whether the bucket is in the URL's path. Default: true if an endpoint is set, or the bucket's name has a dot in it.
    #[must_use]
    pub fn path_style(mut self, path_style: bool) -> Self {
        self.path_style = Some(path_style);
        self
    }

    /// The prefix of all keys. Default: none.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Publishes the files of the status page under this prefix, and keeps the check files private. Default: next to the check files, which are
    /// public.
    #[must_use]
    pub fn page_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.page_prefix = Some(prefix.into());
        self
    }

    /// The storage class of the check files. Default: the bucket's.
    #[must_use]
    pub fn storage_class(mut self, storage_class: impl Into<String>) -> Self {
        self.storage_class = Some(storage_class.into());
        self
    }

    /// Whether check files carry a tag for a lifecycle rule. Default: false.
    #[must_use]
    pub fn tag_check_files(mut self, tag_check_files: bool) -> Self {
        self.tag_check_files = tag_check_files;
        self
    }

    /// Whether an `index.json` is kept, for a page on a server that lists nothing for anonymous readers. Default: false.
    #[must_use]
    pub fn index(mut self, index: bool) -> Self {
        self.index = index;
        self
    }

    /// How long check files and daily statistics are kept.
    #[must_use]
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Sets [`Retention::check_expiry`].
    #[must_use]
    pub fn check_expiry(mut self, check_expiry: Duration) -> Self {
        self.retention.check_expiry = check_expiry;
        self
    }

    /// Sets [`Retention::summary_expiry`].
    #[must_use]
    pub fn summary_expiry(mut self, summary_expiry: Duration) -> Self {
        self.retention.summary_expiry = summary_expiry;
        self
    }

    /// Sets [`Retention::compact`].
    #[must_use]
    pub fn compact(mut self, compact: bool) -> Self {
        self.retention.compact = compact;
        self
    }

    /// How long a request may take with all its retries. Default: 30 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

fn default_timeout() -> Duration {
    Duration::from_secs(30)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_default_timeout(timeout: &Duration) -> bool {
    *timeout == default_timeout()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_no(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_settings_are_read_and_written_without_the_secret() {
        let settings: S3 = serde_json::from_str(
            r#"{"access_key_id": "AKIA", "secret_access_key": "hidden", "bucket": "status", "region": "us-east-1",
                "check_expiry": 604800000000000}"#,
        )
        .unwrap();
        assert_eq!(
            settings,
            S3::new("status")
                .region("us-east-1")
                .access_key("AKIA", "hidden")
                .check_expiry(Duration::from_secs(7 * 24 * 3600))
        );
        assert_eq!(
            serde_json::to_string(&settings).unwrap(),
            r#"{"bucket":"status","region":"us-east-1","access_key_id":"AKIA","secret_access_key":"[redacted]","check_expiry":"168h0m0s"}"#
        );
        assert!(!format!("{settings:?}").contains("hidden"));
    }

    #[test]
    fn minimal_and_complete_settings_round_trip() {
        assert_eq!(serde_json::to_string(&S3::new("status")).unwrap(), r#"{"bucket":"status"}"#);
        let all = S3::new("status")
            .region("eu-west-1")
            .access_key("AKIA", "secret")
            .session_token("token")
            .anonymous(true)
            .endpoint("http://localhost:9000")
            .path_style(false)
            .prefix("a/b")
            .storage_class("STANDARD")
            .tag_check_files(true)
            .index(true)
            .check_expiry(Duration::from_secs(1))
            .summary_expiry(Duration::from_secs(2))
            .compact(false)
            .timeout(Duration::from_secs(10));
        let json = Secret::exposing(|| serde_json::to_string(&all)).unwrap();
        assert_eq!(serde_json::from_str::<S3>(&json).unwrap(), all);
    }

    #[test]
    fn unknown_keys_and_a_missing_bucket_are_refused() {
        assert!(serde_json::from_str::<S3>(r#"{"bucket": "status", "buckets": 1}"#).is_err());
        assert!(serde_json::from_str::<S3>("{}").is_err());
    }
}
