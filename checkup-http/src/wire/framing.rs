//! Finds where the body of a response ends (RFC 9112, section 6), and which of the bytes after the head are its
//! content.

use bytes::{Buf, Bytes, BytesMut};
use checkup_net::excerpt;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING};
use http::{Method, StatusCode};
use memchr::memchr;

use super::head::{HeadProblem, ResponseHead};

/// The maximum length of the line before a chunk, extensions included, in bytes.
const MAX_CHUNK_LINE: usize = 16 * 1024;

/// The maximum size of the trailers after the last chunk, in bytes.
const MAX_TRAILERS: usize = 64 * 1024;

/// How the end of a body is recognised, and how much of it is still to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes.
    Length(u64),
    /// Chunks, each with its length.
    Chunked(Chunk),
    /// The body ends with the connection.
    UntilClose,
}

/// What comes next in a chunked body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The line with the length of a chunk.
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The line break after a chunk.
    LineBreak,
    /// Trailers, and how many of their bytes have been read.
    Trailers(usize),
    /// Nothing.
    End,
}

/// What the received bytes contain next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A part of the body.
    Data(Bytes),
    /// More bytes are needed.
    NeedsMore,
    /// The body has ended.
    End,
}

impl Framing {
    /// Determines how the response to a request with this method is framed, and which transfer codings were applied
    /// before chunking, in that order.
    ///
    /// `lenient` ignores an invalid length: the body then ends with the connection.
    ///
    /// # Errors
    ///
    /// If the head is invalid or contradicts itself.
    pub(crate) fn new(method: &Method, head: &ResponseHead, lenient: bool) -> Result<(Self, Vec<String>), HeadProblem> {
        let has_no_body = *method == Method::HEAD
            || head.status.is_informational()
            || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let ignorable = |problem| if lenient || has_no_body { Ok(Self::UntilClose) } else { Err(problem) };
        let mut codings = list(&head.headers, &TRANSFER_ENCODING);
        codings.retain(|coding| coding != "identity");
        let chunked = codings.iter().filter(|coding| *coding == "chunked").count();
        let framing = if chunked > 0 {
            // If both are present, `Content-Length` does not count (RFC 9112, section 6.3).
            if chunked == 1 && codings.pop().is_some_and(|last| last == "chunked") {
                Self::Chunked(Chunk::Size)
            } else {
                codings.retain(|coding| coding != "chunked");
                ignorable(HeadProblem::TransferEncoding(shown(&head.headers, &TRANSFER_ENCODING)))?
            }
        } else if !codings.is_empty() {
            Self::UntilClose
        } else {
            content_length(&head.headers).or_else(ignorable)?
        };
        Ok((if has_no_body { Self::Length(0) } else { framing }, codings))
    }

    /// How many bytes are left, if the body has a declared length.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(*length),
            _ => None,
        }
    }

    /// Whether the body may end with the connection.
    pub(crate) fn ends_with_connection(&self) -> bool {
        *self == Self::UntilClose
    }

    /// Takes the next part of the body from the front of the received bytes.
    ///
    /// # Errors
    ///
    /// If the chunks are invalid. The error says how.
    pub(crate) fn step(&mut self, received: &mut BytesMut) -> Result<Step, String> {
        match self {
            Self::Length(0) => Ok(Step::End),
            Self::Length(left) => Ok(take(left, received)),
            Self::UntilClose if received.is_empty() => Ok(Step::NeedsMore),
            Self::UntilClose => Ok(Step::Data(received.split().freeze())),
            Self::Chunked(chunk) => chunk.step(received),
        }
    }
}

