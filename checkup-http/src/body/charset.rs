//! Character sets: every text is turned into UTF-8 before it is searched or parsed.

use checkup_core::Failure;
use checkup_net::excerpt;
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;

/// Converts a body to UTF-8 while it arrives. A byte order mark determines the charset, or else the content type does
/// (WHATWG Encoding Standard). Without either, the bytes are assumed to be UTF-8 and passed on unchanged.
pub(crate) struct ToUtf8 {
    charset: Charset,
    /// The start of the body, until it is long enough to hold a byte order mark.
    start: Option<Vec<u8>>,
    decoder: Option<Decoder>,
}

/// The charset that the head names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    Unknown,
    /// UTF-16 of unspecified byte order.
    Utf16,
    Known(&'static Encoding),
}

/// The length of the longest byte order mark, in bytes.
const START: usize = 3;

impl ToUtf8 {
    /// Starts a body of this content type. If `lenient`, an unknown charset is taken as UTF-8.
    ///
    /// # Errors
    ///
    /// If the charset is unknown.
    pub(crate) fn new(content_type: &[u8], lenient: bool) -> Result<Self, Failure> {
        let charset = match label(content_type) {
            None => Charset::Unknown,
            Some(label) if label.eq_ignore_ascii_case(b"utf-16") => Charset::Utf16,
            Some(label) => match Encoding::for_label_no_replacement(label) {
                Some(encoding) => Charset::Known(encoding),
                None if lenient => Charset::Unknown,
                None => {
                    let label = excerpt(label, 40);
                    return Err(Failure::protocol(format!(
                        "the response's charset is \"{label}\", which is not supported"
                    )));
                }
            },
        };
        Ok(Self { charset, start: Some(Vec::new()), decoder: None })
    }

    /// Decodes the next part of the body, or the end of it, and adds it to `text`.
    pub(crate) fn decode(&mut self, part: &[u8], is_last: bool, text: &mut Vec<u8>) {
        let Some(mut start) = self.start.take() else { return self.decode_rest(part, is_last, text) };
        start.extend_from_slice(part);
        if start.len() < START && !is_last {
            self.start = Some(start);
            return;
        }
        let (encoding, mark) = self.encoding(&start);
        if encoding != UTF_8 {
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
        }
        self.decode_rest(&start[mark..], is_last, text);
    }

    /// Returns the encoding of a body that starts like this, and the length of its byte order mark.
    fn encoding(&self, start: &[u8]) -> (&'static Encoding, usize) {
        if let Some(found) = Encoding::for_bom(start) {
            return found;
        }
        match (self.charset, start) {
            (Charset::Known(encoding), _) => (encoding, 0),
            (Charset::Utf16, [0, ..]) => (UTF_16BE, 0),
            (Charset::Utf16, _) => (UTF_16LE, 0),
            // This is how a JSON or XML document in UTF-16 starts.
            (Charset::Unknown, [0, b'{' | b'[' | b'"' | b'<', ..]) => (UTF_16BE, 0),
            (Charset::Unknown, [b'{' | b'[' | b'"' | b'<', 0, ..]) => (UTF_16LE, 0),
            (Charset::Unknown, _) => (UTF_8, 0),
        }
    }

    fn decode_rest(&mut self, mut part: &[u8], is_last: bool, text: &mut Vec<u8>) {
        let Some(decoder) = &mut self.decoder else { return text.extend_from_slice(part) };
        let mut buffer = [0; 4096];
        loop {
            let (result, read, written, _) = decoder.decode_to_utf8(part, &mut buffer, is_last);
            text.extend_from_slice(&buffer[..written]);
            part = &part[read..];
            if result == CoderResult::InputEmpty {
                return;
            }
        }
    }
}

impl std::fmt::Debug for ToUtf8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToUtf8").field("charset", &self.charset).finish_non_exhaustive()
    }
}

