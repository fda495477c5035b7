//! [`Target`]: where the storage is, from validated settings.

use std::time::Duration;

use checkup_core::{ConfigError, ConfigProblems, Secret};
use url::Url;

use crate::config::S3;
use crate::names::name;

mod checks;

/// The longest time that a request may take with its retries. A whole store has 60 seconds.
const MAX_TIMEOUT: Duration = Duration::from_secs(50);

/// A bucket, a prefix in it, and how to reach them. Creating one does not connect to anything.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) bucket: String,
    /// `None` if it must be looked up; then the endpoint is Amazon's.
    pub(crate) region: Option<String>,
    /// `None` for Amazon's, which depends on the region.
    pub(crate) endpoint: Option<Url>,
    pub(crate) path_style: bool,
    /// Empty, or with a `/` at its end.
    pub(crate) prefix: String,
    /// Where the page is published, if not next to the check files, which are then private. Empty, or with a `/` at its end.
    pub(crate) page_prefix: Option<String>,
    pub(crate) credentials: Credentials,
    /// Secrets from the environment, which must not be shown either.
    pub(crate) hidden: Vec<Secret>,
    pub(crate) storage_class: Option<String>,
    /// The tag that check files carry.
    pub(crate) tag: Option<ObjectTag>,
    /// Whether an `index.json` is kept.
    pub(crate) index: bool,
    pub(crate) timeout: Duration,
}

/// The key and the value of an object's tag, by which a lifecycle rule finds the check files of one storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectTag(pub(crate) &'static str, pub(crate) String);

impl ObjectTag {
    /// The tag of the storage with this prefix.
    pub(crate) fn of(prefix: &str) -> Self {
        Self("checkup-storage", name("Checkup", prefix))
    }
}

/// How requests are signed.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// With this key from the settings.
    Key { id: Secret, secret: Secret, session_token: Option<Secret> },
    /// With credentials from the environment, a web identity, the container or the instance.
    Chain,
    /// Requests are not signed.
    Anonymous,
}

impl Target {
    /// Checks the settings.
    pub(crate) fn new(settings: &S3) -> Result<Self, ConfigError> {
        Self::with_environment(settings, &environment)
    }

    /// Checks the settings, with the given environment.
    pub(crate) fn with_environment(
        settings: &S3,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut problems = ConfigProblems::new();
        let variable = |names: &[&str]| names.iter().find_map(|name| environment(name));
        let endpoint_text = given(settings.endpoint.as_deref())
            .map(|text| (text, "`endpoint`"))
            .or_else(|| environment("AWS_ENDPOINT_URL_S3").map(|text| (text, "AWS_ENDPOINT_URL_S3")))
            .or_else(|| environment("AWS_ENDPOINT_URL").map(|text| (text, "AWS_ENDPOINT_URL")));
        let endpoint = endpoint_text.and_then(|(text, key)| problems.take(checks::endpoint(&text, key)));
        let path_style = settings.path_style.unwrap_or(endpoint.is_some() || settings.bucket.contains('.'));
        problems.take(checks::bucket(&settings.bucket, path_style));
        let region = given(settings.region.as_deref())
            .or_else(|| variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
            .or_else(|| endpoint.is_some().then(|| "us-east-1".to_owned()));
        let region = region.and_then(|region| problems.take(checks::region(region)));
        let prefix = problems.take(checks::prefix(&settings.prefix)).unwrap_or_default();
        let page_prefix =
            settings.page_prefix.as_deref().and_then(|page| problems.take(checks::page_prefix(page, &prefix)));
        let storage_class = given(settings.storage_class.as_deref());
        if let Some(class) = &storage_class {
            problems.take(checks::storage_class(class));
        }
        if !(Duration::from_secs(1)..=MAX_TIMEOUT).contains(&settings.timeout) {
            let found = format!("expected 1s to 50s, found {:?}", settings.timeout);
            problems.push(ConfigError::invalid("timeout", found));
        }
        let credentials = credentials(settings, &mut problems);
        let hidden = [
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_ENDPOINT_URL_STS",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ];
        let hidden = hidden.iter().filter_map(|name| environment(name)).map(Secret::from).collect();
        let tag = settings.tag_check_files.then(|| ObjectTag::of(&prefix));
        let target = Self {
            bucket: settings.bucket.clone(),
            region,
            endpoint,
            path_style,
            prefix,
            page_prefix,
            credentials,
            hidden,
            storage_class,
            tag,
            index: settings.index,
            timeout: settings.timeout,
        };
        problems.finish(|| Some(target))
    }

    /// The URL of the bucket in this region, without a `/` at its end.
    pub(crate) fn bucket_url(&self, region: &str) -> String {
        let Self { bucket, .. } = self;
        match &self.endpoint {
            Some(endpoint) if self.path_style => format!("{}/{bucket}", text_of(endpoint)),
            Some(endpoint) => text_of(endpoint).replacen("://", &format!("://{bucket}."), 1),
            None if self.path_style => format!("https://s3.{region}.{}/{bucket}", domain(region)),
            None => format!("https://{bucket}.s3.{region}.{}", domain(region)),
        }
    }

    /// The URL at which browsers find the bucket. Without a region, Amazon redirects to the right one, unless the bucket is in the
    /// path: that URL is valid for `us-east-1` only.
    pub(crate) fn public_url(&self) -> String {
        match &self.region {
            Some(region) => self.bucket_url(region),
            None if self.path_style => format!("https://s3.amazonaws.com/{}", self.bucket),
            None => format!("https://{}.s3.amazonaws.com", self.bucket),
        }
    }

    /// Describes the place: ``the bucket `status` at https://minio.example.com``.
    pub(crate) fn describe(&self) -> String {
        let Self { bucket, .. } = self;
        match (&self.endpoint, &self.region) {
            (Some(endpoint), _) => format!("the bucket `{bucket}` at {}", text_of(endpoint)),
            (None, Some(region)) => format!("the bucket `{bucket}` in {region}"),
            (None, None) => format!("the bucket `{bucket}` of Amazon S3"),
        }
    }

    /// The bucket and prefix, with the endpoint unless it is Amazon's: `s3://status/production at https://minio.example.com`.
    pub(crate) fn identity(&self) -> String {
        let Self { bucket, prefix, .. } = self;
        let place = format!("s3://{bucket}/{}", prefix.trim_end_matches('/'));
        let place = place.trim_end_matches('/');
        self.endpoint.as_ref().map_or_else(|| place.to_owned(), |endpoint| format!("{place} at {}", text_of(endpoint)))
    }

    /// The texts that must not be shown anywhere.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let (secret, token) = match &self.credentials {
            Credentials::Key { secret, session_token, .. } => (Some(secret), session_token.as_ref()),
            Credentials::Chain | Credentials::Anonymous => (None, None),
        };
        secret.into_iter().chain(token).chain(&self.hidden).map(Secret::expose)
    }
}

