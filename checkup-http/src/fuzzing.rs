//! Entry points for fuzzing: the parsers of what servers and the environment send. Not part of the API.
//!
//! Each takes anything, and panics only if a parser is broken.

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

/// Reads bytes as the response of a server: head, framing, codings, charset, text.
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

/// Reads a text as JSON, which must read the same after it is written.
pub fn json(text: &str) {
    let Ok(json) = Json::parse(text) else { return };
    assert_eq!(Json::parse(&json.to_string()).as_ref(), Ok(&json), "JSON changes when it is written");
}

/// Compares two numbers, which must have an order.
pub fn numbers(one: &str, other: &str) {
    if let (Some(one), Some(other)) = (Decimal::parse(one), Decimal::parse(other)) {
        assert_eq!(one.cmp(&other), other.cmp(&one).reverse(), "numbers have no order");
    }
}

/// Follows a redirect with this location and this cookie.
pub fn redirect(location: &[u8], cookie: &[u8]) {
    let Some(target) = ::url::Url::parse("https://example.com/a").ok().and_then(|url| Target::new(&url)) else {
        return;
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [(LOCATION, location), (SET_COOKIE, cookie)] {
        headers.extend(HeaderValue::from_bytes(value).ok().map(|value| (name, value)));
    }
    let head = ResponseHead { status: http::StatusCode::FOUND, reason: Box::default(), headers };
    let mut redirects = Redirects::new(&target, &Method::GET, default_headers(&target), bytes::Bytes::new(), 1);
    let _ = redirects.follow(&head);
}

/// Looks for a host in a value of `NO_PROXY`.
pub fn no_proxy(list: &str, host: &str) {
    let host = host.parse().map_or_else(|_| TargetHost::Name(host.into()), TargetHost::Address);
    NoProxy::parse(list).contains(&host, 443);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_is_taken() {
        let response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Type: a; charset=utf-16\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        for end in 0..=response.len() {
            super::response(&response[..end]);
            redirect(&response[end..], &response[..end]);
        }
        for text in ["", "{\"a\": [1, 1e400, \"\\u00fc\"]}", "[", "-0.10"] {
            json(text);
            numbers(text, "0.1");
            no_proxy(text, "a");
        }
    }
}
