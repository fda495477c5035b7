//! What of a URL people may see.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use url::Url;

/// What stands in the place of a secret, as everywhere in Checkup.
const REDACTED: &str = "[redacted]";

/// How the keys end whose values are secret: `key` stands for `api_key` and `accessKey`, too.
const SECRET_ENDINGS: [&str; 14] = [
    "auth",
    "authorization",
    "credential",
    "credentials",
    "jwt",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "signature",
    "token",
];

/// The URL as it was given, without its credentials, and without the values of its query that look secret.
pub(crate) fn redacted(url: &str) -> Cow<'_, str> {
    match without_credentials(url) {
        Cow::Borrowed(url) => without_secrets(url).map_or(Cow::Borrowed(url), Cow::Owned),
        Cow::Owned(url) => Cow::Owned(without_secrets(&url).unwrap_or(url)),
    }
}

fn without_credentials(url: &str) -> Cow<'_, str> {
    // Most have none. For them there is nothing to parse, which would be a fifth of all that a plain check costs.
    let Some((_, after_last)) = url.rsplit_once('@') else { return Cow::Borrowed(url) };
    match authority(url) {
        Some(Range { start, end }) if Url::parse(url).is_ok() => match url[start..end].rfind('@') {
            Some(at) => Cow::Owned(format!("{}{}", &url[..start], &url[start + at + 1..])),
            None => Cow::Borrowed(url),
        },
        // Where the credentials end is then anybody's guess.
        _ => Cow::Borrowed(after_last),
    }
}

/// The URL with the secret values of its query and fragment replaced; `None` if it has none.
fn without_secrets(url: &str) -> Option<String> {
    let (mut shown, mut found) = (String::new(), false);
    let start = url.find(['?', '#'])? + 1;
    shown.push_str(&url[..start]);
    for pair in url[start..].split_inclusive(['&', '#']) {
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

/// Where the secret in `key=value` begins. Some servers also divide pairs with semicolons; others take them for a part
/// of the value, so that it is secret to its end.
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
    // The shared access signatures of Azure; much else ends so.
    let is_sig = key.strip_suffix("sig").is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()));
    is_sig || SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending))
}

/// Where user, password, host and port are, if that is beyond doubt: between `http://` and the next `/`.
///
/// The parser reads much more than that, as browsers must (WHATWG URL Standard): any number of slashes, or backslashes,
/// or none, and control characters in between, which it leaves out.
pub(crate) fn authority(url: &str) -> Option<Range<usize>> {
    let has_prefix = |prefix: &&str| url.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let start = ["http://", "https://"].iter().find(|prefix| has_prefix(prefix))?.len();
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |length| start + length);
    let plain = start < end && !url[start..end].contains('\\') && !url.bytes().any(|byte| byte.is_ascii_control());
    plain.then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_look_secret_are_not_shown() {
        for (url, shown) in [
            ("https://h/?token=abc", "https://h/?token=[redacted]"),
            ("https://h/a?x=1&api_key=a=b?c;d/e&y=2", "https://h/a?x=1&api_key=[redacted]&y=2"),
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
        ] {
            assert_eq!(redacted(url), shown, "{url}");
        }
    }

    #[test]
    fn everything_else_is_shown_as_it_was_given() {
        for url in [
            "https://h/token=abc",
            "https://h/?",
            "https://h/?q=token&design=x&config=y",
            "https://h/?full&&page=2;x=%20#section",
            "https://h/?token=&key",
        ] {
            assert!(matches!(redacted(url), Cow::Borrowed(shown) if shown == url), "{url}");
        }
    }
}
