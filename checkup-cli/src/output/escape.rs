//! Text from outside, made safe to print, by the rule of [`checkup_core::text`].
//!
//! Names, reasons, endpoints and file names come from config files, other machines and the other end of a connection. Control
//! characters in them could move the cursor, change the title of the terminal or forge lines of a report.

use std::borrow::Cow;
use std::fmt::Write;

use checkup_core::text::is_misleading;

pub(crate) use checkup_core::text::escape as line;

/// JSON text: misleading characters that JSON leaves as they are (DEL, C1 controls, changes of direction) become `\u` escapes. It is still
/// the same JSON.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let is_harmful = |character| character != '\n' && is_misleading(character);
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if !is_harmful(character) {
            out.push(character);
            continue;
        }
        let mut units = [0; 2];
        for unit in character.encode_utf16(&mut units) {
            // Writing to a `String` does not fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(line("a\u{1b}[31mb\r\nc\td"), "a\\u{1b}[31mb\\r\\nc\\td");
        assert_eq!(line("\u{9b}2J \u{202e}gnp.exe"), "\\u{9b}2J \\u{202e}gnp.exe");
        assert_eq!(line("\u{fffe}\u{ffff}"), "\\u{fffe}\\u{ffff}");
        assert_eq!(line("naïve 日本語 🙂"), "naïve 日本語 🙂");
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"a": "\u{1b}[0m\u{7f}\u{9b}\u{202e}é\u{e0001}"});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let escaped = json(&text);
        assert!(!escaped.chars().any(|c| c != '\n' && is_misleading(c)), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