/// How requests are signed with these settings.
fn credentials(settings: &S3, problems: &mut ConfigProblems) -> Credentials {
    let id = given(settings.access_key_id.as_deref());
    let secret = settings.secret_access_key.clone().filter(|secret| !secret.is_empty());
    let session_token = settings.session_token.clone().filter(|token| !token.is_empty());
    for (key, value) in [
        ("access_key_id", id.as_deref()),
        ("secret_access_key", secret.as_ref().map(Secret::expose)),
        ("session_token", session_token.as_ref().map(Secret::expose)),
    ] {
        problems.take(checks::key(key, value.unwrap_or_default()));
    }
    let mut invalid = |key, message| problems.push(ConfigError::invalid(key, message));
    match (id, secret) {
        (id, secret) if settings.anonymous => {
            if id.is_some() || secret.is_some() || session_token.is_some() {
                invalid("anonymous", "expected no access key together with `anonymous`; remove one of them");
            }
            Credentials::Anonymous
        }
        (Some(id), Some(secret)) => Credentials::Key { id: id.into(), secret, session_token },
        (id, secret) => {
            if id.is_some() {
                invalid(
                    "secret_access_key",
                    "expected the secret of `access_key_id`; set both, or none to use the credentials of the environment",
                );
            } else if secret.is_some() {
                invalid(
                    "access_key_id",
                    "expected the id of the key of `secret_access_key`; set both, or none to use the credentials of the environment",
                );
            } else if session_token.is_some() {
                invalid(
                    "session_token",
                    "expected none without `access_key_id` and `secret_access_key`; set all three",
                );
            }
            Credentials::Chain
        }
    }
}

pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A setting that is not empty: `${VAR:-}` gives an empty text if a variable is not set.
fn given(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// The domain of the partition that a region belongs to.
fn domain(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "amazonaws.com.cn",
        Some("eusc") => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

fn text_of(endpoint: &Url) -> &str {
    endpoint.as_str().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use checkup_core::IntoStorage;

    use super::*;

    fn target(settings: &S3) -> Result<Target, ConfigError> {
        Target::with_environment(settings, &|_| None)
    }

    /// The place and the message of the only problem.
    fn problem(settings: &S3) -> (String, String) {
        let error = target(settings).unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        let problem = &error.problems()[0];
        (problem.place.clone(), problem.message.clone())
    }

    fn url(settings: &S3) -> String {
        let target = target(settings).unwrap();
        target.bucket_url(target.region.as_deref().unwrap())
    }

    #[test]
    fn the_identity_names_bucket_prefix_and_endpoint_and_no_credentials() {
        let identity = |settings: &S3| target(settings).unwrap().identity();
        assert_eq!(identity(&S3::new("status").region("eu-west-1")), "s3://status");
        let other = S3::new("status").prefix("a/b").endpoint("https://minio.example.com").access_key("AKIA", "hunter2");
        assert_eq!(identity(&other), "s3://status/a/b at https://minio.example.com");
    }

    #[test]
    fn the_url_of_a_bucket_has_the_region_and_the_style() {
        let amazon = S3::new("status").region("eu-west-1");
        assert_eq!(url(&amazon), "https://status.s3.eu-west-1.amazonaws.com");
        assert_eq!(url(&amazon.clone().path_style(true)), "https://s3.eu-west-1.amazonaws.com/status");
        assert_eq!(url(&S3::new("a.b").region("eu-west-1")), "https://s3.eu-west-1.amazonaws.com/a.b");
        assert_eq!(url(&S3::new("status").region("cn-north-1")), "https://status.s3.cn-north-1.amazonaws.com.cn");
        let minio = S3::new("status").endpoint("http://localhost:9000/");
        assert_eq!(url(&minio), "http://localhost:9000/status");
        assert_eq!(url(&minio.path_style(false)), "http://status.localhost:9000");
        assert_eq!(url(&S3::new("status").endpoint("https://proxy/s3")), "https://proxy/s3/status");
    }

    #[test]
    fn browsers_find_a_bucket_without_a_region() {
        let url = |settings: S3| target(&settings).unwrap().public_url();
        assert_eq!(url(S3::new("status")), "https://status.s3.amazonaws.com");
        assert_eq!(
            url(S3::new("a.b")),
            "https://s3.amazonaws.com/a.b",
            "no wildcard certificate covers a name with a dot in it"
        );
        assert_eq!(url(S3::new("status").path_style(true)), "https://s3.amazonaws.com/status");
        assert_eq!(url(S3::new("a.b").region("eu-west-1")), "https://s3.eu-west-1.amazonaws.com/a.b");
    }

    #[test]
    fn region_and_endpoint_come_from_the_environment_unless_they_are_given() {
        let environment = |name: &str| match name {
            "AWS_REGION" => Some("eu-north-1".to_owned()),
            "AWS_DEFAULT_REGION" => Some("not-this".to_owned()),
            "AWS_ENDPOINT_URL" => Some("http://localhost:1".to_owned()),
            _ => None,
        };
        let found = Target::with_environment(&S3::new("status"), &environment).unwrap();
        assert_eq!(found.bucket_url(found.region.as_deref().unwrap()), "http://localhost:1/status");
        assert_eq!(found.region.as_deref(), Some("eu-north-1"));
        let given = S3::new("status").region("auto").endpoint("http://localhost:2");
        let found = Target::with_environment(&given, &environment).unwrap();
        assert_eq!(found.bucket_url("auto"), "http://localhost:2/status");
        assert_eq!(found.region.as_deref(), Some("auto"));
        assert_eq!(target(&S3::new("status")).unwrap().region, None);
        assert_eq!(target(&S3::new("status").region("")).unwrap().region, None, "an empty text is none");
        let elsewhere = target(&S3::new("status").endpoint("http://localhost:2")).unwrap();
        assert_eq!(elsewhere.region.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn the_page_has_another_prefix_than_the_check_files() {
        let page_prefix = |settings: S3| target(&settings).map(|target| target.page_prefix);
        assert_eq!(page_prefix(S3::new("status")).unwrap(), None);
        assert_eq!(page_prefix(S3::new("status").page_prefix("public")).unwrap().as_deref(), Some("public/"));
        assert_eq!(page_prefix(S3::new("status").prefix("private").page_prefix("")).unwrap().as_deref(), Some(""));
        for (prefix, page, expected) in [
            ("a", "/a/", "expected another prefix than `prefix`"),
            ("", "", "expected another"),
            ("a", "b/../c", "expected a prefix"),
        ] {
            let error = page_prefix(S3::new("status").prefix(prefix).page_prefix(page)).unwrap_err();
            let problem = &error.problems()[0];
            assert!(problem.place == "page_prefix" && problem.message.starts_with(expected), "{problem:?}");
        }
    }

    #[test]
    fn a_prefix_ends_with_a_slash_and_begins_with_none() {
        let prefix = |text: &str| target(&S3::new("status").prefix(text)).map(|target| target.prefix);
        for (text, expected) in [("", ""), ("/", ""), ("a", "a/"), ("/a/b/", "a/b/"), ("ü x", "ü x/")] {
            assert_eq!(prefix(text).unwrap(), expected, "{text:?}");
        }
        for text in ["a//b", "a/../b", ".", "a\nb", &"x".repeat(701)] {
            assert_eq!(prefix(text).unwrap_err().problems()[0].place, "prefix", "{text:?}");
        }
    }

    #[test]
    fn an_invalid_bucket_name_is_refused() {
        let long = "a".repeat(64);
        for name in ["", "ab", &long, "Status", "a_b", "-ab", "ab-", "a..b", "192.168.0.1", "stätus", "a b c"] {
            assert_eq!(problem(&S3::new(name)).0, "bucket", "{name:?}");
        }
        target(&S3::new("Old_Bucket").path_style(true)).unwrap();
        let (place, message) = problem(&S3::new("s3://status/production"));
        assert!(place == "bucket" && message.contains("`prefix`"), "{message}");
    }

    #[test]
    fn a_text_that_may_hold_a_password_is_not_shown_wherever_it_was_written() {
        let urls = [
            "https://AKIA:hidden@minio/b",
            "u:hidden@x",
            "https://u:hid/den@minio",
            "https://u:hidden@mi nio",
            "http//u:hidden@x",
            "http://minio?X-Amz-Signature=hidden",
            "minio?key=hidden",
            "ftp://u:hidden@minio",
            "https://:hidden@",
            "https://u:hidden@minio:99999",
        ];
        for text in urls {
            for settings in [
                S3::new(text),
                S3::new(text).path_style(true),
                S3::new("status").endpoint(text),
                S3::new("status").region(text),
                S3::new("status").prefix(format!("{text}/../x")),
                S3::new("status").storage_class(text),
            ] {
                let error = target(&settings).unwrap_err();
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("hid") && !shown.contains("den@"), "{shown}");
            }
            for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION"] {
                let environment = |asked: &str| (asked == name).then(|| text.to_owned());
                let error = Target::with_environment(&S3::new("status"), &environment).unwrap_err().to_string();
                assert!(!error.contains("hid") && !error.contains("den@"), "{error}");
                assert!(name == "AWS_REGION" || error.contains(name), "{error}");
            }
        }
        let long = "hidden".repeat(30);
        assert!(!problem(&S3::new(&long)).1.contains("hidden"));
    }

    #[test]
    fn an_invalid_endpoint_is_refused_and_a_password_not_shown() {
        for text in ["localhost:9000", "minio", "ftp://minio", "https://", "http://minio?a=b", "http://minio#a"] {
            assert_eq!(problem(&S3::new("status").endpoint(text)).0, "endpoint", "{text:?}");
        }
        for text in ["https://user:hidden@minio", "https://user:hidden@mi nio"] {
            let (place, message) = problem(&S3::new("status").endpoint(text));
            assert!(place == "endpoint" && !message.contains("hidden"), "{message}");
        }
    }

    #[test]
    fn an_access_key_is_complete_or_absent() {
        let mut settings = S3::new("status").access_key("AKIA", "hidden");
        assert!(matches!(target(&settings).unwrap().credentials, Credentials::Key { .. }));
        settings.secret_access_key = None;
        assert_eq!(problem(&settings).0, "secret_access_key");
        assert_eq!(problem(&S3::new("status").access_key("", "hidden")).0, "access_key_id");
        assert_eq!(problem(&S3::new("status").session_token("token")).0, "session_token");
        assert_eq!(problem(&S3::new("status").access_key("AKIA", "hidden").anonymous(true)).0, "anonymous");
        let none = target(&S3::new("status").access_key("", "").session_token("")).unwrap();
        assert!(matches!(none.credentials, Credentials::Chain), "empty texts are none");
        assert!(matches!(target(&S3::new("status").anonymous(true)).unwrap().credentials, Credentials::Anonymous));
    }

    #[test]
    fn a_key_with_a_line_break_is_refused_and_not_shown() {
        for (settings, place) in [
            (S3::new("status").access_key("AKIA\n", "hidden"), "access_key_id"),
            (S3::new("status").access_key("AKIA", "hidden\n"), "secret_access_key"),
            (S3::new("status").access_key("AKIA", "s").session_token("hid den"), "session_token"),
        ] {
            let (found, message) = problem(&settings);
            assert!(found == place && !message.contains("hid"), "{found}: {message}");
        }
    }

    #[test]
    fn all_problems_are_reported_together() {
        let settings = S3::new("x")
            .region("a/b")
            .endpoint("minio")
            .prefix("..")
            .storage_class("DEEP_ARCHIVE")
            .timeout(Duration::from_millis(1));
        let error = target(&settings).unwrap_err();
        let places: Vec<_> = error.problems().iter().map(|problem| problem.place.as_str()).collect();
        let expected = ["endpoint", "bucket", "region", "prefix", "storage_class", "timeout"];
        assert_eq!(places, expected);
        checkup_testkit::conformance::all_problems_are_reported(settings.into_storage(), &expected);
    }
}
