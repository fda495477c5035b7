//! Descriptions of a schema, which are written as documentation of Rust, for readers of a config file.

use serde_json::Value;

/// The paragraphs of a description, each on one line, without code blocks and without links into the code. An entry of a list is a
/// paragraph that begins with `- `.
pub(super) fn paragraphs(description: &Value) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let (mut is_code, mut is_open) = (false, false);
    for line in description.as_str().unwrap_or_default().lines().map(str::trim) {
        if line.starts_with("```") {
            is_code = !is_code;
            is_open = false;
        } else if line.is_empty() || line.starts_with('#') {
            is_open = false;
        } else if !is_code {
            match paragraphs.last_mut().filter(|_| is_open && !line.starts_with("- ")) {
                Some(last) => {
                    last.push(' ');
                    last.push_str(line);
                }
                None => paragraphs.push(line.to_owned()),
            }
            is_open = true;
        }
    }
    let mut paragraphs: Vec<_> = paragraphs.iter().map(|paragraph| without_links(paragraph)).collect();
    // They introduce a block of code.
    paragraphs.retain(|paragraph| !paragraph.ends_with(':') || paragraph.starts_with("- "));
    paragraphs
}

/// Links into the documentation of the code become their text; links to other sites stay.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let Some((label, after)) = rest[start + 1..].split_once(']') else { break };
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        out.push_str(&rest[..start]);
        match target {
            Some((target, after)) if !target.contains("://") => {
                out.push_str(label);
                rest = after;
            }
            None if label.starts_with('`') && label.ends_with('`') && label.len() > 2 => {
                out.push_str(label);
                rest = after;
            }
            _ => {
                out.push('[');
                rest = &rest[start + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The first sentence of a text, and the one that names the default.
pub(crate) fn in_short(about: &[String]) -> String {
    let all = sentences(about.first().map_or("", String::as_str));
    let default = all.iter().skip(1).find(|sentence| sentence.starts_with("Default"));
    let first = all.first().copied().unwrap_or_default();
    default.map_or(first.to_owned(), |default| format!("{first} {default}"))
}

/// The sentences of a paragraph.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (end, _) in text.match_indices(". ") {
        if text[end + 2..].starts_with(|next: char| next.is_uppercase()) {
            sentences.push(&text[start..=end]);
            start = end + 2;
        }
    }
    sentences.push(&text[start..]);
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_the_code_become_text_and_others_stay() {
        let text = "The [`expect`](Self::expect)ed [`Kind`], `[0]` of [a page](https://example.com) and x[1].";
        assert_eq!(without_links(text), "The `expect`ed `Kind`, `[0]` of [a page](https://example.com) and x[1].");
    }

    #[test]
    fn code_is_left_out_with_what_introduces_it() {
        let text = "One\nline.\n\nAs code:\n\n```\nlet x = 1;\n```\n\nIt has\n- a\n- b\n  c";
        assert_eq!(paragraphs(&text.into()), ["One line.", "It has", "- a", "- b c"]);
    }

    #[test]
    fn the_short_form_has_the_default() {
        let about = ["How long, e.g. 5s. It may be less. Default: 10 seconds.".to_owned()];
        assert_eq!(in_short(&about), "How long, e.g. 5s. Default: 10 seconds.");
        assert_eq!(in_short(&[]), "");
    }
}
