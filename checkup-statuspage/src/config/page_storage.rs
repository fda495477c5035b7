use checkup_core::{ConfigError, Secret};
use serde::{Deserialize, Serialize};

use crate::config::link::{self, LinkKind};
use crate::config::source::PageSource;

/// Where a static page reads the check files, like `storage` in upstream's `config.js`. It is needed if the storage of the config file does not
/// know where they are published (a directory that is published elsewhere, a bucket behind another name).
///
/// ```
/// use checkup_statuspage::PageStorage;
///
/// let json = r#"{"type": "fs", "url": "https://example.github.io/status/checks/"}"#;
/// serde_json::from_str::<PageStorage>(json)?.validate()?;
///
/// // A page has no keys, since they would be public.
/// let json = r#"{"type": "s3", "AccessKeyID": "AKIA…", "Region": "eu-west-1", "BucketName": "checks"}"#;
/// assert!(serde_json::from_str::<PageStorage>(json)?.validate().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PageStorage {
    /// How the check files are found.
    #[serde(rename = "type")]
    pub kind: PageStorageType,
    /// The URL of the folder with `index.json`, absolute or relative to the page; or the URL of the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The prefix of the names of the check files in a bucket.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The region of the bucket, if there is no `url`. Default: `us-east-1`, as in upstream.
    #[serde(rename = "Region", alias = "region", default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The name of the bucket, if there is no `url`.
    #[serde(rename = "BucketName", alias = "bucket", default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Upstream's key for the page. It is an error, since the page would make the key public.
    #[serde(rename = "AccessKeyID", default, skip_serializing_if = "Secret::is_empty")]
    pub access_key_id: Secret,
    /// Upstream's secret for the page. It is an error for the same reason.
    #[serde(rename = "SecretAccessKey", default, skip_serializing_if = "Secret::is_empty")]
    pub secret_access_key: Secret,
}

/// How a static page finds check files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PageStorageType {
    /// By `index.json`, in a directory on a web server or on GitHub Pages, or from `checkup serve`.
    #[serde(alias = "github", alias = "mysql", alias = "postgres", alias = "sqlite3")]
    Fs,
    /// By listing a bucket that anonymous visitors may list and read.
    S3,
}

impl PageStorage {
    /// Check files in a folder with an `index.json`.
    pub fn fs(url: impl Into<String>) -> Self {
        Self::new(PageStorageType::Fs, url.into(), String::new())
    }

    /// Check files in a bucket, by its URL, whose names begin with `prefix`.
    pub fn s3(url: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self::new(PageStorageType::S3, url.into(), prefix.into())
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// The invalid setting, with its key and a remedy.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let keys = [("AccessKeyID", &self.access_key_id), ("SecretAccessKey", &self.secret_access_key)];
        if let Some((key, _)) = keys.into_iter().find(|(_, secret)| !secret.is_empty()) {
            return Err(ConfigError::invalid(
                key,
                "this key would be public on the page; remove it, and let the bucket be read without one \
                 (`checkup provision s3` does that), then delete the key where it was made",
            ));
        }
        // A setting that has no effect is a mistake.
        let bucket = [("Region", self.region.is_some()), ("BucketName", self.bucket.is_some())];
        let named = |keys: &[(&'static str, bool)]| keys.iter().find(|(_, is_set)| *is_set).map(|(key, _)| *key);
        if self.kind != PageStorageType::S3 {
            if let Some(key) = named(&bucket).or_else(|| named(&[("prefix", !self.prefix.is_empty())])) {
                return Err(ConfigError::invalid(key, "only buckets have this key; remove it, or set `type` to `s3`"));
            }
        } else if let Some(key) = named(&bucket).filter(|_| self.url.is_some()) {
            return Err(ConfigError::invalid(
                key,
                "it has no effect together with `url`, which names the bucket; remove one of them",
            ));
        }
        if let Some(url) = &self.url {
            return link::problem(url, LinkKind::Folder)
                .map_or(Ok(()), |problem| Err(ConfigError::invalid("url", problem)));
        }
        if self.kind == PageStorageType::S3 && self.bucket.is_none() {
            return Err(ConfigError::invalid("", "expected the bucket's `url`, or `Region` and `BucketName`"));
        }
        let odd =
            |name: &String| name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
        for (key, name) in [("Region", &self.region), ("BucketName", &self.bucket)] {
            if let Some(name) = name.as_ref().filter(|name| odd(name)) {
                return Err(ConfigError::invalid(
                    key,
                    format!("expected letters, digits, `-` and `.`, found {name:?}"),
                ));
            }
        }
        Ok(())
    }

    /// The source for the page.
    pub(crate) fn source(&self) -> PageSource {
        match (self.kind, &self.url) {
            (PageStorageType::Fs, url) => PageSource::Index { url: folder(url.as_deref().unwrap_or("./")) },
            (PageStorageType::S3, Some(url)) => PageSource::S3 { url: folder(url), prefix: self.prefix.clone() },
            (PageStorageType::S3, None) => {
                let (region, bucket) = (self.region.as_deref().unwrap_or("us-east-1"), self.bucket.as_deref());
                let url = format!("https://{}.s3.{region}.amazonaws.com/", bucket.unwrap_or_default());
                PageSource::S3 { url, prefix: self.prefix.clone() }
            }
        }
    }

    fn new(kind: PageStorageType, url: String, prefix: String) -> Self {
        Self {
            kind,
            url: Some(url),
            prefix,
            region: None,
            bucket: None,
            access_key_id: Secret::default(),
            secret_access_key: Secret::default(),
        }
    }
}

fn folder(url: &str) -> String {
    if url.ends_with('/') { url.to_owned() } else { format!("{url}/") }
}