/// Returns the charset of a content type, if it has one: the value of the parameter, without quotes.
fn label(content_type: &[u8]) -> Option<&[u8]> {
    let lower = content_type.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + memmem::find(&lower[from..], b"charset")?;
        from = at + b"charset".len();
        // It must be a whole parameter name, not the end of another one.
        if at > 0 && !matches!(lower[at - 1], b';' | b',' | b' ' | b'\t') {
            continue;
        }
        let Some(value) = content_type[from..].trim_ascii_start().strip_prefix(b"=") else { continue };
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
        let value = value.trim_ascii_start();
        let value = if value.first().is_some_and(is_quote) { &value[1..] } else { value };
        let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b';' | b',') || byte.is_ascii_whitespace();
        let value = &value[..value.iter().position(ends).unwrap_or(value.len())];
        return (!value.is_empty()).then_some(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a body that arrives in parts of this size.
    fn decode(content_type: &str, body: &[u8], size: usize) -> Vec<u8> {
        let mut decoder = ToUtf8::new(content_type.as_bytes(), false).unwrap();
        let mut text = Vec::new();
        body.chunks(size).for_each(|part| decoder.decode(part, false, &mut text));
        decoder.decode(b"", true, &mut text);
        text
    }

    #[test]
    fn text_becomes_utf_8_however_it_is_divided() {
        let utf_16 = |text: &str, encode: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(encode).collect::<Vec<_>>();
        let (le, be) = (utf_16("{Grüße😀", u16::to_le_bytes), utf_16("{Grüße😀", u16::to_be_bytes));
        for (content_type, body, expected) in [
            ("text/html; charset=iso-8859-1", b"Gr\xfc\xdfe".to_vec(), "Grüße"),
            ("text/html;charset=\"ISO-8859-1\"; x=y", b"Gr\xfc\xdfe".to_vec(), "Grüße"),
            ("text/html; charset='latin1'", b"Gr\xfc\xdfe".to_vec(), "Grüße"),
            ("text/plain; Charset = windows-1252", b"\x80".to_vec(), "€"),
            ("text/plain; charset=shift_jis", b"\x93\xfa\x96\x7b".to_vec(), "日本"),
            ("text/plain; charset=utf-8", "Grüße".into(), "Grüße"),
            ("text/plain", "Grüße".into(), "Grüße"),
            ("", "\u{feff}Grüße".into(), "Grüße"),
            ("text/plain; charset=iso-8859-1", "\u{feff}Grüße".into(), "Grüße"),
            ("", [b"\xff\xfe", &le[..]].concat(), "{Grüße😀"),
            ("text/plain; charset=utf-8", [b"\xfe\xff", &be[..]].concat(), "{Grüße😀"),
            ("text/plain; charset=utf-16", le.clone(), "{Grüße😀"),
            ("text/plain; charset=utf-16", be.clone(), "{Grüße😀"),
            ("text/plain; charset=utf-16be", be.clone(), "{Grüße😀"),
            ("application/json", le, "{Grüße😀"),
            ("application/json", be, "{Grüße😀"),
            ("", b"ab".to_vec(), "ab"),
            ("", Vec::new(), ""),
            ("", b"\xef\xbb\xbf".to_vec(), ""),
        ] {
            for size in [1, 2, 3, 4, 100] {
                let text = decode(content_type, &body, size);
                assert_eq!(String::from_utf8_lossy(&text), expected, "{content_type} {body:?} {size}");
            }
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_unchanged() {
        assert_eq!(decode("application/octet-stream", b"\x00\xff\xfd\x80", 2), b"\x00\xff\xfd\x80");
    }

    #[test]
    fn an_unknown_charset_is_named() {
        let refused =
            |content_type: &str| ToUtf8::new(content_type.as_bytes(), false).unwrap_err().message().to_owned();
        assert_eq!(
            refused("text/html; charset=utf-32"),
            "the response's charset is \"utf-32\", which is not supported"
        );
        assert!(refused("text/html; charset=iso-2022-cn").contains("iso-2022-cn"));
        assert!(ToUtf8::new(b"text/html; charset=klingon", true).is_ok());
        for none in ["text/html", "text/html; charset", "text/html; charset=", "text/html; xcharset=utf-32", "charset"]
        {
            assert!(ToUtf8::new(none.as_bytes(), false).is_ok(), "{none}");
        }
    }
}
