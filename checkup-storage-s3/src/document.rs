//! Recognises S3 documents: XML whose root element names their kind.

use quick_xml::Reader;
use quick_xml::events::Event;

/// The name of the root element, without its namespace; `None` if this is not XML.
pub(crate) fn root(document: &[u8]) -> Option<String> {
    let mut reader = Reader::from_reader(document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document));
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                return Some(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
            }
            // An HTML page may be truncated, or may not be XML after its first line.
            Event::DocType(kind) if kind.to_ascii_lowercase().starts_with(b"html") => return Some("html".to_owned()),
            Event::Text(text) if text.iter().all(u8::is_ascii_whitespace) => {}
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_says_what_a_document_is_whatever_comes_before_it() {
        for (document, expected) in [
            ("<ListBucketResult/>", Some("ListBucketResult")),
            (
                "\u{feff}<?xml version='1.0'?>\n<!-- x -->\n<DeleteResult xmlns=\"http://s3\"><Deleted/>",
                Some("DeleteResult"),
            ),
            ("<s3:Error><Code>X</Code></s3:Error>", Some("Error")),
            ("<!DOCTYPE html><p>unclosed <br>", Some("html")),
            ("  <HTML><body>", Some("HTML")),
            ("", None),
            ("OK", None),
            ("{\"Version\": \"2012-10-17\"}", None),
            ("</a>", None),
        ] {
            assert_eq!(root(document.as_bytes()).as_deref(), expected, "{document:?}");
        }
    }
}
