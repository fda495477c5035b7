//! [`Refusal`]: a server's response to a refused request.

use std::fmt;

use checkup_core::Timestamp;
use checkup_net::excerpt;
use http::{HeaderMap, StatusCode};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// How many characters of a server's text, and of its code, are shown.
const MAX_TEXT: usize = 300;
const MAX_CODE: usize = 64;

/// The answer to a refused request. It is displayed as `403 AccessDenied: Access Denied`.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Such as `NoSuchBucket`; empty if the server gave none.
    pub(crate) code: String,
    /// Kept in full until [secrets are removed](Self::without), since half of a secret would not be recognised.
    pub(crate) message: String,
    /// The region of the bucket, if it is elsewhere.
    pub(crate) region: Option<String>,
    /// The scheme, host and port that the server redirects to, if that is another server.
    pub(crate) redirect: Option<String>,
    /// The time on the server's clock, if ours differs too much.
    pub(crate) server_time: Option<Timestamp>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut refusal = Self { status: status.as_u16(), ..Self::default() };
        refusal.read(body);
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(region) = header("x-amz-bucket-region") {
            refusal.region = Some(region.to_owned());
        }
        refusal
    }

    /// Reads `<Error><Code>…</Code>…</Error>`. Any other body is ignored.
    fn read(&mut self, body: &[u8]) {
        let mut reader = Reader::from_reader(body);
        let (mut depth, mut element, mut text) = (0, Vec::new(), String::new());
        while let Ok(event) = reader.read_event() {
            match event {
                Event::Start(start) => {
                    depth += 1;
                    element = start.local_name().as_ref().to_vec();
                    if depth == 1 && element != b"Error" {
                        return;
                    }
                    text.clear();
                }
                Event::Text(part) => text.push_str(&part.decode().unwrap_or_default()),
                Event::GeneralRef(entity) => text.push(character(&entity).unwrap_or(char::REPLACEMENT_CHARACTER)),
                Event::End(_) => {
                    // None of the elements below contains others.
                    if depth == 2 {
                        self.take(&element, &text);
                    }
                    depth -= 1;
                }
                Event::Eof => return,
                _ => {}
            }
        }
    }

    fn take(&mut self, element: &[u8], text: &str) {
        match element {
            b"Code" => self.code = text.to_owned(),
            b"Message" => self.message = text.to_owned(),
            b"Region" => self.region = Some(text.to_owned()),
            b"ServerTime" => self.server_time = text.parse().ok(),
            _ => {}
        }
    }

    /// Whether the same request may succeed if it is repeated, although the status does not indicate it.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self.code.as_str(), "RequestTimeout" | "SlowDown" | "InternalError")
    }

    /// Whether the key is valid but lacks the permission.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.status, 401 | 403) && matches!(self.code.as_str(), "" | "AccessDenied" | "Forbidden")
    }

    /// Whether the bucket does not exist: then no other request to it succeeds either.
    pub(crate) fn is_no_bucket(&self) -> bool {
        self.code == "NoSuchBucket"
    }

    /// Whether the server may lack a part of the protocol: it refuses the kind of request, whatever the key.
    pub(crate) fn may_be_unsupported(&self) -> bool {
        matches!(self.status, 400 | 405 | 501) && !self.is_temporary()
    }

    /// Whether the server certainly lacks it, and will refuse every time.
    pub(crate) fn is_unsupported(&self) -> bool {
        matches!(self.status, 405 | 501)
            || matches!(self.code.as_str(), "NotImplemented" | "InvalidArgument" | "InvalidRequest")
    }

    /// Removes secrets that the server repeats, then shortens what is too long to be shown.
    pub(crate) fn without<'a>(mut self, secrets: impl Iterator<Item = &'a str>) -> Self {
        let secrets: Vec<_> = secrets.collect();
        let clean = |text: &str, max| excerpt(redacted(text, secrets.iter().copied()).as_bytes(), max);
        self.message = clean(&self.message, MAX_TEXT);
        self.code = clean(&self.code, MAX_CODE);
        self.region = self.region.map(|region| clean(&region, MAX_CODE));
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}", self.status)?;
        match StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason()) {
            _ if !self.code.is_empty() => write!(f, " {}", self.code)?,
            Some(reason) => write!(f, " {reason}")?,
            None => {}
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Removes these secrets from the text.
pub(crate) fn redacted<'a>(text: &str, secrets: impl Iterator<Item = &'a str>) -> String {
    let mut secrets: Vec<_> = secrets.filter(|secret| !secret.is_empty()).collect();
    // One secret may contain another.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
}

/// The character that an entity such as `&amp;` or `&#10;` stands for, if it is known.
pub(crate) fn character(entity: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = entity.resolve_char_ref() {
        return Some(character);
    }
    let name: &[u8] = entity;
    Some(match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::new(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn the_code_and_the_message_are_read() {
        let found = refusal(
            403,
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>AccessDenied</Code><Message>You may &lt;not&gt; &#65; &amp; more</Message><RequestId>1</RequestId></Error>"#,
        );
        assert_eq!(found.to_string(), "the server answered 403 AccessDenied: You may <not> A & more");
    }

    #[test]
    fn the_region_and_the_time_of_the_server_are_read() {
        let found = refusal(
            400,
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message><Region>eu-west-1</Region></Error>",
        );
        assert_eq!(found.region.as_deref(), Some("eu-west-1"));
        let found = refusal(
            403,
            "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2026-01-01T00:00:00Z</ServerTime></Error>",
        );
        assert_eq!(found.server_time, Some("2026-01-01T00:00:00Z".parse().unwrap()));
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-bucket-region", "eu-north-1".parse().unwrap());
        let found = Refusal::new(StatusCode::MOVED_PERMANENTLY, &headers, b"");
        assert_eq!(found.region.as_deref(), Some("eu-north-1"));
    }

    #[test]
    fn other_error_documents_show_only_the_status() {
        for body in ["", "<html><Code>x</Code></html>", "{\"a\": 1}", "<Error><Code>x", "\u{0}<<>>&"] {
            assert_eq!(refusal(502, body).to_string(), "the server answered 502 Bad Gateway", "{body:?}");
        }
        assert_eq!(refusal(599, "").to_string(), "the server answered 599");
    }

    #[test]
    fn the_servers_text_is_short_on_one_line_and_without_secrets() {
        let text = format!("a\nb t0ken {}", "x".repeat(1000));
        let found = refusal(403, &format!("<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>"));
        let shown = found.without(["", "t0ken"].into_iter()).to_string();
        assert!(shown.contains("a\\nb [redacted]") && shown.len() < 500, "{shown}");
    }
}
