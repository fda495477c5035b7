//! Text from outside, made harmless for a terminal.
//!
//! Names, reasons and endpoints come from config files and from the other side of a connection. With control
//! characters in them they could move the cursor, change the title or forge lines of a report.

use std::borrow::Cow;
use std::fmt::Write;

/// One line of text: control characters, those that change the direction of text or are invisible, and those that are
/// no characters are escaped. XML 1.0 has a form for all that is left.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    replace(text, is_harmful, |character, out| out.extend(character.escape_default()))
}

/// JSON text: what JSON leaves as it is (DEL, the C1 controls, directions) becomes `\u` escapes; it stays the same JSON.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let harmful = |character| character != '\n' && is_harmful(character);
    replace(text, harmful, |character, out| {
        let mut units = [0; 2];
        for unit in character.encode_utf16(&mut units) {
            // Writing to a `String` does not fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

fn replace(text: &str, harmful: impl Fn(char) -> bool, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(&harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if harmful(character) { escape(character, &mut out) } else { out.push(character) }
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
        assert!(!escaped.chars().any(|c| c != '\n' && is_harmful(c)), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
