//! Parses the head of a response: its status line and headers.

use std::fmt;

use checkup_net::excerpt;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;

/// The head of a response.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    /// The reason phrase after the status; often empty.
    pub(crate) reason: Box<[u8]>,
    pub(crate) headers: HeaderMap,
}

/// Why a head cannot be read. Displays as the end of "the server's answer is not valid HTTP: …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeadProblem {
    StatusLine(String),
    NoColon(usize, String),
    ControlCharacter(String),
    LeadingSpace(String),
    TooMany,
    ContentLength(String),
    ContentLengths(String, String),
    TransferEncoding(String),
}

/// Whether bytes could be the start of an HTTP/1 response. Empty lines before it are skipped, as in curl.
pub(crate) fn has_http_start(bytes: &[u8]) -> bool {
    const START: &[u8] = b"HTTP/1.";
    let bytes = skip_empty_lines(bytes);
    let length = bytes.len().min(START.len());
    bytes[..length] == START[..length]
}

/// Finds the end of the head that `bytes` start with, which is after the first empty line. The bytes up to `searched` are known
/// to contain none. `None` if the head is incomplete.
pub(crate) fn head_end(bytes: &[u8], searched: usize) -> Option<usize> {
    let start = bytes.len() - skip_empty_lines(bytes).len();
    // The empty line may have begun in the part that was searched.
    let mut at = searched.saturating_sub(2).max(start);
    while let Some(found) = memchr(b'\n', &bytes[at..]) {
        at += found + 1;
        match bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

impl ResponseHead {
    /// Reads a head; `bytes` must be all of it. Lines may end in LF alone, and may continue on the next line (RFC 9112, section
    /// 5.2). As in browsers, headers with an invalid name are skipped. `lenient` skips lines that are not headers, too.
    ///
    /// # Errors
    ///
    /// If it is not a valid head. The error shows the invalid line.
    pub(crate) fn parse(bytes: &[u8], lenient: bool) -> Result<Self, HeadProblem> {
        let mut lines = Lines(skip_empty_lines(bytes));
        let line = lines.next().unwrap_or_default();
        let (status, reason) = status_line(line).ok_or_else(|| HeadProblem::StatusLine(excerpt(line, 80)))?;
        let mut head = Self { status, reason: reason.into(), headers: HeaderMap::new() };
        let mut number = 1;
        while let Some(line) = lines.next() {
            number += 1;
            if line.is_empty() {
                break;
            }
            let folded = lines.take_folded(line);
            match header(folded.as_deref().unwrap_or(line), number) {
                Ok(Some((name, value))) => {
                    head.headers.try_append(name, value).map_err(|_| HeadProblem::TooMany)?;
                }
                Ok(None) => {}
                Err(_) if lenient => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(head)
    }
}

/// The lines of a head, without their line breaks.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let line = match memchr(b'\n', self.0) {
            Some(end) => {
                let line = &self.0[..end];
                self.0 = &self.0[end + 1..];
                line
            }
            None => std::mem::take(&mut self.0),
        };
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl Lines<'_> {
    /// Joins a line with the lines that continue it, if there are any.
    fn take_folded(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let mut folded: Option<Vec<u8>> = None;
        while matches!(self.0, [b' ' | b'\t', ..]) {
            let whole = folded.get_or_insert_with(|| line.trim_ascii_end().to_vec());
            whole.push(b' ');
            whole.extend_from_slice(self.next().unwrap_or_default().trim_ascii());
        }
        folded
    }
}

fn skip_empty_lines(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    &bytes[start..]
}

/// Reads the status and the reason from a line such as `HTTP/1.1 200 OK`.
fn status_line(line: &[u8]) -> Option<(StatusCode, &[u8])> {
    let rest = match line {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9', rest @ ..] => rest,
        _ => return None,
    };
    let code = rest.trim_ascii_start();
    if code.len() == rest.len() || code.len() < 3 {
        return None;
    }
    let (code, reason) = code.split_at(3);
    if !matches!(reason, [] | [b' ' | b'\t', ..]) {
        return None;
    }
    Some((StatusCode::from_bytes(code).ok()?, reason.trim_ascii()))
}

/// Reads a header; `None` if its name is invalid. `number` is the line number.
fn header(line: &[u8], number: usize) -> Result<Option<(HeaderName, HeaderValue)>, HeadProblem> {
    let Some(colon) = memchr(b':', line) else { return Err(HeadProblem::NoColon(number, excerpt(line, 60))) };
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Err(HeadProblem::LeadingSpace(excerpt(line, 60)));
    }
    let (name, value) = (line[..colon].trim_ascii_end(), line[colon + 1..].trim_ascii());
    let broken = |byte: &u8| matches!(byte, b'\0' | b'\r');
    if name.iter().any(u8::is_ascii_control) || value.iter().any(broken) {
        return Err(HeadProblem::ControlCharacter(excerpt(name, 60)));
    }
    let Ok(name) = HeaderName::from_bytes(name) else { return Ok(None) };
    let value = HeaderValue::from_bytes(value).or_else(|_| HeaderValue::from_bytes(&printable(value)));
    Ok(value.ok().map(|value| (name, value)))
}

/// Replaces control characters in the value with U+FFFD: other clients pass them on, but [`HeaderValue`] refuses them.
fn printable(value: &[u8]) -> Vec<u8> {
    let mut printable = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'\t' => printable.push(b'\t'),
            control if control.is_ascii_control() => printable.extend_from_slice("\u{fffd}".as_bytes()),
            other => printable.push(*other),
        }
    }
    printable
}

