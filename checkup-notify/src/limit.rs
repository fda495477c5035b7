//! [`Limit`]: how much text a service accepts, in its own unit, and cutting a text to that.

/// What marks the place where a text was cut.
pub(crate) const ELLIPSIS: char = '…';

/// What a service counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Unicode characters.
    Chars,
    /// UTF-16 code units: most emoji are two. At least as many as characters, so it is also the cautious choice where a
    /// service does not say what it counts.
    Utf16,
    /// Bytes in UTF-8.
    Bytes,
    /// Bytes in UTF-8 inside of a JSON string, for services that limit the whole request.
    JsonBytes,
}

/// At most this much of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) max: usize,
    pub(crate) unit: Unit,
}

impl Unit {
    /// How much this character counts.
    fn of(self, character: char) -> usize {
        match self {
            Self::Chars => 1,
            Self::Utf16 => character.len_utf16(),
            Self::Bytes => character.len_utf8(),
            Self::JsonBytes => match character {
                '"' | '\\' => 2,
                '\u{0}'..='\u{1f}' => 6,
                other => other.len_utf8(),
            },
        }
    }

    /// How much this text counts.
    pub(crate) fn len(self, text: &str) -> usize {
        text.chars().map(|character| self.of(character)).sum()
    }
}

impl Limit {
    /// At most this much.
    pub(crate) const fn new(max: usize, unit: Unit) -> Self {
        Self { max, unit }
    }

    /// Whether the text fits. Looks only at as much of it as can fit.
    pub(crate) fn holds(self, text: &str) -> bool {
        let mut left = self.max;
        text.chars().all(|character| match left.checked_sub(self.unit.of(character)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
    }

    /// The text, or as much of its beginning as fits with an ellipsis after it. Never cuts inside of a character.
    pub(crate) fn cut(self, text: &str) -> String {
        if self.holds(text) {
            return text.to_owned();
        }
        let Some(mut left) = self.max.checked_sub(self.unit.of(ELLIPSIS)) else { return String::new() };
        let mut cut = String::new();
        for character in text.chars() {
            let Some(rest) = left.checked_sub(self.unit.of(character)) else { break };
            left = rest;
            cut.push(character);
        }
        cut.push(ELLIPSIS);
        cut
    }

    /// The longest beginning of `text` (with an ellipsis if it is not all of it) that fits after `write` has written it, for
    /// texts that grow when they are escaped. A cut is never inside of what `write` makes of a character.
    pub(crate) fn cut_written(self, text: &str, write: impl Fn(&str) -> String) -> String {
        // No text is longer after a cut, so more than this cannot fit.
        let text = Self::new(self.max, Unit::Chars).cut(text);
        let whole = write(&text);
        if self.holds(&whole) {
            return whole;
        }
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let shortened = |end: usize| write(&format!("{}{ELLIPSIS}", &text[..end]));
        let fitting = ends.partition_point(|end| self.holds(&shortened(*end)));
        fitting.checked_sub(1).map_or_else(String::new, |last| shortened(ends[last]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_fits_is_unchanged() {
        for unit in [Unit::Chars, Unit::Utf16, Unit::Bytes, Unit::JsonBytes] {
            assert_eq!(Limit::new(3, unit).cut("abc"), "abc");
            assert_eq!(Limit::new(0, unit).cut(""), "");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character_in_the_services_unit() {
        assert_eq!(Limit::new(3, Unit::Chars).cut("🙂🙂🙂🙂"), "🙂🙂…");
        assert_eq!(Limit::new(4, Unit::Utf16).cut("🙂🙂🙂"), "🙂…");
        assert_eq!(Limit::new(8, Unit::Bytes).cut("🙂🙂🙂"), "🙂…");
        assert_eq!(Limit::new(6, Unit::JsonBytes).cut("\"\"\"\""), "\"…");
        assert_eq!(Limit::new(2, Unit::Bytes).cut("long"), "");
    }

    #[test]
    fn the_cut_is_never_inside_of_an_escape() {
        let escape = |text: &str| text.replace('&', "&amp;");
        let limit = Limit::new(12, Unit::Chars);
        assert_eq!(limit.cut_written("&&&&", escape), "&amp;&amp;…");
        assert_eq!(limit.cut_written("&&", escape), "&amp;&amp;");
        assert_eq!(Limit::new(1, Unit::Chars).cut_written("&&", escape), "…");
        assert_eq!(Limit::new(0, Unit::Chars).cut_written("&&", escape), "");
    }

    #[test]
    fn whatever_the_limit_is_it_holds() {
        let text = "a\"\u{7}é日🙂&".repeat(20);
        for unit in [Unit::Chars, Unit::Utf16, Unit::Bytes, Unit::JsonBytes] {
            for max in 0..200 {
                let limit = Limit::new(max, unit);
                assert!(unit.len(&limit.cut(&text)) <= max, "{unit:?} {max}");
                let doubled = limit.cut_written(&text, |text| text.chars().flat_map(|c| [c, c]).collect());
                assert!(unit.len(&doubled) <= max, "{unit:?} {max}");
            }
        }
    }
}
