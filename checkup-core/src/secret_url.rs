//! [`SecretUrl`]: a URL that hides its secrets, by the same rules for all plugins.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Secret, Sourced};

/// What is shown in place of a secret.
const REDACTED: &str = "[redacted]";

/// Keys whose values are secret end like this: `key` covers `api_key` and `accessKey`.
const SECRET_ENDINGS: [&str; 18] = [
    "assertion",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "hmac",
    "jwt",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "samlresponse",
    "secret",
    "session",
    "signature",
    "token",
];

/// Keys whose values are secret, and that would match too much as endings (`zipcode`, `spin`).
const SECRET_KEYS: [&str; 7] = ["code", "k", "otp", "pin", "sessionid", "sid", "ticket"];

/// Services whose paths hold a token: the end of the host, and what comes before the token.
const SECRET_PATHS: [(&str, &str); 4] = [
    ("hooks.slack.com", "/services/"),
    ("discord.com", "/api/webhooks/"),
    ("discordapp.com", "/api/webhooks/"),
    ("webhook.office.com", "/webhookb2/"),
];

/// A URL that hides its secrets in `Debug`, in `Display`, and in JSON unless [secrets are requested](Secret::exposing).
///
/// User and password are left out. Values in the query or fragment whose key looks secret (`token`, `api_key`, `sig`), and the
/// tokens in the paths of well-known webhooks, show as `[redacted]`. If it is not certain where the credentials end, nothing
/// before the last `@` is shown.
///
/// In a config file, values of environment variables are percent-encoded for their place in the URL (see [`Sourced::for_url`]), and
/// show as `[redacted]` except in the host and the port, which are an address.
///
/// ```
/// use checkup_core::SecretUrl;
///
/// let url = SecretUrl::from("https://user:hunter2@example.com/health?full=1&token=t0ken");
/// assert_eq!(url.to_string(), "https://example.com/health?full=1&token=[redacted]");
/// assert_eq!(url.expose(), "https://user:hunter2@example.com/health?full=1&token=t0ken");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct SecretUrl {
    text: Box<str>,
    /// Which bytes came from the environment.
    sourced: Option<Box<[Range<usize>]>>,
}

impl SecretUrl {
    /// The URL as it was given, with its secrets.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The URL as it is shown.
    pub fn redacted(&self) -> Cow<'_, str> {
        match &self.sourced {
            None => redacted(&self.text),
            Some(sourced) => Cow::Owned(redacted(&without_variables(&self.text, sourced)).into_owned()),
        }
    }

    /// Whether it is the empty text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl From<String> for SecretUrl {
    fn from(url: String) -> Self {
        Self { text: url.into(), sourced: None }
    }
}

impl From<&str> for SecretUrl {
    fn from(url: &str) -> Self {
        Self { text: url.into(), sourced: None }
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.redacted())
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.redacted(), f)
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if Secret::is_exposing() {
            serializer.serialize_str(&self.text)
        } else {
            serializer.serialize_str(&self.redacted())
        }
    }
}

impl<'de> Deserialize<'de> for SecretUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let url = Sourced::deserialize(deserializer)?.for_url();
        let url = url.map_err(|error| {
            D::Error::invalid_value(Unexpected::Other("another text"), &error.expectation().as_str())
        })?;
        let ranges: Box<[_]> = url.variables().iter().map(|variable| variable.range.clone()).collect();
        Ok(Self { text: url.as_str().into(), sourced: Some(ranges).filter(|ranges| !ranges.is_empty()) })
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for SecretUrl {
    fn schema_name() -> Cow<'static, str> {
        "SecretUrl".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string"})
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The URL without its credentials and tokens.
fn redacted(url: &str) -> Cow<'_, str> {
    match without_credentials(url) {
        Cow::Borrowed(url) => without_tokens(url).map_or(Cow::Borrowed(url), Cow::Owned),
        Cow::Owned(url) => Cow::Owned(without_tokens(&url).unwrap_or(url)),
    }
}

/// The URL without what came from the environment, except in the authority: credentials there are left out by another rule, and
/// the rest of it is an address.
fn without_variables(url: &str, sourced: &[Range<usize>]) -> String {
    let authority = url.find("://").map(|at| at + 3);
    let after = authority.map_or(0, |start| start + url[start..].find(['/', '?', '#']).unwrap_or(url.len() - start));
    let (mut shown, mut end) = (String::new(), 0);
    for range in sourced.iter().filter(|range| range.end > after) {
        // A variable with the address in it: the slash after that is its own.
        let start = if range.start < after { after + usize::from(url[after..].starts_with('/')) } else { range.start };
        shown.push_str(&url[end..start]);
        if start < range.end {
            shown.push_str(REDACTED);
        }
        end = range.end;
    }
    shown.push_str(&url[end..]);
    shown
}