impl fmt::Display for HeadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StatusLine(line) => write!(f, "its status line is \"{line}\""),
            Self::NoColon(number, line) => write!(f, "line {number} of its head is \"{line}\", which is not a header"),
            Self::LeadingSpace(line) => write!(f, "the first header begins with white space: \"{line}\""),
            Self::ControlCharacter(name) => write!(f, "the header \"{name}\" has a control character in it"),
            Self::TooMany => f.write_str("it has too many headers"),
            Self::ContentLength(value) => write!(f, "Content-Length is \"{value}\", expected a number of bytes"),
            Self::ContentLengths(one, other) => {
                write!(f, "there are two headers Content-Length: \"{one}\" and \"{other}\"")
            }
            Self::TransferEncoding(value) => {
                write!(f, "Transfer-Encoding is \"{value}\"; chunked must be in it once, and last")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<ResponseHead, String> {
        ResponseHead::parse(head.as_bytes(), false).map_err(|problem| problem.to_string())
    }

    fn values(head: &ResponseHead, name: &str) -> Vec<String> {
        head.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    #[test]
    fn reads_what_browsers_and_curl_read() {
        let head = parse("HTTP/1.1 200 OK\r\nA: 1\r\nB:2 \t\r\na: 3\r\nEmpty:\r\n\r\n").unwrap();
        assert_eq!((head.status.as_u16(), &*head.reason), (200, &b"OK"[..]));
        assert_eq!(values(&head, "a"), ["1", "3"]);
        assert_eq!(values(&head, "b"), ["2"]);
        assert_eq!(values(&head, "empty"), [""]);
        for status in ["HTTP/1.0 200", "HTTP/1.1  200  OK", "\r\n\nHTTP/1.1 200 \r", "HTTP/1.2 200 x"] {
            assert_eq!(parse(&format!("{status}\n\n")).unwrap().status, 200, "{status}");
        }
        let folded = parse("HTTP/1.1 200 OK\r\nX: one\r\n  two\r\n\tthree\r\nY: z\r\n\r\n").unwrap();
        assert_eq!(
            (values(&folded, "x"), values(&folded, "y")),
            (vec!["one two three".to_owned()], vec!["z".to_owned()])
        );
        let odd = parse("HTTP/1.1 200 OK\r\nA : 1\r\nno name: 2\r\n: 3\r\nB: \u{1}b\r\nC: gr\u{fc}n\r\n\r\n").unwrap();
        assert_eq!((values(&odd, "a"), values(&odd, "b")), (vec!["1".to_owned()], vec!["\u{fffd}b".to_owned()]));
        assert_eq!((odd.headers.len(), values(&odd, "c")), (3, vec!["grün".to_owned()]));
        let many: String = (0..5000).map(|index| format!("h{index}:\n")).collect();
        assert_eq!(parse(&format!("HTTP/1.1 200 OK\n{many}\n")).unwrap().headers.len(), 5000);
    }

    #[test]
    fn errors_say_which_line_is_wrong() {
        for (head, expected) in [
            ("HTTP/1.1 abc\r\n\r\n", "its status line is \"HTTP/1.1 abc\""),
            ("HTTP/1.1 99\r\n\r\n", "its status line is \"HTTP/1.1 99\""),
            ("HTTP/1.1200 OK\r\n\r\n", "its status line is \"HTTP/1.1200 OK\""),
            ("HTTP/1.1 2000\r\n\r\n", "its status line is \"HTTP/1.1 2000\""),
            ("HTTP/2 200\r\n\r\n", "its status line is \"HTTP/2 200\""),
            ("HTTP/1.1 200 OK\r\nA: 1\r\noops\r\n\r\n", "line 3 of its head is \"oops\", which is not a header"),
            ("HTTP/1.1 200 OK\r\n a: 1\r\n\r\n", "the first header begins with white space: \" a: 1\""),
            ("HTTP/1.1 200 OK\r\n\0: x\r\n\r\n", "the header \"\\u{0}\" has a control character in it"),
            ("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", "the header \"X\" has a control character in it"),
            ("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", "the header \"X\" has a control character in it"),
        ] {
            assert_eq!(parse(head).unwrap_err(), expected);
        }
    }

    #[test]
    fn lenient_skips_lines_that_are_not_headers() {
        let head = b"HTTP/1.1 200 OK\r\noops\r\n\0: x\r\nA: 1\r\n\r\n";
        assert_eq!(ResponseHead::parse(head, true).unwrap().headers.len(), 1);
        assert!(ResponseHead::parse(b"HTTP/1.1 x\r\n\r\n", true).is_err());
    }

    #[test]
    fn finds_the_end_of_the_head_wherever_it_is_divided() {
        for head in ["HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", "\r\nHTTP/1.1 200 OK\nA: 1\n\n", "HTTP/1.1 200 OK\r\n\n"] {
            let bytes = format!("{head}body\r\n\r\n");
            for searched in 0..head.len() {
                assert_eq!(head_end(bytes.as_bytes(), searched), Some(head.len()), "{head:?} {searched}");
                assert_eq!(head_end(&bytes.as_bytes()[..searched], 0), None, "{head:?} {searched}");
            }
        }
    }

    #[test]
    fn other_protocols_are_recognised_early() {
        for start in ["", "H", "HTTP/1.", "\r\nHTTP/1.1 200", "HTTP/1.x"] {
            assert!(has_http_start(start.as_bytes()), "{start:?}");
        }
        for start in ["SSH-2.0", "h", "HTTP/2", "<html>", " HTTP/1.1"] {
            assert!(!has_http_start(start.as_bytes()), "{start:?}");
        }
    }
}
