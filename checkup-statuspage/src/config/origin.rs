//! Origins of other pages: `https://example.com`.

use url::Url;

/// Why a text is neither an origin nor `*`. `None` if it is one of them.
pub(super) fn problem(text: &str) -> Option<String> {
    let is_origin = Url::parse(text).is_ok_and(|url| {
        ["https", "http"].contains(&url.scheme()) && url.origin().ascii_serialization() == text.trim_end_matches('/')
    });
    (!is_origin && text != "*").then(|| {
        format!("expected a scheme and a host, such as `https://intranet.example.com`, or `*` for all; found {text:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_nothing_else() {
        for origin in ["https://example.com", "http://localhost:8080", "https://example.com/", "*"] {
            assert_eq!(problem(origin), None, "{origin}");
        }
        for other in
            ["example.com", "https://example.com/a", "https://u:p@example.com", "https://a b", "*; x", "data:", ""]
        {
            assert!(problem(other).is_some(), "{other}");
        }
    }
}