fn without_credentials(url: &str) -> Cow<'_, str> {
    // Most URLs have none, and there is nothing to parse then.
    let Some((_, after_last)) = url.rsplit_once('@') else { return Cow::Borrowed(url) };
    let split = url.split_once("://").and_then(|(scheme, rest)| {
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let is_odd = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
        // A password that holds a slash begins in what looks like a port.
        let is_plain =
            !host.is_empty() && !authority.contains(is_odd) && (host.len() < authority.len() || has_port(host));
        let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        (is_plain && is_scheme).then(|| format!("{scheme}://{host}{path}"))
    });
    split.map_or(Cow::Borrowed(after_last), Cow::Owned)
}

/// Whether this is a host, alone or with the digits of a port.
fn has_port(host: &str) -> bool {
    let after_address = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    after_address.split_once(':').is_none_or(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// The URL with its tokens replaced; `None` if it has none.
fn without_tokens(url: &str) -> Option<String> {
    let query = url.find(['?', '#']).unwrap_or(url.len());
    let (path, rest) = url.split_at(query);
    match (secret_path(path), secret_values(rest)) {
        (None, None) => None,
        (path_token, values) => {
            let shown =
                path_token.map_or(Cow::Borrowed(path), |start| Cow::Owned(format!("{}{REDACTED}", &path[..start])));
            Some(format!("{shown}{}", values.as_deref().unwrap_or(rest)))
        }
    }
}

/// Where the token in the path of a well-known webhook begins.
fn secret_path(url: &str) -> Option<usize> {
    let start = url.find("://")? + 3;
    let path = start + url[start..].find('/')?;
    let host = url[start..path].split(':').next().unwrap_or_default().to_ascii_lowercase();
    for (end, before) in SECRET_PATHS {
        let is_host = host.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if is_host && url[path..].starts_with(before) && url.len() > path + before.len() {
            return Some(path + before.len());
        }
    }
    // Telegram's `/bot<id>:<token>/method`, wherever a server of that API runs.
    let bot = url[path..].find("/bot")? + path + 4;
    let digits = url[bot..].bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0 && url[bot + digits..].starts_with(':')).then_some(bot)
}

/// The query and fragment with their secret values replaced; `None` if there are none.
fn secret_values(text: &str) -> Option<String> {
    // A question mark further on is part of a value (RFC 3986, section 3.4).
    let (mut shown, mut found) = (text.get(..1)?.to_owned(), false);
    for pair in text[1..].split_inclusive(['&', '#']) {
        let (pair, separator) = match pair.strip_suffix(['&', '#']) {
            Some(stripped) => (stripped, &pair[stripped.len()..]),
            None => (pair, ""),
        };
        match secret_value(pair) {
            Some(value) => {
                shown.extend([&pair[..value], REDACTED]);
                found = true;
            }
            None => shown.push_str(pair),
        }
        shown.push_str(separator);
    }
    found.then_some(shown)
}

/// Where the secret in `key=value` begins. Some servers also separate pairs by semicolons, and others take those for a part of
/// the value: it is secret to its end.
fn secret_value(pair: &str) -> Option<usize> {
    let mut start = 0;
    for part in pair.split_inclusive(';') {
        if let Some(key) = part.find('=')
            && is_secret(&part[..key])
            && start + key + 1 < pair.len()
        {
            return Some(start + key + 1);
        }
        start += part.len();
    }
    None
}

fn is_secret(key: &str) -> bool {
    let key = percent_decode_str(key).decode_utf8_lossy().to_ascii_lowercase();
    // `token[]`, `key2`.
    let key = key.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
    // Azure's shared access signatures; many other words end in `sig`.
    let is_sig = key.strip_suffix("sig").is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()));
    is_sig || SECRET_KEYS.contains(&key) || SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_look_secret_are_not_shown() {
        for (url, shown) in [
            ("https://h/?token=abc", "https://h/?token=[redacted]"),
            ("https://h/a?x=1&api_key=a=b;d/e&y=2", "https://h/a?x=1&api_key=[redacted]&y=2"),
            ("https://h?accessToken=abc#x", "https://h?accessToken=[redacted]#x"),
            ("https://h/#access_token=abc&state=1", "https://h/#access_token=[redacted]&state=1"),
            ("https://h/?x=1;sig=abc;y", "https://h/?x=1;sig=[redacted]"),
            ("https://h/?X-Amz-Signature=abc&X-Amz-Date=1", "https://h/?X-Amz-Signature=[redacted]&X-Amz-Date=1"),
            (
                "https://h/?%74oken=abc&auth%5Bpassword%5D=abc",
                "https://h/?%74oken=[redacted]&auth%5Bpassword%5D=[redacted]",
            ),
            ("https://u:p@h/?key=a@b", "https://h/?key=[redacted]"),
            ("h/?key=abc", "h/?key=[redacted]"),
            ("https://h/api/fn?code=abc&sid=d", "https://h/api/fn?code=[redacted]&sid=[redacted]"),
            ("postgresql://h/db?password=hunter2", "postgresql://h/db?password=[redacted]"),
        ] {
            assert_eq!(SecretUrl::from(url).to_string(), shown, "{url}");
        }
    }

    #[test]
    fn a_secret_with_a_question_mark_in_it_is_hidden_up_to_the_next_pair() {
        let url = SecretUrl::from("https://h/?token=a?b&y=2");
        assert_eq!(url.to_string(), "https://h/?token=[redacted]&y=2");
    }

    #[test]
    fn tokens_in_the_paths_of_webhooks_are_not_shown() {
        for (url, shown) in [
            ("https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/[redacted]"),
            (
                "https://discord.com/api/webhooks/1/abc?wait=true",
                "https://discord.com/api/webhooks/[redacted]?wait=true",
            ),
            ("https://acme.webhook.office.com/webhookb2/a/b", "https://acme.webhook.office.com/webhookb2/[redacted]"),
            ("https://api.telegram.org/bot12:abc/getMe", "https://api.telegram.org/bot[redacted]"),
            ("http://localhost:8081/bot12:abc/getMe", "http://localhost:8081/bot[redacted]"),
        ] {
            assert_eq!(SecretUrl::from(url).to_string(), shown, "{url}");
        }
    }

    #[test]
    fn credentials_are_not_shown_even_where_it_is_uncertain_where_they_end() {
        for (url, shown) in [
            ("http://example.com/a@b", "http://example.com/a@b"),
            ("http://example.com:80/a@b", "http://example.com:80/a@b"),
            ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
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
            assert_eq!(SecretUrl::from(url).to_string(), shown, "{url}");
        }
    }

    #[cfg(feature = "config")]
    #[test]
    fn what_came_from_the_environment_is_not_shown_except_as_address() {
        use crate::config::{Format, Registry};

        #[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
        struct Settings {
            url: SecretUrl,
        }
        let lookup = |name: &str| match name {
            "HOST" => Some("db:80".to_owned()),
            "PASS" => Some("p/w?#@x".to_owned()),
            "URL" => Some("http://u:hunter2@h:1/hunter2?hunter2".to_owned()),
            "BASE" => Some("http://h".to_owned()),
            _ => Some("hunter2".to_owned()),
        };
        let mut registry = Registry::new();
        registry.section::<Settings>("s", |_| Ok(()));
        let parse = |url: &str| {
            let text = serde_json::json!({ "checkers": [], "s": { "url": url } }).to_string();
            let checkup = registry.parse_with(&text, Format::Json, lookup);
            checkup.map(|checkup| checkup.section::<Settings>().unwrap().url.clone())
        };
        for (url, shown, exposed) in [
            ("http://mon:${PASS}@${HOST}/x", "http://db:80/x", "http://mon:p%2Fw%3F%23%40x@db:80/x"),
            ("http://h/${X}/y?q=${X}", "http://h/[redacted]/y?q=[redacted]", "http://h/hunter2/y?q=hunter2"),
            ("http://h/?${X}#${X}", "http://h/?[redacted]#[redacted]", "http://h/?hunter2#hunter2"),
            ("${URL}/x", "http://h:1/[redacted]/x", "http://u:hunter2@h:1/hunter2?hunter2/x"),
            ("${BASE}/x", "http://h/x", "http://h/x"),
            ("${X}", "[redacted]", "hunter2"),
        ] {
            let found = parse(url).unwrap();
            assert_eq!((found.to_string().as_str(), found.expose()), (shown, exposed), "{url}");
        }
        let error = parse("http://${PASS}/").unwrap_err().to_string();
        assert_eq!(
            error,
            "s.url: expected a host, or a host and a port, in the environment variable PASS, which is in their place"
        );
    }

    #[test]
    fn everything_else_is_shown_as_it_was_given() {
        for url in [
            "https://h/token=abc",
            "https://h/?",
            "https://h/?q=token&design=x&config=y&zipcode=1&spin=2",
            "https://h/?full&&page=2;x=%20#section",
            "https://h/?token=&key",
            "https://h/services/T0/B0/abc",
            "https://h/bots/12",
            "",
        ] {
            assert!(matches!(SecretUrl::from(url).redacted(), Cow::Borrowed(shown) if shown == url), "{url}");
        }
    }

    #[test]
    fn json_holds_secrets_only_when_they_are_asked_for_and_debug_never() {
        let url = SecretUrl::from("http://user:hunter2@example.com/a@b");
        let json = || serde_json::to_string(&url).unwrap();
        assert_eq!(json(), r#""http://example.com/a@b""#);
        assert!(Secret::exposing(json).contains("user:hunter2@example.com"));
        assert!(!format!("{url:?}").contains("hunter2"));
    }
}