impl Chunk {
    fn step(&mut self, received: &mut BytesMut) -> Result<Step, String> {
        loop {
            match self {
                Self::Size => {
                    let Some(line) = take_line(received, MAX_CHUNK_LINE) else {
                        if received.len() > MAX_CHUNK_LINE {
                            return Err(format!(
                                "the line before a chunk is longer than {} KiB",
                                MAX_CHUNK_LINE / 1024
                            ));
                        }
                        return Ok(Step::NeedsMore);
                    };
                    let size = chunk_size(&line).ok_or_else(|| {
                        format!("expected the size of a chunk in hexadecimal, found \"{}\"", excerpt(&line, 60))
                    })?;
                    *self = if size == 0 { Self::Trailers(0) } else { Self::Data(size) };
                }
                Self::Data(0) => *self = Self::LineBreak,
                Self::Data(left) => return Ok(take(left, received)),
                Self::LineBreak => match received[..] {
                    [] | [b'\r'] => return Ok(Step::NeedsMore),
                    [b'\n', ..] => {
                        received.advance(1);
                        *self = Self::Size;
                    }
                    [b'\r', b'\n', ..] => {
                        received.advance(2);
                        *self = Self::Size;
                    }
                    _ => {
                        let found = excerpt(received, 20);
                        return Err(format!("expected a line break after a chunk, found \"{found}\""));
                    }
                },
                // Trailers are not part of the body.
                Self::Trailers(length) => {
                    let Some(line) = take_line(received, MAX_TRAILERS) else {
                        if *length + received.len() > MAX_TRAILERS {
                            return Err(too_many_trailers());
                        }
                        return Ok(Step::NeedsMore);
                    };
                    *length += line.len() + 1;
                    if *length > MAX_TRAILERS {
                        return Err(too_many_trailers());
                    }
                    if line.is_empty() {
                        *self = Self::End;
                    }
                }
                Self::End => return Ok(Step::End),
            }
        }
    }
}

fn too_many_trailers() -> String {
    format!("its trailers are longer than {} KiB", MAX_TRAILERS / 1024)
}

/// Takes up to `left` bytes and subtracts them from it.
fn take(left: &mut u64, received: &mut BytesMut) -> Step {
    if received.is_empty() {
        return Step::NeedsMore;
    }
    let length = usize::try_from(*left).map_or(received.len(), |left| left.min(received.len()));
    *left -= length as u64;
    Step::Data(received.split_to(length).freeze())
}

/// Takes a line of at most `maximum` bytes, without its line break.
fn take_line(received: &mut BytesMut, maximum: usize) -> Option<Bytes> {
    let end = memchr(b'\n', &received[..received.len().min(maximum)])?;
    let mut line = received.split_to(end + 1).freeze();
    line.truncate(if line[..end].ends_with(b"\r") { end - 1 } else { end });
    Some(line)
}

/// Reads the size of a chunk, which precedes any extensions (RFC 9112, section 7.1.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Reads `Content-Length`. A list of equal values counts as one value (RFC 9110, section 8.6).
fn content_length(headers: &HeaderMap) -> Result<Framing, HeadProblem> {
    let mut found: Option<String> = None;
    for value in list(headers, &CONTENT_LENGTH) {
        match &found {
            Some(first) if *first != value => return Err(HeadProblem::ContentLengths(first.clone(), value)),
            _ => found = Some(value),
        }
    }
    match found {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            // A number with too many digits to fit is longer than any body.
            Ok(Framing::Length(digits.parse().unwrap_or(u64::MAX)))
        }
        Some(found) => Err(HeadProblem::ContentLength(found)),
        None if headers.contains_key(CONTENT_LENGTH) => Err(HeadProblem::ContentLength(String::new())),
        None => Ok(Framing::UntilClose),
    }
}

/// The members of a list header, in lower case and bounded, so that messages can show them.
fn list(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
        .map(|member| excerpt(member, 60).to_ascii_lowercase())
        .collect()
}

