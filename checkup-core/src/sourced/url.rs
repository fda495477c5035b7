//! Variables inside URLs: each value is percent-encoded for its position, which keeps a password from becoming a host.

use std::ops::Range;

use super::{Sourced, Variable};
use crate::ConfigError;

/// The component of a URL that a variable is in. It determines which characters need no encoding (RFC 3986, section 3).
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// The variable holds the beginning of the URL, and is used unchanged.
    Url,
    /// The user or the password.
    UserInfo,
    /// The user and the password together, with a colon between them.
    Credentials,
    /// The host, the port, or both.
    Address,
    Path,
    /// A part of the query that may have several keys and values.
    Query,
    /// One value of the query.
    QueryValue,
}

impl Sourced {
    /// The text as a URL. The value of each variable is percent-encoded for its position (user, password, path or query), and
    /// therefore a password with a `/` or an `@` stays a password. Slashes in the path are kept. A variable at the start of the
    /// text holds a URL or the beginning of a URL, and is used unchanged.
    ///
    /// # Errors
    ///
    /// If a variable in the position of the host or the port is not an address. The error names the variable without its value.
    pub fn for_url(&self) -> Result<Self, ConfigError> {
        if self.variables.is_empty() {
            return Ok(self.clone());
        }
        let parts = Parts::of(&self.text, &self.variables);
        let mut text = String::new();
        let mut variables = Vec::new();
        let mut end = 0;
        for Variable { name, range } in &self.variables {
            text.push_str(&self.text[end..range.start]);
            end = range.end;
            let start = text.len();
            let value = &self.text[range.clone()];
            let place = parts.place(&self.text, range);
            if place == Place::Address && !value.chars().all(is_address) {
                return Err(ConfigError::reason(
                    "",
                    format!(
                        "expected a host, or a host and a port, in the environment variable {name}, which is in their place"
                    ),
                ));
            }
            encode(value, place, &mut text);
            variables.push(Variable::new(name.as_str(), start..text.len()));
        }
        text.push_str(&self.text[end..]);
        Ok(Self { text, variables: variables.into() })
    }
}

/// The positions of the components of a URL. Only characters outside variables separate components.
struct Parts {
    authority: Range<usize>,
    /// Where the user info ends, if there is any.
    at: Option<usize>,
    query: usize,
}

impl Parts {
    fn of(text: &str, variables: &[Variable]) -> Self {
        // A variable at the beginning is the URL itself.
        let inside = |index: usize| variables.iter().any(|one| one.range.start > 0 && one.range.contains(&index));
        let find = |from: usize, characters: &[u8]| {
            let found =
                text.bytes().enumerate().skip(from).find(|(at, byte)| characters.contains(byte) && !inside(*at));
            found.map(|(at, _)| at)
        };
        let start = text.find("://").map_or(0, |at| at + 3);
        let end = find(start, b"/?#").unwrap_or(text.len());
        let at = (start..end).rev().find(|at| text.as_bytes()[*at] == b'@' && !inside(*at));
        let query = find(end, b"?#").unwrap_or(text.len());
        Self { authority: start..end, at, query }
    }

    fn place(&self, text: &str, range: &Range<usize>) -> Place {
        let start = range.start;
        match self.at {
            _ if start == 0 || start < self.authority.start => Place::Url,
            Some(at) if start < at && *range == (self.authority.start..at) => Place::Credentials,
            Some(at) if start < at => Place::UserInfo,
            _ if start <= self.authority.end && range.end <= self.authority.end => Place::Address,
            _ if start < self.query => Place::Path,
            _ if matches!(text.as_bytes()[start - 1], b'?' | b'&') => Place::Query,
            _ => Place::QueryValue,
        }
    }
}

fn is_address(c: char) -> bool {
    c.is_alphanumeric() || ".-_:[]%".contains(c)
}

fn encode(value: &str, place: Place, text: &mut String) {
    let as_it_is = match place {
        Place::Url | Place::Address => return text.push_str(value),
        Place::UserInfo | Place::QueryValue => "",
        Place::Credentials => ":",
        Place::Path => "/:@!$&'()*+,;=",
        Place::Query => "/:@!$&'()*+,;=?",
    };
    let mut colon_seen = false;
    for byte in value.bytes() {
        let c = char::from(byte);
        // A second colon belongs to the password. URLs may contain it unencoded, but every parser understands it encoded.
        let is_kept =
            as_it_is.contains(c) && !(place == Place::Credentials && std::mem::replace(&mut colon_seen, true));
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || byte.is_ascii() && is_kept {
            text.push(c);
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with `{value}` where a variable was.
    fn sourced(template: &str) -> Sourced {
        let (mut text, mut variables) = (String::new(), Vec::new());
        for (index, part) in template.split(['{', '}']).enumerate() {
            let start = text.len();
            text.push_str(part);
            if index % 2 == 1 {
                variables.push(Variable::new("V", start..text.len()));
            }
        }
        Sourced { text, variables: variables.into() }
    }

    fn url(template: &str) -> (String, String) {
        let url = sourced(template).for_url().unwrap();
        (url.text.clone(), url.redacted())
    }

    #[test]
    fn a_value_is_encoded_for_its_position() {
        for (template, expected) in [
            ("http://mon:{p/a?s#s@w%:}@host/x", "http://mon:p%2Fa%3Fs%23s%40w%25%3A@host/x"),
            ("http://{user}:{a b}@{host}:{80}/", "http://user:a%20b@host:80/"),
            ("http://{user:pa:ss@}@host", "http://user:pa%3Ass%40@host"),
            ("http://host/bot{T0/a?b#c}/send", "http://host/botT0/a%3Fb%23c/send"),
            ("http://host/?sid={a&b=c#d+e}", "http://host/?sid=a%26b%3Dc%23d%2Be"),
            ("http://host/?{a=b&c=d#}", "http://host/?a=b&c=d%23"),
            ("http://host/a@b?c={d}", "http://host/a@b?c=d"),
            ("{http://user:x@host/a?b}/c", "http://user:x@host/a?b/c"),
            ("{https}://host/{ü}", "https://host/%C3%BC"),
            ("tcp://{::1}", "tcp://::1"),
        ] {
            assert_eq!(url(template).0, expected, "{template}");
        }
        assert_eq!(url("http://mon:{p/w}@{host}/{a?}").1, "http://mon:[redacted]@[redacted]/[redacted]");
    }

    #[test]
    fn an_invalid_address_is_refused_without_being_shown() {
        for template in
            ["http://{evil/x}/", "http://{user:pass@host}/", "http://host:{80/}", "http://host{/x}", "http://{a b}/"]
        {
            let error = sourced(template).for_url().unwrap_err().to_string();
            assert_eq!(
                error, "expected a host, or a host and a port, in the environment variable V, which is in their place",
                "{template}"
            );
        }
    }

    #[test]
    fn a_password_that_looks_like_a_host_never_becomes_one() {
        for password in ["@evil", "x@evil/", "/", "?@", "#@", "\\", "a:b@c", "[::1]", "%2F"] {
            let (text, _) = url(&format!("http://mon:{{{password}}}@host/"));
            assert!(text.ends_with("@host/"), "{text}");
            assert!(text.matches(['@', '/', '?', '#', '\\', '[']).count() == 4, "{text}");
        }
    }
}
