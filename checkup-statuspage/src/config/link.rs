//! Links, the URLs that a page may have, and the origins that its policy must allow for them.

use serde::{Deserialize, Serialize};
use url::Url;

/// A link at the top of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Link {
    /// The text.
    pub text: String,
    /// The target: an `https:`, `http:` or `mailto:` URL, or a URL relative to the page.
    pub url: String,
}

impl Link {
    /// A link with this text and target.
    pub fn new(text: impl Into<String>, url: impl Into<String>) -> Self {
        Self { text: text.into(), url: url.into() }
    }
}

/// The purpose of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// A link to follow.
    Link,
    /// An image.
    Image,
    /// The page itself.
    Page,
    /// A folder that the page reads.
    Folder,
}

/// Why a URL is invalid for this purpose. `None` if it is valid.
pub(crate) fn problem(url: &str, kind: LinkKind) -> Option<String> {
    let (schemes, remedy): (&[&str], _) = match kind {
        LinkKind::Link => (&["https", "http", "mailto"], "an https://, http:// or mailto: URL, or a relative one"),
        LinkKind::Image => (&["https", "http"], "an https:// URL, a relative one, or a data:image/ URL"),
        LinkKind::Page => (&["https", "http"], "an https:// URL"),
        LinkKind::Folder => (&["https", "http"], "an https:// URL, or a relative one"),
    };
    let fits = match Url::parse(url) {
        Ok(_) if kind == LinkKind::Image && url.starts_with("data:image/") => true,
        Ok(parsed) => schemes.contains(&parsed.scheme()) && parsed.username().is_empty() && parsed.password().is_none(),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            kind != LinkKind::Page
                && !url.is_empty()
                && !url.starts_with("//")
                && !url.contains(['\\', '\n', '\t', '\r'])
        }
        Err(_) => false,
    };
    // The URL is not shown, since it may contain a password.
    (!fits).then(|| format!("expected {remedy}, without user and password"))
}

/// Why a text is not a host name. `None` if it is one.
pub(crate) fn host_problem(host: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
    let is_name = !host.is_empty() && host.len() <= 253 && host.chars().all(fits) && !host.starts_with('.');
    (!is_name)
        .then(|| "expected the name of a host without scheme, port and path, such as `status.example.com`".to_owned())
}

/// The origin to allow in a policy, if the URL is absolute.
pub(crate) fn origin(url: &str) -> Option<String> {
    let parsed = Url::parse(url).ok()?;
    let origin = parsed.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_could_run_a_script_or_show_a_password_are_refused() {
        for kind in [LinkKind::Link, LinkKind::Image, LinkKind::Page, LinkKind::Folder] {
            for url in [
                "javascript:alert(1)",
                "data:text/html,x",
                "https://u:p@example.com/",
                "https://",
                "//evil",
                "",
                "java\nscript:x",
            ] {
                assert!(problem(url, kind).is_some(), "{url} {kind:?}");
            }
            assert_eq!(problem("https://example.com/a?b#c", kind), None, "{kind:?}");
        }
        assert_eq!(problem("mailto:ops@example.com", LinkKind::Link), None);
        assert_eq!(problem("../checks/", LinkKind::Folder), None);
        assert_eq!(problem("data:image/svg+xml,x", LinkKind::Image), None);
        assert!(problem("./", LinkKind::Page).is_some());
    }

    #[test]
    fn only_other_origins_are_named() {
        assert_eq!(origin("https://example.com:8443/a/b").as_deref(), Some("https://example.com:8443"));
        assert_eq!(origin("data:image/png;base64,x"), None);
        assert_eq!(origin("logo.svg"), None);
    }
}
