//! [`BodyReader`]: decodes and searches a body while it arrives.

use checkup_core::Failure;
use http::header::CONTENT_TYPE;

use super::charset::ToUtf8;
use super::decode::{Coding, SLACK, codings, decode};
use super::search::{BodyRules, Search};
use crate::wire::ResponseHead;

/// Reads the body of a response.
#[derive(Debug)]
pub(crate) struct BodyReader<'a> {
    rules: &'a BodyRules,
    codings: Vec<Coding>,
    charset: ToUtf8,
    search: Search<'a>,
    /// How many bytes of content were searched.
    searched: usize,
    /// What has arrived of an encoded body, which is decoded as a whole.
    encoded: Vec<u8>,
    lenient: bool,
}

impl<'a> BodyReader<'a> {
    /// Starts reading the body of this response, which is `length` bytes long if that is known.
    ///
    /// # Errors
    ///
    /// If the body cannot be decoded, or is too long for rules that need all of it.
    pub(crate) fn new(
        rules: &'a BodyRules,
        head: &ResponseHead,
        transfer_codings: &[String],
        length: Option<u64>,
        lenient: bool,
    ) -> Result<Self, Failure> {
        let codings = codings(&head.headers, transfer_codings)?;
        let content_type = head.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        let charset = ToUtf8::new(content_type, lenient)?;
        let maximum = if codings.is_empty() { rules.max_bytes } else { rules.max_bytes.saturating_add(SLACK) };
        let too_long = length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > maximum));
        // If a forbidden text may still arrive, finding it says more than the length does.
        if too_long && (rules.needs_whole() || !codings.is_empty()) {
            return Err(rules.too_long());
        }
        Ok(Self { rules, codings, charset, search: Search::new(rules), searched: 0, encoded: Vec::new(), lenient })
    }

    /// Takes the next part of the body. Returns `Ok(true)` if no more is needed.
    ///
    /// # Errors
    ///
    /// If the rules are broken, or the body is longer than they allow.
    pub(crate) fn feed(&mut self, part: &[u8]) -> Result<bool, Failure> {
        if self.codings.is_empty() {
            return self.search(part);
        }
        if self.encoded.len() + part.len() > self.rules.max_bytes.saturating_add(SLACK) {
            return Err(self.rules.too_long());
        }
        self.encoded.extend_from_slice(part);
        Ok(false)
    }

    /// Judges the body when it has ended.
    ///
    /// # Errors
    ///
    /// If the rules are broken, or the body cannot be decoded.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        if !self.codings.is_empty() {
            let content = decode(&self.encoded, &self.codings, self.rules.max_bytes, self.lenient)?;
            self.encoded = Vec::new();
            if self.search(&content)? {
                return Ok(());
            }
        }
        self.charset.decode(b"", true, self.search.text());
        self.search.look()?;
        self.search.finish()
    }

    fn search(&mut self, content: &[u8]) -> Result<bool, Failure> {
        let room = self.rules.max_bytes - self.searched;
        let (content, is_cut) = if content.len() > room { (&content[..room], true) } else { (content, false) };
        self.searched += content.len();
        self.charset.decode(content, is_cut, self.search.text());
        let is_enough = self.search.look()?;
        if is_cut {
            self.search.cut()?;
        }
        Ok(is_enough)
    }
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::*;
    use crate::text::{Hidden, Text};

    fn pattern(text: &str) -> Option<(Hidden<Regex>, Text)> {
        Some((Hidden(Regex::new(text).unwrap()), Text::new(text)))
    }

    fn rules(must_contain: &str, must_not_contain: &str, max_bytes: usize) -> BodyRules {
        BodyRules {
            must_contain: Text::new(must_contain),
            must_not_contain: Text::new(must_not_contain),
            max_bytes,
            ..BodyRules::default()
        }
    }

    fn reader<'a>(rules: &'a BodyRules, headers: &str, length: Option<u64>) -> Result<BodyReader<'a>, Failure> {
        let head = ResponseHead::parse(format!("HTTP/1.1 200 OK\n{headers}\n\n").as_bytes(), false).unwrap();
        BodyReader::new(rules, &head, &[], length, false)
    }

    /// Returns how many parts were read, and the verdict.
    fn run<'a>(
        rules: &BodyRules,
        headers: &str,
        parts: impl IntoIterator<Item = &'a [u8]>,
    ) -> (usize, Result<(), String>) {
        let mut reader = reader(rules, headers, None).unwrap();
        let mut taken = 0;
        for part in parts {
            taken += 1;
            match reader.feed(part) {
                Ok(true) => return (taken, Ok(())),
                Ok(false) => {}
                Err(failure) => return (taken, Err(failure.message().to_owned())),
            }
        }
        (taken, reader.finish().map_err(|failure| failure.message().to_owned()))
    }

    #[test]
    fn finds_text_across_any_division_into_parts() {
        let body = [b"x".repeat(40_000), b"needle".to_vec(), b"y".repeat(40_000)].concat();
        for size in [1, 2, 3, 5, 7, 39_999, 40_003, 100_000] {
            let found = run(&rules("needle", "", 1 << 20), "", body.chunks(size));
            assert_eq!(found, (40_006_usize.div_ceil(size), Ok(())), "{size}");
            let forbidden = run(&rules("", "needle", 1 << 20), "", body.chunks(size));
            assert_eq!(forbidden.1.unwrap_err(), "response contains 'needle'", "{size}");
        }
    }

    #[test]
    fn the_window_stays_small() {
        let rules = rules("needle", "", usize::MAX);
        let mut reader = reader(&rules, "", None).unwrap();
        for _ in 0..1000 {
            assert!(!reader.feed(&[b'x'; 8192]).unwrap());
            assert!(reader.search.text().len() < 32 * 1024);
        }
    }

    #[test]
    fn beyond_the_limit_the_reason_says_so() {
        let body = [&[b'x'; 8][..]; 4];
        let (taken, verdict) = run(&rules("needle", "", 20), "", body);
        assert_eq!(taken, 3);
        assert_eq!(verdict.unwrap_err(), "response does not contain 'needle' in its first 20 bytes (max_body_bytes)");
        let (_, verdict) = run(&rules("", "needle", 20), "", body);
        assert_eq!(verdict.unwrap_err(), "the response's body is longer than 20 bytes (max_body_bytes)");
        assert_eq!(run(&rules("", "needle", 32), "", body), (4, Ok(())));
        let whole = BodyRules { must_match: pattern("x"), max_bytes: 20, ..BodyRules::default() };
        assert!(reader(&whole, "", Some(21)).is_err());
        assert!(reader(&whole, "", Some(20)).is_ok());
    }

    #[test]
    fn both_texts_count_as_in_upstream() {
        assert_eq!(run(&rules("a", "b", 100), "", [&b"a"[..]]).1, Ok(()));
        assert_eq!(run(&rules("a", "b", 100), "", [&b"ab"[..]]).1.unwrap_err(), "response contains 'b'");
        assert_eq!(run(&rules("a", "", 100), "", [&b"b"[..]]).1.unwrap_err(), "response does not contain 'a'");
        assert_eq!(run(&rules("a", "", 100), "", []).1.unwrap_err(), "response does not contain 'a'");
    }

    #[test]
    fn the_byte_order_mark_is_not_part_of_the_searched_text() {
        for must_match in ["^ok$", "^.{2}$"] {
            let rules = BodyRules { must_match: pattern(must_match), max_bytes: 100, ..BodyRules::default() };
            for body in [&b"ok"[..], b"\xef\xbb\xbfok", b"\xff\xfeo\0k\0"] {
                assert_eq!(run(&rules, "", body.chunks(1)).1, Ok(()), "{body:?}");
            }
        }
        let rules = rules("ü", "", 100);
        assert_eq!(run(&rules, "content-type: text/plain; charset=latin1", [&b"\xfc"[..]]), (1, Ok(())));
        assert!(run(&rules, "", [&b"\xfc"[..]]).1.is_err());
    }

    #[test]
    fn an_encoded_body_is_bounded_before_and_after_it_is_decoded() {
        let endless = [&[b'x'; 40_000][..]; 10];
        let (taken, verdict) = run(&rules("needle", "", 1000), "content-encoding: gzip", endless);
        assert_eq!(taken, 2);
        assert_eq!(verdict.unwrap_err(), "the response's body is longer than 1000 bytes (max_body_bytes)");
        let rules = rules("needle", "", 1000);
        assert!(reader(&rules, "content-encoding: br", Some(1 << 20)).is_err());
    }
}
