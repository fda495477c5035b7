//! Text from outside, made safe to print: one rule for terminals, logs, reports and messages.
//!
//! Names, reasons, endpoints and file names come from config files, other machines and remote peers.
//! Some characters would move the cursor, forge a line of a log, hide text or reverse its direction.

mod excerpt;

use std::borrow::Cow;

pub use excerpt::excerpt;

/// Whether this character can mislead a reader: it controls the terminal, changes the direction of the text around it,
/// is invisible, or is not a character at all.
///
/// These are Unicode's control characters, bidirectional controls, `Default_Ignorable_Code_Point` without the variation
/// selectors (emoji need those), and noncharacters (which XML 1.0 cannot hold either).
///
/// ```
/// use checkup_core::text::is_misleading;
///
/// assert!(is_misleading('\u{1b}') && is_misleading('\n') && is_misleading('\u{202e}'));
/// assert!(!is_misleading('é') && !is_misleading('日'));
/// ```
pub fn is_misleading(character: char) -> bool {
    // Nearly all text is printable ASCII.
    if matches!(character, ' '..='~') {
        return false;
    }
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        // The last two code points of each plane.
        || u32::from(character) & 0xfffe == 0xfffe
}

/// Returns the text on one line, with every [misleading](is_misleading) character as an escape such as `\n` or `\u{202e}`.
///
/// ```
/// use checkup_core::text::escape;
///
/// assert_eq!(escape("disk full\n WARN forged"), r"disk full\n WARN forged");
/// assert_eq!(escape("\u{1b}[31mred"), r"\u{1b}[31mred");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_misleading) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_escaped(&mut escaped, character);
    }
    Cow::Owned(escaped)
}

/// Adds a character, as an escape if it is [misleading](is_misleading).
pub fn push_escaped(text: &mut String, character: char) {
    if is_misleading(character) {
        text.extend(character.escape_default());
    } else {
        text.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_unchanged() {
        for text in ["", "plain", "naïve “✓”, it's \\ok", "日本語 🙂", "عربى", "☎\u{fe0f}"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn text_cannot_control_a_terminal_forge_a_line_or_hide() {
        assert_eq!(escape("a\u{1b}[31mb\r\nc\td"), r"a\u{1b}[31mb\r\nc\td");
        assert_eq!(escape("\0\u{7f}\u{85}\u{9b}2J"), r"\u{0}\u{7f}\u{85}\u{9b}2J");
        for hidden in
            ['\u{ad}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}', '\u{3164}', '\u{fffe}', '\u{1ffff}']
        {
            assert_eq!(escape(&format!("a{hidden}b")), format!("a{}b", hidden.escape_unicode()));
        }
    }
}
