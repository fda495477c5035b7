//! Checks settings one by one: what is expected, what was found, and what to do.

use std::net::IpAddr;

use checkup_core::ConfigError;
use url::Url;

/// The longest prefix: a key has at most 1,024 bytes, and a name up to 255 of them.
const MAX_PREFIX: usize = 700;

/// The longest text that is shown when it is refused.
const MAX_SHOWN: usize = 100;

/// The storage classes whose objects must be restored before they can be read, which takes minutes to hours.
const SLOW_CLASSES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>; in a path also capitals and underscores,
/// which old buckets and other servers have.
pub(super) fn bucket(name: &str, path_style: bool) -> Result<(), ConfigError> {
    if name.contains(['/', ':', '@']) {
        let found = found(name);
        return invalid(
            "bucket",
            format!(
                "expected the name of a bucket alone, found {found}; set `prefix` to what follows the name, and `endpoint` to the server"
            ),
        );
    }
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || path_style && c.is_ascii_uppercase();
    let is_middle = |c: char| is_end(c) || matches!(c, '-' | '.') || path_style && c == '_';
    let is_good = (3..=63).contains(&name.len())
        && name.chars().all(is_middle)
        && name.starts_with(is_end)
        && name.ends_with(is_end)
        && !name.contains("..")
        && name.parse::<IpAddr>().is_err();
    match is_good {
        true => Ok(()),
        false => invalid(
            "bucket",
            format!(
                "expected the name of a bucket: 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends; found {}",
                found(name)
            ),
        ),
    }
}

/// The URL of a server. `key` names the setting or the variable that it comes from.
pub(super) fn endpoint(text: &str, key: &str) -> Result<Url, ConfigError> {
    let expected = format!("expected a URL such as \"https://minio.example.com:9000\" in {key}");
    if !text.contains("://") {
        return invalid(
            "endpoint",
            format!("{expected}, with https:// or http:// at its beginning; found {}", found(text)),
        );
    }
    let Ok(url) = Url::parse(text) else {
        return invalid("endpoint", format!("{expected}, found {}", found(text)));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return invalid(
            "endpoint",
            format!("expected no user and password in the URL of {key}; set `access_key_id` and `secret_access_key`"),
        );
    }
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return invalid("endpoint", format!("{expected}, found {}", found(text)));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return invalid("endpoint", format!("expected a URL without `?` and `#` in {key}"));
    }
    Ok(url)
}

/// A part of a host name, so that nothing else gets into the URL.
pub(super) fn region(region: String) -> Result<String, ConfigError> {
    let is_good = region.len() <= 63 && region.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match is_good {
        true => Ok(region),
        false => invalid("region", format!("expected a region such as \"eu-west-1\", found {}", found(&region))),
    }
}

pub(super) fn prefix(text: &str) -> Result<String, ConfigError> {
    let trimmed = text.trim_matches('/');
    if trimmed.is_empty() {
        return Ok(String::new());
    }
    let is_good = trimmed.len() <= MAX_PREFIX
        && !trimmed.chars().any(char::is_control)
        && trimmed.split('/').all(|part| !matches!(part, "" | "." | ".."));
    match is_good {
        true => Ok(format!("{trimmed}/")),
        false => invalid(
            "prefix",
            format!(
                "expected a prefix such as \"production/checks/\", without empty parts, `.` and `..`, of at most {MAX_PREFIX} bytes; found {}",
                found(text)
            ),
        ),
    }
}

/// The prefix of the page, which must not be that of the check files.
pub(super) fn page_prefix(text: &str, prefix: &str) -> Result<String, ConfigError> {
    let page = self::prefix(text).map_err(|error| {
        let message = error.problems().first().map(|problem| problem.message.clone()).unwrap_or_default();
        ConfigError::invalid("page_prefix", message)
    })?;
    if page == prefix {
        return invalid(
            "page_prefix",
            format!(
                "expected another prefix than `prefix`, under which the check files are private; found {} for both; remove it to publish both together",
                found(text)
            ),
        );
    }
    Ok(page)
}

pub(super) fn storage_class(class: &str) -> Result<(), ConfigError> {
    if !class.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        let found = found(class);
        return invalid(
            "storage_class",
            format!("expected a storage class such as \"INTELLIGENT_TIERING\", found {found}"),
        );
    }
    if SLOW_CLASSES.contains(&class) {
        return invalid(
            "storage_class",
            format!("expected a storage class whose objects can be read immediately, found {class:?}"),
        );
    }
    Ok(())
}

/// Checks a part of an access key, which is sent in a header or signs one. It is never shown.
pub(super) fn key(place: &str, text: &str) -> Result<(), ConfigError> {
    match text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(()),
        false => invalid(
            place,
            "expected letters, digits and punctuation only, found a space, a line break or another character; \
             check whether more than the key was copied or read from a file",
        ),
    }
}

fn invalid<T>(place: &str, message: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::invalid(place, message))
}

/// The text in quotes, or less of it where it may hold a secret: a URL or something like it may have a password before an `@`, or after one
/// that was forgotten; and a long text in the wrong place may be a key.
fn found(text: &str) -> String {
    if text.contains("://") || text.contains('@') || text.contains(['?', '=']) {
        return "a URL, which may hold a password and is not shown".to_owned();
    }
    if text.len() > MAX_SHOWN {
        return format!("a text of {} bytes", text.len());
    }
    format!("{text:?}")
}
