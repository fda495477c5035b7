//! Reading the settings that many notifiers have: URLs, tokens, and texts that must not be empty.

use std::fmt;

use checkup_core::{ConfigError, ConfigProblems, Secret, SecretUrl};
use url::Url;

use crate::http::is_header_value;
use crate::secrets::Secrets;

/// A URL that `Debug` does not show: it is a secret as a whole, as those of webhooks are, or may contain a password.
pub(crate) struct HiddenUrl(Url);

impl HiddenUrl {
    /// The URL. Review every use of this method.
    pub(crate) fn expose(&self) -> Url {
        self.0.clone()
    }

    /// The same URL with a value in its query, unless it has one for this key.
    pub(crate) fn with_query(mut self, key: &str, value: &str) -> Self {
        if !self.0.query_pairs().any(|(own, _)| own == key) {
            self.0.query_pairs_mut().append_pair(key, value);
        }
        self
    }

    /// The same URL with these segments after its path. Each is percent-encoded.
    pub(crate) fn at<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut url = self.0.clone();
        // Only URLs that cannot have a path are an error, and `http_url` accepts none of those.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Self(url)
    }

    /// The password in it, which errors must not show.
    pub(crate) fn password(&self) -> Secrets {
        Secrets::new().and_user_of(&self.0)
    }

    /// All of it after the host, and each part that can be a secret alone, which errors must not show if the URL is a secret as a whole.
    pub(crate) fn secrets(&self) -> Secrets {
        let path_and_query = &self.0[url::Position::BeforePath..];
        let whole = Secrets::new()
            .and_user_of(&self.0)
            .and(self.0.as_str())
            .and(path_and_query)
            .and(self.0.path())
            .and(self.0.query().unwrap_or_default());
        let segments = self.0.path().split('/').filter(|segment| is_random(segment));
        let pairs = self.0.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        segments.chain(pairs.map(|(_, value)| value)).fold(whole, Secrets::and_part)
    }
}

/// Whether a segment of a path looks like a token, and not like a word that errors need, such as `webhooks`.
fn is_random(segment: &str) -> bool {
    segment.len() >= 16 || segment.len() >= 8 && segment.contains(|c: char| c.is_ascii_digit())
}

impl fmt::Debug for HiddenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Secret::default(), f)
    }
}

/// A webhook's URL.
pub(crate) fn hook(problems: &mut ConfigProblems, key: &str, url: &Secret) -> Option<HiddenUrl> {
    let parsed = http_url(url.expose()).map(HiddenUrl);
    if parsed.is_none() {
        problems.push(ConfigError::reason(
            key,
            "expected the URL of the webhook, beginning with https:// (what was found is not shown, since it is a secret)",
        ));
    }
    parsed
}

/// The address of a server, to which paths are added.
pub(crate) fn server(problems: &mut ConfigProblems, key: &str, url: &SecretUrl) -> Option<HiddenUrl> {
    let parsed = http_url(url.expose()).filter(|url| url.query().is_none()).map(HiddenUrl);
    if parsed.is_none() {
        let expected = "the server's address, such as https://example.com, without a query";
        problems.push(ConfigError::expected(key, expected).found(format_args!("{:?}", url.redacted())));
    }
    parsed
}

/// A secret that is sent in a header or a body, without white space around it: files with secrets often end in a line break.
pub(crate) fn token(problems: &mut ConfigProblems, key: &str, what: &str, token: &Secret) -> Option<Secret> {
    let text = token.expose().trim();
    if text.is_empty() {
        problems.push(ConfigError::reason(key, format!("expected {what}, found nothing")));
        return None;
    }
    if !is_header_value(text) {
        problems.push(ConfigError::reason(key, format!("expected {what}, found a text with a control character")));
        return None;
    }
    Some(Secret::new(text))
}

/// A text that must not be empty.
pub(crate) fn required(problems: &mut ConfigProblems, key: &str, what: &str, text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        problems.push(ConfigError::reason(key, format!("expected {what}, found nothing")));
        return None;
    }
    Some(text.to_owned())
}

fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hooks_url_is_never_shown() {
        for url in ["", "hooks.example.com/s3cret", "ftp://example.com/s3cret", "https://s3cret exa.com/"] {
            let mut problems = ConfigProblems::new();
            assert!(hook(&mut problems, "webhook", &url.into()).is_none());
            let error = problems.into_result().unwrap_err().to_string();
            assert!(error.starts_with("webhook: expected the URL") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn each_secret_part_of_a_hook_is_hidden() {
        let hook = HiddenUrl(
            Url::parse("https://hooks.example.com/services/T0A1B2C3/s3cr3t%2Btoken?key=K3YK3Y&sig=a%2Bb%3D").unwrap(),
        );
        let text = "/services/ T0A1B2C3 s3cr3t+token s3cr3t%2Btoken K3YK3Y a+b= a%2Bb%3D";
        let shown = "/services/ [redacted] [redacted] [redacted] [redacted] [redacted] [redacted]";
        assert_eq!(hook.secrets().hide(text), shown);
    }

    #[test]
    fn segments_are_added_to_the_path_and_encoded() {
        let url = |text| HiddenUrl(Url::parse(text).unwrap());
        let longer = url("https://example.com/base/").at(["a", "b/c?d#e"]).expose();
        assert_eq!(longer.as_str(), "https://example.com/base/a/b%2Fc%3Fd%23e");
        assert_eq!(url("https://example.com").at(["a"]).expose().as_str(), "https://example.com/a");
    }

    #[test]
    fn a_token_loses_the_line_break_of_its_file_and_may_contain_none() {
        let mut problems = ConfigProblems::new();
        assert_eq!(token(&mut problems, "token", "the token", &"abc\n".into()).unwrap().expose(), "abc");
        assert_eq!(token(&mut problems, "token", "the token", &"a\r\nb".into()), None);
        assert_eq!(token(&mut problems, "token", "the token", &" \n".into()), None);
        assert_eq!(problems.into_result().unwrap_err().problems().len(), 2);
    }
}
