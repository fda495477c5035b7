//! Text in XML.

use std::borrow::Cow;

/// The text without the characters that XML 1.0 does not allow, not even escaped.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect())
}

/// Escapes text for elements and for attributes in double quotes.
pub(crate) fn escape(value: &str) -> String {
    quick_xml::escape::escape(text(value)).into_owned()
}

/// For tests: reads a whole document, and panics if it is not well-formed.
#[cfg(test)]
pub(crate) fn assert_well_formed(document: &str) {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(document);
    reader.config_mut().check_end_names = true;
    let mut depth = 0_i32;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} in {document}")) {
            Event::Eof => break,
            Event::Start(start) => {
                depth += 1;
                for attribute in start.attributes() {
                    let value = attribute.unwrap();
                    quick_xml::escape::unescape(std::str::from_utf8(&value.value).unwrap()).unwrap();
                }
            }
            Event::End(_) => depth -= 1,
            Event::Text(found) => assert!(!found.iter().any(|byte| *byte < b' ' && !b"\t\n\r".contains(byte))),
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{document}");
}
