//! Badges: small pictures of a state, for READMEs and dashboards.

use super::xml;
use crate::view::badge_value::BadgeValue;

/// The SVG of a badge.
pub(crate) fn svg(label: &str, value: &BadgeValue) -> String {
    const MAX_LABEL: usize = 60;
    let short: String = label.chars().take(MAX_LABEL).collect();
    let label = xml::escape(if short.len() < label.len() { format!("{}…", short.trim_end()) } else { short }.as_str());
    let (text, colour) = (value.text(), value.colour());
    let (left, right) = (width(&label) + 10, width(&text) + 10);
    let total = left + right;
    let (left_text, right_text) = (left - 10, right - 10);
    let (left_middle, right_middle) = (f64::from(left) / 2.0, f64::from(left) + f64::from(right) / 2.0);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" aria-label="{label}: {text}">
<title>{label}: {text}</title>
<clipPath id="r"><rect width="{total}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#424a53"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">
<text x="{left_middle}" y="14" textLength="{left_text}" lengthAdjust="spacingAndGlyphs">{label}</text>
<text x="{right_middle}" y="14" textLength="{right_text}" lengthAdjust="spacingAndGlyphs">{text}</text>
</g></svg>
"##
    )
}

/// The approximate width of a text in Verdana at 11 pixels. The badge fits the text to it.
fn width(escaped: &str) -> u32 {
    // An entity counts as one character.
    let mut text = escaped.to_owned();
    for entity in ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"] {
        text = text.replace(entity, "x");
    }
    let tenths: u32 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | '|' | '\'' | '!' => 36,
            'f' | 't' | 'r' | ' ' | '-' | '(' | ')' | '/' => 45,
            'm' | 'w' | 'M' | 'W' | '%' => 105,
            'A'..='Z' => 77,
            c if c.is_ascii() => 68,
            _ => 110,
        })
        .sum();
    tenths / 10 + 1
}

/// The file name of a badge without its extension: the name of the check if that is a valid file name everywhere, else a similar and unique
/// one.
pub(crate) fn file_name(name: &str) -> String {
    const MAX: usize = 80;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.len() <= MAX && name.chars().all(fits) {
        return name.to_owned();
    }
    let like: String = name.chars().take(MAX).map(|c| if fits(c) { c } else { '-' }).collect();
    // FNV-1a (32 bits), which is easy to compute in scripts.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{like}-{hash:08x}")
}

#[cfg(test)]
mod tests {
    use checkup_core::Status;

    use super::*;

    #[test]
    fn a_badge_is_well_formed_whatever_the_name() {
        for label in ["API", "<script>alert(1)</script>", "\"'&]]>", "a\u{0}\u{1b}[31m\u{ffff}b", "日本語", ""] {
            for value in [BadgeValue::State(Status::Down), BadgeValue::Uptime(0.5), BadgeValue::Stale] {
                let svg = svg(label, &value);
                xml::assert_well_formed(&svg);
                assert!(!svg.contains("<script"), "{svg}");
            }
        }
    }

    #[test]
    fn names_of_files_have_no_special_characters_and_differ() {
        assert_eq!(file_name("api-1_x"), "api-1_x");
        let names = ["a b", "a/b", "../b", "", "a.b", "é", "<b>"].map(file_name);
        for name in &names {
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{name}");
        }
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
        assert!(file_name(&"x".repeat(1000)).len() < 100);
    }
}
