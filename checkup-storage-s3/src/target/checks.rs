//! Whether a text is what it should be; else what was expected, what was found, and what to do.

use std::net::IpAddr;

use url::Url;

/// The longest prefix: a key has at most 1,024 bytes, and a name up to 255 of them.
const MAX_PREFIX: usize = 700;

/// The storage classes that an object cannot be read from before it was restored, which takes minutes to hours.
const SLOW_CLASSES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>; in a path also capitals and underscores,
/// which old buckets and other servers have.
pub(super) fn bucket(name: &str, path_style: bool) -> Result<(), String> {
    if name.contains("://") || name.contains('/') {
        return Err(format!(
            "expected the name of a bucket alone, found {name:?}; what comes after the name belongs into `prefix`, and a server into `endpoint`"
        ));
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
        false => Err(format!(
            "expected the name of a bucket: 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends; found {name:?}"
        )),
    }
}

pub(super) fn endpoint(text: &str, key: &str) -> Result<Url, String> {
    // The text is not shown where it may hold a password.
    let url =
        Url::parse(text).map_err(|_| format!("expected a URL such as \"https://minio.example.com:9000\" in {key}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "expected no user and password in the URL of {key}; set `access_key_id` and `secret_access_key`"
        ));
    }
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(format!("expected a URL that begins with https:// or http:// in {key}, found {:?}", url.as_str()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("expected a URL without `?` and `#` in {key}"));
    }
    Ok(url)
}

/// A part of a host name, so that nothing else gets into the URL.
pub(super) fn region(region: String) -> Result<String, String> {
    let is_good = region.len() <= 63 && region.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match is_good {
        true => Ok(region),
        false => Err(format!("expected a region such as \"eu-west-1\", found {region:?}")),
    }
}

pub(super) fn prefix(text: &str) -> Result<String, String> {
    let trimmed = text.trim_matches('/');
    if trimmed.is_empty() {
        return Ok(String::new());
    }
    let is_good = trimmed.len() <= MAX_PREFIX
        && !trimmed.chars().any(char::is_control)
        && trimmed.split('/').all(|part| !matches!(part, "" | "." | ".."));
    match is_good {
        true => Ok(format!("{trimmed}/")),
        false => Err(format!(
            "expected a prefix such as \"production/checks/\", without empty parts, `.` and `..`, of at most {MAX_PREFIX} bytes; found {text:?}"
        )),
    }
}

pub(super) fn storage_class(class: &str) -> Result<(), String> {
    if !class.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Err(format!("expected a storage class such as \"INTELLIGENT_TIERING\", found {class:?}"));
    }
    if SLOW_CLASSES.contains(&class) {
        return Err(format!("expected a storage class that can be read at once, found {class:?}"));
    }
    Ok(())
}

/// A part of an access key, which goes into a header or is signed with. It is not shown.
pub(super) fn key(text: &str) -> Result<(), String> {
    match text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(()),
        false => Err("expected letters, digits and signs alone, found a space, a line break or something else in it; \
             see whether it was copied or read from a file with more than the key"
            .to_owned()),
    }
}
