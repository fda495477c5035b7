//! Text without the page's markup.

/// The longest description for search engines and for visitors without JavaScript, in characters.
const MAX_PLAIN: usize = 300;

/// A description without its markup, in one line.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let (before, link) = rest.split_at(start);
        plain.push_str(before);
        let parts = link[1..].split_once("](").and_then(|(label, after)| Some((label, after.split_once(')')?)));
        match parts.filter(|(label, _)| !label.contains(['[', ']', '\n'])) {
            Some((label, (_, after))) => {
                plain.push_str(label);
                rest = after;
            }
            None => {
                plain.push('[');
                rest = &link[1..];
            }
        }
    }
    plain.push_str(rest);
    let words = plain.split_whitespace().map(without_stars);
    let line = words.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_PLAIN { line } else { line.chars().take(MAX_PLAIN - 1).chain(['…']).collect() }
}

/// A word without the stars of emphasis: those that are not between two letters or digits. A star alone stays.
fn without_stars(word: &str) -> String {
    let chars: Vec<_> = word.chars().collect();
    let is_word = |index: Option<usize>| index.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
    if !chars.iter().any(|c| c.is_alphanumeric()) {
        return word.to_owned();
    }
    let kept =
        chars.iter().enumerate().filter(|&(at, c)| *c != '*' || is_word(at.checked_sub(1)) && is_word(Some(at + 1)));
    kept.map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_for_search_engines_has_no_markup() {
        for (text, expected) in [
            (
                "**Example Shop** is *fine*.\n[Write to us](mailto:ops@example.com), please",
                "Example Shop is fine. Write to us, please",
            ),
            ("2 * 3, 2*3, [x], [a](b", "2 * 3, 2*3, [x], [a](b"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected);
        }
        let long = plain(&"ä ".repeat(1000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (300, true));
    }
}
