//! [`excerpt()`]: shortens and escapes what an endpoint sent, so that messages can quote it.

use std::fmt::Write;

use super::push_escaped;

/// Returns the beginning of what an endpoint sent, on one line of at most `max` characters, for use in messages.
///
/// [Misleading](super::is_misleading) characters and bytes that are not UTF-8 are escaped, so terminals, logs and
/// pages can show the result as it is. An escape counts as one character. `…` replaces the part that is cut off.
///
/// ```
/// use checkup_core::text::excerpt;
///
/// assert_eq!(excerpt(b"-NOAUTH\r\n", 80), r"-NOAUTH\r\n");
/// assert_eq!(excerpt(b"\x1b[31m\xff", 80), r"\u{1b}[31m\xff");
/// assert_eq!(excerpt(b"220 mail.example ESMTP", 8), "220 mail…");
/// ```
pub fn excerpt(bytes: &[u8], max: usize) -> String {
    // A character has at most four bytes in UTF-8, so no more than this can be shown.
    let end = bytes.len().min(max.saturating_mul(4).saturating_add(4));
    let mut text = String::new();
    let mut left = max;
    for chunk in bytes[..end].utf8_chunks() {
        for character in chunk.valid().chars() {
            if left == 0 {
                text.push('…');
                return text;
            }
            left -= 1;
            push_escaped(&mut text, character);
        }
        for byte in chunk.invalid() {
            if left == 0 {
                text.push('…');
                return text;
            }
            left -= 1;
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    if end < bytes.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_unchanged() {
        assert_eq!(excerpt("naïve “✓”, it's \\ok".as_bytes(), 80), "naïve “✓”, it's \\ok");
        assert_eq!(excerpt(b"", 80), "");
        assert_eq!(excerpt(b"abc", 3), "abc");
    }

    #[test]
    fn the_length_is_bounded_for_any_input() {
        for bytes in [vec![b'a'; 1 << 20], vec![0; 1 << 20], vec![0xff; 1 << 20], "é".repeat(1 << 20).into_bytes()] {
            let text = excerpt(&bytes, 10);
            assert!(text.ends_with('…'), "{text}");
            assert!(text.chars().count() <= 61, "{text}");
        }
        assert_eq!(excerpt(b"abc", 0), "…");
    }

    #[test]
    fn control_and_invisible_characters_are_escaped() {
        let text = excerpt("a\r\n\t\0\u{7f}\u{85}\u{202e}\u{200b}\u{3164}\u{e0041}z".as_bytes(), 80);
        assert_eq!(text, r"a\r\n\t\u{0}\u{7f}\u{85}\u{202e}\u{200b}\u{3164}\u{e0041}z");
    }
}
