//! Parses the URL of a check.

use checkup_core::{ConfigError, SecretUrl};
use http::header::HeaderValue;
use url::Url;

use super::credentials::basic_credentials;
use super::target::Target;

/// Parses the URL of a check. Returns the request's target, and the value of `Authorization` if the URL has a user or
/// password.
///
/// # Errors
///
/// If it is not an HTTP URL. The error does not show its credentials.
pub(crate) fn parse(endpoint_url: &SecretUrl) -> Result<(Target, Option<HeaderValue>), ConfigError> {
    let url = endpoint_url.expose();
    let expected = "a URL such as \"https://example.com/health\"";
    let invalid = |remedy: &str| {
        // A password that contains a slash is not part of the authority, but must not be shown either.
        let found = endpoint_url.redacted();
        let found = found.rsplit_once('@').map_or(&*found, |(_, rest)| rest);
        ConfigError::expected("endpoint_url", format_args!("{expected} ({remedy})")).found(format_args!("{found:?}"))
    };
    if url.trim().is_empty() {
        return Err(ConfigError::expected("endpoint_url", expected).found("nothing"));
    }
    let schemeless = "put https:// or http:// in front";
    let parsed = Url::parse(url).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => invalid(schemeless),
        error => invalid(&error.to_string()),
    })?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(invalid(if url.contains("://") { "only http and https are checked" } else { schemeless }));
    }
    if !has_plain_authority(url) {
        return Err(invalid(if url.bytes().any(|byte| byte.is_ascii_control()) {
            "without a control character such as a line break"
        } else {
            "the host must come right after http:// or https://; write a backslash in a password as %5C"
        }));
    }
    let target = Target::new(&parsed).ok_or_else(|| invalid("its host or path is not valid in HTTP"))?;
    Ok((target, basic_credentials(&parsed)))
}

/// Whether user, password, host and port are clearly what is between `http://` and the next `/`.
///
/// The parser accepts much more, as browsers must (WHATWG URL Standard): any number of slashes or backslashes, or none at
/// all, and control characters in between, which it drops.
fn has_plain_authority(url: &str) -> bool {
    let has_prefix = |prefix: &&str| url.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let Some(prefix) = ["http://", "https://"].into_iter().find(has_prefix) else { return false };
    let rest = &url[prefix.len()..];
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    !authority.is_empty() && !authority.contains('\\') && !url.bytes().any(|byte| byte.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use checkup_core::Secret;

    use super::*;

    #[test]
    fn credentials_are_only_in_the_authorization_header() {
        let url = SecretUrl::from("http://us%40er:p%3Ass@example.com:8080/a@b?c=@d");
        let clean = "http://example.com:8080/a@b?c=@d";
        assert_eq!(url.to_string(), clean);
        assert_eq!(format!("{url:?}"), format!("{clean:?}"));
        assert_eq!(serde_json::to_string(&url).unwrap(), format!("{clean:?}"));
        assert_eq!(Secret::exposing(|| serde_json::to_string(&url).unwrap()), format!("{:?}", url.expose()));
        let (target, authorization) = parse(&url).unwrap();
        assert_eq!(target.url(), clean);
        assert_eq!(authorization.unwrap(), "Basic dXNAZXI6cDpzcw==");
    }

    #[test]
    fn urls_that_only_browsers_accept_are_refused_and_show_no_credentials() {
        for url in [
            "https:/user:hunter2@example.com/",
            "https:///user:hunter2@example.com/",
            "https:user:hunter2@example.com/",
            "HTTP:\\\\user:hunter2@example.com/",
            "http://\\user:hunter2@example.com/",
            "https://us\\er:hunter2@example.com/",
            "https://user:12\\hunter2@example.com/",
            "https://\t/user:hunter2@example.com/",
            "ht\ntps:user:hunter2@example.com/",
            " https://user:hunter2@example.com/",
            "https://user:hunter2@exa mple.com/",
            "https://user:x/hunter2@example.com/",
            "https://user:x/y@hunter2@example.com/",
            "user:hunter2@example.com/",
            "//user:hunter2@example.com/",
            "ftp://user:hunter2@example.com/",
        ] {
            let url = SecretUrl::from(url);
            let shown = format!("{url} {url:?} {} {}", serde_json::to_string(&url).unwrap(), parse(&url).unwrap_err());
            assert!(shown.contains("mple.com/") && !shown.contains("hunter2"), "{shown}");
        }
        let error = parse(&SecretUrl::from("https:/example.com/")).unwrap_err().to_string();
        assert!(error.contains("the host must come right after http:// or https://"), "{error}");
        let error = parse(&SecretUrl::from("https://example.com/\n")).unwrap_err().to_string();
        assert!(error.contains("without a control character"), "{error}");
        assert!(parse(&SecretUrl::from("HTTPS://example.com/a\\b")).is_ok());
    }

    #[test]
    fn other_texts_are_refused_with_the_remedy() {
        for (url, remedy) in [
            ("", "found nothing"),
            ("example.com/health", "put https:// or http:// in front"),
            ("localhost:8080", "put https:// or http:// in front"),
            ("ftp://example.com", "only http and https are checked"),
            ("http://", "empty host"),
            ("http://example.com:99999", "invalid port"),
        ] {
            let error = parse(&SecretUrl::from(url)).unwrap_err().to_string();
            assert!(error.starts_with("endpoint_url: expected a URL such as") && error.contains(remedy), "{error}");
        }
    }
}