fn shown(headers: &HeaderMap, name: &HeaderName) -> String {
    list(headers, name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(headers: &str, lenient: bool) -> Result<(Framing, Vec<String>), String> {
        let head = ResponseHead::parse(format!("HTTP/1.1 200 OK\n{headers}\n\n").as_bytes(), false).unwrap();
        Framing::new(&Method::GET, &head, lenient).map_err(|problem| problem.to_string())
    }

    #[test]
    fn the_head_says_where_the_body_ends() {
        for (headers, expected) in [
            ("", Framing::UntilClose),
            ("content-length: 5", Framing::Length(5)),
            ("content-length: 5\ncontent-length: 5", Framing::Length(5)),
            ("content-length: 5, 5", Framing::Length(5)),
            ("content-length: 99999999999999999999999", Framing::Length(u64::MAX)),
            ("transfer-encoding: Chunked", Framing::Chunked(Chunk::Size)),
            ("transfer-encoding: identity\ncontent-length: 5", Framing::Length(5)),
            ("transfer-encoding: chunked\ncontent-length: x", Framing::Chunked(Chunk::Size)),
            ("transfer-encoding: gzip\ncontent-length: 5", Framing::UntilClose),
        ] {
            assert_eq!(framing(headers, false).unwrap().0, expected, "{headers}");
        }
        let (framing, codings) = framing("transfer-encoding: gzip\ntransfer-encoding: chunked", false).unwrap();
        assert_eq!((framing, codings), (Framing::Chunked(Chunk::Size), vec!["gzip".to_owned()]));
    }

    #[test]
    fn a_wrong_length_is_named_unless_ignored() {
        for (headers, expected) in [
            ("content-length: x", "Content-Length is \"x\", expected a number of bytes"),
            ("content-length: -1", "Content-Length is \"-1\", expected a number of bytes"),
            ("content-length: +1", "Content-Length is \"+1\", expected a number of bytes"),
            ("content-length:", "Content-Length is \"\", expected a number of bytes"),
            ("content-length: 5\ncontent-length: 6", "there are two headers Content-Length: \"5\" and \"6\""),
            (
                "transfer-encoding: chunked, gzip",
                "Transfer-Encoding is \"chunked, gzip\"; chunked must be in it once, and last",
            ),
            (
                "transfer-encoding: chunked, chunked",
                "Transfer-Encoding is \"chunked, chunked\"; chunked must be in it once, and last",
            ),
        ] {
            assert_eq!(framing(headers, false).unwrap_err(), expected);
            assert_eq!(framing(headers, true).unwrap().0, Framing::UntilClose, "{headers}");
        }
    }

    #[test]
    fn some_responses_have_no_body() {
        let head = |status: u16| {
            ResponseHead::parse(format!("HTTP/1.1 {status} x\ncontent-length: 5\n\n").as_bytes(), false).unwrap()
        };
        for (method, status) in [(Method::HEAD, 200), (Method::GET, 204), (Method::GET, 304), (Method::GET, 101)] {
            let framing = Framing::new(&method, &head(status), false).unwrap().0;
            assert_eq!(framing, Framing::Length(0), "{method} {status}");
        }
    }

    /// Decodes a chunked body that arrives in pieces of this size. Returns its content, or what is wrong with it.
    fn unchunk(body: &[u8], piece: usize) -> Result<Vec<u8>, String> {
        let mut framing = Framing::Chunked(Chunk::Size);
        let (mut received, mut content) = (BytesMut::new(), Vec::new());
        let mut pieces = body.chunks(piece);
        loop {
            match framing.step(&mut received)? {
                Step::Data(data) => content.extend_from_slice(&data),
                Step::End => return Ok(content),
                Step::NeedsMore => received.extend_from_slice(pieces.next().ok_or("it is incomplete")?),
            }
        }
    }

    #[test]
    fn chunks_are_joined_however_they_are_divided() {
        let body = b"3\r\nabc\r\n0A ;name=\"value\"\r\ndefghijklm\r\n1\nn\n0;x\r\nTrailer: x\r\n\r\nmore";
        for piece in [1, 2, 3, 7, 100] {
            assert_eq!(unchunk(body, piece).unwrap(), b"abcdefghijklmn", "{piece}");
        }
    }

    #[test]
    fn invalid_chunks_are_reported() {
        for (body, expected) in [
            (&b"x\r\n"[..], "expected the size of a chunk in hexadecimal, found \"x\""),
            (b"-1\r\n", "expected the size of a chunk in hexadecimal, found \"-1\""),
            (b"\r\n", "expected the size of a chunk in hexadecimal, found \"\""),
            (b"fffffffffffffffff\r\n", "expected the size of a chunk in hexadecimal, found \"fffffffffffffffff\""),
            (b"1\r\nabc", "expected a line break after a chunk, found \"bc\""),
            (b"5\r\nabc", "it is incomplete"),
            (b"1\r\na\r\n", "it is incomplete"),
            (b"0\r\n", "it is incomplete"),
        ] {
            assert_eq!(unchunk(body, 100).unwrap_err(), expected, "{body:?}");
        }
        let endless = [&b"1;"[..], &[b'x'; 40_000]].concat();
        assert_eq!(unchunk(&endless, 1000).unwrap_err(), "the line before a chunk is longer than 16 KiB");
        let trailers = [&b"0\r\n"[..], &b"a: b\r\n".repeat(20_000)].concat();
        assert_eq!(unchunk(&trailers, 1000).unwrap_err(), "its trailers are longer than 64 KiB");
    }
}
