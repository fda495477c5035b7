//! Text of a given width, in columns of a terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The number of columns that the text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The blanks that fill `text` up to `width`.
pub(super) fn pad(text: &str, to: usize) -> String {
    " ".repeat(to.saturating_sub(width(text)))
}

/// The text, shortened with `…` at its end if it takes more than `max` columns.
pub(super) fn fit(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    let Some(room) = max.checked_sub(1) else { return Cow::Borrowed("") };
    Cow::Owned(format!("{}…", &text[..end_within(text, room)]))
}

/// The text in lines of at most `max` columns, broken at blanks if possible.
pub(super) fn wrap(text: &str, max: Option<usize>) -> impl Iterator<Item = &str> {
    let max = max.map_or(usize::MAX, |max| max.max(10));
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = end_within(rest, max);
        let end = match &rest[end..] {
            "" => end,
            after if after.starts_with(' ') => end,
            _ => rest[..end].rfind(' ').filter(|blank| *blank > 0).unwrap_or(end),
        };
        let (line, after) = rest.split_at(end);
        rest = after.trim_start_matches(' ');
        Some(line)
    })
}

/// The end of the longest part of `text` that takes at most `max` columns.
fn end_within(text: &str, max: usize) -> usize {
    let mut used: usize = 0;
    for (at, character) in text.char_indices() {
        used += character.width().unwrap_or(0);
        if used > max {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(pad("日本語", 8).len(), 2);
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn lines_break_at_blanks_where_there_are_any() {
        let lines: Vec<_> = wrap("connection refused by the server", Some(12)).collect();
        assert_eq!(lines, ["connection", "refused by", "the server"]);
        let lines: Vec<_> = wrap("aaaaaaaaaaaaaaa b", Some(10)).collect();
        assert_eq!(lines, ["aaaaaaaaaa", "aaaaa b"]);
        let lines: Vec<_> = wrap("0123456789 next", Some(10)).collect();
        assert_eq!(lines, ["0123456789", "next"]);
        assert_eq!(wrap("", None).count(), 0);
        assert_eq!(wrap(&"x y ".repeat(100), None).count(), 1);
    }
}
