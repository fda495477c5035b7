//! Entry points for fuzzing the parsers of untrusted input. Not part of the API.
//!
//! Each accepts any bytes, and panics only if a parser has a bug.

use bytes::BytesMut;
use http::Method;
use http::header::{HeaderMap, HeaderValue, LOCATION, SET_COOKIE};

use crate::assertion::{Decimal, Json};
use crate::body::{BodyReader, BodyRules};
use crate::proxy::NoProxy;
use crate::redirect::Redirects;
use crate::text::Text;
use crate::url::{Target, TargetHost};
use crate::wire::{Framing, ResponseHead, Step, default_headers, has_http_start, head_end};

/// Reads bytes as a server's response: head, framing, codings, charset, text.
pub fn response(bytes: &[u8]) {
    let rules = BodyRules { must_not_contain: Text::new("needle"), max_bytes: 1 << 16, ..BodyRules::default() };
    for lenient in [false, true] {
        let Some(end) = has_http_start(bytes).then(|| head_end(bytes, 0)).flatten() else { return };
        let Ok(head) = ResponseHead::parse(&bytes[..end], lenient) else { continue };
        let Ok((mut framing, codings)) = Framing::new(&Method::GET, &head, lenient) else { continue };
        let Ok(mut reader) = BodyReader::new(&rules, &head, &codings, framing.length(), lenient) else { continue };
        let mut received = BytesMut::from(&bytes[end..]);
        while let Ok(Step::Data(part)) = framing.step(&mut received) {
            if !matches!(reader.feed(&part), Ok(false)) {
                return;
            }
        }
        let _ = reader.finish();
    }
}

/// Reads a text as JSON, which must survive a round trip, and its first two lines as numbers, whose order must be consistent.
pub fn json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(json) = Json::parse(text) {
        assert_eq!(Json::parse(&json.to_string()).as_ref(), Ok(&json), "JSON changes when it is written");
    }
    let mut numbers = text.lines().map(Decimal::parse);
    if let (Some(Some(one)), Some(Some(other))) = (numbers.next(), numbers.next()) {
        assert_eq!(one.cmp(&other), other.cmp(&one).reverse(), "numbers have no order");
        assert_eq!(one == other, one.cmp(&other).is_eq(), "numbers are equal and not");
    }
}

/// Reads four lines: follows a redirect with the first as its location and the second as its cookie, and looks for the host in the fourth in
/// the value of `NO_PROXY` in the third.
pub fn redirect(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    follow(line(), line());
    let (list, host) = (String::from_utf8_lossy(line()), String::from_utf8_lossy(line()));
    let host = host.parse().map_or_else(|_| TargetHost::Name(host.into()), TargetHost::Address);
    NoProxy::parse(&list).contains(&host, 443);
}

fn follow(location: &[u8], cookie: &[u8]) {
    let target = ::url::Url::parse("https://example.com/a").ok().and_then(|url| Target::new(&url));
    let Some(target) = target else { return };
    let mut headers = HeaderMap::new();
    for (name, value) in [(LOCATION, location), (SET_COOKIE, cookie)] {
        headers.extend(HeaderValue::from_bytes(value).ok().map(|value| (name, value)));
    }
    let head = ResponseHead { status: http::StatusCode::FOUND, reason: Box::default(), headers };
    let mut redirects = Redirects::new(&target, &Method::GET, default_headers(&target), bytes::Bytes::new(), 1);
    let _ = redirects.follow(&head);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn inputs_of_the_corpus_are_accepted() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        checkup_testkit::for_each_input(&corpus.join("http_response"), response);
        checkup_testkit::for_each_input(&corpus.join("http_json"), json);
        checkup_testkit::for_each_input(&corpus.join("http_redirect"), redirect);
    }

    #[test]
    fn a_response_cut_off_anywhere_is_accepted() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Type: a; charset=utf-16\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        for end in 0..=bytes.len() {
            response(&bytes[..end]);
            redirect(&bytes[end..]);
        }
    }
}
