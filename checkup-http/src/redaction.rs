//! What of a URL people may see.

use std::borrow::Cow;
use std::ops::Range;

use url::Url;

/// The URL as it was given, without its credentials.
pub(crate) fn redacted(url: &str) -> Cow<'_, str> {
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
