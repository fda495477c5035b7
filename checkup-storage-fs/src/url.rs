use std::borrow::Cow;
use std::fmt;

use checkup_core::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// A URL that shows itself without user and password: in `Debug`, in `Display`, and in JSON unless
/// [secrets are asked for](Secret::exposing).
///
/// ```
/// use checkup_storage_fs::FsUrl;
///
/// let url = FsUrl::from("https://user:hunter2@example.com/checks");
/// assert_eq!(url.to_string(), "https://example.com/checks");
/// assert_eq!(url.expose(), "https://user:hunter2@example.com/checks");
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct FsUrl(String);

impl FsUrl {
    /// The URL as it was given, with what credentials it has.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL without its credentials; without all that stands before the last `@` if nobody can tell where they end.
    fn redacted(&self) -> Cow<'_, str> {
        let Some((_, after_last)) = self.0.rsplit_once('@') else { return Cow::Borrowed(&self.0) };
        let split = self.0.split_once("://").and_then(|(scheme, rest)| {
            let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            // A password with a slash in it begins in what looks like a port.
            let is_odd = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
            let is_plain = !host.is_empty()
                && !authority.contains(is_odd)
                && (host.len() < authority.len() || !host.contains(':'));
            let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
            (is_plain && is_scheme).then(|| format!("{scheme}://{host}{path}"))
        });
        split.map_or(Cow::Borrowed(after_last), Cow::Owned)
    }
}

impl From<String> for FsUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl From<&str> for FsUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl fmt::Display for FsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.redacted())
    }
}

impl fmt::Debug for FsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.redacted(), f)
    }
}

impl Serialize for FsUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if Secret::is_exposing() {
            serializer.serialize_str(&self.0)
        } else {
            serializer.serialize_str(&self.redacted())
        }
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for FsUrl {
    fn schema_name() -> Cow<'static, str> {
        "FsUrl".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string"})
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fs;

    #[test]
    fn credentials_show_nowhere_but_where_they_are_asked_for() {
        let mut settings = Fs::new("checks");
        settings.url = Some("http://user:hunter2@example.com/a@b".into());
        let json = || serde_json::to_string(&settings).unwrap();
        assert_eq!(json(), r#"{"dir":"checks","url":"http://example.com/a@b"}"#);
        assert!(Secret::exposing(json).contains("user:hunter2@example.com"));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn what_nobody_can_read_shows_nothing_before_the_last_at() {
        for (url, shown) in [
            ("http://example.com/a@b", "http://example.com/a@b"),
            ("http://u@w:p@hunter2@example.com", "http://example.com"),
            ("http://u:p@hunter2@example.com:80/", "http://example.com:80/"),
            ("u:hunter2@example.com", "example.com"),
            ("http:/u:hunter2@example.com/", "example.com/"),
            ("http:///u:hunter2@example.com/", "example.com/"),
            ("http:\\\\u:hunter2@example.com/", "example.com/"),
            ("http://u:x\\hunter2@example.com/", "example.com/"),
            ("http://\t/u:hunter2@example.com/", "example.com/"),
            ("http://u:x/hunter2@example.com/", "example.com/"),
            ("u:hunter2@http://example.com/", "http://example.com/"),
        ] {
            assert_eq!(FsUrl::from(url).to_string(), shown, "{url}");
        }
    }
}
